# long
# expect TwoLayerNet: right
# expect TwoLayerNetNoReg: wrong: W
# expect TwoLayerNetMask: wrong: WRONG
import numpy as np


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
        self.params["W1"] = std * np.random.randn(input_size, hidden_size)
        self.params["b1"] = np.zeros(hidden_size)
        self.params["W2"] = std * np.random.randn(hidden_size, output_size)
        self.params["b2"] = np.zeros(output_size)

    def loss(self, X, y=None, reg=0.0):
        W1, b1 = self.params["W1"], self.params["b1"]
        W2, b2 = self.params["W2"], self.params["b2"]
        N = X.shape[0]
        hidden = np.maximum(0, X.dot(W1) + b1)
        scores = hidden.dot(W2) + b2
        if y is None:
            return scores
        shifted = scores - scores.max(axis=1, keepdims=True)
        probs = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
        loss = -np.log(probs[np.arange(N), y]).sum() / N + reg * (np.sum(W1 * W1) + np.sum(W2 * W2))

        grads = {}
        dscores = probs.copy()
        dscores[np.arange(N), y] -= 1
        dscores /= N
        grads["W2"] = hidden.T.dot(dscores) + self.reg_term(reg, W2)
        grads["b2"] = dscores.sum(axis=0)
        dhidden = self.back_relu(dscores.dot(W2.T), hidden)
        grads["W1"] = X.T.dot(dhidden) + self.reg_term(reg, W1)
        grads["b1"] = dhidden.sum(axis=0)
        return loss, grads

    def reg_term(self, reg, W):
        return 2 * reg * W

    def back_relu(self, dhidden, hidden):
        return dhidden * (hidden > 0)

    def predict(self, X):
        return np.argmax(self.loss(X), axis=1)


class TwoLayerNetNoReg(TwoLayerNet):
    """As if the loss had half the regularisation."""

    def reg_term(self, reg, W):
        return reg * W


class TwoLayerNetMask(TwoLayerNet):
    def back_relu(self, dhidden, hidden):
        return dhidden
