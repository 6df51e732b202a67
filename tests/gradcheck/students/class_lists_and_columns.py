# long
# expect Appending: right: dweights
# expect AppendingSlip: wrong: WRONG in dweights
# expect ColumnOfEach: right: right up to 1/m
# expect ColumnOfEachSlip: wrong: WRONG
# expect RateOfMain: right: dweight
# expect RateOfMainSlip: wrong: WRONG in dbias
# expect Given: right: dbiases
# expect GivenSlip: wrong: WRONG in dbiases
# expect Head: wrong: backward returned None for b
# expect PositionEmbedding: right: dP
# expect PositionEmbeddingSlip: wrong: WRONG in dP
# expect Attention: wrong: expected the shape of Q
# expect Net: right: dW2
# expect NetSlip: wrong: WRONG in dW1
"""Gradients appended to lists, columns for each sample, a rate that only the program sets, and what a layer is given."""

import numpy as np


class Appending:
    def __init__(self, label, channels_in, channels_out):
        self.label, self.weights = label, np.random.rand(channels_out, channels_in) - 0.5
        self.weight_gradients = []

    def __call__(self, x):
        self.previous_input = x.flatten()
        return self.weights @ self.previous_input

    def backward(self, output_gradient):
        self.weight_gradients.append(np.outer(output_gradient, self.previous_input) * self.sign)
        return output_gradient @ self.weights

    sign = 1


class AppendingSlip(Appending):
    sign = -1


class ColumnOfEach:
    """x is (samples, features, 1)."""

    def __init__(self, in_d, out_d):
        self.W, self.b = np.random.randn(out_d, in_d), np.zeros((out_d, 1))

    def __call__(self, x):
        self.x = x
        return np.einsum("ij,bjk->bik", self.W, x) + self.b

    def backward(self, g):
        dW = np.einsum("bij,bkj->bik", g, self.x).mean(axis=0)
        db = self.of_bias(g)
        dx = np.einsum("ij,bik->bjk", self.W, g)
        return dW, db, dx

    def of_bias(self, g):
        return g.mean(axis=0)


class ColumnOfEachSlip(ColumnOfEach):
    def of_bias(self, g):
        return g[0]


class RateOfMain:
    def __init__(self, in_features, out_features):
        self.weight, self.bias = np.random.normal(0, 1, (in_features, out_features)), np.zeros((1, out_features))

    def forward(self, x):
        self.x = x
        return x @ self.weight + self.bias

    def backward(self, G):
        dx = G @ self.weight.T
        self.weight -= rate_of_all * self.x.T @ G
        self.bias -= rate_of_all * self.of_rows(G, axis=0, keepdims=True)
        return dx

    of_rows = staticmethod(np.sum)


class RateOfMainSlip(RateOfMain):
    of_rows = staticmethod(np.mean)


class Given:
    def __init__(self, init_params):
        init_weights, init_biases = init_params
        self.weights, self.biases = init_weights.copy(), init_biases.copy()

    def forward(self, x):
        self.x = x
        return x @ self.weights + self.biases

    def backward(self, g):
        self.d_weights, self.d_biases = self.x.T @ g, self.of_biases(g)
        return g @ self.weights.T

    def of_biases(self, g):
        return np.array([g.sum(axis=0)])


class GivenSlip(Given):
    def of_biases(self, g):
        return np.array([g[0]])


class Head:
    """It is for one sample, and forgets a gradient."""

    def __init__(self, in_f, out_f):
        self.w, self.b, self.w_grad = np.random.randn(in_f, out_f), np.zeros(out_f), None

    def forward(self, h):
        self.h = h
        return h @ self.w + self.b

    def backward(self, g):
        self.w_grad = g * self.h[:, None]
        return (g * self.w).sum(axis=-1)


class PositionEmbedding:
    def __init__(self, seq_len):
        self.seq_len, self.P = seq_len, None

    def forward(self, X):
        if self.P is None:
            self.P = np.random.random((self.seq_len, X.shape[2]))
        return X + self.P[: X.shape[1]]

    def backward(self, dA):
        self.dP = np.zeros_like(self.P)
        self.dP[: dA.shape[1]] = self.of_samples(dA, axis=0)
        return dA.copy()

    of_samples = staticmethod(np.sum)


class PositionEmbeddingSlip(PositionEmbedding):
    of_samples = staticmethod(np.mean)


class Attention:
    """Its backward ends at the weights, and its forward draws a number."""

    def __init__(self, embed_dim, dropout=0.1):
        self.scale, self.dropout = np.sqrt(embed_dim), dropout

    def forward(self, Q, K, V):
        scores = np.exp(Q @ K.T / self.scale)
        self.weights = scores / scores.sum(axis=-1, keepdims=True)
        if np.random.random() < self.dropout:
            self.weights *= 1 / (1 - self.dropout)
        return self.weights @ V

    def backward(self, dL_dout, V):
        return dL_dout @ V.T, self.weights.T @ dL_dout


class Net:
    """Its backward is given the loss, which makes its first gradient."""

    def __init__(self, in_dim, hidden_dim, out_dim):
        self.W1, self.W2 = np.random.randn(in_dim, hidden_dim), np.random.randn(hidden_dim, out_dim)

    def forward(self, x):
        self.x, self.h = x, np.tanh(x @ self.W1)
        self.out = self.h @ self.W2
        return self.out

    def backward(self, target, loss_fn):
        d = loss_fn.derivative(self.out, target)
        self.dW2 = self.h.T @ d
        self.dW1 = self.x.T @ (d @ self.W2.T * self.slope())

    def slope(self):
        return 1 - self.h**2


class NetSlip(Net):
    def slope(self):
        return 1 - self.h


if __name__ == "__main__":
    rate_of_all = 0.0003
    layer = RateOfMain(3, 2)
