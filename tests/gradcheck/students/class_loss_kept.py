"""Losses that hand on the prediction and keep the loss, return it in a dict, return the gradient before it, or of a wrong shape."""

# long
# expect SquaredLoss: right
# expect CrossEntropyLoss: right
# expect CrossEntropyLossWrong: wrong: it has the wrong sign
# expect SoftmaxLoss: right
# expect SoftmaxLossWrong: wrong: dscores
# expect HalfSquaredLoss: right
# expect HalfSquaredLossWrong: wrong: dp: the loss is a mean over the 9 columns
# expect MeanOfRowsLoss: wrong: dx: expected the shape of x, (6, 9), got (9,)
# expect Absolute: right
# expect AbsoluteWrong: wrong: dy_pred: it has the wrong sign
# expect WithModel: right
# expect WithModelWrong: wrong: dlogits
# expect Logistic: not checked: compute_gradients takes x, which compute_loss does not
import numpy as np


class BaseLoss:
    def __init__(self, shape_in):
        self.shape_in = shape_in
        self.loss = np.zeros(shape_in)

    def forward(self, x, t):
        return x

    def backward(self):
        return np.zeros(self.shape_in)


class SquaredLoss(BaseLoss):
    def forward(self, x, t):
        self.x, self.t = x, t
        self.loss += 0.5 * np.square(x - t)
        return x

    def backward(self):
        return self.x - self.t


class CrossEntropyLoss(SquaredLoss):
    sign = -1

    def forward(self, x, t):
        self.x, self.t = x, t
        self.loss += -t * np.log(x)
        return x

    def backward(self):
        return self.sign * self.t / self.x


class CrossEntropyLossWrong(CrossEntropyLoss):
    sign = 1


class SoftmaxLoss:
    rows = True

    def forward(self, scores, y):
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        self.p, self.y = e / e.sum(axis=1, keepdims=True), y
        hits = np.argmax(self.p, axis=1) == np.argmax(y, axis=1)
        return {"accuracy": hits.mean(), "loss": -np.mean(np.sum(y * np.log(self.p), axis=1))}

    def backward(self):
        return (self.p - self.y) / (len(self.y) if self.rows else 1)


class SoftmaxLossWrong(SoftmaxLoss):
    rows = False


class HalfSquaredLoss:
    def __call__(self, p, y):
        return (p - y) / p.size, np.mean((p - y) ** 2) / 2


class HalfSquaredLossWrong:
    def __call__(self, p, y):
        return (p - y) / len(y), np.mean((p - y) ** 2) / 2


class MeanOfRowsLoss:
    def forward(self, x, y):
        self.x, self.y = x, y
        return np.mean(0.5 * np.square(x - y))

    def backward(self):
        return (self.x - self.y).mean(axis=0)


class FromFunctions:
    def __init__(self, loss, derivative):
        self.loss_function, self.loss_derivative = loss, derivative

    def calc(self, y_true, y_pred):
        return self.loss_function(y_true, y_pred)

    def derivative(self, y_true, y_pred):
        return self.loss_derivative(y_true, y_pred)


class Absolute(FromFunctions):
    def __init__(self):
        super().__init__(lambda y, p: np.mean(np.abs(y - p)), lambda y, p: np.sign(p - y) / np.size(y))


class AbsoluteWrong(FromFunctions):
    def __init__(self):
        super().__init__(lambda y, p: np.mean(np.abs(y - p)), lambda y, p: np.sign(y - p) / np.size(y))


class WithModel:
    mean = True

    def __init__(self, model=None):
        self.model = model

    def forward(self, logits, labels):
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        self.p, self.labels = e / e.sum(axis=1, keepdims=True), labels
        return -np.mean(np.log(self.p[np.arange(len(labels)), labels]))

    def backward(self):
        grads = self.p.copy()
        grads[np.arange(len(grads)), self.labels] -= 1
        grads /= len(grads) if self.mean else 1
        self.model.backward(grads)
        return grads


class WithModelWrong(WithModel):
    mean = False


class Logistic:
    """Its gradients are those of the weights, of which the loss knows nothing."""

    def compute_loss(self, y_true, y_pred):
        return -np.mean(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred))

    def compute_gradients(self, x, y_true, y_pred):
        return x.T @ (y_pred - y_true) / len(y_true), np.mean(y_pred - y_true)
