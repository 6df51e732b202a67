"""The second derivatives of LayerNorm where γ is 0, against finite differences."""

import numpy as np

import tinynorm as tn
from tinynorm import derivations
from tinynorm.autograd import grad
from tinynorm.derivations.machinery import checks


def test_the_lines_hold_where_gamma_is_0(monkeypatch):
    chapter = derivations.load("second_derivatives")
    monkeypatch.setitem(chapter.draw, "gamma", lambda rng, shape: np.zeros(shape))
    for line in chapter.lines:
        found = checks.measure(line)
        assert found.ok, found
    for sizes in checks.sizes_of(chapter):
        assert checks.three_forms(chapter, sizes) < checks.ROUNDING


def test_the_gradient_of_gamma_is_not_0_there():
    rng = np.random.default_rng(0)
    x, gamma = (tn.tensor(a, requires_grad=True) for a in (rng.normal(size=(3, 4)), np.zeros(4)))
    (h,) = grad(tn.nn.functional.layer_norm(x, 4, gamma), x, tn.tensor(rng.normal(size=(3, 4))), create_graph=True)
    (found,) = grad(h, gamma, tn.tensor(rng.normal(size=(3, 4))))
    assert np.all(np.abs(found.numpy()) > 1e-3)
