import numpy as np

# always
# expect forward_pass: right: half the squared error
# expect ahead: wrong: WRONG in dV1

# steps with the parameters of the file, after which backward hands back nothing, or the loss

rng = np.random.default_rng(0)
W1, b1 = rng.standard_normal((3, 2)), rng.standard_normal((3, 1))
W2, b2 = rng.standard_normal((1, 3)), rng.standard_normal((1, 1))
V1, V2 = rng.standard_normal((5, 4)), rng.standard_normal((4, 3))
learning_rate = 0.1


def logistic(x):
    return 1 / (1 + np.exp(-x))


def forward_pass(x):
    a1 = logistic(np.dot(W1, x) + b1)
    a2 = logistic(np.dot(W2, a1) + b2)
    return a1, a2


def backward_pass(x, y_true, a1, a2, learning_rate=0.1):
    global W1, b1, W2, b2
    loss = 0.5 * (y_true - a2) ** 2
    d2 = -(y_true - a2) * a2 * (1 - a2)
    d1 = np.dot(W2.T, d2) * a1 * (1 - a1)
    W2 -= learning_rate * np.dot(d2, a1.T)
    b2 -= learning_rate * d2
    W1 -= learning_rate * np.dot(d1, x.T)
    b1 -= learning_rate * d1
    return loss[0][0]


def ahead_forward(X):
    hidden = np.tanh(X @ V1)
    exp = np.exp(hidden @ V2)
    return hidden, exp / exp.sum(axis=1, keepdims=True)


def ahead_backward(X, Y, hidden, output):
    global V1, V2
    error = (output - np.eye(3)[Y]) / len(Y)
    back = error @ V2.T * (1 - hidden)
    V2 -= learning_rate * hidden.T @ error
    V1 -= learning_rate * X.T @ back
