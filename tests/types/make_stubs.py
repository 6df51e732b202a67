"""Writes what a type checker reads about the ops: `_methods.pyi` (what they hang on Tensor) and `ops/__init__.pyi`.

    python tests/types/make_stubs.py

An op's formula runs on arrays and on Tensors, so its own annotations say `Any`; a user has Tensors. Here each parameter that
says `Any` gets the type that its name stands for, and what comes out is a Tensor. `test_types.py` holds the files up to date.
"""

from __future__ import annotations

import inspect
import json
import keyword
import re
from collections.abc import Callable, Iterator
from inspect import Parameter, Signature
from pathlib import Path
from types import ModuleType
from typing import Any

from tinynorm import ops
from tinynorm.ops import common
from tinynorm.tensor import Tensor

PACKAGE = Path(ops.__file__).parents[1]

# what a parameter's name stands for, in every op alike; with a default of None, None too
MEANS = {
    **dict.fromkeys(["x", "input", "target", "condition", "weight", "bias", "pos_weight"], "Tensor"),
    **dict.fromkeys(["mat1", "mat2", "src", "tensor", "vec", "vec2", "weights"], "Tensor"),
    **dict.fromkeys(["input1", "input2", "x1", "x2", "anchor", "positive", "negative", "logits"], "Tensor"),
    "var": "Tensor | float",
    **dict.fromkeys(["a", "b", "other", "value", "source", "data", "min", "max", "fill_value", "indices", "end"], "TensorLike"),
    **dict.fromkeys(["alpha", "exponent", "mask", "tensor1", "tensor2"], "TensorLike"),
    **dict.fromkeys(["running_mean", "running_var"], "Tensor | None"),
    **dict.fromkeys(["shape", "sizes", "dims", "order", "repeats", "size"], "SupportsIndex | Sequence[int]"),
    "args": "Tensor | backend.device | DTypeLike",
    "device": "backend.device | str | None",
    "dim": "Dims",
    "dtype": "DTypeLike",
    "index": "Index",
    **dict.fromkeys(["kwargs", "memory_format"], "Any"),
    "normalized_shape": "int | Sequence[int]",
    **dict.fromkeys(["kernel_size", "stride", "dilation"], "int | Sequence[int]"),
    "output_size": "int | Sequence[int | None] | None",
    "padding": "int | Sequence[int] | str",
    "tensors": "Sequence[TensorLike]",
    **dict.fromkeys(["inputs", "types"], "Any"),  # of NumPy's protocols
}
OPERANDS = [("a", "b"), ("input", "other"), ("input", "exponent")]  # one of the two is a Tensor, the other may be a number
ALONG = {"max", "median", "min"}  # a Tensor without dim, (values, indices) along one, and elementwise with another tensor
RESULTS = {
    **dict.fromkeys(["__array_ufunc__", "__array_function__", "max_pool2d", "type", "unique"], "Any"),
    "__iter__": "Iterator[Tensor]",
}
GENERIC = {  # what stands in the code without its contents
    "Callable": "Callable[..., Any]",
    "dict": "dict[str, Any]",
    "tuple": "tuple[Any, ...]",
    "tuple | None": "tuple[Any, ...] | None",
}
OVERRIDES_OBJECTS = {"__eq__", "__ne__"}  # which return a bool there

HEADER = '''# Made by tests/types/make_stubs.py of the ops' signatures; do not edit.
'''
METHODS = '''{header}import builtins
from collections.abc import Callable, Iterator, Sequence
from types import EllipsisType
from typing import Any, Protocol, Self, SupportsIndex, TypeAlias, overload

import numpy as np
from numpy.typing import DTypeLike

from . import backend
from .ops.common import Dims
from .ops.reduction import Along
from .tensor import Tensor

class HasArray(Protocol):
    """A Tensor, an array of any library, or a NumPy number."""

    @property
    def shape(self) -> Any: ...
    @property
    def dtype(self) -> Any: ...

TensorLike: TypeAlias = HasArray | float | list[Any] | tuple[Any, ...]
Index: TypeAlias = HasArray | SupportsIndex | slice | EllipsisType | list[Any] | tuple[Any, ...] | None

class Methods:
{body}'''
FUNCTIONS = '''{header}from collections.abc import Sequence
from typing import Any, SupportsIndex, overload

from numpy.typing import DTypeLike

from .. import backend
from .._methods import Index, TensorLike
from ..tensor import Tensor
from . import inplace as inplace
from .common import Dims
from .reduction import Along

__all__ = [
{names}]

{body}'''


