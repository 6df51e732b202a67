# long
# expect Model: right: net
# expect ModelSlip: not checked: those of no usual loss
# expect Built: right: layers[1]
# expect BuiltSlip: not checked: those of no usual loss
# expect LastSet: right: weights_O
# expect LastSetSlip: wrong: WRONG in dweights_H
import numpy as np


class Model:
    """A network and its loss are given: the gradient begins with that of the loss."""

    def __init__(self, net, loss):
        self.net, self.loss = net, loss

    def forward(self, inputs):
        return self.net.forward(inputs)

    def first(self, grad):
        return grad

    def backward(self, predictions, targets):
        return self.net.backward(self.first(self.loss.grad(predictions, targets)))


class ModelSlip(Model):
    def first(self, grad):
        return np.abs(grad)


class Built:
    """The layers are added, and the loss is set, after it is made; the step is an optimizer's."""

    def __init__(self):
        self.layers, self.loss = [], None

    def add(self, layer):
        self.layers.append(layer)

    def set_loss(self, loss):
        self.loss = loss

    def order(self):
        return reversed(self.layers)

    def forward(self, X):
        for layer in self.layers:
            X = layer.forward(X)
        return X

    def backward(self, y_pred, y_true):
        error = self.loss.backward(y_pred, y_true)
        for layer in self.order():
            error = layer.backward(error)


class BuiltSlip(Built):
    def order(self):
        return self.layers


class LastSet:
    """Forward returns nothing: its output is what it sets last."""

    def __init__(self, learning_rate):
        self.learning_rate = learning_rate
        self.weights_H, self.bias_H = np.random.uniform(size=(2, 2)), np.random.uniform(size=(1, 2))
        self.weights_O, self.bias_O = np.random.uniform(size=(2, 1)), np.random.uniform(size=(1, 1))

    def forward_propagation(self, X):
        self.of_H = np.tanh(X @ self.weights_H + self.bias_H)
        self.of_O = np.tanh(self.of_H @ self.weights_O + self.bias_O)

    def slope(self, a):
        return 1 - a**2

    def back_propagation(self, X, y):
        errors = y - self.of_O
        delta_O = errors * (1 - self.of_O**2)
        delta_H = delta_O @ self.weights_O.T * self.slope(self.of_H)
        self.weights_H += X.T @ delta_H * self.learning_rate
        self.weights_O += self.of_H.T @ delta_O * self.learning_rate
        self.bias_H += delta_H.sum(axis=0, keepdims=True) * self.learning_rate
        self.bias_O += delta_O.sum(axis=0, keepdims=True) * self.learning_rate


class LastSetSlip(LastSet):
    def slope(self, a):
        return 1 - a
