# always
# expect linear: right
# expect dense: right
# expect scale: wrong: WRONG in dgain
# expect affine: wrong: WRONG in db
import numpy as np


def new_layer(n_in, n_out):
    return {"W": np.random.randn(n_in, n_out) * 0.1, "b": np.zeros(n_out)}


def linear_forward(layer, x):
    layer["x"] = x
    return x @ layer["W"] + layer["b"]


def linear_backward(layer, dout):
    layer["dW"] = layer["x"].T @ dout
    layer["db"] = dout.sum(axis=0)
    return dout @ layer["W"].T


def dense_forward(x, params):
    return x @ params["W"] + params["b"], x


def dense_backward(dout, cache, params, grads):
    grads["W"] = cache.T @ dout
    grads["b"] = dout.sum(0)
    return dout @ params["W"].T


def scale_forward(x, params):
    return x * params["gain"] + params["bias"], x


def scale_backward(dout, x, params, grads):
    grads["bias"] = dout.sum(0)
    grads["gain"] = dout.sum(0)
    return dout * params["gain"]


def affine_forward(layer, x):
    layer["x"] = x
    return x @ layer["W"] + layer["b"]


def affine_backward(layer, dout):
    layer["dW"] = layer["x"].T @ dout
    layer["db"] = dout.mean(axis=0)
    return dout @ layer["W"].T
