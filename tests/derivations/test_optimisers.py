"""The optimisers take the steps that their chapters say, several in a row."""

import numpy as np
import pytest

import tinynorm as tn
from tinynorm import derivations

STEPS = 5
GRADIENTS = np.random.default_rng(3).normal(size=(STEPS, 1))
START = np.array([0.7])


def taken(optimiser, p):
    """The parameter after each step, and the optimiser's state at the end."""
    points = []
    for g in GRADIENTS:
        p.grad = tn.tensor(g)
        optimiser.step()
        points.append(p.detach().numpy().copy())
    return points, optimiser.state[p]


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=0)


@pytest.mark.parametrize(("symbol", "more"), [("theta_D", {}), ("theta_M", {"momentum": 0.8}), ("theta_N", {"momentum": 0.8})])
def test_sgd(symbol, more):
    chapter = derivations.load("sgd")
    p = tn.tensor(START.copy(), requires_grad=True)
    optimiser = tn.optim.SGD([p], lr=0.07, weight_decay=0.013, nesterov=symbol == "theta_N", **more)
    points, _ = taken(optimiser, p)
    theta, b = START, np.zeros(1)
    for t, g in enumerate(GRADIENTS):
        values = chapter.run(chapter.values({"k": t + 1}) | {"theta": theta, "b": b, "g": g})
        theta, b = values[symbol], values["b_1"]
        close(points[t], theta)


def test_the_momentum_buffer_is_the_sum():
    chapter = derivations.load("sgd")
    p = tn.tensor(START.copy(), requires_grad=True)
    _, state = taken(tn.optim.SGD([p], lr=0.07, momentum=0.8), p)
    close(state["momentum_buffer"].numpy(), chapter.run(chapter.values({"k": STEPS}) | {"G": GRADIENTS[:, 0]})["B"])


@pytest.mark.parametrize(("symbol", "kind", "decay"), [("theta_T", "Adam", 0.0), ("theta_W", "AdamW", 0.017)])
def test_adam(symbol, kind, decay):
    chapter = derivations.load("adam")
    p = tn.tensor(START.copy(), requires_grad=True)
    optimiser = getattr(tn.optim, kind)([p], lr=0.03, betas=(0.8, 0.97), eps=1e-3, weight_decay=decay)
    points, _ = taken(optimiser, p)
    theta, m, v = START, np.zeros(1), np.zeros(1)
    for t, g in enumerate(GRADIENTS):
        values = chapter.run(chapter.values({"k": t + 1}) | {"theta": theta, "m": m, "v": v, "g": g})
        theta, m, v = values[symbol], values["m_T"], values["v_T"]
        close(points[t], theta)


def test_adams_average_is_the_sum():
    chapter = derivations.load("adam")
    p = tn.tensor(START.copy(), requires_grad=True)
    _, state = taken(tn.optim.Adam([p], betas=(0.8, 0.97)), p)
    close(state["exp_avg"].numpy(), chapter.run(chapter.values({"k": STEPS}) | {"G": GRADIENTS[:, 0]})["M"])


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_adams_first_step_has_the_length_of_the_learning_rate(scale):
    p = tn.tensor(START.copy(), requires_grad=True)
    p.grad = tn.tensor([-3.0 * scale], dtype="float64")
    tn.optim.Adam([p], lr=0.25, eps=0.0).step()
    close(p.detach().numpy(), START + 0.25)
