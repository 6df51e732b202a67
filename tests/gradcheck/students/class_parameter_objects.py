# expect Linear: right
# expect Embedding: right
# expect LayerNorm: right
# expect LinearNoSum: wrong: WRONG
import numpy as np


class Parameter:
    def __init__(self, data):
        self.data = np.asarray(data, dtype=float)
        self.grad = np.zeros_like(self.data)

    def zero_grad(self):
        self.grad = np.zeros_like(self.data)


class Module:
    training = True

    def parameters(self):
        return [value for value in vars(self).values() if isinstance(value, Parameter)]

    def zero_grad(self):
        for p in self.parameters():
            p.zero_grad()

    def __call__(self, *args):
        return self.forward(*args)


class Linear(Module):
    def __init__(self, in_features, out_features):
        self.weight = Parameter(np.random.randn(out_features, in_features) / np.sqrt(in_features))
        self.bias = Parameter(np.zeros(out_features))

    def forward(self, x):
        self.x = x
        return x @ self.weight.data.T + self.bias.data

    def backward(self, grad_output):
        self.weight.grad += grad_output.T @ self.x
        self.bias.grad += grad_output.sum(axis=0)
        return grad_output @ self.weight.data


class Embedding(Module):
    def __init__(self, num_embeddings, embedding_dim):
        self.weight = Parameter(np.random.randn(num_embeddings, embedding_dim))

    def forward(self, ids):
        self.ids = ids
        return self.weight.data[ids]

    def backward(self, grad_output):
        np.add.at(self.weight.grad, self.ids, grad_output)


class LayerNorm(Module):
    def __init__(self, normalized_shape, eps=1e-5):
        self.eps = eps
        self.gamma, self.beta = Parameter(np.ones(normalized_shape)), Parameter(np.zeros(normalized_shape))

    def forward(self, x):
        self.std = np.sqrt(x.var(-1, keepdims=True) + self.eps)
        self.norm = (x - x.mean(-1, keepdims=True)) / self.std
        return self.gamma.data * self.norm + self.beta.data

    def backward(self, grad_output):
        axes = tuple(range(grad_output.ndim - 1))
        self.gamma.grad += (grad_output * self.norm).sum(axes)
        self.beta.grad += grad_output.sum(axes)
        g = grad_output * self.gamma.data
        return (g - g.mean(-1, keepdims=True) - self.norm * (g * self.norm).mean(-1, keepdims=True)) / self.std


class LinearNoSum(Module):
    """The bias gets the mean over the rows."""

    def __init__(self, in_features, out_features):
        self.weight = Parameter(np.random.randn(out_features, in_features))
        self.bias = Parameter(np.zeros(out_features))

    def forward(self, x):
        self.x = x
        return x @ self.weight.data.T + self.bias.data

    def backward(self, grad_output):
        self.weight.grad += grad_output.T @ self.x
        self.bias.grad += grad_output.mean(axis=0)
        return grad_output @ self.weight.data
