"""Optimisers and learning-rate schedules, under PyTorch's names."""

from . import lr_scheduler
from .adam import Adam, AdamW
from .adam_variants import Adamax, RAdam
from .adaptive import Adadelta, Adagrad, RMSprop
from .lbfgs import LBFGS
from .on_tensors import ASGD, NAdam, Rprop
from .optimizer import Optimizer
from .sgd import SGD

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
]
