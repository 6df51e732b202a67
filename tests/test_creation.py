"""Making tensors."""

import numpy as np
import pytest

import tinynorm


@pytest.mark.parametrize("make", [tinynorm.tensor, tinynorm.as_tensor])
def test_python_floats_keep_their_digits_in_float64(make):
    """They must not pass through float32, the default, on the way to the dtype that was asked for."""
    assert make([0.1], dtype="float64").tolist() == [0.1]
    assert make([0.1]).dtype == tinynorm.float32


@pytest.mark.parametrize("data", [[np.array([0.1])], [np.float64(0.1)], [[np.float64(0.1), 0.2]]])
def test_numpys_floats_in_lists_keep_their_digits(data):
    assert tinynorm.tensor(data).dtype == tinynorm.float64
    assert tinynorm.tensor(data).reshape(-1)[0].item() == 0.1


def test_arange_takes_its_bounds_by_name():
    assert tinynorm.arange(0, 10, step=4).tolist() == [0, 4, 8]
    assert tinynorm.arange(start=1, end=3).tolist() == [1, 2]
    assert tinynorm.arange(end=2).tolist() == [0, 1]
    assert tinynorm.arange(0, 1, step=0.5).dtype == tinynorm.float32


@pytest.mark.parametrize("dtype", [None, "int64"])
def test_linspace_of_no_steps_is_empty_and_of_fewer_is_refused(dtype):
    assert tinynorm.linspace(0, 1, 0, dtype=dtype).shape == (0,)
    with pytest.raises(RuntimeError, match="linspace: expected a number of steps that is not negative, got -1"):
        tinynorm.linspace(0, 1, -1, dtype=dtype)


def test_randint_takes_its_bounds_by_name():
    x = tinynorm.randint(low=7, high=9, size=(50,))
    assert set(x.tolist()) == {7, 8}
    assert set(tinynorm.randint(high=2, size=(50,)).tolist()) == {0, 1}
    assert set(tinynorm.randint(2, size=(50,)).tolist()) == {0, 1}


@pytest.mark.parametrize(("bounds", "error"), [((0, 10), "got 10 as size"), ((3, 3, (2,)), "low < high"), ((), "as size")])
def test_randint_explains_what_it_needs(bounds, error):
    with pytest.raises((TypeError, ValueError), match=error):
        tinynorm.randint(*bounds)


def test_random_integers_are_integers():
    for x in (tinynorm.randint(2, (5,)), tinynorm.randint(0, 9, (2, 3)), tinynorm.randperm(4)):
        assert x.dtype == tinynorm.int64
        assert isinstance(x.reshape(-1)[0].item(), int)
    assert tinynorm.randint(0, 9, (2,), dtype="int8").dtype == np.int8


# ---- what dtype numbers get -------------------------------------------------------------------------------------------

# (what, PyTorch's dtype)
DTYPES = [
    ([1.0, 2], "float32"), ([True, 2.0], "float32"), ([1, True], "int64"), ([], "float32"), ([[]], "float32"),
    (range(2), "int64"), ([np.float32(2), 3.0], "float32"), ([np.float16(2), 3.0], "float32"), ([np.float16(2)], "float16"),
    ([1, np.float32(2)], "float32"), ([2.0, np.float64(3)], "float64"), ([1, np.float64(3)], "float64"),
    (np.float64(2), "float64"), ([np.int32(2)], "int32"), ([np.int32(2), 3], "int64"), ([[0.5], [np.float64(0.5)]], "float64"),
    ([tinynorm.tensor(1.0), tinynorm.tensor(2.0, dtype="float64")], "float64"), ([tinynorm.tensor(1), 2.0], "float32"),
    ([tinynorm.tensor(1.0, requires_grad=True), 2], "float32"), ([[1.0, 2.0], tinynorm.ones(2)], "float32"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "dtype"), DTYPES, ids=str)
def test_a_list_has_the_dtype_that_pytorch_gives_it(data, dtype):
    t = tinynorm.tensor(data)
    assert t.dtype == getattr(tinynorm, dtype)
    assert not t.requires_grad


