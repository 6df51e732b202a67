"""The loader, and how it makes a batch of samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from ... import backend
from ...backend import Generator
from ...creation import as_tensor
from ...ops import stack
from ...tensor import Tensor, tensor_of
from .dataset import IterableDataset, Subset, TensorDataset, length_of, samples_at
from .sampler import BatchSampler, RandomSampler, SequentialSampler, check_positive, in_batches


def default_collate(batch: Sequence[Any]) -> Any:
    """Make one batch from a list of samples.

    Tensors, arrays and numbers are stacked along a new first dimension. Tuples and dicts are collated entry by entry. Python
    floats become float64, as in PyTorch. Strings stay as they are.

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
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(batch)
    if isinstance(first, (str, bytes)):  # also matches NumPy's strings
        return batch
    if isinstance(first, (np.generic, bool, int, float)):
        array = np.asarray(batch)
        if array.dtype == np.float64 and isinstance(first, int):
            array = array.astype(backend.default_dtype)  # the first number decides, as in PyTorch
        return tensor_of(array)  # raises an error for None, dates and integers of over 64 bits
    if backend.is_array(first):
        return stack([tensor_of(sample) for sample in batch])
    if isinstance(first, (tuple, list)):
        try:
            columns = list(zip(*batch, strict=True))
        except ValueError:
            _explain_difference("lengths", len, batch)
        batches = list(map(default_collate, columns))
        return type(first)(*batches) if hasattr(first, "_fields") else batches
    if isinstance(first, Mapping):
        try:
            entries = {key: [sample[key] for sample in batch] for key in first}
        except KeyError:
            entries = None
        if entries is None or len(set(map(len, batch))) > 1:
            _explain_difference("keys", lambda sample: sorted(sample, key=str), batch)
        return _filled(first, {key: default_collate(samples) for key, samples in entries.items()})
    raise TypeError(
        f"default_collate: expected samples of tensors, arrays, numbers, strings, tuples or dicts, got {type(first).__name__}; "
        "pass a collate_fn that makes a batch of a list of samples"
    )


def default_convert(data: Any) -> Any:
    """Make tensors of the arrays in a sample. A loader with ``batch_size=None`` does so.

    >>> default_convert({"x": np.zeros(2, np.float32), "name": "a"})
    {'x': tensor([0., 0.]), 'name': 'a'}
    """
    if (isinstance(data, np.generic) and not isinstance(data, (str, bytes))) or backend.is_array(data):
        return as_tensor(data)
    if isinstance(data, Mapping):
        return _filled(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, (tuple, list)):
        values = [default_convert(value) for value in data]
        return type(data)(*values) if hasattr(data, "_fields") else values
    return data


def _filled(like: Mapping, entries: dict) -> Any:
    """The entries in a mapping of the type of `like`: a dict, OrderedDict, defaultdict …"""
    if type(like) is dict or not hasattr(like, "copy") or not hasattr(like, "update"):
        return entries
    filled = like.copy()
    filled.update(entries)
    return filled


def _explain_difference(what: str, of: Callable[[Any], Any], batch: Sequence[Any]) -> NoReturn:
    first, other = of(batch[0]), next(of(sample) for sample in batch if of(sample) != of(batch[0]))
    raise RuntimeError(
        f"default_collate: expected samples of equal {what}, got {first} and {other}; "
        "pass a collate_fn that makes a batch of a list of samples"
    )


