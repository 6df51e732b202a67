"""What a backward pass does beside its numbers is seen though it be only now and then, in float32, or for some dout."""

import itertools

import numpy as np
import pytest
from helpers import some

import tinynorm as tn
from tinynorm.autograd import Function
from tinynorm.gradcheck import check_backward, check_function
from tinynorm.gradcheck.behaviour.precision import imprecise
from tinynorm.gradcheck.mistakes import layernorm
from tinynorm.gradcheck.problem.problem import Problem
from tinynorm.gradcheck.problem.settings import Settings, draw_cotangent
from tinynorm.gradcheck.report.catalogue import FAULTS
from tinynorm.gradcheck.slopes.measure import Measure

X = np.random.default_rng(0).standard_normal((5, 6))
X32 = X.astype(np.float32)


def square(x):
    return x * x, x


def right(dy, x):
    return (2 * x * dy,)


def kinds(forward, backward, inputs=(X,), **options):
    report = check_backward(forward, backward, inputs, **options)
    found = {fault.kind for fault in report.faults}
    assert found <= set(FAULTS)
    assert report.ok is False or not found
    return found


def right_or(wrong, when):
    """A backward that is right, but for the calls where ``when(number of the call, dy)``."""
    calls = itertools.count(1)
    return lambda dy, x: wrong(dy, x) if when(next(calls), dy) else right(dy, x)


def slightly_off(dy, x):
    return (2 * x * dy * (1 + 1e-6),)


def doubles_dout(dy, x):
    dx = 2 * x * dy
    dy *= 2
    return (dx,)


# ---- random numbers -----------------------------------------------------------------------------------------------------


def dropout(x):
    mask = np.random.random(x.shape) < 0.5  # noqa: NPY002
    return 2 * x * mask, mask


def test_a_mask_drawn_again_is_another_mask():
    def drawn_again(dy, mask):
        return (2 * dy * (np.random.random(dy.shape) < 0.5),)  # noqa: NPY002

    report = check_backward(dropout, drawn_again, [X])
    assert report.ok is False
    assert report.inputs[0].ok is False


def test_a_mask_in_the_cache_or_drawn_from_its_own_seed_is_right():
    def seeded(x, seed):
        return x * (np.random.default_rng(seed).random(x.shape) < 0.5), (x.shape, seed)

    assert check_backward(dropout, lambda dy, mask: (2 * dy * mask,), [X]).ok is True
    assert check_backward(seeded, lambda dy, c: (dy * (np.random.default_rng(c[1]).random(c[0]) < 0.5),), [X, 3]).ok is True
    rng = np.random.default_rng(0)
    mask = rng.random(X.shape) < 0.5
    assert check_backward(lambda x, m: (x * m, m), lambda dy, m: (dy * m, None), [X, mask]).ok is True


def test_a_mask_drawn_again_by_a_function_of_tensors_is_another_mask():
    class Dropout(Function):
        again = True

        @staticmethod
        def forward(ctx, x):
            mask = tn.rand(*x.shape, dtype="float64") < 0.5
            ctx.save_for_backward(mask)
            return x * mask

        @classmethod
        def backward(cls, ctx, dy):
            (mask,) = ctx.saved_tensors
            return dy * (tn.rand(*dy.shape, dtype="float64") < 0.5 if cls.again else mask)

    x = tn.randn(5, 6, dtype="float64", requires_grad=True)
    assert check_function(Dropout.apply, x).ok is False
    Dropout.again = False
    assert check_function(Dropout.apply, x).ok is True


# ---- linear in dout ------------------------------------------------------------------------------------------------------


def clipped(limit):
    return lambda dy: np.clip(dy, -limit, limit)


NOT_LINEAR = {
    "clipped at 5": clipped(5),
    "clipped at 100": clipped(100),
    "clipped at 1e6": clipped(1e6),
    "clipped by its norm": lambda dy: dy * min(1.0, 50 / np.sqrt(np.sum(dy**2))),
    "small ones dropped": lambda dy: dy * (np.abs(dy) >= 1e-2),
    "very small ones dropped": lambda dy: dy * (np.abs(dy) >= 1e-6),
    "NaN for zeros": lambda dy: dy * dy / dy,
    "wrong where dout holds a zero": lambda dy: dy * (2 if np.any(dy == 0) else 1),
    "wrong where dout holds a zero and both signs": lambda dy: dy * (2 if {-1.0, 0.0, 1.0} == set(np.sign(dy).flat) else 1),
    "wrong where dout is positive": lambda dy: dy * (2 if np.all(dy > 0) else 1),
    "wrong where dout is positive and not constant": lambda dy: dy * (2 if np.all(dy > 0) and np.ptp(dy) > 0 else 1),
    "wrong where dout is constant": lambda dy: dy * (2 if np.ptp(dy) == 0 else 1),
    "None where dout holds a zero": lambda dy: None if np.any(dy == 0) else dy,
}


