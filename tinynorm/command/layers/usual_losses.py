"""The usual losses, for a network that has no method for the loss that its backward begins with."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np

OF_EACH: dict[str, Callable] = {
    "half of squares": lambda out, y: 0.5 * (out - y) ** 2,
    "squares": lambda out, y: (out - y) ** 2,
    "binary cross-entropy": lambda out, y: -y * np.log(out) - (1 - y) * np.log(1 - out),
    "cross-entropy": lambda out, y: -y * np.log(out),
    "cross-entropy of labels": lambda out, y: -np.log(out[np.arange(len(y)), y]),
}
TOGETHER: dict[str, Callable] = {
    "the sum": np.sum,
    "the sum over the samples, divided by their number,": lambda a: np.sum(a) / len(a),
    "the mean": np.mean,
    "the sum over the samples in columns, divided by their number,": lambda a: np.sum(a) / a.shape[-1],
}


def _loss(of_each: str, together: str, out: Any, y: Any) -> Any:
    return TOGETHER[together](OF_EACH[of_each](out, y))


USUAL_LOSSES: dict[str, Callable] = {f"{how} of {what}": partial(_loss, what, how) for what, how in product(OF_EACH, TOGETHER)}
