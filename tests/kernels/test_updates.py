"""The kernels of optimisers do what their formulas do, to the bit."""

import itertools

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.kernels import use

ADAM = [
    {"lr": lr, "betas": betas, "weight_decay": decay, "maximize": maximize}
    for lr, betas, decay, maximize in itertools.product([0.01], [(0.9, 0.999), (0.0, 0.5)], [0.0, 0.1], [False, True])
]
SGD = [
    {"lr": 0.1, "momentum": mu, "dampening": dampening, "weight_decay": decay, "nesterov": nesterov, "maximize": maximize}
    for mu, dampening, decay in itertools.product([0.0, 0.9], [0.0, 0.3], [0.0, 0.1])
    for nesterov, maximize in itertools.product([False, True], [False, True])
    if not nesterov or (mu and not dampening)
]
CASES = [(tn.optim.Adam, o) for o in ADAM] + [(tn.optim.AdamW, o) for o in ADAM] + [(tn.optim.SGD, o) for o in SGD]


def normal(rng, step, shape):
    return rng.normal(size=shape)


def trajectory(choice, optimizer, options, dtype, gradients):
    """The parameters and states after each step."""
    rng, found = np.random.default_rng(0), []
    params = [tn.tensor(rng.normal(size=s).astype(dtype), requires_grad=True) for s in ((40, 30), (7,), (3, 5))]
    with use(choice):
        o = optimizer(params, **options)
        for step in range(4):
            for p in params:
                p.grad = tn.tensor(gradients(rng, step, p.shape).astype(dtype))
            o.step()
            states = [t for p in params for t in o.state[p].values() if isinstance(t, tn.Tensor)]
            found.append([t.detach().numpy().copy() for t in (*params, *states)])
    return found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("optimizer", "options"), CASES)
def test_a_kernel_is_its_formula_to_the_bit(optimizer, options, dtype):
    both = [trajectory(choice, optimizer, options, dtype, normal) for choice in ("numba", "numpy")]
    for a, b in zip(*both, strict=True):
        assert [x.tobytes() for x in a] == [x.tobytes() for x in b]


