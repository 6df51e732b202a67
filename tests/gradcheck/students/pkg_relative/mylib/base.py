from abc import ABC, abstractmethod


class Layer(ABC):
    """What all layers have."""

    def __init__(self):
        self.params, self.grads = {}, {}
        self.training = True

    @abstractmethod
    def forward(self, x): ...

    @abstractmethod
    def backward(self, grad): ...

    def __call__(self, x):
        return self.forward(x)
