"""Distances, and the losses and activations of their kind: near points, many points, float16, random classes, and errors."""

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.nn import functional as F
from tinynorm.ops import distance


def test_cdist_in_pieces_is_cdist_at_once(monkeypatch, anywhere):
    rng = np.random.default_rng(0)
    x, y = (tn.tensor(rng.standard_normal((2, n, 3)), device=anywhere, requires_grad=True) for n in (7, 5))
    results = []
    for elements in (2**24, 3 * 2 * 5 * 3, 1):
        monkeypatch.setattr(distance, "ELEMENTS", elements)
        d = tn.cdist(x, y)
        assert d.grad_fn.op_name == ("Norm" if elements == 2**24 else "Cat")
        results.append([t.detach().cpu().numpy() for t in (d, *tn.autograd.grad((d * d * d).sum(), [x, y]))])
    for pieces in results[1:]:
        for a, b in zip(results[0], pieces, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13)


def test_cdist_keeps_the_digits_of_near_points_that_are_far_away():
    x = tn.tensor([[10000.0, 10000.0], [10000.25, 10000.0]])
    assert tn.cdist(x, x).tolist() == [[0.0, 0.25], [0.25, 0.0]]


@pytest.mark.parametrize("shape", [(0, 3), (4, 3)])
def test_cdist_of_no_rows(shape):
    assert tn.cdist(tn.ones(*shape), tn.ones(0, 3)).shape == (shape[0], 0)
    assert tn.cdist(tn.ones(0, 3), tn.ones(*shape)).shape == (0, shape[0])


def test_large_vectors_have_an_angle():
    x, y = tn.tensor([[3e30, 4e30]]), tn.tensor([[1e-20, 0.0]])
    np.testing.assert_allclose(F.cosine_similarity(x, y, eps=1e-30).tolist(), [0.6], rtol=1e-6)


PAIRS = {
    "cosine_similarity": lambda x, y: F.cosine_similarity(x, y),
    "pairwise_distance": lambda x, y: F.pairwise_distance(x, y),
    "cdist": tn.cdist,
    "triplet_margin_loss": lambda x, y: F.triplet_margin_loss(x, y, y * 2, reduction="none"),
    "cosine_embedding_loss": lambda x, y: F.cosine_embedding_loss(x, y, tn.ones(3), reduction="none"),
    "margin_ranking_loss": lambda x, y: F.margin_ranking_loss(x, y, tn.ones_like(x), reduction="none"),
    "hinge_embedding_loss": lambda x, y: F.hinge_embedding_loss(x, -tn.ones_like(x), 0.1, reduction="sum"),
    "soft_margin_loss": lambda x, y: F.soft_margin_loss(x, y),
    "poisson_nll_loss": lambda x, y: F.poisson_nll_loss(x * 0.2, y, full=True),
    "gaussian_nll_loss": lambda x, y: F.gaussian_nll_loss(x, y, (y * y).detach() + 0.001),
    "multilabel_soft_margin_loss": lambda x, y: F.multilabel_soft_margin_loss(x, y),
    "mish": lambda x, y: F.mish(x),
    "selu": lambda x, y: F.selu(x),
    "hardswish": lambda x, y: F.hardswish(x),
    "glu": lambda x, y: F.glu(x),
    "tanhshrink": lambda x, y: F.tanhshrink(x),
    "prelu": lambda x, y: F.prelu(x, y[0, :1]),
}


@pytest.mark.parametrize("name", PAIRS)
def test_float16_is_computed_in_float32(name):
    """It is float32's result, rounded: also where sums and squares have no room in float16."""
    rng = np.random.default_rng(1)
    x, y = ((3 * rng.standard_normal((3, 300))).astype(np.float16) for _ in range(2))
    results = []
    for dtype in ("float16", "float32"):
        a, b = (tn.tensor(t, dtype=dtype, requires_grad=True) for t in (x, y))
        z = PAIRS[name](a, b)
        assert z.dtype == getattr(tn, dtype)
        da, db = tn.autograd.grad(z.sum(), [a, b], allow_unused=True)
        results.append([z.detach().float().numpy(), da.float().numpy(), np.zeros(1) if db is None else db.float().numpy()])
    for half, single in zip(*results, strict=True):
        np.testing.assert_allclose(half, single, rtol=2e-3, atol=2e-3 * np.abs(single).max())


def test_gumbel_softmax_draws_classes_with_their_probabilities(anywhere):
    tn.manual_seed(0)
    p = tn.tensor([0.5, 0.3, 0.2], device=anywhere)
    drawn = F.gumbel_softmax(p.log().expand(20000, 3), tau=0.5, hard=True)
    assert set(drawn.unique().tolist()) == {0.0, 1.0}
    assert (drawn.sum(1) == 1).all()
    np.testing.assert_allclose(drawn.mean(0).tolist(), p.tolist(), atol=0.015)


