"""Two gradients that were handed back in each other's place."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from ..report.evidence import Evidence, Finding


def swapped(evidence: Evidence) -> Iterator[Finding]:
    """For each pair of wrong gradients of one shape that are each other's: told of both."""
    for i, j in combinations(evidence.wrong, 2):
        if np.size(evidence.inputs[i]) > 1 and _is(evidence, i, j) and _is(evidence, j, i):
            for one, other in ((i, j), (j, i)):
                a, b = f"d{evidence.names[one]}", f"d{evidence.names[other]}"
                says = f"{a}: it is {b}, and {b} is {a}: the two are swapped."
                yield Finding("swapped", evidence.names[one], says, b)


def _is(evidence: Evidence, i: int, j: int) -> bool:
    """Whether the gradient claimed for `i` is what was measured for `j`."""
    G, sample = evidence.analytic[i], evidence.numeric[j]
    if G is None or sample is None or G.shape != evidence.inputs[j].shape or sample.index.size < 2:
        return False
    typical = float(np.sqrt(np.mean(sample.value**2)))
    allowed = 10 * sample.error + 1e-7 * np.abs(sample.value) + 1e-9 * typical
    return bool(typical > 0 and np.all(np.abs(G.ravel()[sample.index] - sample.value) <= allowed))
