"""Indexing by PyTorch's rules: where the axes of index arrays stand, masks, repeated places; read, added back and written."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.ops import indexing
from tinynorm.ops.indexing import SetItem
from tinynorm.tensor import version_of

RECORDED = json.loads((Path(__file__).parent / "index_reference.json").read_text())  # of PyTorch: make_index_reference.py
READ = [case for case in RECORDED if case[2] is not None]
REFUSED = [case for case in RECORDED if case[2] is None]


def built(part):
    """A part of a recorded index; the script that recorded it says how it is written."""
    if isinstance(part, int):
        return part
    if isinstance(part, str):
        return {"None": None, "...": ..., "True": True, "False": False}[part]
    kind, *values = part
    if kind == "slice":
        return slice(*values)
    return tn.tensor(np.array(values[0], {"int": np.int64, "mask": np.bool_, "uint8": np.uint8}[kind]))


def moved(index, device):
    return tuple(p.to(device) if isinstance(p, tn.Tensor) else p for p in index)


def named(shape, case):
    """The elements of a tensor of this shape that PyTorch reads, in its order and shape."""
    return np.array(case[3], np.int64).reshape(case[2])


def test_the_recorded_indices_are_of_every_kind():
    kinds = {p[0] if isinstance(p, list) else p if isinstance(p, str) else "number" for _, parts, *_ in READ for p in parts}
    assert kinds == {"int", "mask", "uint8", "slice", "number", "None", "...", "True", "False"}
    assert len(READ) > 400 < len(RECORDED)


@pytest.mark.parametrize("chunk", range(8))
def test_reading_adding_back_and_writing_go_to_the_places_that_pytorch_names(chunk, anywhere):
    for case in READ[chunk::8]:
        shape, index = tuple(case[0]), moved(tuple(map(built, case[1])), anywhere)
        places, n = named(shape, case), int(np.prod(shape))
        x = tn.tensor(np.arange(n, dtype="float64").reshape(shape), device=anywhere, requires_grad=True)
        y = x[index]
        np.testing.assert_array_equal(y.detach().cpu().numpy(), places, err_msg=str(case[:2]))
        g = np.random.default_rng(0).standard_normal(places.shape)
        (dx,) = tn.autograd.grad(y, x, tn.tensor(g, device=anywhere))
        added = np.zeros(n)
        np.add.at(added, places.ravel(), g.ravel())
        np.testing.assert_allclose(dx.cpu().numpy().ravel(), added, rtol=1e-13, atol=1e-14, err_msg=str(case[:2]))

        z, v = x.detach().clone() * 1.0, tn.tensor(-1.0 - np.arange(places.size).reshape(places.shape), device=anywhere)
        written = np.arange(n, dtype="float64")
        for place, number in zip(places.ravel(), v.cpu().numpy().ravel(), strict=True):
            written[place] = number  # the last one stays
        z[index] = v
        np.testing.assert_array_equal(z.cpu().numpy().ravel(), written, err_msg=str(case[:2]))


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: json.dumps(case[:2]))
def test_what_pytorch_refuses_is_refused(case):
    with pytest.raises((IndexError, RuntimeError)):
        tn.zeros(*case[0])[tuple(map(built, case[1]))]


def test_an_integer_does_not_count_among_the_arrays():
    x = tn.arange(24).reshape(2, 3, 4)
    assert x[0, :, tn.tensor([0, 1, 2])].shape == (3, 3)
    assert x[0, :, tn.tensor([0, 1])].tolist() == [[0, 1], [4, 5], [8, 9]]
    assert x[:, 0, [0, 1]].shape == (2, 2)
    assert x[tn.tensor([0, 1]), :, [1, 1]].shape == (2, 3)  # two arrays that are no neighbours: in front, as in NumPy


def test_a_uint8_array_is_a_mask_and_a_0d_tensor_is_a_number():
    x = tn.tensor([1.0, 2.0, 3.0])
    assert x[tn.tensor([1, 0, 1], dtype="uint8")].tolist() == [1.0, 3.0]
    assert x[np.array([0, 2, 0], "uint8")].tolist() == [2.0]
    with pytest.raises(IndexError):
        x[tn.tensor([1, 0], dtype="uint8")]
    assert x[tn.tensor(1)].item() == 2.0
    assert x[tn.tensor(True)].shape == (1, 3)
    y = x[tn.tensor(1)]
    y.fill_(9.0)
    assert x.tolist() == [1.0, 9.0, 3.0]  # a view, as x[1] is


def test_too_many_indices_and_lists_of_slices_are_explained():
    x = tn.zeros(2, 3)
    with pytest.raises(IndexError, match=r"at most 2 indices for shape \(2, 3\), got 3"):
        x[0, 0, [0]]
    with pytest.raises(TypeError, match="into a tuple"):
        x[[0, slice(None)]]


def test_an_index_out_of_range_is_refused_on_every_device(anywhere):
    x = tn.zeros(2, 3, device=anywhere)
    for index in ([2], [-3], ([0], [3]), (slice(None), [-4]), (0, [3])):
        with pytest.raises(IndexError):
            x[index]
    assert x[[-2]].shape == (1, 3)


def test_gather_takes_no_negative_index(anywhere):
    x = tn.tensor([[1.0, 5.0, 6.0], [7.0, 2.0, 3.0]], device=anywhere)
    for wrong in (-1, 3, -4):
        at = tn.tensor([[wrong], [0]], device=anywhere)
        with pytest.raises(IndexError, match=rf"gather: expected indices from 0 to 2 for a dimension of size 3, got {wrong}"):
            x.gather(1, at)
    with pytest.raises(RuntimeError, match=r"gather: .*beside dimension 1, got \(3, 1\)"):
        x.gather(1, tn.zeros(3, 1, dtype="int64", device=anywhere))
    assert x.take_along_dim(tn.tensor([[-1], [0]], device=anywhere), 1).tolist() == [[6.0], [7.0]]  # as PyTorch's
    for wrong in (3, -4):
        with pytest.raises(IndexError):
            x.take_along_dim(tn.tensor([[wrong], [0]], device=anywhere), 1)
    for op in (lambda at: x.gather(1, at), lambda at: x.take_along_dim(at, 1)):
        for dtype in ("bool", "float32"):
            with pytest.raises(TypeError, match="integer dtype"):
                op(tn.zeros(2, 1, dtype=dtype, device=anywhere))


# ---- what is written twice -------------------------------------------------------------------------------------------


def test_only_what_stays_of_the_written_numbers_has_a_gradient(anywhere):
    y = tn.zeros(3, dtype="float64", device=anywhere)
    v = tn.tensor([1.0, 2.0], dtype="float64", device=anywhere, requires_grad=True)
    y[[1, 1]] = v
    assert y.tolist() == [0.0, 2.0, 0.0]
    (dv,) = tn.autograd.grad(y.sum(), v)
    assert dv.tolist() == [0.0, 1.0]


def test_what_a_gpu_writes_to_one_place_is_one_number():
    """It writes in no order that one could rely on."""
    x, v = np.zeros((3, 2)), np.arange(8.0).reshape(4, 2)
    written = SetItem((np.array([1, 0, 1, -2]),)).same_for_the_same_place(x, v)
    assert written.tolist() == [[6, 7], [2, 3], [6, 7], [6, 7]]


REPEATED = [
    ([1, 1, 0, 1],),
    ([[2, 0], [2, 2]],),
    (np.array([[2, 0, 1], [2, 2, 0]]).T,),
    (slice(None), [1, 0, 1]),
    (1, [0, 0, 2]),
    ([0, 0], slice(None), [1, 1]),
    ([[0], [0]], [[1, 2, 1]]),
    (..., [1, 1], [1, 1]),
    (None, [0, -3, 0]),
    (np.array([True, True, False]), [1, 1]),
]


@pytest.mark.parametrize("index", REPEATED, ids=repr)
@pytest.mark.parametrize("whole", [True, False], ids=["of its shape", "broadcast"])
def test_the_gradient_of_an_assignment_is_that_of_finite_differences(index, whole, anywhere):
    rng = np.random.default_rng(0)
    a, w = rng.standard_normal((3, 3, 4)), rng.standard_normal((3, 3, 4))
    index = tuple(tn.tensor(p, device=anywhere) if isinstance(p, (list, np.ndarray)) else p for p in index)
    shape = tn.tensor(a, device=anywhere)[index].shape
    v = rng.standard_normal(shape if whole else (1, *shape[-1:]))

    def loss(x, v):
        y = x * 1.0
        y[index] = v
        return (y * tn.tensor(w, device=anywhere)).sum()

    x, t = (tn.tensor(z, device=anywhere, requires_grad=True) for z in (a, v))
    dx, dv = tn.autograd.grad(loss(x, t), [x, t])
    for array, g, place in ((a, dx, 0), (v, dv, 1)):
        for i in product(*map(range, array.shape)):
            step = np.zeros_like(array)
            step[i] = 0.5
            high, low = ([a, v] for _ in "hl")
            high[place], low[place] = array + step, array - step
            slope = loss(*(tn.tensor(z, device=anywhere) for z in high)) - loss(*(tn.tensor(z, device=anywhere) for z in low))
            assert g.cpu().numpy()[i] == pytest.approx(slope.item(), abs=1e-9)


def test_a_value_with_more_dimensions_than_the_place_has_its_gradient_in_its_shape():
    y, v = tn.zeros(3), tn.ones(1, 1, 3, requires_grad=True)
    y[[0, 2, 0]] = v
    (dv,) = tn.autograd.grad((y * tn.tensor([1.0, 2.0, 3.0])).sum(), v)
    assert dv.tolist() == [[[0.0, 3.0, 1.0]]]


class One:
    def __index__(self):
        return 1


def test_a_part_of_an_index_may_be_anything_that_counts_as_an_integer_and_nothing_else():
    x = tn.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert (x[One()].tolist(), x[One(), [0, 0]].tolist()) == ([3.0, 4.0], [3.0, 3.0])
    for index in (1.0, "a", {0}, 1j, np.float32(1), (1.0, [0]), ([0], "a")):
        with pytest.raises(
            IndexError, match=r"index: expected integers, slices, None, .*, got (float|str|set|complex|float32)$"
        ):
            x[index]


NO_NUMBERS = [None, "5", [None, 1.0], np.array(["1", "2"]), np.str_("3"), 1j, object()]


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda v: type(v).__name__)
@pytest.mark.parametrize("write", [lambda x, v: x.__setitem__(0, v), tn.Tensor.fill_, tn.Tensor.copy_])
def test_only_numbers_are_written(write, value):
    x = tn.zeros(2, 2)
    with pytest.raises(TypeError, match=r"(setitem|fill_|copy_): expected a Tensor, an array or real numbers, got"):
        write(x, value)
    assert (x.tolist(), version_of(x).count) == ([[0.0, 0.0], [0.0, 0.0]], 0)


@pytest.mark.parametrize("shape", [(3,), (1, 3), (1, 1, 3), (1, 1), ()])
@pytest.mark.parametrize(
    "index", [([True, False, True, True],), (0, [True, False, True, True]), (..., [True, False, True, True])]
)
def test_what_a_mask_of_the_whole_shape_is_given_may_have_leading_dimensions(index, shape):
    v = tn.ones(shape, dtype="float64", requires_grad=True)
    y = tn.zeros((2, 4) if index[0] == 0 else 4, dtype="float64")
    y[index] = v
    assert y.sum().item() == 3.0
    y.sum().backward()
    assert (v.grad.shape, v.grad.sum().item()) == (shape, 3.0)


@pytest.mark.parametrize("shape", [(2,), (3, 1), (2, 3), (1, 2)])
def test_what_does_not_fit_a_mask_is_refused(shape):
    y = tn.zeros(4)
    with pytest.raises(RuntimeError, match="do not fit together"):
        y[[True, False, True, True]] = tn.ones(shape)
    assert y.tolist() == [0.0, 0.0, 0.0, 0.0]


def test_second_derivatives_go_through_an_assignment_in_two_steps():
    rng = np.random.default_rng(0)
    x, v = (tn.tensor(rng.standard_normal(shape), requires_grad=True) for shape in ((2, 3, 4), (3, 2)))

    def f(x, v):
        y = x * x
        y[0, :, [1, 1]] = v * v * v
        return y * y

    assert tn.autograd.gradcheck(f, [x, v])
    assert tn.autograd.gradgradcheck(f, [x, v])
    assert tn.autograd.gradgradcheck(lambda x: x[1, :, [0, 2, 0]] ** 3, [x])


# ---- what programs do in inner loops is made by itself, and is the same ------------------------------------------------


def the_long_way(x, index):
    return indexing.GetItem(indexing.raw_index(index, x.array))(x)


@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize(
    "index",
    [
        *[2, -1, (1, 2), (0, slice(1, None)), (slice(None), -1), (), tn.tensor(1), tn.tensor([0, 0, 2]), (tn.tensor(1), 2)],
        *[slice(1, 3), slice(None, None, 2), slice(5, 2), slice(tn.tensor(1), 3), (slice(None), None), (None, 1, None)],
    ],
)
def test_a_short_way_gives_what_the_long_way_gives(index, requires_grad):
    x, again = (tn.tensor(np.arange(12.0).reshape(3, 4), requires_grad=requires_grad) for _ in range(2))
    y, right = x[index], the_long_way(again, index)
    assert (y.tolist(), y.shape, y.dtype) == (right.tolist(), right.shape, right.dtype)
    assert repr(y) == repr(right)  # with the name of the node
    assert np.shares_memory(y.array, x.array) == np.shares_memory(right.array, again.array)
    assert (y.grad_fn is None, y._view is None) == (right.grad_fn is None, right._view is None)
    w = tn.tensor(2.0, dtype="float64", requires_grad=True)
    for t, part in ((x, y), (again, right)):
        if not requires_grad and part._view is not None:
            part.mul_(w)  # changes the base, and gives it a history
            (t * t).sum().backward()
        elif requires_grad:
            (part * part).sum().backward()
    assert x.tolist() == again.tolist()
    assert (x.grad is None) == (again.grad is None)
    assert x.grad is None or x.grad.tolist() == again.grad.tolist()


@pytest.mark.parametrize("shape", [(3,), (3, 2), (0, 2)])
def test_rows_are_views_with_a_history(shape):
    x = tn.zeros(*shape, dtype="float64")
    rows = list(x)
    assert [row.shape for row in rows] == [shape[1:]] * shape[0]
    assert all(np.shares_memory(row.array, x.array) for row in rows)
    for k, row in enumerate(rows):
        row.add_(tn.tensor(float(k), dtype="float64", requires_grad=True))
    assert x.tolist() == np.broadcast_to(np.arange(shape[0], dtype=float).reshape(-1, *(1,) * (len(shape) - 1)), shape).tolist()
    assert x.requires_grad == (shape[0] > 0)
    assert all(row.requires_grad for row in rows)


def test_rows_of_a_leaf_have_its_gradient():
    x = tn.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    first, second = x
    (first * second).sum().backward()
    assert x.grad.tolist() == [[3.0, 4.0], [1.0, 2.0]]
    with tn.no_grad():
        assert not any(row.requires_grad for row in x)


def test_a_number_has_no_rows():
    with pytest.raises(TypeError, match="iter: a 0-d tensor has no rows"):
        iter(tn.tensor(1.0))


@pytest.mark.parametrize("index", [np.array([2, 0]), tn.tensor([2, 0]), (np.array([2, 0]), ...), np.array([True, False, True])])
def test_indices_of_the_cpu_reach_into_a_gpus_tensor(index, gpu):
    on_cpu = tn.arange(6.0).reshape(3, 2)
    x = on_cpu.to("cuda").requires_grad_()
    assert x[index].cpu().tolist() == on_cpu[index].tolist()
    x[index].sum().backward()
    assert x.grad.cpu().tolist() == [[1, 1], [0, 0], [1, 1]]
    y = x.detach().clone()
    y[index] = 9.0
    assert y.cpu().tolist() == [[9, 9], [2, 3], [9, 9]]
