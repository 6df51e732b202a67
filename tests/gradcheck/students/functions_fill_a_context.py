# expect sigmoid: right
# expect linear: right
# expect tanh: right
# expect mul: right
# expect relu: right
# expect leaky: wrong: WRONG in dx
# expect scale: wrong: WRONG in dgain
# expect softplus: right
import numpy as np


def sigmoid_forward(ctx, x):
    y = 1 / (1 + np.exp(-x))
    ctx["y"] = y
    return y


def sigmoid_backward(ctx, grad):
    y = ctx["y"]
    return grad * y * (1 - y)


def linear_forward(x, w, b, cache):
    cache["x"] = x
    cache["w"] = w
    return x @ w + b


def linear_backward(dout, cache):
    x, w = cache["x"], cache["w"]
    return dout @ w.T, x.T @ dout, dout.sum(0)


def tanh(x, *, context=None):
    out = np.tanh(x)
    if context is not None:
        context["out"] = out
    return out


def tanh_grad(upstream, x, *, context=None):
    return upstream * (1 - context["out"] ** 2)


def mul_forward(ctx, a, b):
    ctx.save_for_backward(a, b)
    return a * b


def mul_backward(ctx, grad):
    a, b = ctx.saved_tensors
    return grad * b, grad * a


def relu_forward(x, tape):
    tape.append(x > 0)
    return np.maximum(0, x)


def relu_backward(dout, tape):
    return dout * tape.pop()


def leaky_forward(ctx, x, slope=0.1):
    ctx.x, ctx.slope = x, slope
    return np.where(ctx.x > 0, x, slope * x)


def leaky_backward(ctx, grad):
    return grad * np.where(ctx.x < 0, 1, ctx.slope)


def remember(store, **named):
    if store is not None:
        store.update(named)


def scale_forward(x, gain, cache=None):
    remember(cache, x=x, gain=gain)
    return x * gain


def scale_backward(dout, cache):
    return dout * cache["gain"], (dout * cache["gain"]).sum(0)


def softplus_forward(self):
    return np.log(1 + np.exp(self))


def softplus_backward(self):
    return 1 / (1 + np.exp(-self))
