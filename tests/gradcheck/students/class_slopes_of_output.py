# expect Sigmoid: right
# expect Tanh: right
# expect Relu: right
# expect SigmoidOfInput: right
# expect SigmoidTwice: wrong: WRONG
import numpy as np


class Sigmoid:
    """The slope is made of what forward returned."""

    @staticmethod
    def forward(z):
        return 1 / (1 + np.exp(-z))

    @staticmethod
    def derivative(a):
        return a * (1 - a)


class Tanh:
    @staticmethod
    def forward(z):
        return np.tanh(z)

    @staticmethod
    def derivative(a):
        return 1 - np.square(a)


class Relu:
    @staticmethod
    def forward(z):
        return np.maximum(z, 0)

    @staticmethod
    def derivative(a):
        return (a > 0).astype(float)


class SigmoidOfInput:
    @staticmethod
    def forward(z):
        return 1 / (1 + np.exp(-z))

    @classmethod
    def derivative(cls, z):
        return cls.forward(z) * (1 - cls.forward(z))


class SigmoidTwice:
    """Neither the slope at z nor the one made of the output."""

    @staticmethod
    def forward(z):
        return 1 / (1 + np.exp(-z))

    @classmethod
    def derivative(cls, z):
        return cls.forward(z) ** 2 * (1 - cls.forward(z))
