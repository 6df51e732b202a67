"""Datasets and batches: PyTorch's meaning, the same batches for a seed on every device."""

from collections import OrderedDict, defaultdict
from typing import NamedTuple

import numpy as np
import pytest

import tinynorm
from tinynorm import Generator
from tinynorm.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    default_collate,
    get_worker_info,
    random_split,
)


def numbered(n, device=None):
    """Sample i is ((i, i), 10 i)."""
    x = tinynorm.arange(n, device=device)
    return TensorDataset(tinynorm.stack([x, x], dim=1), x * 10)


def seen(loader):
    return [y.tolist() for _, y in loader]


class Squares(Dataset):
    def __len__(self):
        return 5

    def __getitem__(self, i):
        return i, i * i


# ---- datasets --------------------------------------------------------------------------------------------------------


def test_a_sample_is_a_row_of_each_tensor(device):
    data = numbered(4, device)
    x, y = data[2]
    assert (x.tolist(), y.item(), len(data)) == ([2, 2], 20, 4)
    assert x.device.type == device
    assert [len(part) for part in data[1:]] == [3, 3]


def test_numpy_arrays_may_stand_for_tensors():
    x, y = TensorDataset(np.zeros((3, 2), np.float32), np.arange(3))[1]
    assert isinstance(x, tinynorm.Tensor)
    assert y.item() == 1


@pytest.mark.parametrize(
    ("shapes", "says"), [([(3, 2), (4,)], r"\(3, 2\), \(4,\)"), ([(3,), ()], r"\(3,\), \(\)"), ([], "of no tensor")]
)
def test_tensors_of_different_lengths_are_an_error(shapes, says):
    with pytest.raises(ValueError, match=f"same number N in each.*{says}"):
        TensorDataset(*(tinynorm.zeros(shape) for shape in shapes))


def test_a_subset_has_the_samples_named_in_that_order():
    part = Subset(Subset(numbered(6), [5, 3, 1]), [2, 0])
    assert len(part) == 2
    assert [part[i][1].item() for i in range(2)] == [10, 50]


def test_the_indices_of_a_subset_may_be_an_array_or_a_tensor_and_are_asked_for_together():
    for indices in (np.array([3, 1]), tinynorm.tensor([3, 1])):
        part = Subset(numbered(6), indices)
        assert [part[0][1].item(), part[1][1].item()] == [30, 10]
        assert seen(DataLoader(part, batch_size=2)) == [[30, 10]]
    assert part[[0, 1]][1].tolist() == [30, 10]

    class Counting(Dataset):
        def __getitems__(self, indices):
            return [("together", len(indices), i) for i in indices]

    assert next(iter(DataLoader(Subset(Counting(), [5, 6]), batch_size=2)))[1].tolist() == [2, 2]


def test_a_subset_with_a_getitem_of_its_own_is_asked_for_each_item():
    class Negated(Subset):
        def __getitem__(self, i):
            return tuple(-t for t in super().__getitem__(i))

    assert seen(DataLoader(Negated(numbered(4), [3, 1]), batch_size=2)) == [[-30, -10]]


def test_datasets_can_be_joined():
    joined = numbered(3) + Squares()
    assert isinstance(joined, ConcatDataset)
    assert (len(joined), joined.cumulative_sizes) == (8, [3, 8])
    assert joined[2][1].item() == 20
    assert (joined[3], joined[7], joined[-1]) == ((0, 0), (4, 16), (4, 16))
    with pytest.raises(IndexError, match="expected an index from -8 to 7, got 8"):
        joined[8]
    with pytest.raises(ValueError, match="ConcatDataset: expected at least one dataset, got none"):
        ConcatDataset([])
    with pytest.raises(TypeError, match="ConcatDataset: expected a dataset with a length"):
        ConcatDataset([Squares(), Count(3)])