@pytest.mark.parametrize(
    ("optimizer", "options"), [(tn.optim.Adam, {}), (tn.optim.AdamW, {"amsgrad": True}), (tn.optim.SGD, {"lr": 1})]
)
@pytest.mark.parametrize("value", [1e25, np.inf, np.nan, 0.0])
def test_large_and_special_gradients(optimizer, options, value):
    def gradients(rng, step, shape):
        g = rng.normal(size=shape)
        g.flat[1] = value if step == 1 else 1.0
        return g

    both = [trajectory(c, optimizer, options, "float32", gradients) for c in ("numba", "numpy")]
    for a, b in zip(*both, strict=True):
        assert all(np.array_equal(x, y, equal_nan=True) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("optimizer", [tn.optim.Adam, lambda p: tn.optim.SGD(p, 0.1, momentum=0.9)])
def test_averages_of_a_dead_gradient_become_zero(optimizer):
    """0.9 times the smallest number is rounded to itself: the formula keeps it for ever."""
    p = tn.zeros(600, requires_grad=True)
    with use("numba"):
        o = optimizer([p])
        for step in range(2000):
            p.grad = tn.full((600,), 1e-3 if step == 0 else 0.0)
            o.step()
    assert next(t for t in o.state[p].values() if t.shape).abs().max() == 0


def test_squares_of_small_gradients_add_up():
    """(1 - β₂) g² is smaller than a normal number, their average is none."""
    found = []
    for choice in ("numba", "numpy"):
        p = tn.zeros(600, requires_grad=True)
        with use(choice):
            o = tn.optim.Adam([p], eps=1e-30)
            for _ in range(100):
                p.grad = tn.full((600,), 3e-19)
                o.step()
        found.append(p.tolist())
    assert found[0] == found[1]


def test_a_momentum_that_rounds_to_zero_is_taken():
    p = tn.ones(600, requires_grad=True)
    p.grad = tn.ones(600)
    with use("numba"):
        tn.optim.SGD([p], 0.1, momentum=1e-46).step()
    assert (p == 1 - np.float32(0.1)).all()


def test_parameters_of_odd_layouts_go_by_the_formula():
    def trained(choice):
        base = tn.tensor(np.random.default_rng(0).normal(size=(40, 30)))
        params = [base.T.detach().requires_grad_(), tn.ones(50, 20, dtype=tn.float64, requires_grad=True)]
        with use(choice):
            o = tn.optim.Adam(params)
            for _ in range(3):
                for p in params:
                    p.grad = p.detach() * 2
                o.step()
        return [p.tolist() for p in params]

    assert trained("numba") == trained("numpy")


def test_kernels_are_asked_for(monkeypatch):
    from tinynorm.kernels import select

    asked = []

    def ask(name, *arrays):
        asked.append((name, len(arrays)))
        return select.family(name)

    monkeypatch.setattr("tinynorm.optim.in_place.kernels_for", ask)
    trajectory("numba", tn.optim.Adam, {}, "float32", normal)
    assert asked == [("updates", 4)]  # four steps alike


@pytest.mark.usefixtures("numba")
def test_the_choice_of_kernels_is_seen_between_steps(monkeypatch):
    from tinynorm.kernels import updates

    def one(*args):
        ran.append(args)
        return adam(*args)

    ran, adam = [], updates.adam
    monkeypatch.setattr(updates, "adam", one)
    p = tn.ones(600, requires_grad=True)
    p.grad = tn.ones(600)
    o = tn.optim.Adam([p])
    for choice, runs in (("numba", 1), ("numba", 2), ("numpy", 2), ("numba", 3)):
        with use(choice):
            o.step()
        assert len(ran) == runs


@pytest.mark.parametrize("optimizer", [tn.optim.Adam, tn.optim.AdamW, lambda p: tn.optim.SGD(p, 0.1, momentum=0.9)])
@pytest.mark.parametrize("row", [None, 0, 512])
def test_two_threads_do_what_the_formula_does(optimizer, row):
    """Half of a large parameter each. In one of the halves a square may overflow, at the second step."""

    def trained(choice):
        rng = np.random.default_rng(0)
        p = tn.tensor(rng.normal(size=(513, 512)).astype(np.float32), requires_grad=True)
        with use(choice):
            o, found = optimizer([p]), []
            for step in range(4):
                p.grad = tn.tensor(rng.normal(size=p.shape).astype(np.float32))
                if step == 1 and row is not None:
                    p.grad[row, 3] = 1e25
                o.step()
                found += [p.detach().numpy().copy(), *(t.numpy().copy() for t in o.state[p].values())]
        return found

    for a, b in zip(trained("numba"), trained("numpy"), strict=True):
        if row is None:
            assert a.tobytes() == b.tobytes()
        else:  # the formula goes on with roots in another part of the parameter, which round differently
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("n", [1000, 2**18])
@pytest.mark.parametrize("optimizer", [tn.optim.Adam, lambda p: tn.optim.SGD(p, 0.1, momentum=0.9)])
def test_parameters_that_share_memory_are_stepped_one_after_the_other(optimizer, n):
    """Small ones are not copied together, and no two threads work on large ones."""

    def trained(choice, together):
        rng = np.random.default_rng(0)
        a = tn.tensor(rng.normal(size=n).astype(np.float32), requires_grad=True)
        params = [a, a.detach()[1:].requires_grad_()]
        with use(choice):
            optimizers = [optimizer(params)] if together else [optimizer([p]) for p in params]
            for _ in range(10):
                for p in params:
                    p.grad = tn.tensor(rng.normal(size=p.shape).astype(np.float32))
                for o in optimizers:
                    o.step()
        return a.detach().numpy().tobytes()

    expected = trained("numpy", together=False)
    assert trained("numpy", together=True) == expected
    assert trained("numba", together=True) == expected


def test_a_state_of_another_dtype_goes_by_the_formula():
    """Somebody has put it there. A kernel would take its memory for numbers of the parameter's dtype."""

    def trained(choice):
        with use(choice):
            p, q = (tn.ones(n).requires_grad_() for n in (700, 600))
            o = tn.optim.Adam([p, q], lr=0.1)
            p.grad, q.grad = tn.ones(700), tn.ones(600)
            o.step()
            o.state[q]["exp_avg_sq"] = o.state[q]["exp_avg_sq"].to(tn.float64)
            o.step()
            o.step()
        return p.tolist(), q.tolist()

    assert trained("numba") == trained("numpy")