@pytest.mark.parametrize("name", NOT_LINEAR)
def test_what_is_not_linear_in_dout_is_seen(name):
    def backward(dy, x):
        with np.errstate(all="ignore"):
            changed = NOT_LINEAR[name](dy)
            return (None if changed is None else 2 * x * changed,)

    assert kinds(square, backward) == {"not_linear"}


def test_not_linear_in_a_number_as_dout_is_seen():
    """Python's 0.0 / 0.0 raises."""
    assert kinds(lambda x: (float(np.sum(x * x)), x), lambda dy, x: (2 * x * (dy * dy / dy),)) == {"not_linear"}


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_rounding_to_the_dtype_of_the_inputs_is_linear(dtype):
    def forward(x):
        return np.sin(x.astype(np.float32)).astype(x.dtype), x

    def backward(dy, x):
        return ((np.cos(x.astype(np.float32)) * dy).astype(x.dtype),)

    assert kinds(forward, backward, [X.astype(dtype)]) == set()


def test_an_infinite_derivative_is_linear():
    def backward(dy, x):
        with np.errstate(all="ignore"):
            return (dy * 0.5 / np.sqrt(x),)

    assert kinds(lambda x: (np.sqrt(x), x), backward, [np.array([0.0, 1.0, 4.0])]) == set()


# ---- the same each time -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", range(2, 25))
@pytest.mark.parametrize("inputs", [X, X32], ids=["float64", "float32"])
def test_a_change_at_every_kth_call_is_seen(k, inputs):
    assert kinds(square, right_or(slightly_off, lambda call, dy: call % k == 0), [inputs]) >= {"nondeterministic"}


def test_a_change_at_the_first_call_alone_is_seen():
    assert kinds(square, right_or(slightly_off, lambda call, dy: call == 1)) == {"nondeterministic"}


def test_a_change_in_one_call_of_five_is_seen():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        backward = right_or(slightly_off, lambda call, dy, rng=rng: rng.random() < 0.2)
        assert "nondeterministic" in kinds(square, backward)


def test_a_change_that_comes_late_is_seen():
    assert "nondeterministic" in kinds(square, right_or(slightly_off, lambda call, dy: call > 45))


def test_large_inputs_are_called_few_times():
    calls = itertools.count()
    kinds(square, right_or(right, lambda call, dy: next(calls) < 0), [np.ones((400, 400)) + 0.1])
    assert next(calls) < 50


@pytest.mark.parametrize("k", [1, 2, 7])
def test_a_function_of_tensors_that_varies_is_seen(k):
    class Varies(Function):
        calls = 0

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @classmethod
        def backward(cls, ctx, dy):
            (x,) = ctx.saved_tensors
            cls.calls += 1
            return 2 * x * dy * (1 + 1e-6 * (cls.calls == 1 if k == 1 else cls.calls % k == 0))

    report = check_function(Varies.apply, tn.randn(3, 4, dtype="float64", requires_grad=True))
    assert "nondeterministic" in {fault.kind for fault in report.faults}


# ---- what is written into ------------------------------------------------------------------------------------------------


WHEN = {
    "at even calls": lambda call, dy: call % 2 == 0,
    "at every 20th call": lambda call, dy: call % 20 == 0,
    "where dout holds zeros": lambda call, dy: np.any(dy == 0),
    "where dout is positive": lambda call, dy: np.all(dy > 0),
    "in float32": lambda call, dy: dy.dtype == np.float32,
}


@pytest.mark.parametrize("when", WHEN)
def test_dout_written_into_now_and_then_is_seen(when):
    assert kinds(square, right_or(doubles_dout, WHEN[when]), [X32]) == {"mutates_dout"}


