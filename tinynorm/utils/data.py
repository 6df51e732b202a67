"""Datasets, and a loader that makes batches. The names are PyTorch's.

NumPy's Generator draws the order on the host, so a seed gives the same batches for tensors on the CPU and on the GPU.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .. import backend
from ..backend import Generator, default_generator
from ..creation import as_tensor
from ..ops import stack
from ..tensor import Tensor, tensor_of


class Dataset:
    """The base class of datasets. A subclass defines ``__len__`` and ``__getitem__``, which returns sample `i`.

    Examples
    --------
    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 3
    ...
    ...     def __getitem__(self, i):
    ...         return i, i * i
    >>> list(DataLoader(Squares(), batch_size=3))
    [[tensor([0, 1, 2]), tensor([0, 1, 4])]]
    """

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: define __getitem__(self, index), which returns one sample")


class TensorDataset(Dataset):
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

    def __getitem__(self, index: int) -> Any:
        return self.dataset[int(self.indices[index])]

    def __len__(self) -> int:
        return len(self.indices)


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
    n = _length(dataset, "random_split")
    sizes = _sizes(list(lengths), n)
    order = (generator or default_generator).rng.permutation(n)
    ends = np.cumsum(sizes)
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


def default_collate(samples: Sequence[Any]) -> Any:
    """Make one batch from a list of samples.

    Tensors, arrays and numbers are stacked along a new first dimension. Tuples and dicts are collated entry by entry. Python
    floats become float64, as in PyTorch. Strings stay a list.

    Raises
    ------
    TypeError
        The samples have another type.
    RuntimeError
        The samples differ in shape, length or keys.

    Examples
    --------
    >>> default_collate([{"x": np.zeros(2), "y": 1}, {"x": np.ones(2), "y": 2}])
    {'x': tensor([[0., 0.],
                  [1., 1.]], dtype=torch.float64), 'y': tensor([1, 2])}
    """
    first = samples[0]
    if isinstance(first, Tensor):
        return stack(samples)
    if isinstance(first, (str, bytes)):  # also matches NumPy's strings
        return list(samples)
    if isinstance(first, (np.generic, bool, int, float)):
        return tensor_of(np.asarray(samples))  # raises an error for None, dates and integers of over 64 bits
    if backend.is_array(first):
        return stack([tensor_of(sample) for sample in samples])
    if isinstance(first, Mapping):
        _check_alike("keys", [sorted(sample, key=str) for sample in samples])
        return {key: default_collate([sample[key] for sample in samples]) for key in first}
    if isinstance(first, (tuple, list)):
        _check_alike("lengths", [len(sample) for sample in samples])
        columns = [default_collate(column) for column in zip(*samples, strict=True)]
        return type(first)(*columns) if hasattr(first, "_fields") else columns
    raise TypeError(
        f"default_collate: expected samples of tensors, arrays, numbers, strings, tuples or dicts, got {type(first).__name__}; "
        "pass a collate_fn that makes a batch of a list of samples"
    )


def _check_alike(what: str, found: list) -> None:
    for other in found:
        if other != found[0]:
            raise RuntimeError(
                f"default_collate: expected samples of equal {what}, got {found[0]} and {other}; "
                "pass a collate_fn that makes a batch of a list of samples"
            )


class DataLoader:
    """An iterable that gives a dataset in batches. Each ``for`` loop over it is one epoch.

    Parameters
    ----------
    dataset : Dataset, or anything with a length and indices
    batch_size : int
    shuffle : bool
        Draw a new order for each epoch.
    drop_last : bool
        Drop the last batch if it is not full.
    generator : Generator, optional
        Draws the order. Default: the generator that `tinynorm.manual_seed` seeds.
    collate_fn : callable, optional
        Makes a batch from a list of samples. Default: `default_collate`. For a `TensorDataset` (and its subsets) the default
        indexes each tensor once per batch.
    num_workers, pin_memory
        Ignored. The arguments exist so that programs written for PyTorch run; this process makes all batches.

    Raises
    ------
    TypeError
        The dataset has no length.
    ValueError
        `batch_size` is not a whole number of at least 1.

    Examples
    --------
    >>> import tinynorm
    >>> data = TensorDataset(tinynorm.arange(5), tinynorm.arange(5) ** 2)
    >>> for x, y in DataLoader(data, batch_size=2, drop_last=True):
    ...     print(x, y)
    tensor([0, 1]) tensor([0, 1])
    tensor([2, 3]) tensor([4, 9])
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        drop_last: bool = False,
        generator: Generator | None = None,
        collate_fn: Callable[[list], Any] | None = None,
        num_workers: int = 0,
        pin_memory: bool = False,
    ) -> None:
        _length(dataset, "DataLoader")
        if not isinstance(batch_size, (int, np.integer)) or isinstance(batch_size, bool) or batch_size < 1:
            raise ValueError(f"DataLoader: expected batch_size to be an int of at least 1, got {batch_size!r}")
        self.dataset, self.batch_size, self.shuffle, self.drop_last = dataset, int(batch_size), bool(shuffle), bool(drop_last)
        self.generator, self.collate_fn = generator, default_collate if collate_fn is None else collate_fn
        self.num_workers, self.pin_memory = num_workers, pin_memory

    def __len__(self) -> int:
        """The number of batches."""
        n = len(self.dataset)
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        n = len(self.dataset)
        rng = (self.generator or default_generator).rng
        order = rng.permutation(n) if self.shuffle else np.arange(n)  # drawn when iteration starts, not with the first batch
        return self._batches(order)

    def _batches(self, order: np.ndarray) -> Iterator[Any]:
        dataset = self.dataset
        while type(dataset) is Subset:  # a nested subset becomes one order of the innermost dataset
            order, dataset = np.asarray(dataset.indices)[order], dataset.dataset
        rows = type(dataset) is TensorDataset and self.collate_fn is default_collate
        orders = {t.device: backend.move(order, t.device) for t in dataset.tensors} if rows else {}
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            batch = slice(start, start + self.batch_size)
            if rows:
                yield [t[orders[t.device][batch]] for t in dataset.tensors]
            else:
                yield self.collate_fn([dataset[i] for i in order[batch].tolist()])


def _length(dataset: Any, op: str) -> int:
    try:
        return len(dataset)
    except (TypeError, NotImplementedError):
        raise TypeError(
            f"{op}: expected a dataset with a length and indices, got {type(dataset).__name__}; define __len__ and __getitem__"
        ) from None
