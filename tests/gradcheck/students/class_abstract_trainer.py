"""A class to inherit from whose fit trains with a prediction that others give it, and one of these."""

# long
# expect Line.fit: right: half the squared error
# expect LineSlip.fit: wrong: WRONG in db
from abc import ABC, abstractmethod

import numpy as np


class Trainer(ABC):
    def __init__(self, lr=0.1, epochs=10):
        self.lr, self.epochs = lr, epochs

    @abstractmethod
    def predict(self, X):
        pass

    def share(self, error):
        return error.mean()

    def fit(self, X, y):
        self.w, self.b = np.zeros(X.shape[1]), 0.0
        for _ in range(self.epochs):
            error = self.predict(X) - y
            self.w -= self.lr * X.T @ error / len(y)
            self.b -= self.lr * self.share(error)


class Line(Trainer):
    def predict(self, X):
        return X @ self.w + self.b


class LineSlip(Line):
    def share(self, error):
        return error.sum()  # the mistake: the mean