def test_numpys_numbers_are_pythons_numbers_to_full():
    assert tinynorm.full((2,), np.float64(1)).dtype == tinynorm.full((2,), np.float32(1)).dtype == tinynorm.float32
    assert tinynorm.full((2,), np.int32(1)).dtype == tinynorm.int64
    assert tinynorm.full((2,), tinynorm.tensor(2.0, dtype="float64")).dtype == tinynorm.float64


def test_numpys_numbers_leave_a_tensors_dtype():
    w = tinynorm.ones(2, requires_grad=True)
    w.data = w.data * np.sqrt(2 / 3)
    assert w.dtype == tinynorm.float32
    assert (tinynorm.tensor([1, 2]) * np.float64(2)).dtype == tinynorm.float32


@pytest.fixture
def double():
    tinynorm.set_default_dtype(tinynorm.float64)
    yield
    tinynorm.set_default_dtype(tinynorm.float32)


def test_the_default_dtype_is_that_of_all_new_floats(double):
    assert tinynorm.get_default_dtype() == tinynorm.float64
    i = tinynorm.tensor([1, 2])
    for t in (
        tinynorm.tensor([1.5]), tinynorm.zeros(1), tinynorm.ones(1), tinynorm.empty(1), tinynorm.full((1,), 1.5),
        tinynorm.rand(1), tinynorm.randn(1), tinynorm.normal(0, 1, (1,)),
        tinynorm.eye(1), tinynorm.linspace(0, 1, 2), tinynorm.arange(0.0, 1.0),
        i * 0.5, i / i, tinynorm.exp(i), i.new_tensor([1], dtype=tinynorm.get_default_dtype()), tinynorm.Tensor([1]),
        tinynorm.nn.Linear(1, 1).weight, tinynorm.nn.BatchNorm1d(1).running_mean,
    ):  # fmt: skip
        assert t.dtype == tinynorm.float64
    assert tinynorm.FloatTensor([1]).dtype == i.float().dtype == tinynorm.float32


def test_only_floats_can_be_the_default():
    with pytest.raises(TypeError, match=r"floating-point dtype such as tinynorm\.float64, got int64"):
        tinynorm.set_default_dtype("int64")
    assert tinynorm.get_default_dtype() == tinynorm.float32


# ---- sizes, and out= --------------------------------------------------------------------------------------------------

MAKERS = [tinynorm.zeros, tinynorm.ones, tinynorm.empty, tinynorm.rand, tinynorm.randn]


@pytest.mark.parametrize("make", MAKERS, ids=lambda f: f.__name__)
def test_the_size_comes_in_each_of_pytorchs_forms(make):
    for t in (
        make(2, 3),
        make((2, 3)),
        make([2, 3]),
        make(size=(2, 3)),
        make(tinynorm.zeros(2, 3).shape),
        make(np.int64(2), 3),
    ):
        assert (t.shape, t.dtype) == ((2, 3), tinynorm.float32)
    assert make(()).shape == ()
    out = tinynorm.full((2, 3), 7.0, dtype="float64")
    assert make(2, 3, out=out) is out
    assert make is tinynorm.empty or not (out == 7).any()


@pytest.mark.parametrize("make", MAKERS, ids=lambda f: f.__name__)
def test_a_size_that_is_none_is_refused_by_name(make):
    name = make.__name__
    with pytest.raises(RuntimeError, match=f"{name}: expected sizes that are not negative, got \\(2, -1\\)"):
        make(2, -1)
    for size in (2.0, "a", (2.0,), None, (1, None)):
        with pytest.raises(TypeError, match=f"{name}: expected the sizes as integers, such as {name}\\(2, 3\\), got"):
            make(size)
    with pytest.raises(TypeError, match=f"{name}: got sizes and size="):
        make(2, size=(3,))


def test_out_of_another_shape_is_refused():
    with pytest.raises(RuntimeError, match=r"\(2,\).*\(3,\)|\(3,\).*\(2,\)"):
        tinynorm.zeros(2, out=tinynorm.ones(3))


