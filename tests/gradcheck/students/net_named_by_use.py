import numpy as np

# expect predict: right: half the squared error divided by the samples in rows
# expect apply_network: wrong: WRONG in dW
# expect apply_network: wrong: Y: one-hot in columns, drawn; loss: compute_cost
# expect run: wrong: WRONG in dhidden_weights, dhidden_bias

# forward is told by the lines that use it; its targets are class numbers in the cost, and one-hot in backward

rng = np.random.default_rng(0)
hidden_weights = rng.normal(size=(3, 5))
hidden_bias = rng.normal(size=(3, 1))
output_weights = rng.normal(size=(1, 3))
output_bias = rng.normal(size=(1, 1))


def predict(x, w, b):
    line = w * x + b
    return line


def backprop(x, y, guess):
    m = len(x)
    return np.sum((guess - y) * x) / m, np.sum(guess - y) / m


def fit_line(x, y, w, b):
    for _ in range(100):
        guess = predict(x, w, b)
        dw, db = backprop(x, y, guess)
        w, b = w - 0.1 * dw, b - 0.1 * db
    return w, b


def apply_network(X, network):
    s = network["W"] @ X + network["b"]
    e = np.exp(s - s.max(axis=0))
    return e / e.sum(axis=0)


def compute_loss(P, y):
    return -np.mean(np.log(P[y, np.arange(P.shape[1])]))


def compute_cost(P, y, network, lam):
    return compute_loss(P, y) + lam * np.sum(network["W"] ** 2)


def backward_pass(X, Y, P, network, lam):
    n = X.shape[1]
    G = P - Y
    return {"W": G @ X.T / n + lam * network["W"], "b": np.sum(G, axis=1, keepdims=True) / n}  # the penalty's 2 is missing


def train_network(X, Y, network, lam):
    P = apply_network(X, network)
    grads = backward_pass(X, Y, P, network, lam)
    network["W"] -= 0.1 * grads["W"]


def run(X):
    before = hidden_weights @ X + hidden_bias
    hidden = np.tanh(before)
    output = 1 / (1 + np.exp(-(output_weights @ hidden + output_bias)))
    return before, hidden, output


def back_run(Z1, A1, A2, X, Y):
    delta = 2 * (A2 - Y) * A2 * (1 - A2)
    inner = (delta @ output_weights) @ (1 - A1**2)  # a matrix product for an elementwise one
    return inner @ X.T, inner, delta @ A1.T, delta.sum(axis=1, keepdims=True)


def show(X, Y):
    Z1, A1, A2 = run(X)
    print(A2, back_run(Z1, A1, A2, X, Y))
