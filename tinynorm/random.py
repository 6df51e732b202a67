"""Random tensors. The numbers are drawn on the host by NumPy's Generator, so that a seed gives the same on every device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import backend
from .backend import Generator, default_generator
from .creation import Size, as_of, shape_from, whole
from .ops.common import into
from .ops.convert import as_dtype
from .ops.inplace import successes
from .tensor import Tensor, method, raw, tensor_of, wrap

Draw = Callable[["np.random.Generator"], Any]  # in quotes: to load numpy.random takes long


def _draw(draw: Draw, generator: Generator | None, dtype: Any, where: Any, requires_grad: bool = False) -> Tensor:
    """A tensor of the numbers that are drawn."""
    dtype = backend.default_dtype if dtype is None else as_dtype(dtype)
    array = backend.as_numpy(draw((generator or default_generator).rng)).astype(dtype)
    return tensor_of(array if where is None else backend.move(array, where), requires_grad)


def rand(
    *sizes: Size,
    size: Size | None = None,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform random numbers from [0, 1), float32 unless told otherwise.

    >>> rand(2, 3).shape
    torch.Size([2, 3])
    """
    shape = shape_from("rand", sizes, size)
    return into(out, _draw(lambda rng: rng.random(shape), generator, dtype, device, requires_grad))


def randn(
    *sizes: Size,
    size: Size | None = None,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal random numbers with mean 0 and variance 1, float32 unless told otherwise.

    >>> randn(2, 3).shape
    torch.Size([2, 3])
    """
    shape = shape_from("randn", sizes, size)
    return into(out, _draw(lambda rng: rng.standard_normal(shape), generator, dtype, device, requires_grad))


def randint(
    low: Any = 0,
    high: Any = None,
    size: Size | None = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random integers: ``randint(high, size)`` from 0, ``randint(low, high, size)`` from low; high is excluded.

    Raises
    ------
    TypeError
        `high` or `size` is missing, or a bound is not an integer.
    ValueError
        `high` is not larger than `low`, or the integers do not fit into the dtype.

    Examples
    --------
    >>> randint(0, 10, size=(2, 3)).shape
    torch.Size([2, 3])
    """
    if size is None:
        low, high, size = 0, low, high
    if high is None:
        low, high = 0, low
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"randint: expected (high, size) or (low, high, size) with a size such as (3,), got {size!r} as size")
    low, high = whole("randint", "low", low), whole("randint", "high", high)
    if not low < high:
        raise ValueError(f"randint: expected low < high, since high is not among the numbers, got low={low}, high={high}")
    dtype = as_dtype(backend.int64 if dtype is None else dtype)
    least, most = (0, 1) if dtype.kind == "b" else (low, high)
    if dtype.kind in "iu":
        least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    if low < least or high - 1 > most:
        raise ValueError(f"randint: expected numbers that fit into {dtype}, {least} to {most}, got low={low}, high={high}")
    shape = shape_from("randint", (size,))
    return into(out, _draw(lambda rng: rng.integers(low, high, shape), generator, dtype, device, requires_grad))


def randperm(n: int, *, generator: Generator | None = None, dtype: Any = backend.int64, device: Any = None) -> Tensor:
    """The integers 0 to n - 1 in random order.

    >>> sorted(randperm(4).tolist())
    [0, 1, 2, 3]
    """
    n = whole("randperm", "n", n)
    if n < 0:
        raise RuntimeError(f"randperm: expected a number that is not negative, got {n}")
    return _draw(lambda rng: rng.permutation(n), generator, dtype, device)


def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """`rand` in the shape, dtype and device of a tensor, unless another dtype or device is given.

    >>> import tinynorm
    >>> rand_like(tinynorm.zeros(2, 3, dtype="float64")).dtype
    torch.float64
    """
    _only_floats("rand_like", input, dtype)
    return rand(input.shape, generator=generator, requires_grad=requires_grad, **as_of(input, dtype, device))


def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """`randn` in the shape, dtype and device of a tensor, unless another dtype or device is given.

    >>> import tinynorm
    >>> randn_like(tinynorm.zeros(2, 3)).shape
    torch.Size([2, 3])
    """
    _only_floats("randn_like", input, dtype)
    return randn(input.shape, generator=generator, requires_grad=requires_grad, **as_of(input, dtype, device))


def randint_like(
    input: Tensor,
    low: int = 0,
    high: int | None = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """`randint` in the shape, dtype and device of a tensor, unless another dtype or device is given.

    >>> import tinynorm
    >>> randint_like(tinynorm.zeros(2), 3, 4)
    tensor([3., 3.])
    """
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, input.shape, generator=generator, requires_grad=requires_grad, **as_of(input, dtype, device))


def _only_floats(op: str, input: Tensor, dtype: Any) -> None:
    if dtype is None and not input.is_floating_point():
        raise TypeError(f"{op}: expected a floating-point tensor, or a dtype=, got {input._array.dtype}")