def test_in_float32_alone_all_is_seen_that_is_seen_in_float64():
    def only(wrong):
        return lambda dy, x: wrong(dy, x) if dy.dtype == np.float32 else right(dy, x)

    def writes_into_x(dy, x):
        dx = 2 * x * dy
        x += 1
        return (dx,)

    calls = itertools.count()
    rng = np.random.default_rng(0)
    assert kinds(square, only(writes_into_x), [X32]) >= {"mutates_input"}
    assert kinds(square, only(lambda dy, x: (2 * x * dy * (1 + next(calls) % 2),)), [X32]) >= {"nondeterministic"}
    assert kinds(square, only(lambda dy, x: (2 * x * dy * np.float32(1 + 1e-6 * rng.random()),)), [X32]) == {"nondeterministic"}
    assert kinds(square, only(lambda dy, x: (2 * (x * dy)[:1],)), [X32]) == {"wrong_shape"}
    assert kinds(square, only(lambda dy, x: (None,)), [X32]) == {"returned_none"}
    assert kinds(square, only(lambda dy, x: (dy,)), [X32]) >= {"aliases_dout"}


def test_a_fault_is_told_once():
    report = check_backward(square, doubles_dout, [X32])
    assert [fault.kind for fault in report.faults] == ["mutates_dout"]


def test_a_function_of_float32_tensors_that_writes_into_dout_there_is_seen():
    class Writes(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, dy):
            (x,) = ctx.saved_tensors
            dx = 2 * x * dy
            if dy.dtype == tn.float32:
                dy *= 2
            return dx

    report = check_function(Writes.apply, tn.randn(3, 4, requires_grad=True))
    assert {fault.kind for fault in report.faults} == {"mutates_dout"}


# ---- its own memory, its own cache ------------------------------------------------------------------------------------------


def test_a_buffer_handed_out_at_every_call_is_seen_or_allowed():
    buffer = np.empty_like(X)

    def into_the_buffer(dy, x):
        np.multiply(2 * x, dy, out=buffer)
        return (buffer,)

    assert kinds(square, into_the_buffer) == {"reuses_memory"}
    assert kinds(square, into_the_buffer, allow_alias=True) == set()
    assert kinds(square, lambda dy, x: (into_the_buffer(dy, x)[0].copy(),)) == set()  # to work in a buffer is right


LAST = {}


def remembers(x, t):
    LAST.update(x=x, t=t)
    return x * x * t[:, None], (x, t)


@pytest.mark.parametrize("outside", ["x", "t"])
def test_what_the_last_forward_left_behind_is_not_the_cache(outside):
    def backward(dy, cache):
        x, t = (LAST[name] if name == outside else own for name, own in zip("xt", cache, strict=True))
        return 2 * x * dy * t[:, None], None

    report = check_backward(remembers, backward, [X, np.arange(5)])
    assert {fault.kind for fault in report.faults} == {"foreign_state"}
    assert "keep it in the cache" in report.diagnosis
    assert check_backward(remembers, lambda dy, c: (2 * c[0] * dy * c[1][:, None], None), [X, np.arange(5)]).ok is True


def test_a_forward_that_takes_no_other_order_is_run_with_other_sizes():
    def forward(x):
        if np.any(np.diff(x) <= 0) or np.any(x <= 0):
            raise ValueError("expected x to increase")
        LAST["x"] = x
        return np.log(x), x

    x = np.array([1.0, 8.0, 64.0, 512.0])
    assert kinds(forward, lambda dy, x: (dy / LAST["x"],), [x]) == {"foreign_state"}
    assert kinds(forward, lambda dy, x: (dy / x,), [x]) == set()


def test_a_class_that_keeps_its_cache_in_itself_passes_with_a_note():
    class Square:
        def forward(self, x):
            self.x = x
            return x * x

        def backward(self, dy):
            return 2 * self.x * dy

    layer = Square()
    for cache in (None, layer):
        report = check_backward(lambda x, cache=cache: (layer.forward(x), cache), lambda dy, c: (layer.backward(dy),), [X])
        assert report.ok is True, report
        assert "call it before the next forward" in report.notes[-1]


def test_a_function_of_tensors_that_uses_what_the_last_run_left_is_seen():
    class Remembers(Function):
        @classmethod
        def forward(cls, ctx, x):
            cls.last = x
            ctx.save_for_backward(x)
            return x * x

        @classmethod
        def backward(cls, ctx, dy):
            return 2 * cls.last * dy

    report = check_function(Remembers.apply, tn.randn(3, 4, dtype="float64", requires_grad=True))
    assert {fault.kind for fault in report.faults} == {"foreign_state"}


