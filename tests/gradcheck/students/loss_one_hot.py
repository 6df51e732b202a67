import numpy as np

# expect cross_entropy_loss: right
# expect softmax_cross_entropy: right
# expect cross_entropy: right
# expect label_smoothing_loss: right
# expect cross_entropy_loss_v2: wrong


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy_loss(logits, y_onehot):
    """logits (N, C) and one-hot targets (N, C)"""
    p = softmax(logits)
    loss = -np.sum(y_onehot * np.log(p)) / len(logits)
    dlogits = (p - y_onehot) / len(logits)
    return loss, dlogits


def softmax_cross_entropy_forward(logits, labels):
    p = softmax(logits)
    n = logits.shape[0]
    loss = -np.log(p[np.arange(n), labels]).mean()
    return loss, (p, labels)


def softmax_cross_entropy_backward(dloss, cache):
    p, labels = cache
    n = p.shape[0]
    d = p.copy()
    d[np.arange(n), labels] -= 1
    return dloss * d / n


def cross_entropy_forward(probs, targets):
    # after a softmax; targets are one-hot
    return -np.mean(np.sum(targets * np.log(probs), axis=1)), (probs, targets)


def cross_entropy_backward(dout, cache):
    probs, targets = cache
    return dout * -targets / probs / len(probs)


def label_smoothing_loss(logits, targets, eps=0.1):
    N, C = logits.shape
    q = np.full((N, C), eps / C)
    q[np.arange(N), targets] += 1 - eps
    p = softmax(logits)
    loss = -(q * np.log(p)).sum() / N
    return loss, (p - q) / N


def cross_entropy_loss_v2(logits, y_onehot):
    p = softmax(logits)
    loss = -np.sum(y_onehot * np.log(p)) / logits.shape[0]
    dlogits = (p - y_onehot) / logits.size
    return loss, dlogits
