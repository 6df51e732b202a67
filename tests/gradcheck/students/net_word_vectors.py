# long
# expect MatMul: right
# expect SoftmaxWithLoss: right
# expect SimpleCBOW: right or not checked
# expect SimpleCBOWWrong: wrong or not checked
import numpy as np


class MatMul:
    def __init__(self, W):
        self.params, self.grads, self.x = [W], [np.zeros_like(W)], None

    def forward(self, x):
        self.x = x
        return np.dot(x, self.params[0])

    def backward(self, dout):
        self.grads[0][...] = np.dot(self.x.T, dout)
        return np.dot(dout, self.params[0].T)


class SoftmaxWithLoss:
    def __init__(self):
        self.params, self.grads = [], []

    def forward(self, x, t):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y, self.t = e / e.sum(axis=1, keepdims=True), t
        if self.t.size == self.y.size:
            self.t = self.t.argmax(axis=1)
        return -np.sum(np.log(self.y[np.arange(len(x)), self.t])) / len(x)

    def backward(self, dout=1):
        dx = self.y.copy()
        dx[np.arange(len(dx)), self.t] -= 1
        return dx * dout / len(dx)


class SimpleCBOW:
    """Two words around it, one-hot (N, 2, V), and the word between them, one-hot (N, V)."""

    def __init__(self, vocab_size, hidden_size):
        W_in = 0.01 * np.random.randn(vocab_size, hidden_size)
        W_out = 0.01 * np.random.randn(hidden_size, vocab_size)
        self.in_layer0, self.in_layer1, self.out_layer = MatMul(W_in), MatMul(W_in), MatMul(W_out)
        self.loss_layer = SoftmaxWithLoss()
        self.params, self.grads = [], []
        for layer in [self.in_layer0, self.in_layer1, self.out_layer]:
            self.params += layer.params
            self.grads += layer.grads
        self.word_vecs = W_in

    def forward(self, contexts, target):
        h0, h1 = self.in_layer0.forward(contexts[:, 0]), self.in_layer1.forward(contexts[:, 1])
        score = self.out_layer.forward((h0 + h1) * 0.5)
        return self.loss_layer.forward(score, target)

    def backward(self, dout=1):
        da = self.half() * self.out_layer.backward(self.loss_layer.backward(dout))
        self.in_layer1.backward(da)
        self.in_layer0.backward(da)

    def half(self):
        return 0.5


class SimpleCBOWWrong(SimpleCBOW):
    def half(self):
        return 1
