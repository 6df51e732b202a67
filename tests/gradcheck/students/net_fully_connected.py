# long
# expect FullyConnectedNet: right
# expect HalfNet: wrong: WRONG
# expect affine: right
# expect relu: right
# expect softmax_loss: right
import numpy as np


def affine_forward(x, w, b):
    return x.reshape(len(x), -1).dot(w) + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    return dout.dot(w.T).reshape(x.shape), x.reshape(len(x), -1).T.dot(dout), dout.sum(axis=0)


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    return dout * (cache > 0)


def softmax_loss(x, y):
    p = np.exp(x - x.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    n = len(x)
    dx = p.copy()
    dx[np.arange(n), y] -= 1
    return -np.mean(np.log(p[np.arange(n), y])), dx / n


class FullyConnectedNet:
    def __init__(
        self, hidden_dims, input_dim=3 * 32 * 32, num_classes=10, reg=0.0, weight_scale=1e-2, dtype=np.float32, seed=None
    ):
        self.reg, self.dtype = reg, dtype
        self.num_layers = 1 + len(hidden_dims)
        self.params = {}
        dims = [input_dim, *hidden_dims, num_classes]
        for i in range(self.num_layers):
            self.params[f"W{i + 1}"] = weight_scale * np.random.randn(dims[i], dims[i + 1])
            self.params[f"b{i + 1}"] = np.zeros(dims[i + 1])
        self.params = {name: value.astype(dtype) for name, value in self.params.items()}

    def loss(self, X, y=None):
        X = X.astype(self.dtype)
        out, caches = X, []
        for i in range(1, self.num_layers + 1):
            out, fc = affine_forward(out, self.params[f"W{i}"], self.params[f"b{i}"])
            cache = None
            if i < self.num_layers:
                out, cache = relu_forward(out)
            caches.append((fc, cache))
        if y is None:
            return out
        loss, dout = softmax_loss(out, y)
        grads = {}
        for i in range(self.num_layers, 0, -1):
            fc, cache = caches[i - 1]
            if cache is not None:
                dout = relu_backward(dout, cache)
            W = self.params[f"W{i}"]
            loss += self.half() * self.reg * np.sum(W * W)
            dout, grads[f"W{i}"], grads[f"b{i}"] = affine_backward(dout, fc)
            grads[f"W{i}"] += self.reg * W
        return loss, grads

    def half(self):
        return 0.5


class HalfNet(FullyConnectedNet):
    """The loss lacks the half that the gradient counts on."""

    def half(self):
        return 1
