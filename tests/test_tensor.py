"""Tensors as such: making them, their dtypes, what they are asked and what they refuse."""

import copy

import numpy as np
import pytest

import tinynorm as tn
from tinynorm import Tensor
from tinynorm.tensor import version_of

INF, NAN = float("inf"), float("nan")


# ---- making ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        ([1.0, 2], tn.float32),
        ([[1, 2]], tn.int64),
        ([True], tn.bool),
        (1.5, tn.float32),
        (3, tn.int64),
        ([], tn.float32),
        (np.float64(1), tn.float64),
        (np.zeros(2), tn.float64),
        (np.zeros(2, np.float16), tn.float16),
    ],
)
def test_tensor_takes_the_dtype_of_numbers_and_arrays(data, dtype, device):
    t = tn.tensor(data, device=device)
    assert t.dtype == dtype
    assert t.device.type == device
    np.testing.assert_array_equal(t.cpu().numpy(), np.asarray(data))


def test_tensor_copies_and_from_numpy_and_as_tensor_do_not():
    a = np.zeros(2)
    copied, shared, also = tn.tensor(a), tn.from_numpy(a), tn.as_tensor(a)
    a[0] = 1
    assert (copied.tolist(), shared.tolist(), also.tolist()) == ([0, 0], [1, 0], [1, 0])
    with pytest.raises(TypeError, match=r"from_numpy.*numpy.ndarray.*list"):
        tn.from_numpy([1.0])


@pytest.mark.parametrize(
    ("data", "error", "match"),
    [
        ([[1.0], [1.0, 2.0]], ValueError, "nested lists of equal lengths"),
        ("abc", TypeError, "real numbers or booleans"),
        (None, TypeError, "real numbers or booleans"),
        ([1j], TypeError, "real numbers"),
        (np.array(["a"]), TypeError, "real numbers"),
        (np.array([1j]), TypeError, "complex128"),
    ],
)
def test_what_are_no_numbers_is_refused(data, error, match):
    with pytest.raises(error, match=match):
        tn.tensor(data)


def test_what_is_no_dtype_or_device_is_refused():
    with pytest.raises(TypeError, match="dtype"):
        tn.tensor([1.0], dtype="float33")
    with pytest.raises(RuntimeError, match="cpu"):
        tn.zeros(2, device="gpu")


def test_filled_tensors(device):
    for t, expected, dtype in (
        (tn.zeros(2, 1, device=device), [[0], [0]], tn.float32),
        (tn.ones((2,), dtype=tn.int32, device=device), [1, 1], tn.int32),
        (tn.full((2,), 7, device=device), [7, 7], tn.int64),
        (tn.full((1,), 7.5, device=device), [7.5], tn.float32),
        (tn.full((), True, device=device), True, tn.bool),
        (tn.eye(2, device=device), [[1, 0], [0, 1]], tn.float32),
        (tn.arange(3, device=device), [0, 1, 2], tn.int64),
        (tn.arange(1, 2, 0.5, device=device), [1.0, 1.5], tn.float32),
        (tn.linspace(0, 1, 3, device=device), [0, 0.5, 1], tn.float32),
        (tn.zeros_like(tn.ones(2, dtype="float64", device=device)), [0, 0], tn.float64),
        (tn.ones_like(tn.zeros(2, device=device), dtype=tn.int64), [1, 1], tn.int64),
    ):
        assert (t.tolist(), t.dtype, t.device.type) == (expected, dtype, device)
    assert tn.empty(2, 3, device=device).shape == (2, 3)
    assert tn.zeros_like(tn.ones(1), requires_grad=True).requires_grad


def test_arange_does_not_add_up_rounded_steps():
    expected = np.arange(1000, 1001, 0.001).astype(np.float32)
    np.testing.assert_array_equal(tn.arange(1000, 1001, 0.001).numpy(), expected)


def test_random_tensors_repeat_for_a_seed_on_every_device(device):
    def draw():
        tn.manual_seed(5)
        return [
            t.tolist()
            for t in (
                tn.rand(2, 3, device=device),
                tn.randn((4,), device=device),
                tn.randint(0, 10, (5,), device=device),
                tn.randint(10, size=(5,), device=device),
                tn.randperm(6, device=device),
            )
        ]

    first = draw()
    assert first == draw()
    assert np.all((np.array(first[0]) >= 0) & (np.array(first[0]) < 1))
    assert sorted(first[4]) == list(range(6))
    generator = tn.Generator().manual_seed(5)
    assert tn.rand(2, 3, generator=generator).tolist() == first[0]
    with pytest.raises(TypeError, match=r"randint.*low, high, size"):
        tn.randint(3)


