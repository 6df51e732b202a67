"""In-place ops. Each writes to the memory of the tensor and increases its version counter.

Under `no_grad`, or if nothing requires grad, that is all. Otherwise the op is recorded: the tensor becomes the output of the
op's node, and its base and views are updated too (`autograd/views.py`). A leaf that requires grad has no node, so it cannot be
changed in place while ops are recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..autograd.views import become, change_shape, is_recorded, refuse_if_unsafe
from ..tensor import Tensor, method, raw, version_of, wrap
from . import activation, arithmetic, exponential, logic, pieces, trigonometry
from . import shape as layout
from .common import accepts_axis, as_held_by, namespace, printed_as
from .diagonal import diagonal
from .indexing import AddAt, SetItem, explained, places, raw_index, slices_at, source_for
from .linear import addmm


def _before_change(x: Tensor) -> Tensor:
    """A copy of `x` before the change, with the same place in the graph. An op can save it for backward."""
    old = wrap(backend.copy(x._array))
    old.grad_fn, old._output_nr, old._requires_grad = x.grad_fn, x._output_nr, x._requires_grad
    return old


def _inplace(name: str, sign: str, op: Callable[..., Any], shape: bool = False) -> Callable[..., Tensor]:
    """A method that gives a tensor the numbers of `op`'s result, or with `shape` its shape."""

    def change(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        try:
            if shape:
                y = change_shape(input, name, lambda x: op(x, *args, **kwargs))
                node = y.grad_fn
                return y if node is None else printed_as(SHAPED.get(node.printed, node.printed), y)
            recorded = is_recorded(input, *args, *kwargs.values())
            return _replaced(input, name, lambda x: op(x, *args, **kwargs), recorded)
        except TypeError as error:  # of arguments that `op` does not have
            said, own = f"{op.__name__}()", f"{name}()"
            if not str(error).startswith(said):
                raise
            raise TypeError(str(error).replace(said, own)) from None

    change.__name__ = change.__qualname__ = name
    change.__doc__ = f"`{name[:-1]}` in place."
    change.__wrapped__ = op  # type: ignore[attr-defined]  # so inspect.signature gives op's
    method(name, *filter(None, [sign]))(change)
    return change


add_ = _inplace("add_", "__iadd__", arithmetic.add)
sub_ = _inplace("sub_", "__isub__", arithmetic.sub)
mul_ = _inplace("mul_", "__imul__", arithmetic.mul)
div_ = _inplace("div_", "__itruediv__", arithmetic.div)
pow_ = _inplace("pow_", "__ipow__", exponential.pow)
remainder_ = _inplace("remainder_", "__imod__", arithmetic.remainder)
floor_divide_ = _inplace("floor_divide_", "__ifloordiv__", logic.floor_divide)
fmod_ = _inplace("fmod_", "", arithmetic.fmod)
addcmul_ = _inplace("addcmul_", "", arithmetic.addcmul)
addcdiv_ = _inplace("addcdiv_", "", arithmetic.addcdiv)
addmm_ = _inplace("addmm_", "", addmm)
lerp_ = _inplace("lerp_", "", arithmetic.lerp)
masked_fill_ = _inplace("masked_fill_", "", arithmetic.masked_fill)
nan_to_num_ = _inplace("nan_to_num_", "", arithmetic.nan_to_num)
clamp_min_ = _inplace("clamp_min_", "", arithmetic.clamp_min)
clamp_max_ = _inplace("clamp_max_", "", arithmetic.clamp_max)
bitwise_and_ = _inplace("bitwise_and_", "__iand__", logic.bitwise_and)
bitwise_or_ = _inplace("bitwise_or_", "__ior__", logic.bitwise_or)
bitwise_xor_ = _inplace("bitwise_xor_", "__ixor__", logic.bitwise_xor)
abs_, neg_ = _inplace("abs_", "", arithmetic.abs), _inplace("neg_", "", arithmetic.neg)
reciprocal_ = _inplace("reciprocal_", "", arithmetic.reciprocal)
exp_, expm1_ = _inplace("exp_", "", exponential.exp), _inplace("expm1_", "", exponential.expm1)
log_, log1p_ = _inplace("log_", "", exponential.log), _inplace("log1p_", "", exponential.log1p)
log2_, log10_ = _inplace("log2_", "", exponential.log2), _inplace("log10_", "", exponential.log10)
sqrt_, rsqrt_ = _inplace("sqrt_", "", exponential.sqrt), _inplace("rsqrt_", "", exponential.rsqrt)
square_, sign_ = _inplace("square_", "", exponential.square), _inplace("sign_", "", logic.sign)
sin_, cos_, tan_ = (_inplace(f"{op.__name__}_", "", op) for op in (trigonometry.sin, trigonometry.cos, trigonometry.tan))
sigmoid_, tanh_ = _inplace("sigmoid_", "", activation.sigmoid), _inplace("tanh_", "", activation.tanh)
ceil_, floor_ = _inplace("ceil_", "", logic.ceil), _inplace("floor_", "", logic.floor)
tril_, triu_ = _inplace("tril_", "", pieces.tril), _inplace("triu_", "", pieces.triu)
round_, trunc_, frac_ = (_inplace(f"{op.__name__}_", "", op) for op in (logic.round, logic.trunc, logic.frac))

SHAPED = {  # PyTorch's number of an op and of its in-place variant
    **{f"{name}Backward0": f"{name}Backward1" for name in ("T", "Transpose", "Unsqueeze")},
    **{"SqueezeBackward0": "SqueezeBackward3", "SqueezeBackward1": "SqueezeBackward4"},
}
t_ = _inplace("t_", "", layout.t, shape=True)
transpose_ = _inplace("transpose_", "", layout.transpose, shape=True)
squeeze_ = _inplace("squeeze_", "", layout.squeeze, shape=True)
unsqueeze_ = _inplace("unsqueeze_", "", layout.unsqueeze, shape=True)


@method("__setitem__")
def setitem(x: Tensor, index: Any, value: Any) -> None:
    """x[index] = value; recorded in the graph if x or value requires grad.

    >>> import tinynorm
    >>> x = tinynorm.zeros(3)
    >>> x[1:] = 5
    >>> x
    tensor([0., 5., 5.])
    """
    try:
        _assign(x, raw_index(index, x._array), value, "setitem")
    except IndexError as error:
        raise explained(error, x._array) from None


def _assign(x: Tensor, index: Any, value: Any, op: str) -> Tensor:
    backend.check_same_device(op, [x._array, raw(value)])
    value = value.to(x.dtype) if isinstance(value, Tensor) else _numbers(op, x, value)
    recorded = is_recorded(x, value)
    refuse_if_unsafe(op, x, recorded)
    y = SetItem(index)(x, value)
    version_of(x).bump(op)
    return printed_as(FILLED.get(op, ""), become(x, y, op)) if recorded else x


FILLED = {
    "zero_": "ZeroBackward0",
    "fill_": "FillBackward2",
    "normal_": "NormalBackward0",
    "uniform_": "UniformBackward0",
    "bernoulli_": "BernoulliBackward2",
}


def _numbers(op: str, x: Tensor, value: Any) -> Any:
    """Return `value` after a check that it consists of numbers. (NumPy would write None as NaN, and convert strings.)

    A number has to fit into the dtype of x; but by an index PyTorch writes inf for one that is too large for floats.
    """
    if isinstance(value, (int, float, np.integer, np.floating)):
        free = 0 <= value <= 127 or (op == "setitem" and backend.is_floating(x._array))
        return value if free else as_held_by(op, x._array.dtype, value)
    array = value if backend.is_array(value) else np.asarray(value)
    if isinstance(array.dtype, np.dtype) and array.dtype.kind not in "fiub":
        raise TypeError(f"{op}: expected a Tensor, an array or real numbers, got {type(value).__name__} of {array.dtype}")
    return value


@method()
def zero_(input: Tensor) -> Tensor:
    """Fill with zeros, in place."""
    return _assign(input, ..., 0, "zero_")


@method()
def fill_(input: Tensor, value: Any) -> Tensor:
    """Fill with a number, in place."""
    return _assign(input, ..., value, "fill_")


@method()
def fill_diagonal_(input: Tensor, fill_value: Any) -> Tensor:
    """Fill the main diagonal of a matrix with a number, in place.

    >>> import tinynorm
    >>> tinynorm.zeros(2, 2).fill_diagonal_(1.0)
    tensor([[1., 0.],
            [0., 1.]])
    """
    if input.ndim != 2:
        raise RuntimeError(f"fill_diagonal_: expected a matrix, got shape {tuple(input.shape)}")
    fill_(diagonal(input), fill_value)
    return input


@method()
def copy_(x: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Copy the numbers of `src` into x, in place. They are broadcast, converted to x's dtype and moved to its device."""
    if not isinstance(src, Tensor):
        src = _numbers("copy_", x, src)
        src = wrap(backend.given(src) if backend.is_array(src) else namespace(x._array).asarray(src))
    return _assign(x, ..., src.to(x.device) if isinstance(x.device, backend.device) else src, "copy_")


@method()
@accepts_axis
def scatter_(input: Tensor, dim: int, index: Any, src: Tensor | float | None = None, *, value: float | None = None) -> Tensor:
    """Write `src`, a tensor or a number, in place to the places that `gather` would read: input[i][index[i][j]] = src[i][j].

    If several numbers go to one place, the last one stays, and only that has a gradient. (PyTorch leaves open which stays.)

    Raises
    ------
    IndexError
        An index is negative or too large, or is longer than the tensor along another dimension.
    RuntimeError
        `src` has another dtype than the tensor, or is shorter than `index`.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.zeros(2, 3).scatter_(1, tinynorm.tensor([[0], [2]]), 1.0)
    tensor([[1., 0., 0.],
            [0., 0., 1.]])
    """
    if (src is None) == (value is None):
        raise TypeError("scatter_: expected either src, a tensor, or value, a number")
    at, written = places("scatter_", input, dim, index), value if src is None else src
    number = isinstance(written, (int, float, np.generic))
    if not number:
        written = source_for("scatter_", input, index, written)
    recorded, y = is_recorded(input, written), _assign(input, at, written, "scatter_")
    return printed_as(f"ScatterBackward{int(number)}", y) if recorded else y


@method()
@accepts_axis
def scatter_add_(input: Tensor, dim: int, index: Any, src: Any) -> Tensor:
    """Add `src` in place at the places that `gather` would read. What goes to one place is added up.

    >>> import tinynorm
    >>> tinynorm.zeros(1, 3).scatter_add_(1, tinynorm.tensor([[0, 2, 2]]), tinynorm.ones(1, 3))
    tensor([[1., 0., 2.]])
    """
    at, src = places("scatter_add_", input, dim, index), source_for("scatter_add_", input, index, src)
    if not input.ndim:
        return add_(input, src)
    recorded = is_recorded(input, src)
    y = _replaced(input, "scatter_add_", lambda x: x + AddAt(x.shape, at)(src), recorded)
    return printed_as("ScatterAddBackward0", y) if recorded else y


@method()
@accepts_axis
def scatter(input: Any, dim: int, index: Any, src: Tensor | float | None = None, *, value: float | None = None) -> Any:
    """`scatter_` on a copy."""
    return scatter_(input.clone(), dim, index, src, value=value)


@method()
@accepts_axis
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """`scatter_add_` on a copy."""
    return scatter_add_(input.clone(), dim, index, src)


@method()
@accepts_axis
def index_add_(input: Tensor, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Tensor:
    """Add alpha `source` in place to the slices at the places `index`, (k), along `dim`. What goes to one place is added up.

    >>> import tinynorm
    >>> tinynorm.zeros(3).index_add_(0, tinynorm.tensor([0, 2, 2]), tinynorm.ones(3))
    tensor([1., 0., 2.])
    """
    at = slices_at("index_add_", input, dim, index)
    shape = input._array[at].shape
    if source.dtype != input.dtype or tuple(source.shape) != tuple(shape):
        expected, got = (f"{t.dtype} of shape {tuple(s)}" for t, s in ((input, shape), (source, source.shape)))
        raise RuntimeError(f"index_add_: expected a source in {expected}, got {got}")
    added = source if alpha == 1 else source * as_held_by("index_add_", source.dtype, alpha)
    recorded = is_recorded(input, source)
    y = _replaced(input, "index_add_", lambda x: x + (AddAt(x.shape, at)(added) if x.ndim else added), recorded)
    return printed_as("IndexAddBackward0", y) if recorded else y


@method()
@accepts_axis
def index_fill_(input: Tensor, dim: int, index: Any, value: Any) -> Tensor:
    """Write a number in place into the slices at the places `index`, (k), along `dim`.

    >>> import tinynorm
    >>> tinynorm.zeros(2, 3).index_fill_(1, tinynorm.tensor([0, 2]), 7.0)
    tensor([[7., 0., 7.],
            [7., 0., 7.]])
    """
    number = not hasattr(value, "shape")
    if not number and tuple(value.shape):
        raise RuntimeError(f"index_fill_: expected a number or a 0-d tensor as value, got shape {tuple(value.shape)}")
    if not number and not backend.is_floating(input._array):
        value = wrap(raw(value)).item()
    recorded = is_recorded(input, value)
    y = _assign(input, slices_at("index_fill_", input, dim, index), value, "index_fill_")
    return printed_as(f"IndexFillBackward{int(not number)}", y) if recorded else y


@method()
@accepts_axis
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Any:
    """`index_add_` on a copy."""
    return index_add_(input.clone(), dim, index, source, alpha=alpha)


@method()
@accepts_axis
def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """`index_fill_` on a copy."""
    return index_fill_(input.clone(), dim, index, value)


@method("clamp_", "clip_")
def clamp_(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """`clamp` in place."""
    recorded = is_recorded(input, min) or is_recorded(input, max)
    return _replaced(input, "clamp_", lambda x: arithmetic.clamp(x, min, max), recorded)


@method()
def relu_(input: Tensor) -> Tensor:
    """`relu` in place."""
    return replace(input, "relu_", activation.relu)


def replace(x: Tensor, name: str, op: Callable[[Tensor], Tensor]) -> Tensor:
    """Replace `x` in place by ``op(x)``. The result must have the shape of `x`, and is converted to its dtype."""
    return _replaced(x, name, op, is_recorded(x))


def _replaced(x: Tensor, name: str, op: Callable[[Tensor], Tensor], recorded: bool) -> Tensor:
    refuse_if_unsafe(name, x, recorded)
    y = op(_before_change(x) if recorded else x)
    if y._array.shape != x._array.shape:
        raise RuntimeError(
            f"{name}: the result has shape {tuple(y.shape)}, which does not fit in place into {tuple(x.shape)}; "
            "use the out-of-place op"
        )
    if y._array.dtype != x._array.dtype:
        if backend.is_bool(x._array) or (backend.is_floating(y._array) and not backend.is_floating(x._array)):
            dtypes = f"a {y._array.dtype} result cannot be written in place into {x._array.dtype}"
            raise RuntimeError(f"{name}: {dtypes}; use the out-of-place op")
        y = y.to(x.dtype)
    x._array[...] = y._array
    version_of(x).bump(name)
    return become(x, y, name) if recorded else x


@method()
def normal_(x: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: backend.Generator | None = None) -> Tensor:
    """Fill with normal random numbers, in place."""
    if std < 0:
        raise RuntimeError(f"normal_: expected a standard deviation that is not negative, got {std}")
    rng = (generator or backend.default_generator).rng
    return fill_from_host(x, "normal_", mean + std * rng.standard_normal(x.shape))


@method()
def uniform_(x: Tensor, low: float = 0.0, high: float = 1.0, *, generator: backend.Generator | None = None) -> Tensor:
    """Fill with random numbers from [low, high), in place."""
    if low > high:
        raise RuntimeError(f"uniform_: expected bounds in order, got {low} and {high}")
    rng = (generator or backend.default_generator).rng
    return fill_from_host(x, "uniform_", low + (high - low) * rng.random(x.shape))


@method()
def bernoulli_(x: Tensor, p: float | Tensor = 0.5, *, generator: backend.Generator | None = None) -> Tensor:
    """Fill with 1 at random, with probability `p` (a number, or a tensor with one for each element), else with 0; in place."""
    y = fill_from_host(x, "bernoulli_", successes("bernoulli_", p, x.shape, generator))
    return printed_as("BernoulliBackward1", y) if isinstance(p, Tensor) else y


def successes(op: str, p: Any, shape: Any, generator: backend.Generator | None) -> np.ndarray:
    """Booleans that are drawn, True with the probabilities `p`.

    Raises
    ------
    RuntimeError
        A probability is not from 0 to 1.
    """
    chance = backend.to_numpy(raw(p)) if isinstance(p, Tensor) else backend.as_numpy(p)
    if not ((chance >= 0) & (chance <= 1)).all():
        raise RuntimeError(f"{op}: expected probabilities from 0 to 1, got some from {chance.min()} to {chance.max()}")
    return backend.as_numpy((generator or backend.default_generator).rng.random(tuple(shape)) < chance)


# the largest integer up to which a floating-point dtype has them all
WHOLE = {backend.float16: 2**11, backend.float32: 2**24, backend.float64: 2**53}


@method()
def random_(x: Tensor, *bounds: int, to: int | None = None, generator: backend.Generator | None = None) -> Tensor:
    """Fill with random integers, in place: ``random_(to)`` from 0, ``random_(start, to)`` from start; `to` is excluded.

    Without bounds they are drawn from all that are not negative and that the dtype has without gaps.

    >>> import tinynorm
    >>> tinynorm.zeros(2).random_(5, 6)
    tensor([5., 5.])
    """
    given = bounds if to is None else (*bounds, to)
    if len(given) > 2:
        raise TypeError(f"random_: expected at most a start and an end, got {given}")
    dtype = x._array.dtype
    most = WHOLE.get(dtype, 1) if dtype.kind in "fb" else int(np.iinfo(dtype).max)
    start, stop = given if len(given) == 2 else (0, *given) if given else (0, most + 1)
    if not start < stop:
        raise RuntimeError(f"random_: expected a start below the end, got {start} and {stop}")
    least = 0 if dtype.kind in "ub" else -most - 1
    if dtype.kind != "f" and (start < least or stop - 1 > most):
        raise RuntimeError(f"random_: expected numbers that fit into {dtype}, {least} to {most}, got {start} to {stop - 1}")
    rng = (generator or backend.default_generator).rng
    y = fill_from_host(x, "random_", rng.integers(start, stop - 1, x.shape, endpoint=True))
    return printed_as(f"RandomBackward{2 - len(given)}", y)


def fill_from_host(x: Tensor, op: str, numbers: np.ndarray) -> Tensor:
    """Write `numbers` into x. Random numbers are drawn on the host, so that a seed gives the same numbers on every device."""
    return _assign(x, ..., wrap(backend.from_host(numbers.astype(x.dtype), x._array)), op)