class Count(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        assert get_worker_info() is None
        return iter(range(self.n))


def test_samples_that_come_one_after_the_other_are_put_into_batches():
    assert [b.tolist() for b in DataLoader(Count(5), batch_size=2)] == [[0, 1], [2, 3], [4]]
    assert [b.tolist() for b in DataLoader(Count(5), batch_size=2, drop_last=True)] == [[0, 1], [2, 3]]
    assert list(DataLoader(Count(3), batch_size=None)) == [0, 1, 2]
    with pytest.raises(TypeError, match="len"):
        len(DataLoader(Count(5)))

    class WithLength(Count):
        def __len__(self):
            return self.n

    assert [len(DataLoader(WithLength(5), batch_size=b, drop_last=d)) for b, d in ((2, False), (2, True), (None, False))] == [
        3,
        2,
        5,
    ]
    for option in ({"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}):
        with pytest.raises(ValueError, match="an IterableDataset has no indices, so leave out shuffle"):
            DataLoader(Count(5), **option)
    with pytest.raises(NotImplementedError, match="define __iter__"):
        iter(IterableDataset())


def test_classes_take_a_type_as_pytorchs_do():
    class Numbers(Dataset[int]):
        def __len__(self):
            return 2

        def __getitem__(self, i):
            return i

    assert next(iter(DataLoader(Numbers(), 2))).tolist() == [0, 1]


def test_a_dataset_without_getitem_says_what_to_define():
    class Empty(Dataset):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty: define __getitem__"):
        Empty()[0]


# ---- random_split ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lengths", "sizes"),
    [([7, 3], [7, 3]), ([0.5, 0.5], [5, 5]), ([0.75, 0.25], [8, 2]), ([1 / 3] * 3, [4, 3, 3]), ([1.0], [10])],
)
def test_a_split_has_the_lengths_asked_for_and_each_sample_once(lengths, sizes):
    parts = random_split(numbered(10), lengths)
    assert [len(part) for part in parts] == sizes
    assert sorted(int(i) for part in parts for i in part.indices) == list(range(10))


def test_a_split_is_the_same_for_a_seed_and_random():
    def split(seed):
        return [list(part.indices) for part in random_split(range(50), [25, 25], Generator().manual_seed(seed))]

    first, again, other = split(1), split(1), split(2)
    assert first == again
    assert first != other
    assert first[0] != sorted(first[0])
    assert type(random_split(range(4), [4])[0].indices) is list  # which a program may print


@pytest.mark.parametrize(
    ("lengths", "says"),
    [([5, 4], "sum to 10.*sum of 9"), ([0.5, 0.4], "fractions that sum to 1.*0.9"), ([11, -1], "at least 0"), ([], "sum of 0")],
)
def test_lengths_that_do_not_sum_are_an_error(lengths, says):
    with pytest.raises(ValueError, match=says):
        random_split(range(10), lengths)


# ---- batches ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [numbered, lambda n: Subset(numbered(n + 3), range(n)), lambda n: list(numbered(n))])
@pytest.mark.parametrize(
    ("n", "drop_last", "expected"),
    [(5, False, [[0, 10], [20, 30], [40]]), (5, True, [[0, 10], [20, 30]]), (4, False, [[0, 10], [20, 30]]), (1, True, [])],
)
def test_batches_come_in_order_and_the_last_may_be_short(make, n, drop_last, expected):
    loader = DataLoader(make(n), batch_size=2, drop_last=drop_last)
    assert seen(loader) == expected
    assert len(loader) == len(expected)


def test_an_empty_dataset_has_no_batches():
    empty = TensorDataset(tinynorm.zeros(0, 3))
    loader = DataLoader(empty, batch_size=2)
    assert (len(loader), list(loader)) == (0, [])
    with pytest.raises(ValueError, match="expected something to draw from, got an empty data source"):
        DataLoader(empty, batch_size=2, shuffle=True)


def test_rows_and_labels_stay_together_when_shuffled(device):
    for x, y in DataLoader(numbered(20, device), batch_size=7, shuffle=True):
        assert x.device.type == y.device.type == device
        assert (x[:, 0] * 10).tolist() == y.tolist()


def test_each_epoch_has_every_sample_once_in_a_new_order():
    loader = DataLoader(numbered(30), batch_size=4, shuffle=True)
    first, second = ([y for batch in seen(loader) for y in batch] for _ in range(2))
    assert sorted(first) == sorted(second) == [10 * i for i in range(30)]
    assert first != second
    assert first != sorted(first)


def test_a_seed_gives_the_same_batches_on_every_device(device):
    expected = np.random.default_rng(5).permutation(9) * 10
    with_own = DataLoader(numbered(9, device), batch_size=9, shuffle=True, generator=Generator().manual_seed(5))
    assert seen(with_own) == [expected.tolist()]
    tinynorm.manual_seed(5)
    assert seen(DataLoader(numbered(9, device), batch_size=9, shuffle=True)) == [expected.tolist()]


def test_a_subset_is_shuffled_as_the_samples_one_by_one():
    part = Subset(numbered(20), [3, 1, 4, 15, 9, 2, 6])
    fast, slow = (DataLoader(d, 3, True, generator=Generator().manual_seed(1)) for d in (part, list(part)))
    assert seen(fast) == seen(slow)


def test_the_order_is_drawn_when_the_loop_begins():
    loader = DataLoader(numbered(20), batch_size=20, shuffle=True)
    tinynorm.manual_seed(3)
    batches = iter(loader)
    tinynorm.manual_seed(4)
    expected = np.random.default_rng(3).permutation(20) * 10
    assert next(batches)[1].tolist() == expected.tolist()


def test_without_shuffle_no_random_number_is_drawn():
    before = tinynorm.backend.default_generator.get_state()
    list(DataLoader(numbered(5)))
    assert tinynorm.backend.default_generator.get_state() == before


def test_writing_into_a_batch_leaves_the_dataset_alone():
    data = numbered(4)
    for x, _ in DataLoader(data, batch_size=2):
        x.zero_()
    assert data.tensors[0][3].tolist() == [3, 3]


def test_a_batch_of_a_tensor_dataset_takes_one_index_operation_for_each_tensor(monkeypatch):
    calls = []
    getitem = tinynorm.Tensor.__getitem__
    monkeypatch.setattr(tinynorm.Tensor, "__getitem__", lambda t, index: calls.append(1) or getitem(t, index))
    list(DataLoader(Subset(numbered(100), range(100)), batch_size=50, shuffle=True))
    assert len(calls) == 2 * 2


def test_a_dataset_of_ones_own_goes_item_by_item():
    batches = list(DataLoader(Squares(), batch_size=3))
    assert [[part.tolist() for part in batch] for batch in batches] == [[[0, 1, 2], [0, 1, 4]], [[3, 4], [9, 16]]]


def test_a_tensor_dataset_with_a_getitem_of_its_own_is_asked_for_each_item():
    class Negated(TensorDataset):
        def __getitem__(self, i):
            return tuple(-t for t in super().__getitem__(i))

    ((_, y),) = DataLoader(Negated(*numbered(3).tensors), batch_size=3)
    assert y.tolist() == [0, -10, -20]


def test_a_collate_fn_gets_the_list_of_samples():
    loader = DataLoader(numbered(3), batch_size=2, collate_fn=lambda samples: [y.item() for _, y in samples])
    assert list(loader) == [[0, 10], [20]]


def test_what_pytorch_programs_pass_is_accepted_and_no_worker_is_started():
    called = []
    loader = DataLoader(
        numbered(3), 2, False, None, None, 2, None, True, False, 5, called.append, None, Generator(),
        prefetch_factor=4, persistent_workers=True, pin_memory_device="", in_order=True,
    )  # fmt: skip
    assert (len(loader), seen(loader)) == (2, [[0, 10], [20]])
    assert (loader.num_workers, loader.pin_memory, called) == (2, True, [])


def test_a_batch_size_of_none_gives_the_samples_one_by_one():
    data = [{"x": np.ones(2, np.float32), "name": "a"}, (np.float32(1), 2)]
    first, second = DataLoader(data, batch_size=None)
    assert (first["x"].tolist(), first["name"]) == ([1, 1], "a")
    assert isinstance(second[0], tinynorm.Tensor)
    assert second[1] == 2
    assert len(DataLoader(data, batch_size=None)) == 2
    assert [y.item() for _, y in DataLoader(numbered(3), batch_size=None, sampler=[2, 0])] == [20, 0]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sampler": [0], "shuffle": True}, "sampler gives the order, so leave out shuffle"),
        ({"batch_sampler": [[0]], "batch_size": 2}, "batch_sampler gives the batches, so leave out batch_size"),
        ({"batch_sampler": [[0]], "sampler": [0]}, "batch_sampler gives the batches"),
        ({"batch_sampler": [[0]], "drop_last": True}, "batch_sampler gives the batches"),
        ({"batch_size": None, "drop_last": True}, "there are no batches, so leave out drop_last"),
    ],
)
def test_arguments_that_exclude_one_another_are_an_error(options, says):
    with pytest.raises(ValueError, match=f"DataLoader: .*{says}"):
        DataLoader(numbered(3), **options)