# ---- dtypes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("number", [2, 2.0, True, np.float64(2), np.float32(2), np.int64(2)])
@pytest.mark.parametrize("shape", [(), (2,)])
def test_a_number_never_changes_a_floats_dtype(dtype, number, shape, device):
    x = tn.ones(shape, dtype=dtype, device=device, requires_grad=True)
    for y in (x + number, number - x, x * number, number / x, x**number, number**x, tn.maximum(x, number)):
        assert y.dtype == dtype
        y.sum().backward()
        assert x.grad.dtype == dtype


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("float32", "int64", "float32"),
        ("float16", "int64", "float16"),
        ("float32", "float64", "float64"),
        ("float16", "float32", "float32"),
        ("int32", "int64", "int64"),
        ("uint8", "int8", "int16"),
        ("bool", "int32", "int32"),
        ("bool", "float32", "float32"),
    ],
)
def test_dtypes_of_two_tensors(a, b, expected):
    x, y = tn.ones(2, dtype=a), tn.ones(2, dtype=b)
    assert (x + y).dtype == expected
    assert (y * x).dtype == expected


def test_a_0_d_tensor_does_not_widen_one_with_dimensions_of_its_kind():
    wide, narrow = tn.tensor(2.0, dtype="float64"), tn.ones(2)
    assert (narrow * wide).dtype == tn.float32
    assert (wide * narrow[0]).dtype == tn.float64
    assert (tn.ones(2, dtype="int32") + tn.tensor(1)).dtype == tn.int32
    assert (tn.ones(2, dtype="int32") + wide).dtype == tn.float64
    assert (tn.ones(2, dtype="bool") + tn.tensor(1)).dtype == tn.int64


def test_integers_become_float32_where_they_must():
    x = tn.tensor([1, 2])
    for y in (x * 0.5, x / 2, x.exp(), x.sqrt(), x.sigmoid(), x.sinh(), x.var(), x.clamp(0.5)):
        assert y.dtype == tn.float32
    assert (x * 2).dtype == tn.int64
    assert x.sum().dtype == tn.int64
    assert tn.ones(2, dtype="uint8").sum().dtype == tn.int64
    with pytest.raises(RuntimeError, match=r"mean.*int64.*float\(\)"):
        x.mean()


def test_to_and_its_short_names():
    x = tn.tensor([1.5, -2.0], requires_grad=True)
    assert x.to(tn.float32) is x
    assert x.to("cpu") is x
    names = ("half", "float16"), ("double", "float64"), ("int", "int32"), ("long", "int64"), ("bool", "bool")
    for name, dtype in names:
        assert getattr(x, name)().dtype == dtype
    assert x.double().float().dtype == tn.float32
    assert x.to(tn.zeros(1, dtype="float64")).dtype == tn.float64
    assert x.to("cpu", tn.float64, copy=True).dtype == tn.float64
    x.double().sum().backward()
    assert x.grad.dtype == tn.float32
    with pytest.raises(TypeError, match="expected a dtype"):
        x.to("gpu")


# ---- what a tensor says ----------------------------------------------------------------------------------------------


def test_attributes():
    x = tn.zeros(2, 3)
    assert (x.shape, x.ndim, x.dim(), x.size(), x.size(-1), x.numel(), len(x)) == ((2, 3), 2, 2, (2, 3), 3, 6, 2)
    assert x.is_leaf
    assert not x.is_cuda
    assert x.is_floating_point()
    assert x.device == tn.device("cpu")
    assert (x.T.shape, tn.zeros(2, 3, 4).mT.shape) == ((3, 2), (2, 4, 3))
    assert (x.ndimension(), tn.numel(x), tn.is_floating_point(x), tn.is_floating_point(x.long())) == (2, 6, True, False)
    assert (x.element_size(), x.double().element_size(), x.bool().element_size()) == (4, 8, 1)
    assert (x.nbytes, x.double().itemsize, x.layout is tn.strided) == (4 * x.numel(), 8, True)
    assert str(x.layout) == "torch.strided"


def test_the_layout_in_memory(anywhere):
    x = tn.zeros(2, 3, device=anywhere)
    assert [y.is_contiguous() for y in (x, x[1], x.T, x[:, :2])] == [True, True, False, False]


def test_the_address_in_memory():
    x = tn.zeros(2, 3)
    assert x.data_ptr() == x.view(6).data_ptr() == x.detach().data_ptr() == x.array.ctypes.data
    assert x[1].data_ptr() == x.data_ptr() + 12
    assert x.clone().data_ptr() != x.data_ptr()


def test_numbers_out_of_tensors():
    x = tn.tensor([[1.5, 2.0]])
    assert x.tolist() == [[1.5, 2.0]]
    assert (tn.tensor([3]).item(), float(tn.tensor(1.5)), int(tn.tensor(2.0)), bool(tn.tensor([True]))) == (3, 1.5, 2, True)
    assert [10, 20, 30][tn.tensor(1)] == 20
    assert f"{tn.tensor(1.23456):.3f} {tn.tensor([1.0])}" == "1.235 tensor([1.])"
    for ask, error in ((x.item, RuntimeError), (lambda: bool(x), RuntimeError), (lambda: float(x), RuntimeError)):
        with pytest.raises(error, match=r"\(1, 2\)"):
            ask()
    with pytest.raises(TypeError):
        range(tn.tensor(2.0))


