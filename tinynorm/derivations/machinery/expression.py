"""An equation's right-hand side as a tree. It is made by running the equation's own code on symbols instead of numbers.

Each dimension of an array has an index letter: x (N, D) has the letters "n" and "d". A dimension of length 1, which broadcasts,
has the letter "". So the mean of x over the batch has the letters "" and "d".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Letters = tuple[str, ...]


class Expression:
    """An array of symbols. Python's operators make larger trees of it, as they make larger arrays of NumPy's arrays."""

    letters: Letters

    def __bool__(self) -> bool:
        raise TypeError("a formula cannot decide by the value of a symbol: write keep_where(condition, x)")

    def __eq__(self, other: Any) -> Any:
        raise TypeError("a formula cannot compare with == or !=, which trees have not: write a <= b and b <= a with keep_where")

    __ne__ = __eq__
    __hash__ = object.__hash__

    def __add__(self, other: Any) -> Expression:
        return Binary("+", self, of(other))

    def __radd__(self, other: Any) -> Expression:
        return Binary("+", of(other), self)

    def __sub__(self, other: Any) -> Expression:
        return Binary("-", self, of(other))

    def __rsub__(self, other: Any) -> Expression:
        return Binary("-", of(other), self)

    def __mul__(self, other: Any) -> Expression:
        return Binary("*", self, of(other))

    def __rmul__(self, other: Any) -> Expression:
        return Binary("*", of(other), self)

    def __truediv__(self, other: Any) -> Expression:
        return Binary("/", self, of(other))

    def __rtruediv__(self, other: Any) -> Expression:
        return Binary("/", of(other), self)

    def __pow__(self, other: Any) -> Expression:
        return Binary("**", self, of(other))

    def __rpow__(self, other: Any) -> Expression:
        return Binary("**", of(other), self)

    def __neg__(self) -> Expression:
        return Function("-", self)

    def __gt__(self, other: Any) -> Expression:
        return Binary(">", self, of(other))

    def __ge__(self, other: Any) -> Expression:
        return Binary(">=", self, of(other))

    def __lt__(self, other: Any) -> Expression:
        return Binary("<", self, of(other))

    def __le__(self, other: Any) -> Expression:
        return Binary("<=", self, of(other))

    def __invert__(self) -> Expression:
        return Function("~", self)

    def __matmul__(self, other: Expression) -> Expression:
        return Product(self, other)

    @property
    def T(self) -> Expression:
        if len(self.letters) != 2:
            raise ValueError(f"T: expected a matrix, got the letters {self.letters}; write mT")
        return Transposed(self)

    @property
    def mT(self) -> Expression:
        return Transposed(self)

    @property
    def shape(self) -> Letters:
        """What stands for the shape in `broadcast_to`."""
        return self.letters

    def __getitem__(self, key: Any) -> Expression:
        return View(self, key if isinstance(key, tuple) else (key,))

    __iter__ = None  # `__getitem__` alone would make it iterable


@dataclass(eq=False)
class Symbol(Expression):
    """A named array; a named number if it has no letters."""

    name: str
    letters: Letters = ()


@dataclass(eq=False)
class Number(Expression):
    value: int | float
    letters: Letters = ()


@dataclass(eq=False)
class Function(Expression):
    """A function of each element: sqrt, exp, log, a minus sign, or ~, the opposite of a condition."""

    name: str
    a: Expression

    @property
    def letters(self) -> Letters:  # type: ignore[override]
        return self.a.letters


@dataclass(eq=False)
class Binary(Expression):
    """An operator between two arrays, which broadcast."""

    operator: str
    a: Expression
    b: Expression

    def __post_init__(self) -> None:
        self.letters = broadcast(self.a.letters, self.b.letters)


@dataclass(eq=False)
class Keep(Expression):
    """`a` where the condition holds, else 0."""

    condition: Expression
    a: Expression

    def __post_init__(self) -> None:
        self.letters = broadcast(self.condition.letters, self.a.letters)


@dataclass(eq=False)
class Sum(Expression):
    """The sum, or the mean, over some dimensions, which stay with length 1."""

    a: Expression
    axes: tuple[int, ...]
    mean: bool = False

    def __post_init__(self) -> None:
        if not set(self.axes) <= set(range(len(self.a.letters))):
            raise ValueError(f"expected axes from 0 to {len(self.a.letters) - 1}, got {self.axes}")
        self.letters = tuple("" if i in self.axes else letter for i, letter in enumerate(self.a.letters))

    @property
    def over(self) -> Letters:
        """The letters of the dimensions that are summed."""
        return tuple(self.a.letters[i] for i in self.axes if self.a.letters[i])


@dataclass(eq=False)
class Transposed(Expression):
    a: Expression

    def __post_init__(self) -> None:
        *rest, i, j = self.a.letters
        self.letters = (*rest, j, i)


@dataclass(eq=False)
class View(Expression):
    """An array with dimensions of length 1 put in or taken away: x[:, None] and x[:, 0]."""

    a: Expression
    key: tuple

    def __post_init__(self) -> None:
        letters, found = list(self.a.letters), []
        for k in self.key:
            letter = "" if k is None else letters.pop(0)
            if not (k is None or k == slice(None) or (k == 0 and k is not False and not letter)):
                raise ValueError(f"expected None, : or (in a dimension of length 1) the index 0, got {k} in '{letter}'")
            found += [letter] if k is None or k == slice(None) else []
        self.letters = (*found, *letters)


@dataclass(eq=False)
class Broadcast(Expression):
    """An array repeated along its dimensions of length 1."""

    a: Expression
    letters: Letters


@dataclass(eq=False)
class Product(Expression):
    """The matrix product a @ b of two matrices: the sum over the letter they share."""

    a: Expression
    b: Expression

    def __post_init__(self) -> None:
        (i, k), (k2, j) = self.a.letters, self.b.letters
        if k != k2:
            raise ValueError(f"matmul: expected a (i, k) and b (k, j), got the letters {self.a.letters} and {self.b.letters}")
        if i and i == j:
            raise ValueError(f"matmul: expected two different letters, got a product with the letters {i}, {j}")
        self.letters = (i, j)
        self.over = (k,) if k else ()  # a length of 1: nothing to add up


def of(x: Any) -> Expression:
    """An Expression for `x`, which may be a number."""
    return x if isinstance(x, Expression) else Number(x)


def broadcast(a: Letters, b: Letters) -> Letters:
    """The letters of an array that two arrays broadcast to, as NumPy does it: from the last dimension.

    >>> broadcast(("n", "d"), ("", "d"))
    ('n', 'd')
    """
    n = max(len(a), len(b))
    a, b = ("",) * (n - len(a)) + a, ("",) * (n - len(b)) + b
    for i, j in zip(a, b, strict=True):
        if i and j and i != j:
            raise ValueError(f"the dimensions {i} and {j} do not broadcast: {a} and {b}")
    letters = tuple(i or j for i, j in zip(a, b, strict=True))
    if len(set(filter(None, letters))) < len([*filter(None, letters)]):
        raise ValueError(f"a letter stands for two dimensions of {letters}: a column beside a row of one index")
    return letters


# ---- the functions that an equation may use, on symbols --------------------------------------------------------------


def sum_over(x: Expression, axes: Sequence[int]) -> Expression:
    return Sum(x, tuple(axes))


def mean_over(x: Expression, axes: Sequence[int]) -> Expression:
    return Sum(x, tuple(axes), mean=True)


def keep_where(condition: Expression, x: Any) -> Expression:
    return Keep(condition, of(x))


def broadcast_to(x: Expression, shape: Letters) -> Expression:
    return Broadcast(x, broadcast(x.letters, shape))


def sqrt(x: Expression) -> Expression:
    return Function("sqrt", x)


def exp(x: Expression) -> Expression:
    return Function("exp", x)


def log(x: Expression) -> Expression:
    return Function("log", x)


VOCABULARY = {f.__name__: f for f in (sum_over, mean_over, keep_where, broadcast_to, sqrt, exp, log)}
