"""Wrong backward passes, each with the name of its mistake: to test a gradient checker with, and to learn from.

Each file has one layer: its right forward and backward, and then the mistakes that people make, the wrong line marked by a
comment that says what belongs there.

Examples
--------
>>> from tinynorm.gradcheck import check_backward, mistakes
>>> wrong = mistakes.find("layernorm_missing_mean_term")
>>> wrong.why
'μ depends on x too; that path is forgotten.'
>>> report = check_backward(wrong.forward, wrong.backward, wrong.inputs(0), names=wrong.names)
>>> report.ok, report.findings[0].kind
(False, 'missing_mean_term')
"""

from . import batchnorm, batchnorm_eval, cross_entropy, groupnorm, layernorm, linear, relu, rmsnorm
from .suite import Layer, Mistake

_FILES = (linear, relu, cross_entropy, batchnorm, batchnorm_eval, layernorm, rmsnorm, groupnorm)

RIGHT: tuple[Layer, ...] = (*(file.RIGHT for file in _FILES), linear.COURSE)
ALL: tuple[Mistake, ...] = tuple(m for file in _FILES for m in file.suite.mistakes) + tuple(linear.course.mistakes)


def of_layer(name: str) -> tuple[Mistake, ...]:
    """The mistakes about one layer.

    >>> len(of_layer("LayerNorm")) > 10
    True
    """
    return tuple(m for m in ALL if m.layer == name)


def find(name: str) -> Mistake:
    """A mistake by its name.

    Raises
    ------
    KeyError
        There is none of that name.

    >>> find("relu_mask_forgotten").kind
    'mask_forgotten'
    """
    for m in ALL:
        if m.name == name:
            return m
    raise KeyError(f"mistakes: there is no {name!r}; there are {', '.join(m.name for m in ALL)}")


__all__ = ["ALL", "RIGHT", "Layer", "Mistake", "find", "of_layer"]
