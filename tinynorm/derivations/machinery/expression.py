"""An equation's right-hand side as a tree. It is made by running the equation's own code on symbols instead of numbers.

Each dimension of an array has an index letter: x (N, D) has the letters "n" and "d". A dimension of length 1, which broadcasts,
has the letter "". So the mean of x over the batch has the letters "" and "d".
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

Letters = tuple[str, ...]
COMPARISONS = (">", ">=", "<", "<=")


class Expression:
    """An array of symbols. Python's operators make larger trees of it, as they make larger arrays of NumPy's arrays."""

    letters: Letters
    is_condition: bool = False  # NumPy has True and False here, and no numbers

    def __bool__(self) -> bool:
        raise TypeError("a formula cannot decide by the value of a symbol: write keep_where(condition, x)")

    def __eq__(self, other: Any) -> Any:
        raise TypeError("a formula has no == and no !=: for x where a == b, write keep_where(a <= b, keep_where(b <= a, x))")

    __ne__ = __eq__
    __hash__ = object.__hash__

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Python and NumPy look for these
            raise AttributeError(name)
        known = ", ".join([*VOCABULARY, "x.T", "x.mT", "x.shape"])
        raise AttributeError(f"an array in a formula has no .{name}: write {known}, or an index of None, : and 0")

    def __array_ufunc__(self, function: Any, *_: Any, **__: Any) -> Any:
        functions = ", ".join(VOCABULARY)
        raise TypeError(f"a formula cannot use np.{function.__name__}: write an operator with Python's numbers, or {functions}")

    def __abs__(self) -> Expression:
        raise TypeError("a formula has no abs(x): write sqrt(x * x)")

    def __pos__(self) -> Expression:
        return self

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
        if len(self.letters) > 2:
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
    is_condition: bool = False


@dataclass(eq=False)
class Number(Expression):
    value: int | float
    letters: Letters = ()


@dataclass(eq=False)
class Function(Expression):
    """A function of each element: sqrt, exp, log, a minus sign, or ~, the opposite of a condition."""

    name: str
    a: Expression

    def __post_init__(self) -> None:
        if self.a.is_condition != (self.name == "~"):
            raise TypeError(
                "~: expected a condition such as x > 0"
                if self.name == "~"
                else f"{self.name}: expected numbers, got a condition, on which NumPy computes otherwise; write 1.0 * (x > 0)"
            )
        self.is_condition = self.a.is_condition

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
        if self.operator in "+-" and self.a.is_condition and self.b.is_condition:
            raise TypeError(f"{self.operator} of two conditions is no sum in NumPy (+ is or): write 1.0 * (x > 0) for each")
        both = self.a.is_condition and self.b.is_condition
        self.is_condition = self.operator in COMPARISONS or (self.operator == "*" and both)


@dataclass(eq=False)
class Keep(Expression):
    """`a` where the condition holds, else 0."""

    condition: Expression
    a: Expression

    def __post_init__(self) -> None:
        if not self.condition.is_condition:
            raise TypeError("keep_where: expected a condition such as x > 0, got numbers")
        self.letters = broadcast(self.condition.letters, self.a.letters)


@dataclass(eq=False)
class Sum(Expression):
    """The sum, or the mean, over some dimensions, which stay with length 1."""

    a: Expression
    axes: tuple[int, ...]
    mean: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.axes, tuple):
            raise TypeError(f"expected axes as a tuple, such as (0,), got {self.axes!r}")
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
        if len(self.a.letters) < 2:
            raise ValueError(f"T: expected a matrix, got the letters {self.a.letters}; write x[:, None] for a column")
        *rest, i, j = self.a.letters
        self.letters = (*rest, j, i)
        self.is_condition = self.a.is_condition


@dataclass(eq=False)
class View(Expression):
    """An array with dimensions of length 1 put in or taken away: x[:, None] and x[:, 0]."""

    a: Expression
    key: tuple

    def __post_init__(self) -> None:
        letters, found = list(self.a.letters), []
        for k in self.key:
            if isinstance(k, Expression):
                raise ValueError("a formula cannot take the elements at an array's places: write a sum over a one-hot array")
            if k is not None and not letters:
                raise ValueError(f"expected at most an index for each dimension of {self.a.letters}, got {len(self.key)}")
            letter = "" if k is None else letters.pop(0)
            if not (k is None or k == slice(None) or (k == 0 and k is not False and not letter)):
                raise ValueError(f"expected None, : or (in a dimension of length 1) the index 0, got {k} in '{letter}'")
            found += [letter] if k is None or k == slice(None) else []
        self.letters = (*found, *letters)
        self.is_condition = self.a.is_condition


@dataclass(eq=False)
class Broadcast(Expression):
    """An array repeated along its dimensions of length 1."""

    a: Expression
    letters: Letters

    def __post_init__(self) -> None:
        self.is_condition = self.a.is_condition


@dataclass(eq=False)
class Product(Expression):
    """The matrix product a @ b of two matrices: the sum over the letter they share."""

    a: Expression
    b: Expression

    def __post_init__(self) -> None:
        if len(self.a.letters) != 2 or len(self.b.letters) != 2:
            raise ValueError(
                f"matmul: expected two matrices, got the letters {self.a.letters} and {self.b.letters}; write a sum of "
                "products, sum_over(x * w, (1,)), or make a vector a matrix with w[:, None]"
            )
        (i, k), (k2, j) = self.a.letters, self.b.letters
        if k != k2:
            raise ValueError(f"matmul: expected a (i, k) and b (k, j), got the letters {self.a.letters} and {self.b.letters}")
        if i and i == j:
            raise ValueError(f"matmul: expected two different letters, got a product with the letters {i}, {j}")
        self.letters = (i, j)
        self.over = (k,) if k else ()  # a length of 1: nothing to add up


def of(x: Any) -> Expression:
    """An Expression for `x`, which may be a number."""
    if isinstance(x, Expression):
        return x
    if not isinstance(x, Real):
        raise TypeError(f"expected an array of the formula, or a number, got {x!r}")
    return Number(x)  # type: ignore[arg-type]


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


def sum_over(x: Expression, axes: tuple[int, ...]) -> Expression:
    return Sum(x, axes)


def mean_over(x: Expression, axes: tuple[int, ...]) -> Expression:
    return Sum(x, axes, mean=True)


def keep_where(condition: Expression, x: Any) -> Expression:
    return Keep(condition, of(x))


def broadcast_to(x: Expression, shape: Letters) -> Expression:
    return Broadcast(x, broadcast(x.letters, shape))


def _function(name: str, x: Any) -> Expression:
    if not isinstance(x, Expression):  # the ops take arrays only
        written = f"{x} ** 0.5" if name == "sqrt" else f"math.{name}({x})"
        raise TypeError(f"{name}: expected an array, got {x!r}; write {written}")
    return Function(name, x)


def sqrt(x: Expression) -> Expression:
    return _function("sqrt", x)


def exp(x: Expression) -> Expression:
    return _function("exp", x)


def log(x: Expression) -> Expression:
    return _function("log", x)


VOCABULARY = {f.__name__: f for f in (sum_over, mean_over, keep_where, broadcast_to, sqrt, exp, log)}
