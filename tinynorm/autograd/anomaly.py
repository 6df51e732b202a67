"""Anomaly detection: backward stops at the first op whose gradient is NaN, and says where that op was called."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from .. import backend
from ..tensor import raw

detection = SimpleNamespace(on=False, check_nan=True)  # of all threads: backward may run in another than forward
OURS = str(Path(__file__).parents[1]), str(Path(np.__file__).parent)  # NumPy's errstate calls the ops


class set_detect_anomaly:
    """Turn anomaly detection on or off: from now on, or in a ``with`` block.

    While it is on, each op remembers the line that called it, and backward looks at each gradient. Both cost time.

    Parameters
    ----------
    mode : bool
        Whether it is on.
    check_nan : bool
        If False, backward does not look for NaN.

    Raises
    ------
    RuntimeError
        Raised by a backward that meets a NaN: it names the op, the input, and the line of the forward pass.

    Examples
    --------
    >>> import tinynorm
    >>> x = tinynorm.tensor([-1.0], requires_grad=True)
    >>> with set_detect_anomaly(True):
    ...     y = x.sqrt()
    ...     try:
    ...         y.backward()
    ...     except RuntimeError as error:
    ...         print(str(error).partition(",")[0])
    backward: Function 'SqrtBackward0' returned nan values in its 0th output
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = vars(detection).copy()
        detection.on, detection.check_nan = bool(mode), check_nan

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        vars(detection).update(self.before)


class detect_anomaly(set_detect_anomaly):
    """`set_detect_anomaly` that is on, for a ``with`` block."""

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(True, check_nan)


def caller() -> str:
    """The line outside tinynorm that is running."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(OURS):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}, line {frame.f_lineno}"


def refuse_nan(node: Any, grads: Sequence[Any]) -> None:
    """Raise an error if one of the gradients that a node's backward returned has a NaN."""
    for i, g in enumerate(map(raw, grads)):
        if g is not None and backend.is_floating(g) and bool((g != g).any()):
            raise RuntimeError(
                f"backward: Function '{node.name()}' returned nan values in its {i}th output, the gradient of its input of "
                f"shape {tuple(g.shape)}. {node.called or 'The op ran before anomaly detection was on'}"
            )
