"""Datasets: samples with an index, or samples that come one after the other."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Generic, TypeVar

from ...backend import Generator, default_generator
from ...creation import as_tensor
from ...tensor import Tensor

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """The base class of datasets. A subclass defines ``__len__`` and ``__getitem__``, which returns sample `i`.

    It may define ``__getitems__`` too, which returns the list of the samples at a list of indices. ``a + b`` is the
    `ConcatDataset` of two datasets.

    Examples
    --------
    >>> from tinynorm.utils.data import DataLoader
    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 3
    ...
    ...     def __getitem__(self, i):
    ...         return i, i * i
    >>> list(DataLoader(Squares(), batch_size=3))
    [[tensor([0, 1, 2]), tensor([0, 1, 4])]]
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(f"{type(self).__name__}: define __getitem__(self, index), which returns one sample")

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co]):
    """The base class of datasets whose samples come one after the other. A subclass defines ``__iter__``.

    A loader takes no sampler for it and cannot shuffle it.

    Examples
    --------
    >>> from tinynorm.utils.data import DataLoader
    >>> class Count(IterableDataset):
    ...     def __iter__(self):
    ...         return iter(range(5))
    >>> list(DataLoader(Count(), batch_size=2))
    [tensor([0, 1]), tensor([2, 3]), tensor([4])]
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__}: define __iter__(self), which gives the samples")


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """A dataset of tensors with the same first dimension: sample `i` is the tuple of row `i` of each tensor.

    Parameters
    ----------
    *tensors : Tensor or array, each (N, …)

    Raises
    ------
    ValueError
        There are no tensors, one is 0-d, or their first dimensions differ.

    Examples
    --------
    >>> import tinynorm
    >>> TensorDataset(tinynorm.tensor([[1.0], [2.0]]), tinynorm.tensor([0, 1]))[1]
    (tensor([2.]), tensor(1))
    """

    def __init__(self, *tensors: Any) -> None:
        self.tensors = tuple(as_tensor(t) for t in tensors)
        shapes = [tuple(t.shape) for t in self.tensors]
        if not shapes or () in shapes or len({shape[0] for shape in shapes}) > 1:
            raise ValueError(
                "TensorDataset: expected one or more tensors with the samples along the first dimension, the same number N in "
                f"each: (N, …), got shapes {', '.join(map(str, shapes)) or 'of no tensor'}"
            )

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class Subset(Dataset):
    """The samples of a dataset at `indices`, in that order.

    >>> list(Subset("abcd", [3, 0]))
    ['d', 'a']
    """

    def __init__(self, dataset: Any, indices: Any) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[int(self.indices[i]) for i in index]]
        return self.dataset[int(self.indices[index])]

    def __getitems__(self, indices: Sequence[int]) -> list:
        """The samples at several indices."""
        if type(self).__getitem__ is not Subset.__getitem__:  # a subclass changes the samples
            return [self[i] for i in indices]
        return samples_at(self.dataset, [int(self.indices[i]) for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset[T_co]):
    """The samples of several datasets, one dataset after the other.

    >>> data = ConcatDataset(["ab", "cde"])
    >>> len(data), data[1], data[2], data[-1]
    (5, 'b', 'c', 'e')
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: expected at least one dataset, got none")
        self.cumulative_sizes = list(accumulate(length_of(data, "ConcatDataset") for data in self.datasets))

    def __getitem__(self, index: int) -> Any:
        n = len(self)
        if not -n <= index < n:
            raise IndexError(f"ConcatDataset: expected an index from {-n} to {n - 1}, got {index}")
        index = index % n
        which = bisect_right(self.cumulative_sizes, index)
        return self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


def samples_at(dataset: Any, indices: Sequence[int]) -> list:
    """The samples of a dataset at several indices."""
    many = getattr(dataset, "__getitems__", None)
    return many(indices) if callable(many) else [dataset[i] for i in indices]


def random_split(dataset: Any, lengths: Sequence[float], generator: Generator | None = None) -> list[Subset]:
    """Split a dataset at random into subsets that do not overlap.

    Parameters
    ----------
    dataset : Dataset, or anything with a length and indices
    lengths : sequence of int or float
        The lengths of the subsets; or fractions that sum to 1. Fractional lengths are rounded down, and the samples that
        remain go to the first subsets, one to each.
    generator : Generator, optional
        Default: the generator that `tinynorm.manual_seed` seeds.

    Raises
    ------
    ValueError
        A length is negative, or the lengths do not sum to the dataset's length (fractions: to 1).

    Examples
    --------
    >>> [len(part) for part in random_split(range(10), [0.75, 0.25])]
    [8, 2]
    """
    n = length_of(dataset, "random_split")
    sizes = _sizes(list(lengths), n)
    order = (generator or default_generator).rng.permutation(n).tolist()
    ends = accumulate(sizes)
    return [Subset(dataset, order[end - size : end]) for size, end in zip(sizes, ends, strict=True)]


def _sizes(lengths: list, n: int) -> list[int]:
    """The lengths as integers that sum to n."""
    total = sum(lengths)
    if any(length < 0 for length in lengths):
        raise ValueError(f"random_split: expected lengths of at least 0, got {lengths}")
    if any(isinstance(length, float) for length in lengths):
        if not math.isclose(total, 1):
            raise ValueError(
                f"random_split: expected fractions that sum to 1, got {lengths} with a sum of {total}; or pass whole numbers"
            )
        sizes = [math.floor(length * n) for length in lengths]
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
        return sizes
    if total != n:
        raise ValueError(
            f"random_split: expected lengths that sum to {n}, the length of the dataset, got {lengths} with a sum of {total}; "
            "fractions that sum to 1 will do too"
        )
    return lengths


def length_of(dataset: Any, op: str) -> int:
    try:
        return len(dataset)
    except (TypeError, NotImplementedError):
        raise TypeError(
            f"{op}: expected a dataset with a length and indices, got {type(dataset).__name__}; define __len__ and __getitem__"
        ) from None
