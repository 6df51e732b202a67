"""The calls in PyTorch's operator database whose names tinynorm has (needs torch)."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import random
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from databases_call import Call, Name, TensorSpec, rounded
from databases_run import run
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import BinaryUfuncInfo, OpInfo, UnaryUfuncInfo

import tinynorm

DTYPES = ("float32", "float64", "float16", "int64", "int32", "uint8", "bool")
LARGEST = 2_000  # numbers in a tensor; of larger ones a part is taken where the operation works number by number, else none
REPEATS = 3  # calls by names with the same names
FORMAT_ARGUMENTS = {"memory_format", "layout", "pin_memory", "generator", "out", "non_blocking"}


class LIMIT:
    """How many samples of a dtype are drawn from each source; None: all."""

    samples: int | None = None


class OutOfScope(Exception):
    """The call needs what tinynorm leaves out altogether: complex numbers, sparse tensors, memory formats, other devices."""


# ---- PyTorch's values as a tree -----------------------------------------------------------------------------------------


def spec_of(tensor: torch.Tensor, grad: bool | None = None) -> TensorSpec:
    dtype = str(tensor.dtype).removeprefix("torch.")
    plain = type(tensor) in (torch.Tensor, torch.nn.Parameter)
    if tensor.layout is not torch.strided or tensor.device.type != "cpu" or not plain:
        raise OutOfScope(f"{tensor.layout} on {tensor.device}")
    if tensor.ndim > 64:
        raise OutOfScope("NumPy has at most 64 dimensions")
    if dtype not in (*DTYPES, "int8", "int16"):
        raise OutOfScope(dtype)
    strides = None if tensor.is_contiguous() else tuple(tensor.stride())
    values = tensor.detach().resolve_neg().numpy()
    return TensorSpec(np.array(values, order="C"), strides, tensor.requires_grad if grad is None else grad)


def tree_of(value: Any, grad: bool | None = None) -> Any:
    """PyTorch's arguments without PyTorch."""
    if isinstance(value, torch.Tensor):
        return spec_of(value, grad if value.dtype.is_floating_point else None)
    if isinstance(value, torch.dtype):
        name = str(value).removeprefix("torch.")
        if name not in (*DTYPES, "int8", "int16"):
            raise OutOfScope(name)
        return Name(name)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, slice):
        return slice(*(tree_of(part) for part in (value.start, value.stop, value.step)))
    if isinstance(value, (tuple, list)):
        parts = [tree_of(part, grad) for part in value]
        return parts if isinstance(value, list) else tuple(parts)
    if isinstance(value, dict):
        if not FORMAT_ARGUMENTS.isdisjoint(value):
            raise OutOfScope(str(FORMAT_ARGUMENTS & value.keys()))
        return {key: tree_of(part, grad) for key, part in value.items()}
    if value is None or value is ... or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, torch.device) and value.type == "cpu":
        return str(value)
    raise OutOfScope(type(value).__name__)


# ---- an entry of the database ------------------------------------------------------------------------------------------


def short(op: OpInfo) -> str:
    return op.name.removeprefix("nn.functional.").removeprefix("special.")


def ways(op: OpInfo) -> list[tuple[str, str]]:
    """How both libraries can be asked for this operation: pairs (kind, path)."""
    names = [short(op), *(alias.name.rpartition(".")[2] for alias in op.aliases)]
    found: dict[tuple[str, str], None] = {}
    for name in names:
        for kind, theirs, ours in (
            ("function", torch, tinynorm),
            ("functional", torch.nn.functional, tinynorm.nn.functional),
            ("method", torch.Tensor, tinynorm.Tensor),
        ):
            if callable(getattr(theirs, name, None)) and callable(getattr(ours, name, None)):
                found[kind, name] = None
        if name in ("T", "mT"):
            found["attribute", name] = None
        if hasattr(tinynorm.Tensor, f"{name}_") and hasattr(torch.Tensor, f"{name}_"):
            found["inplace", f"{name}_"] = None
    for kind, function in (("operator", op.operator_variant), ("inplace operator", op.inplace_operator_variant)):
        if function is not None:
            name = function.__name__.rstrip("_")
            if hasattr(tinynorm.Tensor, f"__{name if kind == 'operator' else name[1:]}__"):
                found[kind, function.__name__] = None
    if op.name == "__getitem__":
        found["setitem", "__setitem__"] = None
    return list(found)


def entries() -> dict[str, list[OpInfo]]:
    """The entries that tinynorm has a name for, by name."""
    found: dict[str, list[OpInfo]] = {}
    for op in op_db:
        if ways(op):
            found.setdefault(op.name, []).append(op)
    return found


def seeded(text: str) -> None:
    seed = zlib.crc32(text.encode())
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (the databases draw from it)


def _cast(value: Any, dtype: torch.dtype) -> Any:
    return value.to(dtype) if isinstance(value, torch.Tensor) and value.dtype is torch.float32 else value


def _drawn(op: OpInfo, dtype: str) -> Iterator[tuple[str, Any, bool | None]]:
    """Samples of a dtype: (source, sample, whether all floats get gradients)."""
    torch_dtype = getattr(torch, dtype)
    if torch_dtype not in op.dtypes:
        if torch.float32 in op.dtypes:
            for i, sample in enumerate(itertools.islice(op.sample_inputs("cpu", torch.float32), 3)):
                yield f"cast {i}", sample.transform(lambda x: _cast(x, torch_dtype)), False
        return
    grad = op.supports_autograd and torch_dtype.is_floating_point
    for i, sample in enumerate(itertools.islice(op.sample_inputs("cpu", torch_dtype, requires_grad=grad), LIMIT.samples)):
        yield f"sample {i}", sample, None
    if op.reference_inputs_func is not None or isinstance(op, (UnaryUfuncInfo, BinaryUfuncInfo)):
        try:
            for i, sample in enumerate(itertools.islice(op.reference_inputs("cpu", torch_dtype), LIMIT.samples)):
                yield f"reference {i}", sample, grad
        except (RuntimeError, ValueError):  # some draw no samples of this dtype
            return


