"""A call from PyTorch's test databases, written down without PyTorch: what is called, with which arguments.

Arguments are a tree of plain Python values in which a `TensorSpec` stands for a tensor and a `Name` for what each library
has under a name of its own (a dtype). `build` makes the tree real for a library; `to_json` and `from_json` write it to a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

Put = Callable[[np.ndarray], Any]  # stores an array and returns where
Get = Callable[[Any], np.ndarray]


@dataclass(frozen=True)
class TensorSpec:
    """The numbers of a tensor, its strides in elements (None: row-major), and whether its gradient is asked for."""

    values: np.ndarray
    strides: tuple[int, ...] | None = None
    grad: bool = False

    def array(self) -> np.ndarray:
        """The numbers in memory of their own, in the same layout."""
        if self.strides is None:
            return self.values.copy()
        span = 1 + sum((n - 1) * s for n, s in zip(self.values.shape, self.strides, strict=True)) if self.values.size else 0
        memory = np.zeros(span, self.values.dtype)
        steps = [s * memory.itemsize for s in self.strides]
        view = np.lib.stride_tricks.as_strided(memory, self.values.shape, steps, writeable=True)
        view[...] = self.values
        return view

    def tensor(self, lib: Any) -> Any:
        return lib.from_numpy(self.array()).requires_grad_(self.grad)


@dataclass(frozen=True)
class Name:
    """A dtype by its name, which `getattr(lib, name)` is."""

    name: str


@dataclass(frozen=True)
class Call:
    """One call: `path` says what is called, `kind` in which way (see `databases_run.WAYS`)."""

    entry: str  # of the database, as "softmax with_dtype"
    kind: str
    path: str
    args: tuple
    kwargs: dict[str, Any]
    dtype: str
    source: str  # as "sample 3", "error 2 rounded"
    elementwise: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return "/".join((self.entry, self.kind, self.path, self.dtype, self.source))

    def mapped(self, f: Callable[[TensorSpec], TensorSpec], names: dict[str, str] | None = None, **changes: Any) -> Call:
        """The call with every tensor replaced, and dtypes renamed."""
        trees = [map_tree(tree, f, names or {}) for tree in (self.args, self.kwargs, self.extra)]
        return replace(self, args=trees[0], kwargs=trees[1], extra=trees[2], **changes)

    def specs(self) -> list[TensorSpec]:
        found: list[TensorSpec] = []
        self.mapped(lambda spec: found.append(spec) or spec)
        return found

    def size(self) -> int:
        return sum(spec.values.size for spec in self.specs())


def map_tree(tree: Any, f: Callable[[TensorSpec], TensorSpec], names: dict[str, str]) -> Any:
    if isinstance(tree, TensorSpec):
        return f(tree)
    if isinstance(tree, Name):
        return Name(names.get(tree.name, tree.name))
    if isinstance(tree, (tuple, list)):
        return type(tree)(map_tree(part, f, names) for part in tree)
    if isinstance(tree, dict):
        return {key: map_tree(part, f, names) for key, part in tree.items()}
    return tree


def build(lib: Any, tree: Any, tensors: list[Any]) -> Any:
    """The tree for a library; its tensors are appended to `tensors` in order."""
    if isinstance(tree, TensorSpec):
        tensors.append(tree.tensor(lib))
        return tensors[-1]
    if isinstance(tree, Name):
        return getattr(lib, tree.name)
    if isinstance(tree, (tuple, list)):
        return type(tree)(build(lib, part, tensors) for part in tree)
    if isinstance(tree, dict):
        return {key: build(lib, part, tensors) for key, part in tree.items()}
    return tree


def rounded(call: Call) -> Call:
    """The call on small whole numbers: ties, zeros, and a constant first row."""

    def whole(spec: TensorSpec) -> TensorSpec:
        if spec.values.dtype.kind != "f":
            return spec
        values = np.nan_to_num(np.clip(np.round(spec.values), -2, 2))
        if values.ndim > 1 and len(values) > 1:
            values[0] = 1
        return replace(spec, values=values)

    return call.mapped(whole, source=f"{call.source} rounded")


def one_number(call: Call, shape: tuple[int, ...], at: tuple[int, ...]) -> Call | None:
    """An elementwise call at one element of its result only; None where its tensors do not broadcast to that."""

    def part(spec: TensorSpec) -> TensorSpec:
        values = np.broadcast_to(spec.values, shape)[at]
        return replace(spec, values=np.asarray(values).reshape(1).copy(), strides=None)

    try:
        return call.mapped(part)
    except ValueError:
        return None


def in_float64(call: Call) -> Call:
    """The call on the same numbers in float64: what it computes but for rounding."""

    def wide(spec: TensorSpec) -> TensorSpec:
        return replace(spec, values=spec.values.astype(np.float64)) if spec.values.dtype.kind == "f" else spec

    narrow = ("float16", "float32", "half", "float")
    return call.mapped(wide, dict.fromkeys(narrow, "float64"), dtype="float64")


# ---- to and from JSON ------------------------------------------------------------------------------------------------


def to_json(tree: Any, put: Put) -> Any:
    """The tree in lists, strings and numbers; arrays are handed to `put`."""
    if isinstance(tree, TensorSpec):
        return ["tensor", put(tree.values), tree.strides and list(tree.strides), tree.grad]
    if isinstance(tree, np.ndarray):
        return ["array", put(tree)]
    if isinstance(tree, Name):
        return ["name", tree.name]
    if isinstance(tree, slice):
        return ["slice", *(to_json(part, put) for part in (tree.start, tree.stop, tree.step))]
    if tree is ... or tree is NotImplemented:
        return ["..." if tree is ... else "NotImplemented"]
    if isinstance(tree, (tuple, list)):
        return [type(tree).__name__, *(to_json(part, put) for part in tree)]
    if isinstance(tree, dict):
        return {key: to_json(part, put) for key, part in tree.items()}
    return tree


TAGS: dict[str, Callable[..., Any]] = {"name": Name, "...": lambda: ..., "NotImplemented": lambda: NotImplemented}


def from_json(tree: Any, get: Get) -> Any:
    if isinstance(tree, dict):
        return {key: from_json(part, get) for key, part in tree.items()}
    if not isinstance(tree, list):
        return tree
    tag, *parts = tree
    if tag == "tensor":
        return TensorSpec(get(parts[0]), None if parts[1] is None else tuple(parts[1]), parts[2])
    if tag == "array":
        return get(parts[0])
    if tag in TAGS:
        return TAGS[tag](*parts)
    values = [from_json(part, get) for part in parts]
    return slice(*values) if tag == "slice" else tuple(values) if tag == "tuple" else values


# ---- as a program ----------------------------------------------------------------------------------------------------


def source_of(tree: Any) -> str:
    """The tree as Python, for a reader who wants to run the call; `lib` is either library."""
    if isinstance(tree, TensorSpec):
        array = tree.values
        numbers = re.sub(r"\b(nan|inf)\b", r"float('\1')", repr(array.tolist()))
        made = f"tensor({numbers}" if array.size else f"zeros({array.shape}"
        return f"lib.{made}, dtype=lib.{array.dtype}{', requires_grad=True' if tree.grad else ''})"
    if isinstance(tree, Name):
        return f"lib.{tree.name}"
    if isinstance(tree, (tuple, list)):
        inside = ", ".join(map(source_of, tree))
        return f"[{inside}]" if isinstance(tree, list) else f"({inside}{',' if len(tree) == 1 else ''})"
    if isinstance(tree, dict):
        return "dict(" + ", ".join(f"{key}={source_of(part)}" for key, part in tree.items()) + ")"
    return repr(tree).replace("Ellipsis", "...")


def program(call: Call) -> str:
    """The call in a line of Python."""
    arguments = [source_of(part) for part in call.args] + [f"{key}={source_of(part)}" for key, part in call.kwargs.items()]
    laid_out = [spec.strides for spec in call.specs() if spec.strides is not None]
    extra = f"  # with {source_of(call.extra)}" if call.extra else ""
    extra += f"  # in memory with strides {laid_out}" if laid_out else ""
    if call.kind == "attribute":
        return f"{arguments[0]}.{call.path}{extra}"
    if "method" in call.kind or call.kind == "inplace":
        first = arguments[0] + (".clone()" if call.kind == "inplace" else "")
        return f"{first}.{call.path}({', '.join(arguments[1:])}){extra}"
    place = {"functional": "lib.nn.functional.", "named functional": "lib.nn.functional.", "operator": "operator.",
             "inplace operator": "operator.", "module": "lib.nn.", "optimizer": "lib.optim."}  # fmt: skip
    return f"{place.get(call.kind, 'lib.')}{call.path}({', '.join(arguments)}){extra}"
