import numpy as np

# long
# expect softmax_with_cross_entropy: right
# expect Dense: right
# expect TwoLayerNet: right
# expect TwoLayerNetWrong: wrong
# expect LinearClassifier: right
# expect LinearClassifierWrong: wrong: dW


class Param:
    def __init__(self, value):
        self.value = value
        self.grad = np.zeros_like(value)


class Dense:
    def __init__(self, n_input, n_output):
        self.W = Param(0.1 * np.random.randn(n_input, n_output))
        self.B = Param(0.1 * np.random.randn(1, n_output))

    def forward(self, X):
        self.X = X
        return X @ self.W.value + self.B.value

    def backward(self, d_out):
        self.W.grad += self.X.T @ d_out
        self.B.grad += d_out.sum(axis=0, keepdims=True)
        return d_out @ self.W.value.T


def softmax_with_cross_entropy(preds, target_index):
    probs = np.exp(preds - preds.max(axis=1, keepdims=True))
    probs /= probs.sum(axis=1, keepdims=True)
    rows = np.arange(len(preds))
    loss = -np.log(probs[rows, target_index]).mean()
    probs[rows, target_index] -= 1
    return loss, probs / len(preds)


class TwoLayerNet:
    """The gradients stay in the parameters; what is returned is the loss alone."""

    def __init__(self, n_input, n_output, hidden_layer_size, reg):
        self.reg = reg
        self.first, self.second = Dense(n_input, hidden_layer_size), Dense(hidden_layer_size, n_output)

    def params(self):
        return {"W1": self.first.W, "W2": self.second.W, "B1": self.first.B, "B2": self.second.B}

    def compute_loss_and_gradients(self, X, y):
        for param in self.params().values():
            param.grad = np.zeros_like(param.value)
        hidden = self.first.forward(X)
        loss, d_out = softmax_with_cross_entropy(self.second.forward(np.maximum(hidden, 0)), y)
        self.first.backward(self.second.backward(d_out) * (hidden > 0))
        for param in self.params().values():
            loss += self.reg * np.sum(param.value**2)
            param.grad += self.penalty_slope(param.value)
        return loss

    def penalty_slope(self, value):
        return 2 * self.reg * value


class TwoLayerNetWrong(TwoLayerNet):
    def penalty_slope(self, value):
        return self.reg * value


class LinearClassifier:
    """The accuracy stands between the loss and the gradient."""

    def __init__(self, n_input, n_output):
        self.W = 0.1 * np.random.randn(n_input, n_output)

    def loss(self, X, y):
        scores = X @ self.W
        loss, d_out = softmax_with_cross_entropy(scores, y)
        acc = np.mean(scores.argmax(axis=1) == y)
        dW = X.T @ d_out
        return loss, acc, dW


class LinearClassifierWrong(LinearClassifier):
    def loss(self, X, y):
        scores = X @ self.W
        loss, d_out = softmax_with_cross_entropy(scores, y)
        acc = np.mean(scores.argmax(axis=1) == y)
        dW = X.T @ d_out * len(X)
        return loss, acc, dW