def normal(
    mean: float | Tensor = 0.0,
    std: float | Tensor = 1.0,
    size: Size | None = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal random numbers of a mean and a standard deviation: two numbers and a size, or a tensor with its own for each.

    Raises
    ------
    RuntimeError
        A standard deviation is negative.
    TypeError
        There is neither a size nor a tensor.

    Examples
    --------
    >>> import tinynorm
    >>> normal(0, 0.01, size=(2, 3)).shape
    torch.Size([2, 3])
    >>> normal(tinynorm.tensor([1.0, 100.0]), 0.0)
    tensor([  1., 100.])
    """
    given = [t for t in (mean, std) if isinstance(t, Tensor)]
    for t in (mean, std):
        if not isinstance(t, (Tensor, int, float, np.generic)):
            raise TypeError(f"normal: expected mean and std as numbers or Tensors, got {type(t).__name__}")
    m, s = (backend.to_numpy(raw(t)) if isinstance(t, Tensor) else float(t) for t in (mean, std))
    if given and len({tuple(t.shape) for t in given if t.numel() != 1}) > 1:
        shapes = " and ".join(str(tuple(t.shape)) for t in given)
        raise RuntimeError(f"normal: expected mean and std of one shape, got {shapes}")
    if np.any(np.less(s, 0)):
        raise RuntimeError(f"normal: expected a standard deviation that is not negative, got {np.min(s)}")
    if not given and size is None:
        raise TypeError("normal: expected a size, such as normal(0, 1, (2, 3)), or a tensor as mean or std")
    options = as_of(given[0], dtype, device) if given else {"dtype": dtype, "device": device}
    shape = np.broadcast_shapes(np.shape(m), np.shape(s)) if size is None else shape_from("normal", (size,))
    made = _draw(lambda rng: m + s * rng.standard_normal(shape), generator, options["dtype"], options["device"], requires_grad)
    return into(out, made)


@method()
def bernoulli(
    input: Tensor,
    p: float | Tensor | None = None,
    *,
    generator: backend.Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """1 at random, with the probability that `input` has at each place, or with probability `p`; else 0. It has no gradient.

    >>> import tinynorm
    >>> tinynorm.bernoulli(tinynorm.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    if not isinstance(input, Tensor):
        raise backend.no_array(input, "bernoulli")
    drawn = successes("bernoulli", input if p is None else p, input.shape, generator)
    return into(out, tensor_of(backend.move(drawn.astype(backend.default_dtype), input.device)).to(input.dtype))


@method()
def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: backend.Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Draw indices, each with a probability in proportion to its weight: (C) gives (num_samples), each row of (N, C) its own.

    Parameters
    ----------
    input : Tensor
        Weights that are not negative, (C) or (N, C). They need not add up to 1.
    num_samples : int
    replacement : bool
        Whether an index can be drawn more than once.
    generator : Generator, optional

    Raises
    ------
    RuntimeError
        A weight is negative or not finite, all are 0, or more are drawn without replacement than there are.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.tensor([0.0, 2.0, 0.0]).multinomial(3, replacement=True)
    tensor([1, 1, 1])
    """
    if not isinstance(input, Tensor):
        raise backend.no_array(input, "multinomial")
    num_samples = whole("multinomial", "num_samples", num_samples)
    if not input.is_floating_point() or input.ndim not in (1, 2):
        raise RuntimeError(
            f"multinomial: expected floating-point weights (C) or (N, C), got {input._array.dtype} {input._array.shape}"
        )
    p = backend.to_numpy(input._array).astype(np.float64)
    if not np.isfinite(p).all() or (p < 0).any():
        raise RuntimeError("multinomial: expected weights that are finite and not negative; softmax makes such of any scores")
    if num_samples < 1 or not (p.sum(-1) > 0).all():
        raise RuntimeError("multinomial: expected at least one sample, and in each row a weight that is not 0")
    C = p.shape[-1]
    if not replacement and num_samples > C:
        raise RuntimeError(f"multinomial: expected at most {C} samples of {C} weights without replacement, got {num_samples}")

    def draw(rng: np.random.Generator) -> np.ndarray:
        if not replacement:  # the first arrivals of C clocks: each rings after an exponential time, in the mean 1 / weight
            with np.errstate(divide="ignore"):
                return np.argsort(rng.standard_exponential(p.shape) / p, axis=-1, kind="stable")[..., :num_samples]
        ends = np.cumsum(p, -1).reshape(-1, C)
        at = rng.random((len(ends), num_samples)) * ends[:, -1:]
        found = [np.searchsorted(row[:-1], x, side="right") for row, x in zip(ends, at, strict=True)]
        last = C - 1 - np.argmax(p.reshape(-1, C)[:, ::-1] > 0, axis=1, keepdims=True)  # (where rounding leads behind it)
        return np.minimum(found, last).reshape(*p.shape[:-1], num_samples)

    drawn = _draw(draw, generator, backend.int64, None)
    return into(out, drawn if isinstance(input._array, np.ndarray) else wrap(backend.move(drawn._array, input.device)))


# ---- the state of the default generator ----------------------------------------------------------------------------------


def get_rng_state() -> Tensor:
    """The state of the default generator, as a tensor of bytes (uint8), for `set_rng_state`.

    >>> state = get_rng_state()
    >>> a = rand(3)
    >>> set_rng_state(state)
    >>> bool((rand(3) == a).all())
    True
    """
    import json  # not loaded before somebody asks

    return tensor_of(np.frombuffer(json.dumps(default_generator.get_state()).encode(), np.uint8).copy())


def set_rng_state(new_state: Tensor) -> None:
    """Restore what `get_rng_state` returned.

    Raises
    ------
    ValueError
        It is no such state.
    """
    import json

    try:
        state = json.loads(backend.to_numpy(raw(new_state)).astype(np.uint8).tobytes())
    except ValueError:
        raise ValueError("set_rng_state: expected the bytes that get_rng_state returned, got others") from None
    default_generator.set_state(state)


def initial_seed() -> int:
    """The seed that the default generator began with.

    >>> _ = default_generator.manual_seed(7)
    >>> initial_seed()
    7
    """
    return int(default_generator.rng.bit_generator.seed_seq.entropy)  # type: ignore[attr-defined]


def seed() -> int:
    """Give the default generator a seed that nobody knows before, and return it."""
    default_generator.manual_seed(int(np.random.default_rng().integers(2**63)))
    return initial_seed()