# ---- dtypes ----------------------------------------------------------------------------------------------------------------


def matmul(x, w):
    return x @ w, (x, w)


def matmul_backward(dy, cache):
    x, w = cache
    return dy @ w.T, x.T @ dy


MIXED = [X, np.random.default_rng(1).standard_normal((6, 4)).astype(np.float32)]


def test_each_input_has_a_gradient_of_its_own_dtype():
    report = check_backward(matmul, matmul_backward, MIXED, names=["x", "w"])
    assert {(fault.kind, fault.input) for fault in report.faults} == {("wrong_dtype", "w")}
    assert "expected the dtype of w, float32, got float64" in report.diagnosis

    def cast(dy, cache):
        dx, dw = matmul_backward(dy, cache)
        return dx, dw.astype(cache[1].dtype)

    assert check_backward(matmul, cast, MIXED).ok is True


def test_mixed_dtypes_are_compared_with_float64():
    def loses(dy, cache):
        x, w = cache
        shift = (1e4 * dy.sum()).astype(w.dtype)
        return dy @ w.T, ((x.T @ dy).astype(w.dtype) + shift) - shift

    assert kinds(matmul, loses, MIXED) == {"imprecise"}


def test_mixed_dtypes_that_forward_does_not_take_are_made_one():
    def forward(x, w):
        if x.dtype != w.dtype:
            raise TypeError("expected one dtype")
        return matmul(x, w)

    assert check_backward(forward, matmul_backward, MIXED).ok is True


def test_a_complex_gradient_has_the_wrong_dtype():
    report = check_backward(square, lambda dy, x: (2 * x * dy + 0j,), [X])
    assert [fault.kind for fault in report.faults] == ["wrong_dtype"]
    assert "expected the dtype of x, float64, got complex128" in report.diagnosis
    assert kinds(square, lambda dy, x: (2 * x * dy + 0j,), [X32]) == {"wrong_dtype"}


# ---- rows ------------------------------------------------------------------------------------------------------------------


def by_the_row(change):
    """x² plus what `change` adds, whose gradient is as it should be: the forward is what is wrong."""

    def forward(x):
        y = x * x
        change(y, x)
        return y, x

    return forward


def next_row(y, x):
    y[:-1] += x[1:]


def first_row_alone(y, x):
    y[0] += x[1:].sum(axis=0)


def last_row_alone(y, x):
    y[-1] += x[0]


def over_the_largest(y, x):
    y /= np.max(np.abs(x))


def over_the_maximum(y, x):
    y /= np.max(x)


def minus_the_minimum(y, x):
    y -= np.min(x)


def where_one_is_large(y, x):
    y += max(np.max(x) - 4, 0)


def where_one_is_far_below(y, x):
    y += min(np.min(x) + 4, 0)


@pytest.mark.parametrize(
    "change",
    some(
        [
            *(next_row, first_row_alone, last_row_alone, over_the_largest, over_the_maximum, minus_the_minimum),
            *(where_one_is_large, where_one_is_far_below),
        ],
        3,
    ),
)
def test_a_row_that_depends_on_others_is_seen(change):
    for seed in range(10):
        x = np.random.default_rng(seed).standard_normal((7, 4))
        report = check_backward(by_the_row(change), right, [x], batch_independent=True)
        told = [fault.sentence for fault in report.faults if fault.kind == "batch_dependent"]
        assert len(told) == 1
        row = {first_row_alone: "row 0 ", last_row_alone: "row 6 "}.get(change, "row ")
        assert told[0].startswith(row)


@pytest.mark.parametrize("name", ["Linear", "linear", "layer_norm"])
def test_a_layer_that_promises_it_may_be_named_in_any_spelling(name):
    report = check_backward(by_the_row(next_row), right, [np.random.default_rng(0).standard_normal((7, 4))], layer=name)
    assert report.layer == name  # it is not recognised
    assert [fault.kind for fault in report.faults] == ["batch_dependent"]


def test_rows_on_their_own_are_so_where_forward_does_not_go_far():
    def logs(x):
        if np.any(x <= 0):
            raise ValueError("expected x > 0")
        return np.log(x), x

    assert kinds(logs, lambda dy, x: (dy / x,), [np.abs(X)], batch_independent=True) == set()
    assert kinds(layernorm.forward, layernorm.backward, [x + 1e6 for x in layernorm.inputs(0)], batch_independent=True) == set()


