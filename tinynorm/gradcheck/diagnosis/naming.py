"""Numbers, axes and symbols as a person writes them: 2, 1/3, 8 (= N), 5/4 (= N/C), "axes 0, 2"."""

from __future__ import annotations

import re
from fractions import Fraction

# The largest relative difference between a measured factor and the number that it is called. A least-squares fit gives a factor
# with a relative error of about 1e-9. Two fractions that people write, as 1/8 and 1/7, differ by far more than 1e-6.
NAMED = 1e-6
# A factor closer to 1 than this is not reported as a factor: nobody writes 1.00005. It comes from rounding or from eps.
NEAR_ONE = 1e-4
PLAIN = {1.0, 2.0, 3.0, 4.0, 0.5, 1 / 3, 0.25}  # factors that people write without a reason in the sizes


class Names:
    """The names that a factor can have: a plain number, or an expression in the sizes of the arrays.

    Parameters
    ----------
    sizes : dict
        Symbol -> number, e.g. {"N": 8, "C": 5}. A symbol with a space in it is a phrase, e.g. "the number of rows".
    variance : str, optional
        The symbol of the number m over which a variance is taken. It gives a factor m/(m - 1) its name.
    """

    def __init__(self, sizes: dict[str, int], variance: str = "") -> None:
        self.sizes = sizes
        self.found: dict[float, list[str]] = {}  # factor -> all expressions that give it
        for symbol, n in sizes.items():
            phrase = f"{n} is {symbol}" if " " in symbol else ""
            if n > 1:
                self._add(float(n), phrase or symbol)
                self._add(1 / n, phrase or f"1/{symbol}")
            for other, k in sizes.items():
                if n > 1 and k > 1 and n != k and not phrase and " " not in other:
                    self._add(n / k, f"{symbol}/{other}")
        m = sizes.get(variance, 0)
        if m > 2:
            self._add(m / (m - 1), f"{variance}/({variance} - 1)")
            self._add((m - 1) / m, f"({variance} - 1)/{variance}")
            self._add(float(m - 1), f"{variance} - 1")
            self._add(1 / (m - 1), f"1/({variance} - 1)")
        for symbol, n in sizes.items():
            for value, root in ((n**0.5, f"√{n}"), (n**-0.5, f"1/√{n}")):
                if not any(near(value, known) for known in self.found):
                    self._add(value, f"{root}, and {n} is {symbol}")

    def _add(self, value: float, text: str) -> None:
        self.found.setdefault(next((v for v in self.found if near(v, value)), value), []).append(text)

    def symbol(self, n: int) -> str:
        """ " (= N)" if exactly one size is n, else ""."""
        symbols = [symbol for symbol, size in self.sizes.items() if size == n]
        if len(symbols) != 1:
            return ""
        return f" ({n} is {symbols[0]})" if " " in symbols[0] else f" (= {symbols[0]})"

    def of(self, c: float) -> str | None:
        """The number, with its expression if there is exactly one; None if it is neither plain nor an expression."""
        size = abs(c)
        if any(near(size, plain) for plain in PLAIN):
            return exactly(c)
        reasons = next((texts for value, texts in self.found.items() if near(size, value)), None)
        if reasons is None:
            return None
        if len(reasons) > 1:
            return exactly(c)
        if " is " in reasons[0]:
            return f"{exactly(c)} ({reasons[0]})"
        return f"{exactly(c)} (= {'' if c > 0 else '-'}{reasons[0]})"


def near(a: float, b: float) -> bool:
    return abs(a - b) <= NAMED * abs(b)


def exactly(c: float) -> str:
    """The number as an integer, a short decimal or a fraction if it is one, else with six digits."""
    short = f"{c:.2g}"
    fraction = Fraction(c).limit_denominator(64)
    is_fraction = bool(c) and near(float(fraction), c) and (fraction.denominator == 1 or abs(fraction.numerator) < 1000)
    if near(float(short), c) and not (is_fraction and (abs(fraction.numerator) == 1 or fraction.denominator == 1)):
        return short
    return str(fraction) if is_fraction else f"{c:.6g}"


def remedy(c: float, names: Names) -> str:
    """How to undo the factor c. What the number is, where that takes a phrase, has been said of c."""
    word, number = ("divide", c) if abs(c) > 1 else ("multiply", 1 / c)
    named = names.of(number) or exactly(number)
    return f"{word} by {exactly(number) if ' is ' in named else named}"


def named_axes(axes: tuple[int, ...]) -> str:
    """ "axis 0", "axes 0, 2"."""
    return f"ax{'i' if len(axes) == 1 else 'e'}s {', '.join(map(str, axes))}"


def explained(says: str, symbols: dict) -> str:
    """The sentence about a normalisation layer, with the definitions of its symbols: ", with g = dy * gamma, rstd = ...".

    If the layer has no gamma, or the user calls gamma "g", the symbol g has no definition. Then dy * gamma replaces it.
    """
    meaning = symbols["definitions"]
    if "g" not in meaning:
        gamma = meaning.get("gamma", "gamma = dy").removeprefix("gamma = ")
        says = re.sub(r"(?<![\w.])g(?!\w)", gamma if gamma == "dy" else f"dy * {gamma}", says)
        says = re.sub(r"(?<![\w.])gamma(?!\w)", gamma, says) if gamma != "dy" else says
    found: list[str] = []
    text = says.replace("x_hat term", "")
    for symbol in ("x_hat", "k", "rstd", "g", "gamma"):  # a definition may use the symbols after it
        used = re.search(rf"(?<![\w.]){symbol}(?!\w)", text)
        if used and symbol in meaning and f"{symbol} = " not in text:
            found.insert(0, meaning[symbol])
            text += " " + meaning[symbol]
    return says + (f", with {', '.join(found)}" if found else "")