def _errors(op: OpInfo) -> Iterator[tuple[str, Any, bool | None]]:
    if op.error_inputs_func is not None:
        for i, error in enumerate(op.error_inputs("cpu")):
            yield f"error {i}", error.sample_input, None


def _arguments(op: OpInfo, sample: Any, grad: bool | None) -> tuple[tuple, dict[str, Any]]:
    args, kwargs = (sample.input, *sample.args), sample.kwargs
    return tree_of(args, grad), tree_of(kwargs, grad)


def _small(call: Call) -> Call | None:
    """The call with no tensor larger than `LARGEST`, or None."""
    specs = call.specs()
    if all(spec.values.size <= LARGEST for spec in specs):
        return call
    shapes = {spec.values.shape for spec in specs}
    if not call.elementwise or len(shapes) > 1:
        return None

    def part(spec: TensorSpec) -> TensorSpec:
        values = spec.values.reshape(-1)
        return replace(spec, values=values[:: max(1, values.size // LARGEST)].copy(), strides=None)

    return call.mapped(part)


def _overlaps(spec: TensorSpec) -> bool:
    """Whether two of its numbers are the same place in memory."""
    if spec.strides is None or not spec.values.size:
        return False
    places = np.tensordot(spec.strides, np.indices(spec.values.shape), 1)
    return np.unique(places).size < spec.values.size


def _directly(call: Call) -> Call:
    """`where` is in the database with its first two arguments swapped."""
    if call.entry == "where" and call.kind != "method" and call.kind != "inplace" and len(call.args) == 3:
        x, condition, other = call.args
        return replace(call, args=(condition, x, other))
    return call


def calls_of(op: OpInfo) -> Iterator[Call | OutOfScope]:
    """Every call of an entry, in every way and dtype; `OutOfScope` for samples that tinynorm leaves out."""
    entry = f"{op.name} {op.variant_test_name}".strip()
    elementwise = isinstance(op, (UnaryUfuncInfo, BinaryUfuncInfo))
    by_names: dict[tuple, int] = {}
    for dtype in (*DTYPES, "errors"):
        seeded(f"{entry} {dtype}")
        samples = _errors(op) if dtype == "errors" else _drawn(op, dtype)
        for source, sample, grad in samples:
            try:
                args, kwargs = _arguments(op, sample, grad)
            except OutOfScope as reason:
                yield reason
                continue
            for kind, path in ways(op):
                call = _small(Call(entry, kind, path, args, kwargs, dtype, source, elementwise))
                if call is None:
                    yield OutOfScope("large")
                    continue
                if "inplace" in kind and isinstance(args[0], TensorSpec) and _overlaps(args[0]):
                    yield OutOfScope("what is written to lies in memory twice")
                    continue
                call = _with_value(call) if kind == "setitem" else _directly(call)
                yield from _variants(call, by_names)


def _variants(call: Call, by_names: dict[tuple, int]) -> Iterator[Call]:
    yield call
    if call.dtype == "errors":
        return
    if any(spec.values.dtype.kind == "f" for spec in call.specs()) and "reference" not in call.source:
        yield rounded(call)
    named = by_names_of(call) if call.kind in ("function", "functional", "method") else None
    if named is not None:
        key = (call.kind, call.path, call.dtype, tuple(named.extra["names"]), tuple(named.kwargs))
        by_names[key] = by_names.get(key, 0) + 1
        if by_names[key] <= REPEATS:
            yield named


def _with_value(call: Call) -> Call:
    """`x[index]` as `x[index] = value`, where the value has the shape of what stands there."""
    x, index = call.args
    outcome = run(torch, replace(call, kind="method", path="__getitem__"))
    if outcome.error:
        return replace(call, args=(x, index, 1))
    shape = outcome.outputs[0].shape
    rng = np.random.default_rng(zlib.crc32(call.id.encode()))
    values = np.asarray(rng.integers(0, 5, shape) if x.values.dtype.kind != "f" else rng.standard_normal(shape))
    return replace(call, args=(x, index, TensorSpec(values.astype(x.values.dtype), None, x.grad)))


# ---- calls by name -------------------------------------------------------------------------------------------------------


def _signatures(kind: str, path: str) -> Iterable[list[str]]:
    """The names of the arguments, for each of PyTorch's overloads."""
    if kind == "functional":
        with contextlib.suppress(TypeError, ValueError):
            yield list(inspect.signature(getattr(torch.nn.functional, path)).parameters)
    for name in (f"aten::{path}", f"aten::special_{path}"):
        for schema in torch._C._jit_get_schemas_for_operator(name):
            yield ["input" if argument.name == "self" else argument.name for argument in schema.arguments]


def by_names_of(call: Call) -> Call | None:
    """The call with every argument by PyTorch's name for it; None where PyTorch takes none of its names."""
    skip = call.kind == "method"
    key = (call.kind, call.path)
    if key not in SIGNATURES:
        SIGNATURES[key] = [list(names) for names in {tuple(names): None for names in _signatures(*key)}]
    if skip and len(call.args) == 1:
        return None
    for names in SIGNATURES[key]:
        if len(names) < len(call.args) or not set(names[: len(call.args)]).isdisjoint(call.kwargs):
            continue
        named = replace(call, kind=f"named {call.kind}", extra={"names": names[skip : len(call.args)]})
        if run(torch, named).error is None:
            return named
    return None


SIGNATURES: dict[tuple[str, str], list[list[str]]] = {}