# ---- precision ---------------------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_an_error_in_float32_is_seen_in_large_arrays():
    def off(dy, x):
        dx = np.cos(x) * dy
        if x.dtype == np.float32:
            dx[0, 0] *= np.float32(1 + 1e-4)
        return (dx,)

    x = np.full((1000, 300), 0.5, np.float32)
    assert kinds(lambda x: (np.sin(x), x), off, [x]) == {"imprecise"}


def test_a_zero_in_float16_is_seen_in_large_arrays():
    def zero(dy, x):
        dx = np.cos(x) * dy
        if x.dtype == np.float16:
            dx[7, 7] = 0
        return (dx,)

    x = np.random.default_rng(0).uniform(0.5, 1.0, (300, 300)).astype(np.float16)
    assert kinds(lambda x: (np.sin(x), x), zero, [x]) == {"imprecise"}


def test_many_numbers_added_one_by_one_are_no_mistake():
    """NumPy adds the rows of a column sum one to the other."""

    x = np.random.default_rng(0).standard_normal((200_000, 8)).astype(np.float32)
    problem = Problem(lambda b: (x + b, None), lambda dy, cache: (dy.sum(axis=0),), [x[0]], ["b"])
    rng = np.random.default_rng(2)
    measure = Measure(problem, problem.point, draw_cotangent(problem, Settings(), x.size, rng), rng)
    assert list(imprecise(problem, measure)) == []


@pytest.mark.long
def test_a_bias_that_batch_norm_takes_out_is_no_mistake():
    """Its gradient is 0, of terms as large as 1 / the standard deviation, and more rounding in float32 than in float64."""

    def forward(x, b):
        y = x + b
        rstd = 1 / np.sqrt(y.var(axis=0) + x.dtype.type(1e-12))
        x_hat = (y - y.mean(axis=0)) * rstd
        return x_hat, (x_hat, rstd)

    def backward(dy, cache):
        x_hat, rstd = cache
        dx = rstd * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))
        return dx, dx.sum(axis=0)

    for seed in range(10):
        rng = np.random.default_rng(seed)
        inputs = [1e-2 * rng.standard_normal((24, 16)), 0.1 * rng.standard_normal(16)]
        assert kinds(forward, backward, [a.astype(np.float32) for a in inputs]) == set()


# ---- what is right -----------------------------------------------------------------------------------------------------------


def test_ordinary_code_has_no_such_fault():
    def in_place(x):  # into its own array, and what it caches is its own
        x_hat = x - x.mean(axis=1, keepdims=True)
        y = x_hat.copy()
        np.multiply(y, 3, out=y)
        return y, x_hat

    def in_place_backward(dy, x_hat):
        dx = 3 * dy
        dx -= dx.mean(axis=1, keepdims=True)
        return (dx,)

    def uses_its_cache_up(dy, cache):
        x = cache.pop()
        return (2 * x * dy,)

    def batch_norm(x, gamma, params):
        mean, rstd = x.mean(axis=0), 1 / np.sqrt(x.var(axis=0) + 1e-5)
        params["mean"] = 0.9 * params["mean"] + 0.1 * mean
        return gamma * (x - mean) * rstd, (x, mean, rstd, gamma)

    def batch_norm_backward(dy, cache):
        x, mean, rstd, gamma = cache
        x_hat, g = (x - mean) * rstd, dy * gamma
        dx = rstd * (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0))
        return dx, (dy * x_hat).sum(axis=0)

    gamma = np.random.default_rng(2).uniform(0.5, 1.5, 6)
    for dtype in (np.float64, np.float32):
        x = X.astype(dtype)
        assert kinds(in_place, in_place_backward, [x]) == set()
        assert kinds(lambda x: (x * x, [x]), uses_its_cache_up, [x]) == set()
        params = {"mean": np.zeros(6, dtype)}
        assert kinds(batch_norm, batch_norm_backward, [x, gamma.astype(dtype), params]) == set()
        assert not np.any(params["mean"])


def test_a_sum_that_is_zero_but_for_rounding_is_linear_in_dout():
    """Of a backward of BatchNorm that adds the sum of x - mean(x), which is 1e-16 or so whatever dout is."""

    def added(size):
        return lambda dy, x: (2 * x * dy + size * np.sum(x - np.mean(x)),)

    assert kinds(square, added(1)) == set()
    assert kinds(square, added(1e6)) == {"not_linear"}
