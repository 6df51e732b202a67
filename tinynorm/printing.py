"""How a tensor is printed: as PyTorch prints it, to the digit, the width and the line break."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from . import backend

DEFAULT: dict[str, Any] = {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80}
PROFILES = {"default": DEFAULT, "short": DEFAULT | {"precision": 2, "edgeitems": 2}, "full": DEFAULT | {"threshold": math.inf}}
options = SimpleNamespace(**DEFAULT, sci_mode=None)  # what `set_printoptions` sets


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed.

    Parameters
    ----------
    precision : int
        Digits after the point (4).
    threshold : float
        A tensor of more elements than this is printed in part (1000).
    edgeitems : int
        How many elements are then shown at the beginning and end of each dimension (3).
    linewidth : int
        Characters in a line (80).
    profile : {"default", "short", "full"}
        Settings for all of these: "full" prints every element, "short" has two digits and two elements at the edges.
    sci_mode : bool
        Whether numbers are printed as 1.0000e+00. None: where they differ by more than 1000 times, or are very large or small.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.set_printoptions(precision=2)
    >>> tinynorm.tensor([1.2345])
    tensor([1.23])
    >>> tinynorm.set_printoptions(profile="default")
    """
    if profile is not None:
        if profile not in PROFILES:
            raise ValueError(f"set_printoptions: expected profile to be one of {', '.join(PROFILES)}, got {profile!r}")
        vars(options).update(PROFILES[profile])
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    vars(options).update({name: value for name, value in given.items() if value is not None}, sci_mode=sci_mode)


def formatter(array: np.ndarray) -> tuple[Callable[[Any], str], int]:
    """A function that writes an element of the array, and the width of what it writes."""
    if array.dtype.kind != "f":
        width = max(map(len, map(str, array.ravel().tolist())), default=1)
        return lambda value: str(value).rjust(width), width
    found = array[np.isfinite(array) & (array != 0)].astype(float)
    if not found.size:
        return lambda value: f"{value:.0f}" + "." * math.isfinite(value), 1
    sizes, whole = np.abs(found), bool((found == np.ceil(found)).all())
    scientific = options.sci_mode
    if scientific is None:
        with np.errstate(over="ignore"):
            scientific = bool(sizes.max() / sizes.min() > 1000 or sizes.max() > 1e8 or sizes.min() < 1e-4)
    digits = f".{options.precision}e" if scientific else ".0f" if whole else f".{options.precision}f"
    point = "." if whole and not scientific else ""
    width = max(len(format(value, digits) + point) for value in found.tolist())
    return lambda value: (format(value, digits) + (point if math.isfinite(value) else "")).rjust(width), width


