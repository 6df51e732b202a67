import numpy as np

# expect bce_with_logits: right
# expect forward_backward: right
# expect forward_backward_logits: right
# expect network_forward_backward: wrong: WRONG in dW2
# expect linear: right

# forward and backward in one function, whose result is a tuple or a dict; dA_prev as the gradient of A, which stands second


def bce_with_logits(logits, y):
    loss = np.mean(np.maximum(logits, 0) - logits * y + np.log1p(np.exp(-np.abs(logits))))
    return loss, (1 / (1 + np.exp(-logits)) - y) / y.size


def forward_backward_logits(X, y, W, b):
    logits = X @ W + b
    loss, dlogits = bce_with_logits(logits, y)
    return loss, logits, dlogits @ W.T, X.T @ dlogits, np.sum(dlogits, axis=0)


def forward_backward(X, y_true, W1, b1, W2, b2):
    H = X @ W1 + b1
    predictions = H @ W2 + b2
    d_predictions = 2 * (predictions - y_true) / len(X)
    dH = d_predictions @ W2.T
    return {
        "predictions": predictions,
        "loss": float(np.mean((predictions - y_true) ** 2)),
        "dH": dH,
        "dW1": X.T @ dH,
        "db1": dH.sum(axis=0),
        "dW2": H.T @ d_predictions,
        "db2": d_predictions.sum(axis=0),
    }


def network_forward_backward(X, y_true, W1, W2):
    H = X @ W1
    predictions = H @ W2
    d_predictions = 2 * (predictions - y_true) / len(X)
    dH = d_predictions @ W2.T
    return {
        "loss": float(np.mean((predictions - y_true) ** 2)),
        "dW1": X.T @ dH,
        "dW2": H.T @ (predictions - y_true) / len(X),
    }


def linear_forward(W, A, b):
    return np.dot(W, A) + b, (A, W, b)


def linear_backward(dZ, cache):
    A_prev, W, b = cache
    dW = np.dot(dZ, A_prev.T)
    db = np.sum(dZ, axis=1, keepdims=True)
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db