@pytest.mark.parametrize("batch_size", [0, -1, 2.0, True])
def test_a_batch_size_that_is_none_is_an_error(batch_size):
    with pytest.raises(ValueError, match="batch_size to be an int of at least 1"):
        DataLoader(numbered(3), batch_size=batch_size)


@pytest.mark.parametrize("dataset", [(i for i in range(3)), Dataset()])
def test_a_dataset_without_a_length_is_an_error(dataset):
    with pytest.raises(TypeError, match="DataLoader: expected a dataset with a length"):
        DataLoader(dataset)


# ---- default_collate -------------------------------------------------------------------------------------------------


class Point(NamedTuple):
    x: float
    y: int


def test_numbers_take_pytorchs_dtypes():
    dtypes = [default_collate([v, v]).dtype for v in (1, 1.5, True, np.float32(1), np.int8(1))]
    assert dtypes == ["int64", "float64", "bool", "float32", "int8"]


def test_containers_are_collated_entry_by_entry():
    first = {"p": Point(0.5, 1), "t": tinynorm.ones(2), "s": "a"}
    second = {"s": "b", "t": tinynorm.zeros(2), "p": Point(2, 3)}
    batch = default_collate([first, second])
    assert isinstance(batch["p"], Point)
    assert batch["p"].y.tolist() == [1, 3]
    assert batch["t"].tolist() == [[1, 1], [0, 0]]
    assert batch["s"] == ["a", "b"]
    assert default_collate([np.str_("a"), np.str_("b")]) == ["a", "b"]
    assert [part.tolist() for part in default_collate([[1, 2], [3, 4]])] == [[1, 3], [2, 4]]
    assert default_collate([("a", 1), ("b", 2)])[0] == ("a", "b")  # a tuple, as in PyTorch


