"""The symbols of the derivations in a sentence: each explained where it is first used."""

from __future__ import annotations

import re


def named_axes(axes: tuple[int, ...]) -> str:
    """In words: "axis 0", "axes 0, 2"."""
    return f"ax{'i' if len(axes) == 1 else 'e'}s {', '.join(map(str, axes))}"


def explained(says: str, symbols: dict) -> str:
    """A sentence about a normalisation layer, with what its symbols are: ", with g = dy * gamma, rstd = ...".

    Where there is no gamma, or the user's own name for it is g, the symbol g is not needed, and is written out.
    """
    meaning = symbols["definitions"]
    if "g" not in meaning:
        gamma = meaning.get("gamma", "gamma = dy").removeprefix("gamma = ")
        says = re.sub(r"(?<![\w.])g(?!\w)", gamma if gamma == "dy" else f"dy * {gamma}", says)
        says = re.sub(r"(?<![\w.])gamma(?!\w)", gamma, says) if gamma != "dy" else says
    found: list[str] = []
    text = says.replace("x_hat term", "")
    for symbol in ("x_hat", "k", "rstd", "g", "gamma"):
        used = re.search(rf"(?<![\w.]){symbol}(?!\w)", text)
        if used and symbol in meaning and f"{symbol} = " not in text:
            found.insert(0, meaning[symbol])
            text += " " + meaning[symbol]
    return says + (f", with {', '.join(found)}" if found else "")
