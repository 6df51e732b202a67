"""What several tests share: finite differences, first and second, and a look at the dtypes inside."""

import os
import sys
from contextlib import contextmanager

import numpy as np
import pytest

import tinynorm
from tinynorm import Tensor

NO_CUDA = None if tinynorm.cuda.is_available() else f"no CUDA device: {tinynorm.cuda.why_not()}"
CUDA = [] if NO_CUDA and os.environ.get("TINYNORM_REQUIRE_CUDA") != "1" else ["cuda"]  # a device that tests are to run on


def skip_without_cuda():
    if NO_CUDA:
        (pytest.fail if CUDA else pytest.skip)(NO_CUDA)


def examples(few, many):
    """Runs a test with `few` examples with each commit, and with `many` among the long tests (`pytest -m long`)."""
    return pytest.mark.parametrize("examples", [few, pytest.param(many, marks=pytest.mark.long)])


def some(cases, every):
    """The cases of a test: one in `every` with each commit, the others among the long tests."""
    return [pytest.param(case, marks=[] if k % every == 0 else pytest.mark.long) for k, case in enumerate(cases)]


def step_of(model):
    """A training step: SGD on the sum of the squares of what the model gives."""
    optimizer = tinynorm.optim.SGD(model.parameters(), 0.1)

    def step(x):
        optimizer.zero_grad()
        loss = model(x).square().sum()
        loss.backward()
        optimizer.step()
        return loss

    return step


def difference_quotients(f, arrays, wanted, h):
    """The gradients of the number f(*arrays) by five-point central differences, an entry at a time; in float64."""
    found = []
    for which in wanted:
        x = arrays[which]
        slope = np.zeros_like(x)
        for i in np.ndindex(x.shape):
            step = h * max(1.0, abs(x[i]))

            def moved(k, which=which, x=x, i=i, step=step):
                y = x.copy()
                y[i] += k * step
                return f(*[y if j == which else a for j, a in enumerate(arrays)])

            slope[i] = (8 * (moved(1) - moved(-1)) - (moved(2) - moved(-2))) / (12 * step)
        found.append(slope)
    return found


def tensors(arrays, wanted):
    return [tinynorm.tensor(a, requires_grad=i in wanted) for i, a in enumerate(arrays)]


def floating(arrays):
    return [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]


def outputs_of(y):
    ys = y if isinstance(y, tuple | list) else (y,)
    return [t for t in ys if t.is_floating_point()]


def assert_close(found, expected, rtol, what):
    """Equal but for `rtol` of the largest entry (an entry that cancels to 0 has no relative error of its own)."""
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * scale, err_msg=what)


def cotangents(ys, seed=1):
    """Fixed random directions, of both signs."""
    rng = np.random.default_rng(seed)
    return [tinynorm.tensor(rng.choice([-1.0, 1.0], t.shape) * rng.uniform(0.5, 1.5, t.shape), dtype="float64") for t in ys]


def check_first(op, arrays, rtol=1e-6, h=1e-3):
    """The gradient that `op` gives is the finite differences' one, for a random cotangent."""
    wanted = floating(arrays)
    ys = outputs_of(op(*tensors(arrays, ())))
    directions = cotangents(ys)

    def number(*a):
        return float(sum(np.sum(y.array * v.array) for y, v in zip(outputs_of(op(*tensors(a, ()))), directions, strict=True)))

    xs = tensors(arrays, wanted)
    got = tinynorm.autograd.grad(outputs_of(op(*xs)), [xs[i] for i in wanted], directions, allow_unused=True)
    for i, g, expected in zip(wanted, got, difference_quotients(number, arrays, wanted, h), strict=True):
        assert_close(0.0 * arrays[i] if g is None else g.array, expected, rtol, f"first derivative, input {i}")


def check_second(op, arrays, rtol=1e-6, h=1e-3):
    """The derivative of the gradient (through create_graph) is the finite differences of the gradient."""
    wanted = floating(arrays)

    def gradients(a, create_graph):
        xs = tensors(a, wanted)
        ys = outputs_of(op(*xs))
        targets = [xs[i] for i in wanted]
        gs = tinynorm.autograd.grad(ys, targets, cotangents(ys), create_graph=create_graph, allow_unused=True)
        return targets, [g for g in gs if g is not None]

    def number(*a):
        _, gs = gradients(a, False)
        return float(sum(np.sum(g.array * w.array) for g, w in zip(gs, cotangents(gs, 2), strict=True)))

    targets, gs = gradients(arrays, True)
    live = [(g, w) for g, w in zip(gs, cotangents(gs, 2), strict=True) if g.requires_grad]
    second: list[Tensor | None] = [None] * len(targets)
    if live:
        second = list(tinynorm.autograd.grad([g for g, _ in live], targets, [w for _, w in live], allow_unused=True))
    for i, s, expected in zip(wanted, second, difference_quotients(number, arrays, wanted, h), strict=True):
        assert_close(0.0 * arrays[i] if s is None else s.array, expected, rtol, f"second derivative, input {i}")


@contextmanager
def floats_made():
    """Collects (function, variable, dtype) of each NumPy float that tinynorm's functions hold or return in the meantime.

    It looks into each function as it returns, so an intermediate counts too that is narrowed again before anybody sees it.
    """
    package, seen = os.path.dirname(tinynorm.__file__), set()

    def note(frame, event, result):
        if event != "return" or not frame.f_code.co_filename.startswith(package):
            return
        for name, value in [*frame.f_locals.items(), ("its result", result)]:
            for x in value if isinstance(value, tuple | list) else (value,):
                x = x.array if isinstance(x, Tensor) else x
                if isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "f":
                    seen.add((frame.f_code.co_qualname, name, str(x.dtype)))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield seen
    finally:
        sys.setprofile(before)


def floats_made_on(stand_in, monkeypatch):
    """The dtypes, as they come to be, of all floats that the stand-in for CuPy makes: temporaries too, which nobody holds."""
    made, init = set(), stand_in.ndarray.__init__

    def noting(self, numbers):
        init(self, numbers)
        if self.dtype.kind == "f":
            made.add(str(self.dtype))

    monkeypatch.setattr(stand_in.ndarray, "__init__", noting)
    return made