TO_OUT = [tinynorm.add, tinynorm.sub, tinynorm.mul, tinynorm.div, tinynorm.matmul, tinynorm.mm]


@pytest.mark.parametrize("op", TO_OUT, ids=lambda f: f.__name__)
def test_what_is_computed_is_written_to_out(op, device):
    x, y = (tinynorm.tensor([[2.0, 4.0], [-6.0, 3.0]], device=device) + i for i in range(2))
    made = op(x, y)
    outs = [tinynorm.zeros(2, 2, device=device, dtype="float64"), tinynorm.empty(0, device=device)]
    for out in outs:
        view = out[:]
        assert op(x, y, out=out) is out
        assert tinynorm.equal(out.to(made.dtype), made)
        assert tinynorm.equal(view, out) == (out is outs[0])  # an `out` without elements gets other memory
    with pytest.raises(RuntimeError, match=r"out=: expected a tensor of shape \(2, 2\), got \(2,\)"):
        op(x, y, out=tinynorm.zeros(2, device=device))
    with pytest.raises(RuntimeError, match="out=: expected inputs that need no gradient"):
        op(x.requires_grad_(), y, out=outs[0])
    with tinynorm.no_grad():
        assert op(x, y, out=outs[0]) is outs[0]


def test_what_is_new_of_a_tensor_has_its_dtype_and_device(device):
    x = tinynorm.tensor([1.5], dtype="float64", device=device)
    made = [x.new_zeros(2, 3), x.new_ones((2, 3)), x.new_full((2, 3), 4), x.new_tensor([[1, 2, 3]] * 2)]
    made += [tinynorm.rand_like(made[0]), tinynorm.randn_like(made[0]), tinynorm.randint_like(made[0], 5)]
    made += [x.new_empty(2, 3), x.new(2, 3), x.new(made[0].shape), x.new([[1, 2, 3]] * 2)]
    made += [tinynorm.empty_like(made[0]), made[0].bernoulli(0.5)]
    for t in made:
        assert (t.shape, t.dtype, t.device.type) == ((2, 3), tinynorm.float64, device)
    assert x.new_zeros(2, dtype="int32").dtype == tinynorm.int32
    assert x.new_ones(2, requires_grad=True).requires_grad


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32"])
def test_logspace_is_pytorchs(dtype):
    x = tinynorm.logspace(-1, 2, 4, dtype=dtype)
    assert (x.tolist(), x.dtype) == (np.array([0.1, 1.0, 10.0, 100.0]).astype(dtype).tolist(), dtype)
    assert tinynorm.logspace(0, 4, 3, base=2.0).tolist() == [1.0, 4.0, 16.0]
    assert tinynorm.logspace(1, 2, 0).shape == (0,)
    for start, end, steps, powers in ((0, 1.2, 2, [1, 10]), (1.2, 6.0, 1, [15]), (0.9, 2.9, 4, [1, 4, 21, 100])):
        assert tinynorm.logspace(start, end, steps, dtype="int64").tolist() == powers  # ends are truncated, a single one is not
    with pytest.raises(RuntimeError, match="logspace: expected a number of steps that is not negative"):
        tinynorm.logspace(0, 1, -1)


# ---- old constructors -------------------------------------------------------------------------------------------------


def test_the_old_constructors_take_sizes_or_numbers():
    for t, dtype in (
        (tinynorm.Tensor([1, 2]), "float32"), (tinynorm.Tensor(np.array([1, 2])), "float32"),
        (tinynorm.Tensor((1, 2)), "float32"),
        (tinynorm.FloatTensor([1, 2]), "float32"), (tinynorm.DoubleTensor(np.array([1, 2])), "float64"),
        (tinynorm.LongTensor([1.7, 2]), "int64"), (tinynorm.IntTensor(range(1, 3)), "int32"),
    ):  # fmt: skip
        assert t.dtype == getattr(tinynorm, dtype)
        assert t.tolist() == [1, 2]
    assert tinynorm.BoolTensor([1, 0]).tolist() == [True, False]
    for t in (tinynorm.Tensor(2, 3), tinynorm.FloatTensor(2, 3), tinynorm.Tensor(tinynorm.zeros(2, 3).shape)):
        assert (t.shape, t.dtype) == ((2, 3), tinynorm.float32)
    assert tinynorm.Tensor().shape == (0,)
    assert tinynorm.Tensor(np.int64(2)).shape == (2,)


