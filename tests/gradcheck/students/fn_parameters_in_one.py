"""Parameters in one argument: a tuple that is unpacked, a list of pairs, two lists, a dict of activations that comes back."""
# expect mlp: right
# expect mlp_wrong: wrong: WRONG in db1
# expect stack: right
# expect stack_wrong: wrong: WRONG in dw1
# expect chain: right
# expect chain_wrong: wrong: WRONG in dx, dW1
# expect net: right
# expect net_wrong: wrong: WRONG in db1

import numpy as np


def mlp_forward(x, params):
    W1, b1, W2, b2 = params
    h = np.maximum(0, x @ W1 + b1)
    return h @ W2 + b2, (x, h, W2)


def mlp_backward(dout, cache):
    x, h, W2 = cache
    dh = dout @ W2.T * (h > 0)
    return x.T @ dh, dh.sum(0), h.T @ dout, dout.sum(0)


mlp_wrong_forward = mlp_forward


def mlp_wrong_backward(dout, cache):
    x, h, W2 = cache
    dh = dout @ W2.T * (h > 0)
    return x.T @ dh, dout.sum() * dh.sum(0), h.T @ dout, dout.sum(0)


def stack_forward(x, layers):
    kept = []
    for w, b in layers:
        kept.append(x)
        x = np.tanh(x @ w + b)
    return x, (kept, x)


def stack_backward(dout, cache, layers, last=1.0):
    kept, out = cache
    grads = []
    for i in reversed(range(len(layers))):
        dz = dout * (1 - out**2)
        grads.insert(0, (last * kept[i].T @ dz, dz.sum(0)))
        dout, out = dz @ layers[i][0].T, kept[i]
    return dout, grads


def stack_wrong_forward(x, layers):
    return stack_forward(x, layers)


def stack_wrong_backward(dout, cache, layers):
    dx, grads = stack_backward(dout, cache, layers)
    return dx, [(-grads[0][0], grads[0][1]), *grads[1:]]


def chain_forward(x, weights, biases):
    acts = [x]
    for W, b in zip(weights, biases):
        acts.append(np.tanh(acts[-1] @ W + b))
    return acts[-1], acts


def chain_backward(dout, acts, weights, biases, slope=lambda a: 1 - a**2):
    dws, dbs = [], []
    for i in reversed(range(len(weights))):
        dz = dout * slope(acts[i + 1])
        dws.insert(0, acts[i].T @ dz)
        dbs.insert(0, dz.sum(0))
        dout = dz @ weights[i].T
    return dout, dws, dbs


def chain_wrong_forward(x, weights, biases):
    acts = [x]
    for W, b in zip(weights, biases):
        acts.append(np.tanh(acts[-1] @ W + b))
    return acts[-1], acts


def chain_wrong_backward(dout, acts, weights, biases):
    return chain_backward(dout, acts, weights, biases, slope=lambda a: 1 - a)


def net(X, parameters):
    acts = {"A0": X}
    for layer in range(1, len(parameters) // 2 + 1):
        z = parameters["W" + str(layer)] @ acts["A" + str(layer - 1)] + parameters["b" + str(layer)]
        acts["A" + str(layer)] = 1 / (1 + np.exp(-z))
    return acts


def net_backward(y, parameters, acts):
    m, last = y.shape[1], len(parameters) // 2
    dz, grads = acts["A" + str(last)] - y, {}
    for layer in range(last, 0, -1):
        below = acts["A" + str(layer - 1)]
        grads["dW" + str(layer)] = dz @ below.T / m
        grads["db" + str(layer)] = dz.sum(axis=1, keepdims=True) / m
        dz = parameters["W" + str(layer)].T @ dz * below * (1 - below)
    return grads


net_wrong = net


def net_wrong_backward(y, parameters, acts):
    grads = net_backward(y, parameters, acts)
    return grads | {"db1": -grads["db1"]}
