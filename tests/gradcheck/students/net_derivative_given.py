import numpy as np

# long
# expect forward_pass: right: half the squared error
# expect run: right: loss: compute_error
# expect through: wrong: WRONG in dw1

# an activation and its derivative as arguments; the output beside the gradients; a loss that is called an error


def forward_pass(x, w1, w2, activation):
    hidden = activation(np.dot(x, w1))
    return hidden, activation(np.dot(hidden, w2))


def backpropagation(x, y, w1, w2, activation, derivative, lr):
    hidden, y_pred = forward_pass(x, w1, w2, activation)
    error = y - y_pred
    delta_out = error * derivative(y_pred)
    delta_hidden = np.dot(delta_out, w2.T) * derivative(hidden)
    w2 += lr * np.dot(hidden.T, delta_out)
    w1 += lr * np.dot(x.T, delta_hidden)
    return w1, w2, np.mean(error**2)


def run_forward(X, W1, W2):
    ones = np.ones((X.shape[0], 1))
    A_h = np.hstack((ones, np.tanh(np.hstack((ones, X)) @ W1)))
    A_o = A_h @ W2
    return A_h, A_o


def compute_error(y_pred, y):
    return np.mean((y_pred - y.reshape(-1, 1)) ** 2) / 4.0


def run_backward(X, y, W1, W2):
    A_h, A_o = run_forward(X, W1, W2)
    dA_o = (A_o - y.reshape(-1, 1)) / 2.0 / X.shape[0]
    dZ_h = dA_o @ W2[1:].T * (1 - A_h[:, 1:] ** 2)
    return np.hstack((np.ones((X.shape[0], 1)), X)).T @ dZ_h, A_h.T @ dA_o, A_o


def through_forward(x, w1, w2, activation):
    hidden = activation(x @ w1)
    return hidden, activation(hidden @ w2)


def through_backward(x, y, w1, w2, activation, activation_prime):
    hidden, out = through_forward(x, w1, w2, activation)
    delta = (out - y) * activation_prime(out)
    return 2 * x.T @ (delta @ w2.T * activation_prime(hidden)), hidden.T @ delta