def elements(array: np.ndarray, indent: int) -> str:
    """The elements in brackets; the first stands `indent` characters from the left."""
    if not array.size:
        return "[]"
    summarize, edge, shown = array.size > options.threshold, options.edgeitems, array
    for axis, n in enumerate(array.shape if summarize else ()):
        if n > 2 * edge or not edge:
            shown = np.take(shown, [*range(edge), *range(n - edge, n)], axis)
    write, width = formatter(shown)
    per_line = max(1, (options.linewidth - indent - array.ndim + 1) // (width + 2))  # a row of the last dimension

    def text(array: np.ndarray, indent: int) -> str:
        if array.ndim == 0:
            return write(array.item())
        parts: list[str]
        middle = [" ..." if array.ndim == 1 else "..."]
        if array.ndim == 1 and summarize and not edge:
            return "[...]"
        cut = summarize and len(array) > 2 * edge
        rows = [*array[:edge], *array[len(array) - edge :]] if cut else list(array)
        parts = [text(row, indent + 1) for row in rows]
        if cut:
            parts[edge:edge] = middle
        if array.ndim > 1:
            return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(parts) + "]"
        lines = [", ".join(parts[i : i + per_line]) for i in range(0, len(parts), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"

    return text(array, indent)


def notes_on(array: np.ndarray) -> list[str]:
    """What is told of an array beside its elements: the shape where they do not show it; a dtype that is not the default."""
    told = []
    if (not array.size and array.ndim != 1) or (array.size and not options.edgeitems):
        told.append(f"size={array.shape}")
    if array.dtype != backend.default_dtype and (array.dtype not in (np.int64, np.bool_) or not array.size):
        told.append(f"dtype=torch.{array.dtype}")
    return told


def written(prefix: str, array: np.ndarray, notes: list[str]) -> str:
    """``prefix(elements, note, note)``; a note that does not fit in the line begins the next."""
    text = f"{prefix}({elements(array, len(prefix) + 1)}"
    length = len(text) - text.rfind("\n") + 1
    for note in notes:
        fits = length + len(note) + 2 <= options.linewidth
        text += f", {note}" if fits else ",\n" + " " * (len(prefix) + 1) + note
        length = length + len(note) + 2 if fits else len(prefix) + 1 + len(note)
    return text + ")"


# ---- PyTorch's names of the ops -----------------------------------------------------------------------------------------


def _by_kind(node: Any) -> str:
    """1 - x and 1 / x are ops of their own."""
    number = node.shapes[0] == () and node.edges[0] is None
    return {"Sub": "RsubBackward1", "Div": "MulBackward0"}[node.op_name] if number else f"{node.op_name}Backward0"


def _pow(node: Any) -> str:
    numbers = [shape == () and edge is None for shape, edge in zip(node.shapes, node.edges, strict=True)]
    return "PowBackward0" if numbers[1] else "PowBackward2" if numbers[0] else "PowBackward1"


def _extremum(node: Any) -> str:
    name = node.function.capitalize()
    return f"{name}Backward1" if len(node.dims) == len(node.shape) else f"A{node.function}Backward0"


def _product(node: Any) -> str:
    names = {(2, 2): "MmBackward0", (2, 1): "MvBackward0", (1, 1): "DotBackward0", (1, 2): "SqueezeBackward4"}
    return names.get(node.ranks, "UnsafeViewBackward0")


def _sum_of_products(node: Any) -> str:
    return "ViewBackward0" if set(node.a) & set(node.b) - set(node.out) else "MulBackward0"


def _linear(node: Any) -> str:
    if node.ndim != 2:
        return "ViewBackward0" if node.biased else "SqueezeBackward4" if node.ndim == 1 else "UnsafeViewBackward0"
    return "AddmmBackward0" if node.biased else "MmBackward0"


def _reshape(node: Any) -> str:
    return "ViewBackward0" if node.is_view else "UnsafeViewBackward0"


def _permute(node: Any) -> str:
    moved = sum(i != d for i, d in enumerate(node.dims))
    return "TransposeBackward0" if moved == 2 < len(node.dims) else "PermuteBackward0"


def _index(node: Any) -> str:
    parts = node.index if isinstance(node.index, tuple) else (node.index,)
    if not node.is_view:
        return "IndexBackward0"
    told = [part for part in parts if part is not ...] or [...]
    last = ([part for part in told if part != slice(None)] or told)[-1]
    names = {slice: "Slice", type(None): "Unsqueeze", type(...): "Alias"}
    return f"{names.get(type(last), 'Select')}Backward0"


def _is_all(part: Any) -> bool:
    return isinstance(part, slice) and part == slice(None)


def _assignment(node: Any) -> str:
    """x[:] = v writes into x, x[[0]] = v into places of x, and x[0] = v into a view of x."""
    parts = getattr(node.index, "basic", node.index)
    told = [p for p in (parts if isinstance(parts, tuple) else (parts,)) if not (p is ... or _is_all(p))]
    if parts is node.index and not told:
        return "CopyBackwards" if node.shapes[1] else "FillBackward3"
    return "IndexPutBackward0" if all(hasattr(p, "dtype") for p in told) else "CopySlices"


def _classes(node: Any) -> str:
    if getattr(node.classes, "smoothing", 0):
        return "AddBackward0"
    return "DivBackward1" if hasattr(node.classes, "shape") and not hasattr(node.classes, "places") else "NllLossBackward0"


def _reduced(node: Any) -> str:
    if node.divisor is None:
        return {"L1": "AbsBackward0", "KLDiv": "SubBackward0"}.get(node.op_name, "MulBackward0")
    of_all = not node.saved or node.divisor == node.saved[0].array.size
    return "SumBackward0" if node.divisor == 1 else "MeanBackward0" if of_all else "DivBackward0"


# a node's name -> PyTorch's; what is not here is called NAMEBackward0
PYTORCHS: dict[str, str | Callable[[Any], str]] = {
    "Sub": _by_kind, "Div": _by_kind, "Pow": _pow, "Extremum": _extremum,
    "MatMul": _product, "Einsum": _sum_of_products, "Linear": _linear,
    "Reshape": _reshape, "Permute": _permute, "GetItem": _index,
    "CrossEntropy": _classes, "NLL": "NllLossBackward0", "MSE": "MseLossBackward0", "ReLU": "ReluBackward0",
    "GELU": "GeluBackward0", "GELUTanh": "GeluBackward0", "LogSumExp": "LogsumexpBackward0", "Clamp": "ClampBackward1",
    "Cast": "ToCopyBackward0", "Move": "ToCopyBackward0", "Contiguous": "CloneBackward0", "Dropout": "MulBackward0",
    "Standardize": "NativeLayerNormBackward0", "StandardizeUncentred": "MulBackward0",
    "StandardizeChannel": "NativeBatchNormBackward0", "StandardizeByConstants": "NativeBatchNormBackward0",
    "SetItem": _assignment, "Replaced": "CopySlices", "Huber": "HuberLossBackward0", "SmoothL1": "SmoothL1LossBackward0",
    "L1": _reduced, "KLDiv": _reduced, "KLDivOfLogs": _reduced,
    "BinaryCrossEntropyOfLogits": "BinaryCrossEntropyWithLogitsBackward0",
    "Log1p": "Log1PBackward0", "CumSum": "CumsumBackward0", "CumProd": "CumprodBackward0", "RoundedDiv": "DivBackward2",
    "ELU": "EluBackward0", "LeakyReLU": "LeakyReluBackward0", "SiLU": "SiluBackward0",
    "PReLU": "PreluKernelBackward0", "Softsign": "DivBackward0", "Tanhshrink": "SubBackward0",
}  # fmt: skip


def name_of(node: Any) -> str:
    """What PyTorch calls the op of a node."""
    if node.printed:
        return str(node.printed)
    function = getattr(node, "function", None)  # one node may stand for several: floor, ceil; log2, log10
    if isinstance(function, type):  # a Function of the user's
        return f"{node.op_name}Backward"
    name = PYTORCHS.get(node.op_name, f"{function.capitalize() if function else node.op_name}Backward0")
    return name if isinstance(name, str) else name(node)


def named_in_errors(cls: type) -> None:
    """Give a public class of the library its own copy of an `__init__` that it inherits.

    Python's error of a wrong call then names this class and not its base: ``Softmax.__init__() missing 1 required ...``.
    """
    inherited: Any = cls.__init__  # type: ignore[misc]
    public = cls.__module__.startswith("tinynorm.") and not cls.__name__.startswith("_")
    if public and "__init__" not in vars(cls) and isinstance(inherited, FunctionType):
        own = FunctionType(inherited.__code__, inherited.__globals__, "__init__", inherited.__defaults__, inherited.__closure__)
        own.__kwdefaults__, own.__annotations__ = inherited.__kwdefaults__, inherited.__annotations__
        own.__qualname__ = f"{cls.__name__}.__init__"
        cls.__init__ = own  # type: ignore[misc]
