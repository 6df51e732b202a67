"""What an experiment is: a question, runs that give rows of numbers, and from these a picture, a table and a verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

Row = dict[str, Any]  # one line of an experiment's CSV: settings of the run, and what was measured
LANGUAGES = ("en", "zh")


class Text(NamedTuple):
    """A text in both languages of the report."""

    en: str
    zh: str


class Verdict(NamedTuple):
    """What an experiment found."""

    answer: Text  # a sentence with its figures and their spread
    agrees: str  # with the literature: "yes", "no" or "partly"
    literature: Text  # what the literature says, and where


class Experiment:
    """The base class. A subclass says what is measured; `running.py` runs it, `report.py` shows it.

    Attributes
    ----------
    key : str
        "E1" and so on.
    title, question, how : Text
        A few words; the question; what was done to answer it, and with which settings.
    full, quick : dict
        The settings of the whole experiment, and those that are others with ``--quick``.
    """

    key: str
    title: Text
    question: Text
    how: Text
    full: dict[str, Any]
    quick: dict[str, Any]

    def arms(self, s: dict[str, Any]) -> list[dict[str, Any]]:
        """The runs that are compared, each done with every seed: a dict of plain numbers and texts for each."""
        raise NotImplementedError

    def run(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        """Do one run; the rows need not repeat the arm and the seed. ``s["device"]`` is the device."""
        raise NotImplementedError

    def draw(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> Any:
        """The picture, a Matplotlib figure whose texts are ``say(Text(...))``."""
        raise NotImplementedError

    def table(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> list[list[str]]:
        """A table of the main figures; the first line has the names of its columns."""
        raise NotImplementedError

    def verdict(self, rows: list[Row], s: dict[str, Any]) -> Verdict:
        raise NotImplementedError

    def check(self, rows: list[Row], s: dict[str, Any]) -> None:
        """Assert the directions that hold with ``--quick`` too."""


# ---- from rows to figures --------------------------------------------------------------------------------------------


def values(rows: Iterable[Row], what: str, /, **where: Any) -> np.ndarray:
    """The numbers `what` of the rows that have these values, in the order of the rows (so by seed)."""
    return np.array([row[what] for row in rows if all(row.get(k) == v for k, v in where.items())], float)


class Spread(NamedTuple):
    """A mean over seeds, the standard deviation between them, and how many there are."""

    mean: float
    sd: float
    n: int

    def text(self, digits: int = 1, scale: float = 1.0, unit: str = "") -> str:
        """As in "97.8 ± 0.4 %": the mean and the standard deviation."""
        return f"{self.mean * scale:.{digits}f} ± {self.sd * scale:.{digits}f}{unit}"


def spread(x: Any) -> Spread:
    x = np.asarray(x, float)
    return Spread(float(x.mean()), float(x.std(ddof=1)) if x.size > 1 else 0.0, x.size)


class Difference(NamedTuple):
    """The mean of a - b over seeds, each seed's a with its own b, and its 95 % interval (Student's t)."""

    mean: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 or -1 where the interval excludes 0, else 0: the seeds do not tell which is larger."""
        return (self.low > 0) - (self.high < 0)

    def text(self, digits: int = 1, scale: float = 1.0, unit: str = "") -> str:
        low, high = sorted((self.low * scale, self.high * scale))
        if np.isinf(low):
            return f"{self.mean * scale:+.{digits}f}{unit} [one seed]"
        return f"{self.mean * scale:+.{digits}f}{unit} [{low:+.{digits}f}, {high:+.{digits}f}]"


def difference(a: Any, b: Any) -> Difference:
    """Of two runs with the same seeds in the same order."""
    from scipy.stats import t

    d = np.asarray(a, float) - np.asarray(b, float)
    if d.size < 2:
        return Difference(float(d.mean()), -np.inf, np.inf)
    middle, reach = float(d.mean()), float(t.ppf(0.975, d.size - 1) * d.std(ddof=1) / np.sqrt(d.size))
    return Difference(middle, middle - reach, middle + reach)
