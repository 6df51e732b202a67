"""Samplers: in which order a loader takes the samples of a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Any, Generic, TypeVar

import numpy as np

from ...backend import Generator, default_generator, float64
from ...creation import as_tensor
from ...random import multinomial

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """The base class of samplers. A subclass defines ``__iter__``, which gives indices, or lists of indices.

    A loader that is asked for its length also needs ``__len__``.

    Examples
    --------
    >>> from tinynorm.utils.data import DataLoader
    >>> class Backwards(Sampler):
    ...     def __init__(self, data):
    ...         self.data = data
    ...
    ...     def __iter__(self):
    ...         return iter(range(len(self.data) - 1, -1, -1))
    ...
    ...     def __len__(self):
    ...         return len(self.data)
    >>> list(DataLoader("abc", batch_size=2, sampler=Backwards("abc")))
    [['c', 'b'], ['a']]
    """

    def __init__(self, data_source: Any = None) -> None:
        """(Older versions of PyTorch take a data source here. It is not used.)"""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__}: define __iter__(self), which gives indices")


class SequentialSampler(Sampler[int]):
    """The indices 0, 1, 2, … of a data source.

    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """The indices of a data source in a random order, drawn anew for each ``for`` loop when it begins.

    Parameters
    ----------
    data_source : anything with a length
    replacement : bool
        Draw each index independently, so that it can come more than once.
    num_samples : int, optional
        How many indices. Default: the length of the data source. Where it is larger, one random order follows another.
    generator : Generator, optional
        Default: the generator that `tinynorm.manual_seed` seeds.

    Raises
    ------
    ValueError
        `num_samples` is not a whole number of at least 1, or the data source is empty.

    Examples
    --------
    >>> sorted(RandomSampler("abc"))
    [0, 1, 2]
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        if num_samples is not None:
            check_positive("RandomSampler", "num_samples", num_samples)
        elif not len(data_source):
            raise ValueError("RandomSampler: expected something to draw from, got an empty data source; shuffle=False takes it")
        self.data_source, self.replacement, self.generator = data_source, replacement, generator
        self._num_samples = num_samples

    @property
    def num_samples(self) -> int:
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        rng, n, wanted = (self.generator or default_generator).rng, len(self.data_source), self.num_samples
        if self.replacement and n:
            return iter(rng.integers(n, size=wanted).tolist())
        order: list[int] = []
        while n and len(order) < wanted:
            order += rng.permutation(n).tolist()
        return iter(order[:wanted])

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in a random order, drawn anew for each ``for`` loop.

    >>> sorted(SubsetRandomSampler([5, 7, 9]))
    [5, 7, 9]
    """

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        order = (self.generator or default_generator).rng.permutation(len(self.indices))
        return iter([self.indices[i] for i in order.tolist()])

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices 0, 1, 2, … drawn at random, each with a probability in proportion to its weight.

    Parameters
    ----------
    weights : sequence of float, or Tensor
        One for each index. They need not add up to 1.
    num_samples : int
        How many indices to draw.
    replacement : bool
        Whether an index can be drawn more than once.
    generator : Generator, optional
        Default: the generator that `tinynorm.manual_seed` seeds.

    Raises
    ------
    ValueError
        `num_samples` is not a whole number of at least 1, or the weights are not one sequence.

    Examples
    --------
    >>> list(WeightedRandomSampler([0.0, 2.0, 0.0], num_samples=3))
    [1, 1, 1]
    """

    def __init__(
        self, weights: Sequence[float], num_samples: int, replacement: bool = True, generator: Generator | None = None
    ) -> None:
        check_positive("WeightedRandomSampler", "num_samples", num_samples)
        self.weights = as_tensor(weights, dtype=float64)
        if self.weights.ndim != 1:
            raise ValueError(f"WeightedRandomSampler: expected weights (N), got shape {tuple(self.weights.shape)}")
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self) -> Iterator[int]:
        return iter(multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator).tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """The indices of another sampler in lists of `batch_size`.

    Parameters
    ----------
    sampler : Sampler, or another iterable of indices
    batch_size : int
    drop_last : bool
        Drop the last list if it is not full.

    Raises
    ------
    ValueError
        `batch_size` is not a whole number of at least 1.

    Examples
    --------
    >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        check_positive("BatchSampler", "batch_size", batch_size)
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        return in_batches(iter(self.sampler), self.batch_size, self.drop_last)  # iter draws a random order now

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


def in_batches(items: Iterator[Any], batch_size: int, drop_last: bool) -> Iterator[list]:
    """The items in lists of `batch_size`."""
    while batch := list(islice(items, batch_size)):
        if drop_last and len(batch) < batch_size:
            return
        yield batch


def check_positive(op: str, name: str, value: Any) -> None:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{op}: expected {name} to be an int of at least 1, got {value!r}")
