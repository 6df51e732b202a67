import numpy as np

# long
# expect propagate: wrong: dW2, db2 are right, and dW1, db1 are wrong
# expect linear: right: right up to 1/m
# expect classify: right: loss: cost_of_all
# expect classify_slip: wrong: WRONG in dW
# expect deep: right: Y: one-hot in columns, drawn; loss: deep_loss
# expect softmax: right: softmax: a (6,)
# expect flat: right
# expect penalised: right: lambd: 0, for the loss has no such term
# expect probabilities: right: loss: mean_entropy

# backward takes the step itself; a cost of data and parameters; a softmax for one vector; a loss with a tiny number in it

LEARNING_RATE = 0.1


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def propagate(X, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    A1 = np.maximum(0, Z1)
    out = sigmoid(A1 @ W2 + b2)
    return Z1, A1, out


def back_propagate(X, Y, Z1, A1, out, W1, b1, W2, b2):
    m = len(X)
    dZ2 = (out - Y) * out * (1 - out)
    dZ1 = dZ2 @ W2.T * sigmoid(Z1) * (1 - sigmoid(Z1))  # of another activation
    W1 -= LEARNING_RATE * X.T @ dZ1 / m
    b1 -= LEARNING_RATE * np.sum(dZ1, axis=0, keepdims=True) / m
    W2 -= LEARNING_RATE * A1.T @ dZ2 / m
    b2 -= LEARNING_RATE * np.sum(dZ2, axis=0, keepdims=True) / m
    return W1, b1, W2, b2, dZ2


def linear(params, x):
    weights, bias = params
    return x @ weights + bias


def linear_backward(params, x, lr, grad):
    params[0] -= lr * x.T @ grad / len(x)
    params[1] -= lr * np.mean(grad, axis=0)
    return params


def classify(X, W, b):
    s = W @ X + b
    return np.exp(s) / np.sum(np.exp(s), axis=0)


def cost_of_all(X, Y, W, b, lam):
    P = classify(X, W, b)
    return -np.sum(Y * np.log(P)) / X.shape[1] + lam * np.sum(W**2)


def classify_gradients(X, Y, P, W, lam):
    G = P - Y
    return G @ X.T / X.shape[1] + 2 * lam * W, np.sum(G, axis=1, keepdims=True) / X.shape[1]


def classify_slip(X, W, b):
    return classify(X, W, b)


def slip_cost_of_all(X, Y, W, b, lam):
    P = classify_slip(X, W, b)
    return -np.sum(Y * np.log(P)) / X.shape[1] + lam * np.sum(W**2)


def classify_slip_gradients(X, Y, P, W, lam):
    G = P - Y
    return G @ X.T / X.shape[1] + lam * W, np.sum(G, axis=1, keepdims=True) / X.shape[1]


def deep_forward(X, W1, b1, W2, b2):
    A1 = np.maximum(0, W1 @ X + b1)
    s = W2 @ A1 + b2
    e = np.exp(s - np.max(s))
    return A1, e / np.sum(e, axis=0, keepdims=True)


def deep_loss(A2, Y):
    return -np.sum(Y * np.log(A2 + 1e-8)) / Y.shape[1]


def deep_backward(X, Y, A1, A2, W2):
    m = X.shape[1]
    dZ2 = A2 - Y
    dZ1 = W2.T @ dZ2 * (A1 > 0)
    return dZ1 @ X.T / m, dZ1.sum(axis=1, keepdims=True) / m, dZ2 @ A1.T / m, dZ2.sum(axis=1, keepdims=True) / m


def softmax_forward(a):
    e = np.exp(a)
    return e / np.sum(e)


def softmax_backward(b, gb):
    return gb @ (np.diag(b) - np.outer(b, b))


def flat_forward(a, w):
    return np.dot(w, a)


def flat_backward(a, w, gb):
    return np.dot(w.T, gb), np.outer(gb, a)


def penalised_forward(X, W, b):
    return np.tanh(W @ X + b)


def penalised_cost(A, Y):
    return np.sum((A - Y) ** 2) / (2 * Y.shape[1])


def penalised_backward(X, A, W, Y, lambd):
    m = X.shape[1]
    dZ = (A - Y) * (1 - A**2)
    return dZ @ X.T / m + lambd / m * W, dZ.sum(axis=1, keepdims=True) / m


def probabilities(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def mean_entropy(pred, y):
    return -np.sum(np.log(pred[range(len(y)), y])) / len(y)


def probabilities_backward(pred, y):
    grad = pred.copy()
    grad[range(len(y)), y] -= 1
    return grad / len(y)