def test_the_old_constructor_of_a_tensor_shares_its_memory_and_keeps_its_dtype():
    x = tinynorm.tensor([1, 2])
    y = tinynorm.Tensor(x)
    y[0] = 7
    assert x.tolist() == [7, 2]


@pytest.mark.parametrize("make", [tinynorm.Tensor, tinynorm.FloatTensor])
def test_one_number_that_is_no_size_is_refused(make):
    for number in (2.5, np.float32(2)):
        with pytest.raises(TypeError, match=r"expected sizes, or one sequence of numbers, got a float.*; tinynorm\.tensor\("):
            make(number)


def test_an_old_type_is_asked_for_and_converted_to():
    x = tinynorm.tensor([1, 2])
    assert (x.type(), x.double().type(), x.bool().type()) == ("torch.LongTensor", "torch.DoubleTensor", "torch.BoolTensor")
    assert tinynorm.tensor([1, 2], dtype="uint8").type() == "torch.ByteTensor"
    assert isinstance(x, tinynorm.LongTensor)
    assert not isinstance(x, tinynorm.FloatTensor)
    assert not isinstance([1], tinynorm.LongTensor)
    for dtype in (tinynorm.FloatTensor, "torch.FloatTensor", tinynorm.float32, "float32"):
        assert x.type(dtype).dtype == tinynorm.float32


def test_a_variable_is_a_tensor_outside_the_graph():
    Variable = tinynorm.autograd.Variable
    x = tinynorm.ones(2)
    v = Variable(x, requires_grad=True)
    assert v.requires_grad
    assert not x.requires_grad
    assert v.array is x.array
    assert isinstance(x, Variable)
    assert not isinstance(x.array, Variable)
    assert tinynorm.is_tensor(v)
    assert not tinynorm.is_tensor(v.array)


def test_the_limits_of_dtypes_are_python_numbers():
    f = tinynorm.finfo(tinynorm.float16)
    assert (f.bits, f.eps, f.max, f.min, f.tiny) == (16, 2.0**-10, 65504.0, -65504.0, 2.0**-14)
    assert type(f.eps) is type(tinynorm.finfo().max) is float
    assert (tinynorm.iinfo(tinynorm.uint8).max, tinynorm.iinfo("int8").min, tinynorm.iinfo("int8").bits) == (255, -128, 8)
    with pytest.raises(TypeError, match="iinfo is for integers"):
        tinynorm.finfo(tinynorm.int64)
    with pytest.raises(TypeError, match="finfo is for floating-point"):
        tinynorm.iinfo(tinynorm.float32)


# ---- random numbers ---------------------------------------------------------------------------------------------------


def test_bernoulli_draws_ones_in_proportion_to_the_probabilities(device):
    p = tinynorm.tensor([0.0, 0.2, 0.7, 1.0], device=device).expand(20000, 4)
    generator = tinynorm.Generator().manual_seed(0)
    x = tinynorm.zeros(20000, 4, dtype="int64", device=device)
    for draw in (p.bernoulli, lambda **kwargs: tinynorm.bernoulli(p, **kwargs), lambda **kwargs: x.bernoulli_(p, **kwargs)):
        y = draw(generator=generator)
        assert ((y == 0) | (y == 1)).all()
        assert y.device.type == device
        np.testing.assert_allclose(y.double().mean(0).cpu().numpy(), [0.0, 0.2, 0.7, 1.0], atol=0.02)
    assert 0.45 < tinynorm.zeros(20000).bernoulli_(generator=generator).mean().item() < 0.55
    for wrong in (1.5, -0.1, float("nan")):
        with pytest.raises(RuntimeError, match=r"bernoulli_?: expected probabilities from 0 to 1"):
            tinynorm.zeros(2).bernoulli_(wrong)
        with pytest.raises(RuntimeError, match="bernoulli: expected probabilities"):
            tinynorm.tensor([wrong]).bernoulli()