def test_a_mapping_keeps_its_type():
    for make in (OrderedDict, lambda d: defaultdict(int, d)):
        batch = default_collate([make({"a": 1}), make({"a": 2})])
        assert type(batch) is type(make({}))
        assert batch["a"].tolist() == [1, 2]
    assert default_collate([{}, {}]) == {}


def test_the_first_number_decides_between_int_and_float():
    assert default_collate([1, 2.5]).dtype == tinynorm.float32
    assert default_collate([2.5, 1]).dtype == tinynorm.float64


def test_arrays_are_stacked_and_0d_ones_too():
    assert default_collate([np.ones(2), np.zeros(2)]).tolist() == [[1, 1], [0, 0]]
    assert default_collate([np.array(1), np.array(2)]).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("samples", "error", "says"),
    [
        ([(1, 2), (1,)], RuntimeError, "equal lengths, got 2 and 1"),
        ([1, None], TypeError, "expected an array of real numbers or booleans, got object"),
        ([2**70, 1], TypeError, "real numbers or booleans, got object"),
        ([np.datetime64("2020")] * 2, TypeError, "real numbers or booleans, got datetime64"),
        ([{"a": 1}, {"b": 1}], RuntimeError, r"equal keys, got \['a'\] and \['b'\]"),
        ([{"a": 1}, {"a": 1, "b": 1}], RuntimeError, r"equal keys, got \['a'\] and \['a', 'b'\]"),
        ([np.ones(2), np.ones(3)], RuntimeError, r"\(2,\), \(3,\)"),
        ([object()], TypeError, "got object; pass a collate_fn"),
    ],
)
def test_samples_that_make_no_batch_are_an_error(samples, error, says):
    with pytest.raises(error, match=says):
        default_collate(samples)
