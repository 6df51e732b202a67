"""Each backward pass derived line by line. Every line is code that runs, is checked by finite differences and is proved.

A file is a chapter. An equation is a short function: its name is the symbol that it defines, its parameters are the symbols
that it uses, its body is the right-hand side. The text, the notation, the checks and the proofs all come from that function.

>>> from tinynorm import derivations
>>> chapter = derivations.load("centring")
>>> [line.number for line in chapter.lines if line.symbol == "dx"]
['CE.7', 'CE.8']
>>> chapter.lines[-1].code
'dc - mean_over(dc, axes)'
"""

from __future__ import annotations

from importlib import import_module

from .machinery.chapter import Chapter, Line, Section, Table

# the chapters in the order in which they are read; each is a file of this folder
CHAPTERS = (
    "vector_jacobian",
    "linear",
    "relu",
    "softmax_cross_entropy",
    "centring",
    "standardising",
    "batch_norm",
    "batch_norm_closed_form",
    "batch_norm_eval",
    "running_statistics",
    "layer_norm",
    "other_axes",
    "geometry",
    "second_derivatives",
    "memory_and_work",
    "sgd",
    "adam",
    "gradient_checks",
    "mistakes",
    "convolution",
    "lstm",
    "gru",
)


def load(name: str) -> Chapter:
    """Return a chapter by its name.

    Raises
    ------
    KeyError
        There is no chapter of this name.
    """
    if name not in CHAPTERS:
        raise KeyError(f"derivations: expected a chapter's name, one of {', '.join(CHAPTERS)}, got {name!r}")
    return import_module(f".{name}", __name__).chapter


__all__ = ["CHAPTERS", "Chapter", "Line", "Section", "Table", "load"]