@pytest.mark.parametrize(
    ("dtype", "most"),
    [("float16", 2**11), ("float32", 2**24), ("float64", 2**53), ("int64", 2**63 - 1), ("uint8", 255), ("bool", 1)],
)
def test_random_integers_without_bounds_fill_the_range_of_the_dtype(dtype, most, device):
    x = tinynorm.zeros(3000, dtype=dtype, device=device).random_(generator=tinynorm.Generator().manual_seed(1))
    numbers = x.cpu().numpy().astype("float64")
    assert (numbers >= 0).all()
    assert 0.98 * most <= numbers.max() <= most
    assert (numbers == np.round(numbers)).all()
    assert 0.45 < numbers.mean() / most < 0.55


def test_random_integers_between_bounds():
    x = tinynorm.zeros(500, dtype="int64")
    assert set(x.random_(3).tolist()) == set(x.random_(to=3).tolist()) == {0, 1, 2}
    assert set(x.random_(-2, 1).tolist()) == set(x.random_(-2, to=1).tolist()) == {-2, -1, 0}
    for bounds in ((0,), (3, 3), (5, 2)):
        with pytest.raises(RuntimeError, match="random_: expected a start below the end"):
            x.random_(*bounds)
    with pytest.raises(TypeError, match="at most a start and an end"):
        x.random_(1, 2, 3)
    assert set(x.bool().random_(0, 2).tolist()) == {False, True}
    assert set(x.to(tinynorm.int8).random_(-128, -126).tolist()) == {-128, -127}
    for dtype, bounds in (("uint8", (300,)), ("uint8", (-1, 3)), ("int8", (-129, 0)), ("bool", (3,))):
        with pytest.raises(RuntimeError, match=f"random_: expected numbers that fit into {dtype}"):
            x.to(dtype).random_(*bounds)


def test_the_state_of_the_generator_is_a_tensor_of_bytes(tmp_path):
    tinynorm.manual_seed(11)
    assert tinynorm.initial_seed() == 11
    tinynorm.rand(3)
    state = tinynorm.get_rng_state()
    assert state.dtype == tinynorm.uint8
    a = tinynorm.randn(5)
    tinynorm.save({"rng": state}, tmp_path / "state")
    assert tinynorm.seed() == tinynorm.initial_seed() != 11
    assert not tinynorm.equal(tinynorm.randn(5), a)
    tinynorm.set_rng_state(tinynorm.load(tmp_path / "state")["rng"])
    assert tinynorm.equal(tinynorm.randn(5), a)
    for wrong in (state[1:], tinynorm.zeros(5, dtype="uint8")):
        with pytest.raises(ValueError, match=r"set_rng_state: expected the bytes that get_rng_state returned"):
            tinynorm.set_rng_state(wrong)


def test_normal_is_numpys_of_the_generator(device):
    expected = np.random.default_rng(3).standard_normal((2, 3))
    tinynorm.manual_seed(3)
    np.testing.assert_array_equal(tinynorm.normal(1, 2, (2, 3)).numpy(), (1 + 2 * expected).astype(np.float32))
    tinynorm.manual_seed(3)
    mean = tinynorm.tensor([[0.0, 10.0, 100.0]], dtype="float64", device=device)
    drawn = tinynorm.normal(mean, mean + 1)
    assert (drawn.shape, drawn.dtype, drawn.device.type) == ((1, 3), tinynorm.float64, device)
    np.testing.assert_allclose(drawn.cpu().numpy(), [[0, 10, 100] + np.array([1, 11, 101]) * expected[0]], rtol=1e-15)
    g = tinynorm.Generator().manual_seed(3)
    np.testing.assert_array_equal(tinynorm.normal(std=2.0, size=(2, 3), generator=g).numpy(), (2 * expected).astype(np.float32))


