"""The second derivatives of LayerNorm where γ is 0, against finite differences."""

import numpy as np
import pytest
from helpers import some

import tinynorm as tn
from tinynorm import derivations
from tinynorm.autograd import grad
from tinynorm.derivations.machinery import checks

CHAPTER = derivations.load("second_derivatives")


@pytest.fixture
def gamma_is_0(monkeypatch):
    monkeypatch.setitem(CHAPTER.draw, "gamma", lambda rng, shape: np.zeros(shape))


@pytest.mark.parametrize("line", some(CHAPTER.lines, 3), ids=lambda line: line.number)
def test_a_line_holds_where_gamma_is_0(line, gamma_is_0):
    found = checks.measure(line)
    assert found.ok, found


def test_the_three_forms_agree_where_gamma_is_0(gamma_is_0):
    for sizes in checks.sizes_of(CHAPTER):
        assert checks.three_forms(CHAPTER, sizes) < checks.ROUNDING


def test_the_gradient_of_gamma_is_not_0_there():
    rng = np.random.default_rng(0)
    x, gamma = (tn.tensor(a, requires_grad=True) for a in (rng.normal(size=(3, 4)), np.zeros(4)))
    (h,) = grad(tn.nn.functional.layer_norm(x, 4, gamma), x, tn.tensor(rng.normal(size=(3, 4))), create_graph=True)
    (found,) = grad(h, gamma, tn.tensor(rng.normal(size=(3, 4))))
    assert np.all(np.abs(found.numpy()) > 1e-3)
