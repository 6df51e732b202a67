"""The standard deviations that people divide by in the place of the right one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def other_rstds(symbols: dict) -> Iterator[tuple[str, str, str, str, np.ndarray]]:
    """(cause, kind, what it says, formula, values) of the standard deviations that people take."""
    var, eps, m, rstd = symbols["var"], symbols["eps"], symbols["m"], symbols["definitions"]["rstd"]
    if symbols.get("correction") is not None or symbols.get("fitted"):
        return  # forward's own is one of these already, or the variance is not known by itself
    with np.errstate(all="ignore"):
        if m > 1:
            says = "the variance is divided by m - 1; this layer normalises with the biased one, divided by m"
            formula = "1 / sqrt(var * m / (m - 1) + eps)"
            yield "unbiased", "unbiased_variance", says, formula, 1 / np.sqrt(var * (m / (m - 1)) + eps)
        if eps and np.all(var > 0):
            says = f"eps is added to the standard deviation; it stands inside the root, {rstd}"
            yield "eps outside", "eps_outside_root", says, "1 / (sqrt(var) + eps)", 1 / (np.sqrt(var) + eps)
            yield "eps", "eps_forgotten", f"eps is left out of {rstd}", "1 / sqrt(var)", 1 / np.sqrt(var)