def test_normal_asks_for_what_it_needs():
    with pytest.raises(TypeError, match=r"normal: expected a size, such as normal\(0, 1, \(2, 3\)\), or a tensor"):
        tinynorm.normal(0, 1)
    for std in (-1.0, tinynorm.tensor([1.0, -1.0])):
        with pytest.raises(RuntimeError, match="standard deviation that is not negative, got -1"):
            tinynorm.normal(0.0, std, **({} if isinstance(std, tinynorm.Tensor) else {"size": (2,)}))


WEIGHTS = np.array([0.0, 1.0, 3.0, 0.0, 6.0, 0.0])


def test_multinomial_draws_in_proportion_to_the_weights(device):
    n = 20_000
    generator = tinynorm.Generator().manual_seed(0)
    weights = tinynorm.tensor(np.stack([WEIGHTS, WEIGHTS[::-1]]), device=device)
    drawn = weights.multinomial(n, replacement=True, generator=generator)
    assert (drawn.shape, drawn.dtype, drawn.device.type) == ((2, n), tinynorm.int64, device)
    for row, p in zip(drawn.cpu().numpy(), (WEIGHTS, WEIGHTS[::-1]), strict=True):
        expected = p / p.sum()
        share = np.bincount(row, minlength=6) / n
        np.testing.assert_allclose(share, expected, atol=5 * (0.25 / n) ** 0.5)  # 5 standard deviations
        assert not share[p == 0].any()


def test_multinomial_without_replacement_draws_each_once_and_the_heavy_first():
    generator = tinynorm.Generator().manual_seed(0)
    first = []
    for _ in range(4000):
        drawn = tinynorm.multinomial(tinynorm.tensor(WEIGHTS), 3, generator=generator).tolist()
        assert sorted(drawn) == [1, 2, 4]
        first.append(drawn[0])
    np.testing.assert_allclose(np.bincount(first, minlength=6) / 4000, WEIGHTS / 10, atol=5 * (0.25 / 4000) ** 0.5)
    assert sorted(tinynorm.multinomial(tinynorm.tensor(WEIGHTS), 6).tolist()) == [
        0,
        1,
        2,
        3,
        4,
        5,
    ]  # the 0s last, as in PyTorch


def test_multinomial_takes_all_dtypes_and_the_generators_extremes():
    class Extreme:
        def random(self, shape):
            return np.full(shape, np.nextafter(1.0, 0.0))

    generator = tinynorm.Generator()
    generator.rng = Extreme()
    for dtype in ("float16", "float32", "float64"):
        p = tinynorm.tensor([0.3, 0.7, 0.0], dtype=dtype)
        assert p.multinomial(2, True, generator=generator).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("weights", "n", "says"),
    [
        ([1, 2], 1, "expected floating-point weights"),
        ([[[1.0]]], 1, r"expected floating-point weights \(C\) or \(N, C\), got float32 \(1, 1, 1\)"),
        ([-1.0, 2.0], 1, "finite and not negative; softmax"),
        ([float("nan"), 2.0], 1, "finite and not negative"),
        ([[1.0, 0.0], [0.0, 0.0]], 1, "in each row a weight that is not 0"),
        ([1.0, 2.0], 0, "at least one sample"),
        ([1.0, 2.0], 3, "at most 2 samples of 2 weights without replacement, got 3"),
    ],
)
def test_weights_that_are_none_are_refused(weights, n, says):
    with pytest.raises(RuntimeError, match=f"multinomial: .*{says}"):
        tinynorm.tensor(weights).multinomial(n)


def test_random_likes_ask_for_floats():
    for draw in (tinynorm.rand_like, tinynorm.randn_like):
        with pytest.raises(TypeError, match="expected a floating-point tensor, or a dtype="):
            draw(tinynorm.tensor([1, 2]))
        assert draw(tinynorm.tensor([1, 2]), dtype=tinynorm.float64).dtype == tinynorm.float64