class DataLoader:
    """An iterable that gives a dataset in batches. Each ``for`` loop over it is one epoch.

    This process makes all batches, whatever `num_workers` is: there are no worker processes. So `worker_init_fn` is not
    called, since what prepares a worker (a seed, say) would change this process.

    Parameters
    ----------
    dataset : Dataset or IterableDataset, or anything with a length and indices
    batch_size : int or None
        None: no batches, the samples one by one.
    shuffle : bool
        Draw a new order for each epoch.
    sampler : Sampler, or another iterable of indices
        The order of the samples, in the place of `shuffle`.
    batch_sampler : Sampler, or another iterable of lists of indices
        The batches, in the place of `batch_size`, `shuffle`, `sampler` and `drop_last`.
    num_workers : int
        Ignored, as `pin_memory`, `timeout`, `worker_init_fn`, `multiprocessing_context`, `prefetch_factor`,
        `persistent_workers`, `pin_memory_device` and `in_order` are.
    collate_fn : callable, optional
        Makes a batch from a list of samples. Default: `default_collate`. For a `TensorDataset` (and its subsets) the default
        indexes each tensor once per batch.
    drop_last : bool
        Drop the last batch if it is not full.
    generator : Generator, optional
        Draws the order. Default: the generator that `tinynorm.manual_seed` seeds.

    Raises
    ------
    TypeError
        The dataset has no length.
    ValueError
        `batch_size` is not a whole number of at least 1, or two arguments exclude one another.

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
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[Sequence[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        streams = isinstance(dataset, IterableDataset)
        _check_together(batch_size, bool(shuffle), sampler, batch_sampler, drop_last, streams)
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            check_positive("DataLoader", "batch_size", batch_size)
        if not streams and batch_sampler is None and sampler is None:
            length_of(dataset, "DataLoader")
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if not streams and batch_size is not None and sampler is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        if collate_fn is None:
            collate_fn = default_convert if batch_size is None and batch_sampler is None else default_collate
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, bool(drop_last)
        self.sampler, self.batch_sampler, self.collate_fn, self.generator = sampler, batch_sampler, collate_fn, generator
        self.num_workers, self.pin_memory, self.timeout, self.worker_init_fn = num_workers, pin_memory, timeout, worker_init_fn
        self.multiprocessing_context, self.prefetch_factor = multiprocessing_context, prefetch_factor
        self.persistent_workers, self.pin_memory_device, self.in_order = persistent_workers, pin_memory_device, in_order

    def __len__(self) -> int:
        """The number of batches."""
        if not isinstance(self.dataset, IterableDataset):
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]
        n = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return n
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        """(A sampler draws its order here, when iteration begins, not with the first batch.)"""
        dataset, collate = self.dataset, self.collate_fn
        if isinstance(dataset, IterableDataset):
            items = iter(dataset)
            return map(collate, items if self.batch_size is None else in_batches(items, self.batch_size, self.drop_last))
        if self.batch_sampler is None:
            return (collate(dataset[i]) for i in iter(self.sampler or ()))
        batches, rows = iter(self.batch_sampler), self._rows()
        return map(rows, batches) if rows is not None else (collate(samples_at(dataset, batch)) for batch in batches)

    def _rows(self) -> Callable[[Sequence[int]], list[Tensor]] | None:
        """For a TensorDataset and the default `collate_fn`: a function that takes a batch from each tensor at once."""
        dataset, within = self.dataset, None
        while type(dataset) is Subset:  # a nested subset becomes one list of indices of the innermost dataset
            indices = np.asarray(dataset.indices, dtype=np.int64)
            dataset, within = dataset.dataset, indices if within is None else indices[within]
        if type(dataset) is not TensorDataset or self.collate_fn is not default_collate:
            return None
        tensors = dataset.tensors

        def rows(batch: Sequence[int]) -> list[Tensor]:
            at = np.asarray(batch) if within is None else within[np.asarray(batch)]
            on = {t.device: backend.move(at, t.device) for t in tensors}
            return [t[on[t.device]] for t in tensors]

        return rows


def _check_together(batch_size: Any, shuffle: bool, sampler: Any, batch_sampler: Any, drop_last: Any, streams: bool) -> None:
    """Raise ValueError if two arguments of DataLoader exclude one another."""
    if streams and (shuffle or sampler is not None or batch_sampler is not None):
        raise ValueError("DataLoader: an IterableDataset has no indices, so leave out shuffle, sampler and batch_sampler")
    if sampler is not None and shuffle:
        raise ValueError("DataLoader: sampler gives the order, so leave out shuffle")
    if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
        raise ValueError("DataLoader: batch_sampler gives the batches, so leave out batch_size, shuffle, sampler and drop_last")
    if batch_size is None and drop_last:
        raise ValueError("DataLoader: with batch_size=None there are no batches, so leave out drop_last")


def get_worker_info() -> None:
    """None: there are no worker processes. An `IterableDataset` for PyTorch asks, to give each worker its part.

    >>> get_worker_info()
    """
