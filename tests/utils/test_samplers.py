"""Samplers: which indices they give, in which order, and the loader that follows them."""

import numpy as np
import pytest

import tinynorm
from tinynorm import Generator
from tinynorm.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)
from tinynorm.utils.data.sampler import SubsetRandomSampler as FromSubmodule


def seeded(seed=1):
    return Generator().manual_seed(seed)


def test_pytorchs_submodules_are_there():
    assert FromSubmodule is SubsetRandomSampler


def test_sequential_indices():
    assert list(SequentialSampler("abc")) == [0, 1, 2]
    assert len(SequentialSampler("abc")) == 3


def test_random_indices_come_once_each_and_in_a_new_order_for_each_loop():
    sampler = RandomSampler(range(50), generator=seeded())
    first, second = list(sampler), list(sampler)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert first == np.random.default_rng(1).permutation(50).tolist()
    assert all(type(i) is int for i in first)


@pytest.mark.parametrize(("replacement", "n"), [(False, 7), (False, 23), (True, 23)])
def test_more_or_fewer_random_indices(replacement, n):
    sampler = RandomSampler(range(10), replacement, num_samples=n, generator=seeded())
    indices = list(sampler)
    assert len(indices) == len(sampler) == sampler.num_samples == n
    assert set(indices) <= set(range(10))
    if not replacement:  # one order of all after another
        assert all(len(set(indices[i : i + 10])) == len(indices[i : i + 10]) for i in range(0, n, 10))


def test_with_replacement_an_index_comes_more_than_once_and_all_as_often():
    indices = list(RandomSampler(range(4), replacement=True, num_samples=4000, generator=seeded()))
    counts = np.bincount(indices, minlength=4)
    assert counts.min() > 900


def test_a_subset_in_random_order():
    sampler = SubsetRandomSampler(tinynorm.tensor([5, 7, 9]).tolist(), generator=seeded())
    assert sorted(sampler) == [5, 7, 9]
    assert len(sampler) == 3
    assert len({tuple(sampler) for _ in range(30)}) > 1


@pytest.mark.parametrize("weights", [[1.0, 0.0, 3.0], tinynorm.tensor([1, 0, 3]), np.array([1.0, 0.0, 3.0])])
def test_weighted_indices_come_in_proportion(weights):
    sampler = WeightedRandomSampler(weights, num_samples=4000, generator=seeded())
    counts = np.bincount(list(sampler), minlength=3)
    assert counts[1] == 0
    assert 900 < counts[0] < 1100
    assert len(sampler) == counts.sum() == 4000
    assert sorted(WeightedRandomSampler(weights, 2, replacement=False)) == [0, 2]


def test_batches_of_indices():
    assert list(BatchSampler(SequentialSampler(range(5)), 2, False)) == [[0, 1], [2, 3], [4]]
    assert list(BatchSampler([4, 3, 2, 1, 0], 2, True)) == [[4, 3], [2, 1]]
    assert [len(BatchSampler(range(5), 2, drop)) for drop in (False, True)] == [3, 2]


class Backwards(Sampler[int]):
    def __init__(self, data):
        super().__init__(data)
        self.data = data

    def __iter__(self):
        return iter(range(len(self.data) - 1, -1, -1))

    def __len__(self):
        return len(self.data)


@pytest.mark.parametrize("as_rows", [True, False])
def test_a_loader_follows_a_sampler_of_ones_own(as_rows):
    data = TensorDataset(tinynorm.arange(5) * 10)
    data = data if as_rows else list(data)
    loader = DataLoader(data, batch_size=2, sampler=Backwards(data))
    assert [x.tolist() for (x,) in loader] == [[40, 30], [20, 10], [0]]
    assert len(loader) == 3
    loader = DataLoader(data, batch_sampler=[[4, 0], [1]])
    assert [x.tolist() for (x,) in loader] == [[40, 0], [10]]
    assert (len(loader), loader.batch_size) == (2, None)


def test_the_order_of_a_sampler_is_drawn_when_the_loop_begins():
    data = TensorDataset(tinynorm.arange(20))
    for loader in (DataLoader(data, 20, sampler=RandomSampler(data)), DataLoader(data, 20, shuffle=True)):
        tinynorm.manual_seed(3)
        batches = iter(loader)
        tinynorm.manual_seed(4)
        assert next(batches)[0].tolist() == np.random.default_rng(3).permutation(20).tolist()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: RandomSampler("ab", num_samples=0), "RandomSampler: expected num_samples to be an int of at least 1, got 0"),
        (lambda: WeightedRandomSampler([1.0], 0), "WeightedRandomSampler: expected num_samples to be an int of at least 1"),
        (lambda: WeightedRandomSampler([[1.0]], 1), r"expected weights \(N\), got shape \(1, 1\)"),
        (lambda: BatchSampler("ab", 0, False), "BatchSampler: expected batch_size to be an int of at least 1, got 0"),
    ],
)
def test_bad_arguments(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_a_sampler_without_iter_says_what_to_define():
    with pytest.raises(NotImplementedError, match="Sampler: define __iter__"):
        list(Sampler())