def test_hard_gumbel_softmax_has_the_gradient_of_the_soft_one():
    x, w = tn.randn(4, 3, 2, requires_grad=True), tn.randn(4, 3, 2)
    results = []
    for hard in (False, True):
        tn.manual_seed(3)
        y = F.gumbel_softmax(x, 0.7, hard, dim=1)
        results.append((y, tn.autograd.grad((w * y).sum(), x)[0]))
    (soft, d_soft), (hard, d_hard) = results
    assert d_soft.tolist() == d_hard.tolist()
    assert (hard.argmax(1) == soft.argmax(1)).all()


def test_prelu_selects():
    """A weight that is infinite or NaN changes nothing where x > 0."""
    x, w = tn.tensor([[2.0, 3.0]], requires_grad=True), tn.tensor([np.inf, np.nan], requires_grad=True)
    y = F.prelu(x, w)
    y.sum().backward()
    assert (y.tolist(), x.grad.tolist(), w.grad.tolist()) == ([[2.0, 3.0]], [[1.0, 1.0]], [0.0, 0.0])


X, Y = tn.ones(4, 3), tn.ones(4, 2)
ERRORS = [
    (lambda: F.cosine_similarity(X, Y), RuntimeError, r"cosine_similarity: the shapes \(4, 3\) and \(4, 2\) do not broadcast"),
    (lambda: F.cosine_similarity(X, X, dim=2), IndexError, "cosine_similarity: dim 2 is out of range"),
    (lambda: tn.cdist(X, Y), RuntimeError, r"cdist: expected x1 \(\*, P, M\) and x2 \(\*, R, M\), got \(4, 3\) and \(4, 2\)"),
    (lambda: F.bilinear(X, Y, tn.ones(2, 3, 3)), RuntimeError, r"expected input1 .*, got \(4, 3\), \(4, 2\), \(2, 3, 3\)"),
    (lambda: F.triplet_margin_loss(X, X, X[0]), RuntimeError, r"expected tensors of one number of dim.*negative \(3,\)"),
    (lambda: F.triplet_margin_loss(X, X, X, margin=0), ValueError, "triplet_margin_loss: expected margin > 0, got 0"),
    (lambda: F.cosine_embedding_loss(X, X, X), RuntimeError, r"expected inputs \(N, D\) and a target \(N\)"),
    (lambda: F.margin_ranking_loss(X, X, X[0]), RuntimeError, r"margin_ranking_loss: expected .* target \(3,\)"),
    (lambda: F.hinge_embedding_loss(X, X[0]), RuntimeError, "hinge_embedding_loss: expected input and target of one shape"),
    (lambda: F.gaussian_nll_loss(X, X, -X), ValueError, "gaussian_nll_loss: expected variances, which are not negative"),
    (lambda: F.gaussian_nll_loss(X, X, Y), RuntimeError, r"expected var of the input's shape \(4, 3\), .* got \(4, 2\)"),
    (lambda: F.soft_margin_loss(X, X, reduction="avg"), ValueError, "expected reduction to be one of 'mean', 'sum', 'none'"),
    (lambda: F.prelu(X, tn.ones(2)), RuntimeError, r"expected 1 weight, or C=3 as the input \(N, C, \*\) has, got \(2,\)"),
    (lambda: F.hardtanh(X, 1.0, 0.0), ValueError, "hardtanh: expected min_val <= max_val, got 1.0 and 0.0"),
    (lambda: F.glu(X), RuntimeError, r"glu: expected an even size along dim -1, got an input of shape \(4, 3\)"),
]


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS)
def test_errors_say_what_was_expected(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_gaussian_nll_loss_of_an_infinite_and_of_no_variance():
    x, v = tn.tensor([6.0, 0.1], requires_grad=True), tn.tensor([np.inf, 0.0], requires_grad=True)
    F.gaussian_nll_loss(x, tn.zeros(2), v, eps=0.5, reduction="sum").backward()
    np.testing.assert_allclose(x.grad.tolist(), [0.0, 0.2], rtol=1e-6)  # x / 0.5: no variance counts as eps
    np.testing.assert_allclose(v.grad.tolist(), [0.0, 0.98], rtol=1e-6)  # (1 / 0.5 - 0.1² / 0.5²) / 2


def test_gaussian_nll_loss_takes_a_number_as_variance():
    assert F.gaussian_nll_loss(X, 2 * X, 0.5).item() == F.gaussian_nll_loss(X, 2 * X, 0.5 * X).item()
