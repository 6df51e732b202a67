"""Which of the things that people write make up a wrong dx: every combination of one option for each term is tried.

All options' inner products are taken once; from them the best coefficients of any combination, and what they leave, come out
without touching the arrays again. What leaves next to nothing is then fitted exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from ..hypotheses import WrongGradient
from .terms import Trait

SAMPLE = 4096  # elements in which combinations are compared
PROMISING = 1e-11  # of |G|², that a combination may leave before it is looked at
TRIED = 3000  # combinations that are fitted exactly


@dataclass(frozen=True)
class Option:
    """One term as it is (no trait), or with a trait; or not there at all."""

    term: int
    trait: Trait | None = None
    absent: bool = False


Combination = tuple[Option, ...]  # one for each term


class Search:
    """The options of each term, as vectors over a sample of the elements."""

    def __init__(self, suspect: WrongGradient, right: Sequence[np.ndarray], traits: Sequence[Trait]) -> None:
        n = suspect.G.size
        self.index = np.arange(n) if n <= SAMPLE else np.random.default_rng(0).choice(n, SAMPLE, replace=False)
        self.suspect = WrongGradient(suspect.name, self._at(suspect.G), self._at(suspect.R), suspect.names, suspect.constants)
        self.vectors: dict[Option, np.ndarray] = {}
        self.options: list[list[Option]] = [[], [], []]
        for k, value in enumerate(right):
            self._add(Option(k), self._at(value), None)
        for trait in traits:
            self._add(Option(trait.term, trait), self._at(trait.make()), self.vectors.get(Option(trait.term)))

    def _at(self, a: np.ndarray) -> np.ndarray:
        return np.asarray(a).ravel()[self.index]

    def _add(self, option: Option, v: np.ndarray, right: np.ndarray | None) -> None:
        """Keep an option, unless it is nothing, or at these inputs the same as what is right."""
        if not np.all(np.isfinite(v)) or not np.any(v):
            return
        if right is not None and np.max(np.abs(v - right)) <= 1e-13 * np.max(np.abs(right)):
            return
        self.vectors[option] = v
        self.options[option.term].append(option)

    def promising(self) -> Iterator[Combination]:
        """The combinations of which G may be made, with coefficients of 1 or any."""
        for there in product((True, False), repeat=3):
            terms = [k for k in range(3) if there[k] and self.options[k]]
            if any(there[k] and not self.options[k] for k in range(3)) or not terms:
                continue
            for chosen in self._fitting([self.options[k] for k in terms]):
                found = dict(zip(terms, chosen, strict=True))
                yield tuple(found.get(k, Option(k, absent=True)) for k in range(3))

    def _fitting(self, options: list[list[Option]]) -> list[Combination]:
        A = [np.stack([self.vectors[o] for o in some]) for some in options]
        scales = [np.sqrt(np.sum(a * a, axis=1)) for a in A]
        A = [a / s[:, None] for a, s in zip(A, scales, strict=True)]
        G, total = self.suspect.G, float(np.sum(self.suspect.G**2))
        index = np.stack([i.ravel() for i in np.meshgrid(*(np.arange(len(a)) for a in A), indexing="ij")], axis=1)
        d = len(A)
        b = np.stack([(A[k] @ G)[index[:, k]] for k in range(d)], axis=1)  # (combinations, d)
        gram = np.empty((len(index), d, d))
        for j, k in product(range(d), repeat=2):
            gram[:, j, k] = (A[j] @ A[k].T)[index[:, j], index[:, k]]
        ones = np.stack([scales[k][index[:, k]] for k in range(d)], axis=1)
        as_they_are = total - 2 * np.sum(b * ones, axis=1) + np.einsum("nj,njk,nk->n", ones, gram, ones)
        gram[np.abs(np.linalg.det(gram)) < 1e-9] = np.eye(d)  # of which no coefficients can be had
        c = np.linalg.solve(gram, b[:, :, None])[:, :, 0]
        weighted = total - 2 * np.sum(b * c, axis=1) + np.einsum("nj,njk,nk->n", c, gram, c)
        good = np.minimum(np.abs(as_they_are), np.abs(weighted)) <= PROMISING * total
        return [tuple(options[k][i] for k, i in enumerate(row)) for row in index[good]]

    def coefficients(self, combination: Combination) -> tuple[np.ndarray, float] | None:
        """(the coefficients, the share of the error left) with which a combination is G."""
        terms = [self.vectors[o] for o in combination if not o.absent]
        there = [o.term for o in combination if not o.absent]
        c = np.zeros(3)
        left = self.suspect.explained(np.sum(terms, axis=0))
        if left is not None:
            c[there] = 1.0
            return c, left
        fitted = self.suspect.fit(terms)
        if fitted is None:
            return None
        c[there] = fitted[0]
        return c, fitted[1]
