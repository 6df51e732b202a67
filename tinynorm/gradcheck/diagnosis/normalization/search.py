"""Which variants of the three terms make up a wrong dx? Every combination of one variant for each term is tried.

There are 10,000 to 100,000 of them. The inner products of the variants with each other and with dx are computed once. From them
follow the least-squares coefficients of every combination and its residual, without the arrays. Only a combination with a
tiny residual is fitted to the arrays themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...report.evidence import Recognised
from ..hypotheses import Candidate, WrongGradient
from .terms import TERMS, Terms, Variant
from .wording import Clause, Combination, Wording

# The number of elements in which the variants are compared. It bounds the memory: some 100 vectors of this length. Half of it
# would do for most mistakes, but may miss one that shows in fewer than 1 in 1000 elements.
SAMPLE = 4096
# The largest squared residual of a combination that is fitted to the arrays, relative to |dx|². It allows dx a relative error
# of 3e-6 from rounding. The inner products have a rounding error of 1e-15, far below it.
PROMISING = 1e-11
# The largest number of combinations that are fitted. It bounds the time, to some 0.2 s, where thousands have a tiny residual:
# in a single row rstd is one number, and all its powers fit. Explanations with few mistakes come first, usually among the first
# 600.
TRIED = 1500


def explanations(
    wrong: WrongGradient, terms: Terms, recognised: Recognised, words: Wording, about_gamma: Clause | None
) -> list[Candidate]:
    """The explanations of a wrong dx by combinations of variants; `about_gamma` is a mistake that all variants share."""
    search = Search(wrong, terms.variants(recognised))
    by_cost = sorted(((words.assumptions(found), found) for found in search.promising()), key=lambda pair: pair[0])
    candidates: list[Candidate] = []
    for assumptions, found in by_cost[:TRIED]:
        cost = assumptions + (about_gamma is not None)
        if any(c.cost < cost and c.left < 1e-9 for c in candidates):
            break  # `WrongGradient.finding` would prefer the cheaper one, which leaves rounding errors only
        fit = search.fit(found)
        candidate = words.candidate(found, *fit, about_gamma) if fit else None
        if fit and candidate:
            in_all_elements = np.sum([fit[0][v.term] * v.value() for v in found if v], axis=0)
            candidates += [candidate] if wrong.explained(in_all_elements) is not None else []
    return candidates


class Search:
    """The variants of each term, as vectors of the elements in a sample."""

    def __init__(self, wrong: WrongGradient, variants: Iterator[Variant]) -> None:
        n = wrong.G.size
        self.index = np.arange(n) if n <= SAMPLE else np.random.default_rng(0).choice(n, SAMPLE, replace=False)
        self.wrong = WrongGradient(wrong.name, self._at(wrong.G), self._at(wrong.R), wrong.names, wrong.constants)
        self.vectors: tuple[dict[Variant, np.ndarray], ...] = ({}, {}, {})  # of each term
        right: dict[int, np.ndarray] = {}
        for variant in variants:
            v, k = self._at(variant.value()), variant.term
            if not np.all(np.isfinite(v)) or not np.any(v):
                continue
            if not variant.cause:
                right[k] = v
            elif k in right and np.max(np.abs(v - right[k])) <= 1e-13 * np.max(np.abs(right[k])):
                continue  # at these inputs the mistake makes no difference
            self.vectors[k][variant] = v

    def _at(self, a: np.ndarray) -> np.ndarray:
        return np.asarray(a).ravel()[self.index]

    def promising(self) -> Iterator[Combination]:
        """The combinations with a tiny residual, with the best coefficients or with coefficients of 1."""
        variants: list[list[Variant | None]] = [[*of_term, None] for of_term in self.vectors]
        absent = np.zeros_like(self.wrong.G)
        rows = self._small_residuals([np.stack([*of_term.values(), absent]) for of_term in self.vectors])
        found = [tuple(variants[k][i] for k, i in zip(TERMS, row, strict=True)) for row in rows]
        yield from sorted(filter(any, found), key=lambda combination: [v is None for v in combination])

    def _small_residuals(self, A: list[np.ndarray]) -> np.ndarray:
        """The combinations, one row of each matrix in A, that are G up to a tiny residual: (combinations, 3) indices."""
        G = self.wrong.G
        total, norms = float(np.sum(G**2)), [np.sqrt(np.sum(a * a, axis=1)) for a in A]
        A = [a / np.where(s > 0, s, 1.0)[:, None] for a, s in zip(A, norms, strict=True)]

        def lifted(a: np.ndarray, *axes: int) -> np.ndarray:
            return np.expand_dims(a, tuple(k for k in TERMS if k not in axes))

        b = [lifted(A[k] @ G, k) for k in TERMS]  # inner products with G
        x, y, z = (lifted(A[j] @ A[k].T, j, k) for j, k in ((0, 1), (0, 2), (1, 2)))  # and with each other

        def residual(c: list[np.ndarray]) -> np.ndarray:
            """|G - Σ c_k A_k|²."""
            squares = sum(c_k * (c_k - 2 * b_k) for c_k, b_k in zip(c, b, strict=True))
            return np.abs(total + squares + 2 * (c[0] * c[1] * x + c[0] * c[2] * y + c[1] * c[2] * z))

        det = 1 + 2 * x * y * z - x * x - y * y - z * z
        det = np.where(np.abs(det) < 1e-9, np.nan, det)  # linearly dependent: no unique coefficients
        inverse = ((1 - z * z, y * z - x, x * z - y), (y * z - x, 1 - y * y, x * y - z), (x * z - y, x * y - z, 1 - x * x))
        best = [sum(m * b_k for m, b_k in zip(row, b, strict=True)) / det for row in inverse]
        ones = [lifted(norms[k], k) for k in TERMS]
        return np.argwhere(np.fmin(residual(ones), residual(best)) <= PROMISING * total)

    def fit(self, found: Combination) -> tuple[np.ndarray, float] | None:
        """(coefficients, share of the error left) of the combination; None if it is not G."""
        vectors = [self.vectors[v.term][v] for v in found if v]
        as_they_are = self.wrong.explained(np.sum(vectors, axis=0))
        fitted = self.wrong.fit(vectors) if as_they_are is None else (np.ones(len(vectors)), as_they_are)
        if fitted is None:
            return None
        c = np.zeros(3)
        c[[v.term for v in found if v]], left = fitted
        return c, left
