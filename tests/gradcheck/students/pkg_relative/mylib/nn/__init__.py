from .activation import ReLU, Tanh
from .linear import Linear

__all__ = ["Linear", "ReLU", "Tanh"]