def typed(parameter: Parameter) -> Parameter:
    """The parameter with a type that says something."""
    annotation = GENERIC.get(parameter.annotation, parameter.annotation)
    if annotation in (Parameter.empty, "Any", "Sequence[Any]"):
        if parameter.name not in MEANS:
            raise SystemExit(f"make_stubs: say in MEANS what type a parameter named {parameter.name!r} has")
        annotation = MEANS[parameter.name] + (" | None" if parameter.default is None else "")
        annotation = annotation.replace("None | None", "None")
    return parameter.replace(annotation=annotation)


def signature_of(name: str, function: Callable) -> Signature:
    """As the function has it, with types."""
    found = inspect.signature(function)
    parameters = [typed(p) for p in found.parameters.values() if not p.name.startswith("_") and p.name != "self"]
    if "self" in found.parameters:
        parameters.insert(0, found.parameters["self"].replace(annotation="Tensor"))
    result = found.return_annotation
    vague = result in (Signature.empty, "Any")
    return Signature(parameters, return_annotation=RESULTS.get(name, "Tensor") if vague else result)


def variants(name: str, function: Callable) -> Iterator[Signature]:
    """The ways to call it: with `dim` or NumPy's `axis`, with and without; with two operands, of which one is a Tensor."""
    signature = signature_of(name, function)
    by_name = dict(signature.parameters)
    vague = {p.name for p in inspect.signature(function).parameters.values() if p.annotation in ("Any", Parameter.empty)}
    pair = next((pair for pair in OPERANDS if vague >= set(pair)), ())
    if name in ALONG:
        first, dim, keepdim, *pairwise = by_name.values()
        yield from with_axis(signature.replace(parameters=[first, dim.replace(annotation="None"), keepdim]))
        along = signature.replace(return_annotation="Along")
        yield from with_axis(
            along.replace(parameters=[first, dim.replace(annotation="int", default=Parameter.empty), keepdim])
        )
        for other in pairwise:
            other = other.replace(annotation="Tensor", default=Parameter.empty, kind=Parameter.POSITIONAL_OR_KEYWORD)
            yield signature.replace(parameters=[first, other])
    elif pair:
        if by_name[pair[0]].default is None:  # `where` of a condition alone
            rest = [p for p in by_name.values() if p.name not in pair]
            yield Signature(rest, return_annotation="tuple[Tensor, ...]")
            by_name |= {name: by_name[name].replace(default=Parameter.empty) for name in pair}
        for own in pair:
            types = {other: "Tensor" if other == own else "TensorLike" for other in pair}
            typed = [p.replace(annotation=types.get(p.name, p.annotation)) for p in by_name.values()]
            yield signature.replace(parameters=typed)
    elif takes_axis(function):
        yield from with_axis(signature)
    else:
        yield signature


def takes_axis(function: Callable) -> bool:
    """Whether `accepts_axis` stands around it."""
    return function.__code__.co_filename == common.__file__


def with_axis(signature: Signature) -> Iterator[Signature]:
    """Called by NumPy's names too: in the same form where `dim` may be left out, else in a second one."""
    given = list(signature.parameters.values())
    dim = signature.parameters.get("dim")
    keepdims = [p.replace(name="keepdims", kind=Parameter.KEYWORD_ONLY) for p in given if p.name == "keepdim"]
    if dim is None:  # pairwise_distance, of the last dimension
        yield signature.replace(parameters=[*given, *keepdims])
        return
    axis = dim.replace(name="axis", kind=Parameter.KEYWORD_ONLY)
    if dim.default is not Parameter.empty:
        yield signature.replace(parameters=[*given, axis, *keepdims])
        return
    yield signature.replace(parameters=[*given, *keepdims])
    by_name = [p.replace(kind=Parameter.KEYWORD_ONLY) for p in given[1:] if p is not dim]
    yield signature.replace(parameters=[given[0], axis, *by_name, *keepdims])


