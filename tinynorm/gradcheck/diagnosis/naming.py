"""Numbers as a person would write them: 2, 1/3, 8 (= N), 5/4 (= N/C)."""

from __future__ import annotations

import re
from fractions import Fraction

NAMED = 1e-6  # how close a number has to be to one with a name
NEAR_ONE = 1e-4  # a factor that nobody writes: rounding, or eps, is behind it
PLAIN = {1.0, 2.0, 3.0, 4.0, 0.5, 1 / 3, 0.25}


class Names:
    """What a factor may be: a plain number, or one made of the sizes at hand.

    Parameters
    ----------
    sizes : dict
        Symbol -> number, e.g. {"N": 8, "C": 5}.
    variance : str, optional
        The symbol of the number over which a variance is taken, so that m/(m - 1) has a reason to appear.
    """

    def __init__(self, sizes: dict[str, int], variance: str = "") -> None:
        found: dict[float, list[str]] = {}

        def add(value: float, text: str) -> None:
            found.setdefault(next((v for v in found if near(v, value)), value), []).append(text)

        for symbol, n in sizes.items():
            words = f"{n} is {symbol}" if " " in symbol else ""
            if n > 1:
                add(float(n), words or symbol)
                add(1 / n, words or f"1/{symbol}")
            for other, k in sizes.items():
                if n > 1 and k > 1 and n != k and not words and " " not in other:
                    add(n / k, f"{symbol}/{other}")
        m = sizes.get(variance, 0)
        if m > 2:
            add(m / (m - 1), f"{variance}/({variance} - 1)")
            add((m - 1) / m, f"({variance} - 1)/{variance}")
            add(float(m - 1), f"{variance} - 1")
            add(1 / (m - 1), f"1/({variance} - 1)")
        self.sizes, self.found = sizes, found

    def symbol(self, n: int) -> str:
        """ " (= N)", where one size and no other is n."""
        symbols = [symbol for symbol, size in self.sizes.items() if size == n]
        if len(symbols) != 1:
            return ""
        return f" ({n} is {symbols[0]})" if " " in symbols[0] else f" (= {symbols[0]})"

    def of(self, c: float) -> str | None:
        """The number and, where only one is possible, its reason; None for a number without any."""
        size = abs(c)
        if any(near(size, plain) for plain in PLAIN):
            return exactly(c)
        reasons = next((texts for value, texts in self.found.items() if near(size, value)), None)
        if reasons is None:
            return None
        if len(reasons) > 1:
            return exactly(c)
        reason = reasons[0]
        if " is " in reason:
            return f"{exactly(c)} ({reason})"
        return f"{exactly(c)} (= {reason})" if c > 0 else f"{exactly(c)} (= -{reason})"


def near(a: float, b: float) -> bool:
    return abs(a - b) <= NAMED * abs(b)


def exactly(c: float) -> str:
    """As an integer or a fraction where it is one, else with six digits."""
    short = f"{c:.2g}"
    fraction = Fraction(c).limit_denominator(64)
    is_fraction = bool(c) and near(float(fraction), c)
    if near(float(short), c) and not (is_fraction and (abs(fraction.numerator) == 1 or fraction.denominator == 1)):
        return short
    return str(fraction) if is_fraction else f"{c:.6g}"


def remedy(c: float, names: Names) -> str:
    """What undoes a factor."""
    if abs(c) > 1:
        return f"divide by {names.of(c) or exactly(c)}"
    return f"multiply by {names.of(1 / c) or exactly(1 / c)}"


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
