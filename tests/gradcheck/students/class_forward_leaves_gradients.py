"""Networks whose forward takes the targets, returns the loss and the accuracy, and leaves the gradients in the object."""

# long
# expect Net: right: dW1
# expect NetSlip: wrong: WRONG in dW1, db1
import numpy as np


class Base:
    def __init__(self, input_size, num_classes):
        self.input_size = input_size
        self.num_classes = num_classes
        self.weights = {}
        self.gradients = {}

    def softmax(self, scores):
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def sigmoid(self, x):
        return 1 / (1 + np.exp(-x))

    def slope(self, x):
        return self.sigmoid(x) * (1 - self.sigmoid(x))


class Net(Base):
    def __init__(self, input_size=28 * 28, num_classes=10, hidden_size=128):
        super().__init__(input_size, num_classes)
        self.weights["W1"] = 0.1 * np.random.randn(input_size, hidden_size)
        self.weights["b1"] = np.zeros(hidden_size)
        self.weights["W2"] = 0.1 * np.random.randn(hidden_size, num_classes)
        self.weights["b2"] = np.zeros(num_classes)

    def forward(self, X, y, mode="train"):
        z = X @ self.weights["W1"] + self.weights["b1"]
        h = self.sigmoid(z)
        p = self.softmax(h @ self.weights["W2"] + self.weights["b2"])
        n = len(y)
        loss = -np.mean(np.log(p[np.arange(n), y]))
        accuracy = np.mean(p.argmax(axis=1) == y)
        if mode == "train":
            d = p.copy()
            d[np.arange(n), y] -= 1
            d /= n
            self.gradients["W2"] = h.T @ d
            self.gradients["b2"] = d.sum(axis=0)
            dz = d @ self.weights["W2"].T * self.slope(z)
            self.gradients["W1"] = X.T @ dz
            self.gradients["b1"] = dz.sum(axis=0)
        return loss, accuracy


class NetSlip(Net):
    def slope(self, x):
        return self.sigmoid(x)  # the mistake: times 1 - sigmoid(x)