def rendered(name: str, signature: Signature, indent: str = "", comment: str = "") -> str:
    """A stub's `def`, on one line where it fits."""
    parts, star = [], False
    for p in signature.parameters.values():
        prefix = {Parameter.VAR_POSITIONAL: "*", Parameter.VAR_KEYWORD: "**"}.get(p.kind, "")
        star = star or prefix == "*"
        if p.kind is Parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        value = json.dumps(p.default) if isinstance(p.default, str) else repr(p.default)
        default = "" if p.default is Parameter.empty else f" = {value}"
        parts.append(p.name if p.name == "self" else f"{prefix}{p.name}: {p.annotation}{default}")
    tail = f") -> {signature.return_annotation}: ...{comment}"
    line = f"{indent}def {name}({', '.join(parts)}{tail}"
    if len(line) <= 128:
        return line
    return "\n".join([f"{indent}def {name}(", *(f"{indent}    {part}," for part in parts), indent + tail])


def declared(name: str, function: Callable, indent: str = "", change: Callable[[Signature], Signature] = lambda s: s) -> str:
    """All its variants; indented, as a method, those whose first operand is the Tensor."""
    forms = [change(s) for s in variants(name, function) if not indent or first_is_a_tensor(s)]
    comment = "  # type: ignore[override]" if indent and name in OVERRIDES_OBJECTS else ""
    over = f"{indent}@overload\n" if len(forms) > 1 else ""
    return "".join(f"{over}{rendered(name, form, indent, comment)}\n" for form in forms)


def first_is_a_tensor(signature: Signature) -> bool:
    return next(iter(signature.parameters.values())).annotation == "Tensor"


def hung() -> dict[str, Any]:
    """What ops/, autograd/ and interop hang on Tensor."""
    members = {}
    for name, member in vars(Tensor).items():
        function = member.fget if isinstance(member, property) else member
        if inspect.isfunction(function) and function.__module__ != Tensor.__module__ and not keyword.iskeyword(name):
            members[name] = member
    return dict(sorted(members.items()))


def methods() -> str:
    """The text of `tinynorm/_methods.pyi`."""
    members = hung()
    hidden = re.compile(rf"\b({'|'.join(sorted(members.keys() & {'int', 'float', 'bool', 'type'}))})\b")

    def on_tensor(name: str) -> Callable[[Signature], Signature]:
        def change(signature: Signature) -> Signature:
            first, *rest = signature.parameters.values()
            rest = [p for p in rest if not (name.startswith("__") and p.kind is Parameter.KEYWORD_ONLY)]  # of a sign
            parameters = [p.replace(annotation=hidden.sub(r"builtins.\1", p.annotation)) for p in rest]
            operator = name.startswith("__i") and name.replace("__i", "__", 1) in members
            in_place = operator or (name.endswith("_") and not name.startswith("__"))
            result = "Self" if in_place else hidden.sub(r"builtins.\1", signature.return_annotation)
            return Signature([first.replace(name="self"), *parameters], return_annotation=result)

        return change

    body = ""
    for name, member in members.items():
        if isinstance(member, property):
            body += f"    @property\n    def {name}(self) -> Tensor: ...\n"
        else:
            body += declared(name, member, "    ", on_tensor(name))
    return METHODS.format(header=HEADER, body=body)


def functions() -> str:
    """The text of `tinynorm/ops/__init__.pyi`."""
    body = ""
    for name in ops.__all__:
        member = getattr(ops, name)
        if not isinstance(member, ModuleType):
            body += declared(name, member)
    return FUNCTIONS.format(header=HEADER, names="".join(f'    "{name}",\n' for name in ops.__all__), body=body)


STUBS = {PACKAGE / "_methods.pyi": methods, PACKAGE / "ops" / "__init__.pyi": functions}

if __name__ == "__main__":
    for path, text in STUBS.items():
        path.write_text(text())
        print(f"{path.relative_to(PACKAGE.parent)}: {len(text().splitlines())} lines")
