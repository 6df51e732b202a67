# always
# expect sigmoid: right
# expect Quadratic: right
# expect CrossEntropy: right
# expect QuadraticOfA: wrong: WRONG in dz
# expect CrossEntropyUp: wrong: multiply by -1
# expect Squares: right
# expect SquaresTwice: wrong: WRONG in da
from abc import ABC, abstractmethod

import numpy as np


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


class Cost(ABC):
    @staticmethod
    @abstractmethod
    def fn(a, y): ...

    @staticmethod
    @abstractmethod
    def delta(z, a, y): ...


class Quadratic(Cost):
    @staticmethod
    def fn(a, y):
        return 0.5 * np.linalg.norm(a - y) ** 2

    @staticmethod
    def delta(z, a, y):
        return (a - y) * sigmoid_prime(z)


class CrossEntropy:
    @staticmethod
    def fn(a, y):
        return np.sum(np.nan_to_num(-y * np.log(a) - (1 - y) * np.log(1 - a)))

    @staticmethod
    def delta(z, a, y):
        return a - y


class QuadraticOfA(Quadratic):
    @staticmethod
    def delta(z, a, y):
        return (a - y) * sigmoid_prime(a)


class CrossEntropyUp(CrossEntropy):
    @staticmethod
    def delta(z, a, y):
        return y - a


class Squares:
    def fn(self, a, y):
        return 0.5 * np.sum((a - y) ** 2)

    def delta(self, a, y):
        return a - y


class SquaresTwice(Squares):
    def delta(self, a, y):
        return 2 * (a - y)