def test_iteration_length_and_membership():
    x = tn.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    rows = list(x)
    assert [r.tolist() for r in rows] == [[1.0, 2.0], [3.0, 4.0]]
    a, b = x
    (a * 2 + b).sum().backward()
    assert x.grad.tolist() == [[2.0, 2.0], [1.0, 1.0]]
    assert 3 in x
    assert 5 not in x
    for ask in (len, iter):
        with pytest.raises(TypeError, match="0-d"):
            ask(tn.tensor(1.0))


def test_equality_is_elementwise_and_false_beside_none_strings_and_lists():
    x = tn.tensor([1.0, NAN])
    assert (x == x).tolist() == [True, False]
    assert (x == np.array([1.0, 2.0])).tolist() == [True, False]
    assert (x == [1.0, NAN], x != [1.0, NAN], x == (1.0, NAN)) == (False, True, False)
    assert (x != 1).tolist() == [False, True]
    assert (x == None) is False  # noqa: E711
    assert (x != "a") is True
    assert {x: 1}[x] == 1
    for other in ("a", None, 1j, object()):
        with pytest.raises(TypeError):
            x + other


def test_operators_with_arrays_and_numbers_on_the_left():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    for y in (np.ones(2, np.float32) + x, np.float32(1) + x, 1 + x):
        assert isinstance(y, Tensor)
        assert y.requires_grad
        assert y.tolist() == [2.0, 3.0]
    assert (np.ones(2, np.float32) < x).tolist() == [False, True]


# ---- requires_grad, grad, detach -------------------------------------------------------------------------------------


def test_only_floats_require_grad_and_only_leaves_stop():
    for make in (lambda: tn.tensor([1], requires_grad=True), lambda: tn.tensor([True]).requires_grad_()):
        with pytest.raises(RuntimeError, match="only floating-point"):
            make()
    x = tn.ones(1).requires_grad_()
    y = x * 2
    with pytest.raises(RuntimeError, match=r"leaf.*detach"):
        y.requires_grad = False
    x.requires_grad_(False)
    assert not (x * 2).requires_grad
    with pytest.raises(RuntimeError, match="retain_grad"):
        x.retain_grad()


@pytest.mark.parametrize(
    ("grad", "error", "match"),
    [
        (lambda: [1.0, 2.0], TypeError, "Tensor or None, got list"),
        (lambda: tn.ones(3), RuntimeError, r"\(2,\).*\(3,\)"),
        (lambda: tn.ones(2, dtype="float64"), RuntimeError, "float32.*float64"),
    ],
)
def test_a_grad_that_does_not_fit_is_refused(grad, error, match):
    x = tn.ones(2, requires_grad=True)
    with pytest.raises(error, match=match):
        x.grad = grad()
    assert x.grad is None
    x.grad = tn.ones(2)
    x.zero_grad(set_to_none=False)
    assert x.grad.tolist() == [0.0, 0.0]
    x.zero_grad()
    assert x.grad is None


def test_detach_in_place_leaves_the_graph():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    z = (y * y).sum()
    assert y.detach_() is y
    assert (y.is_leaf, y.requires_grad, y.grad_fn) == (True, False, None)
    z.backward()  # what was computed before keeps its history
    assert x.grad.tolist() == [8.0, 16.0]
    x.grad.detach_().zero_()  # as older programs reset gradients
    assert x.grad.tolist() == [0.0, 0.0]
    with pytest.raises(RuntimeError, match=r"detach_: a view shares its base's place in the graph; use y = y.detach\(\)"):
        (x * 2)[0].detach_()


def test_detach_shares_memory_and_version_and_clone_neither():
    x = tn.ones(2, requires_grad=True)
    y, z = x.detach(), x.clone()
    assert not y.requires_grad
    assert z.requires_grad
    y[0] = 5.0
    assert x.tolist() == [5.0, 1.0]
    assert z.tolist() == [1.0, 1.0]
    assert version_of(x).count == version_of(y).count == 1
    assert version_of(z).count == 0


def test_arrays_are_handed_out_only_where_no_gradient_is_lost():
    x = tn.ones(2, requires_grad=True)
    for ask in (x.numpy, lambda: np.asarray(x)):
        with pytest.raises(RuntimeError, match=r"detach\(\)"):
            ask()
    assert np.shares_memory(x.detach().numpy(), x.array)
    assert np.shares_memory(x.numpy(force=True), x.array)
    assert np.shares_memory(np.asarray(x.detach()), x.array)


def test_deepcopy_copies_leaves_with_their_gradients():
    x = tn.ones(2, requires_grad=True)
    (x * 3).sum().backward()
    a, b = copy.deepcopy([x, x])
    assert a is b
    assert a.requires_grad
    assert a.grad.tolist() == [3.0, 3.0]
    assert not np.shares_memory(a.array, x.array)
    assert not np.shares_memory(a.grad.array, x.grad.array)
    with pytest.raises(RuntimeError, match="only leaf"):
        copy.deepcopy(x * 2)
