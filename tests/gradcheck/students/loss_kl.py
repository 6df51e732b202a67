import numpy as np

# long
# expect kl_loss: right
# expect kl_div_loss: right
# expect gaussian_kl_loss: right
# expect gaussian_kl_loss_v2: wrong
# expect distillation_loss: right


def kl_loss(p, q):
    """KL(p || q); both are distributions over the last axis, and both have a gradient"""
    loss = np.sum(p * np.log(p / q))
    dp = np.log(p / q) + 1
    dq = -p / q
    return loss, dp, dq


def kl_div_loss(log_probs, target):
    n = len(log_probs)
    loss = np.sum(target * (np.log(target + 1e-12) - log_probs)) / n
    dlog_probs = -target / n
    return loss, dlog_probs


def gaussian_kl_loss(mu, logvar):
    """KL of N(mu, exp(logvar)) from N(0, 1), as in a VAE"""
    loss = -0.5 * np.sum(1 + logvar - mu ** 2 - np.exp(logvar))
    dmu = mu
    dlogvar = 0.5 * (np.exp(logvar) - 1)
    return loss, dmu.copy(), dlogvar


def gaussian_kl_loss_v2(mu, logvar):
    loss = -0.5 * np.sum(1 + logvar - mu ** 2 - np.exp(logvar))
    return loss, mu.copy(), 0.5 * np.exp(logvar)


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def distillation_loss(student_logits, teacher_logits, T=2.0):
    p = softmax(teacher_logits / T)
    q = softmax(student_logits / T)
    loss = -np.mean(np.sum(p * np.log(q), axis=-1)) * T * T
    return loss, T * (q - p) / len(q)
