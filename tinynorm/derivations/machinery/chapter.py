"""A chapter: its symbols, and its equations in the order in which they are read."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np

from .expression import VOCABULARY, Expression, Letters, Symbol, of
from .notation import Style

FORWARD, ADJOINT, REWRITING = "forward", "adjoint", "rewriting"


@dataclass
class Line:
    """One equation: a symbol, and the code that computes it.

    Attributes
    ----------
    number : str
        "BN.7". The same number stands beside the line of `tinynorm/ops` that is this equation, if there is one.
    kind : {"forward", "adjoint", "rewriting"}
        A definition; the gradient of the loss with respect to a symbol; or the same quantity in another form.
    symbol : str
        The name of what it defines; `dx` is dL/dx.
    formula : callable
        The right-hand side. Its parameters are the symbols that it uses.
    reason : str
    quoted : bool
        A gradient that this chapter takes from another one, as a definition.
    """

    chapter: Chapter
    number: str
    kind: str
    formula: Callable
    reason: str
    quoted: bool = False
    proof: Callable | None = None  # earlier form minus this one -> SymPy expressions that are 0 only if it is; None: itself

    @property
    def symbol(self) -> str:
        return self.formula.__name__

    @property
    def uses(self) -> tuple[str, ...]:
        """The symbols and settings in the right-hand side."""
        return tuple(inspect.signature(self.formula).parameters)

    @property
    def code(self) -> str:
        """The right-hand side as it stands in the source: what follows ``return``."""
        return _returned(self.formula)

    @property
    def tree(self) -> Expression:
        """The right-hand side, run on symbols."""
        return traced(self.formula, {name: self.chapter.symbol(name) for name in self.uses})

    def value(self, values: Mapping[str, Any]) -> Any:
        """The right-hand side, run on the values of the symbols."""
        return self.formula(*(values[name] for name in self.uses))


@dataclass
class Table:
    """Numbers that a chapter shows: computed where they are shown, the same each time."""

    title: str
    header: tuple[str, ...]
    rows: Callable[[], list[tuple]]


@dataclass
class Section:
    title: str
    text: str = ""


@dataclass
class Chapter:
    """The equations of one derivation.

    Parameters
    ----------
    order : int
        Its place in the reading order.
    key : str
        What its equations' numbers begin with: "BN".
    name : str
        "batch_norm"
    text : str
        The docstring of the chapter's file. Its first line is "Chapter 6: the title.", the rest is the introduction.
    sizes : dict
        The letter of each dimension, and the symbol of its size: {"n": "N", "d": "D"}.
    given : dict
        The symbols that the derivation starts from, with the letters of their dimensions, "." for a length of 1:
        {"x": "nd", "gamma": ".d"}. A symbol that is its own letter is the index: {"k": "k"} is 1, 2, …, T.
    output : str
        The symbol whose gradient is given: for "y" that is `dy`, or what `upstream` says.
    settings : dict
        What is no array: axes, positive numbers, and sizes by their symbol: {"axes": (0,), "eps": 1e-5, "m": "N"}.
    """

    order: int
    key: str
    name: str
    text: str | None
    sizes: dict[str, str]
    given: dict[str, str]
    output: str = "y"
    upstream: str = ""  # what the gradient of the output is called; "" for d and its name
    settings: dict[str, Any] = field(default_factory=dict)
    draw: dict[str, Callable] = field(default_factory=dict)  # how a given symbol is drawn: f(rng, shape); default: normal + 0.5
    parts: list[Line | Section | Table] = field(default_factory=list)
    runs_as: Callable | None = None

    # -- writing a chapter: the decorators ---------------------------------------------------------------------------------

    def forward(self, number: str, reason: str, quoted: bool = False) -> Callable:
        """Decorator: a definition.

        A gradient of this chapter's loss is no definition, but an `adjoint`, which is checked as one. With `quoted` it is a
        gradient that another chapter derives, and that this one takes as given.
        """
        return self._line(FORWARD, number, reason, quoted=quoted)

    def adjoint(self, number: str, reason: str) -> Callable:
        """Decorator: dL/d a symbol, from the adjoints of what the symbol is used in."""
        return self._line(ADJOINT, number, reason)

    def rewriting(self, number: str, reason: str, proof: Callable | None = None) -> Callable:
        """Decorator: another form of a symbol that a line above defines.

        The proof subtracts this form from an earlier one, and unfolds the definitions until nothing is left. Where that is not
        enough, `proof` gets the difference (of SymPy) at each stage, and returns expressions. The line is proved if all of them
        are 0 at some stage.
        """
        return self._line(REWRITING, number, reason, proof=proof)

    def op(self, f: Callable) -> Callable:
        """Decorator: the op of `tinynorm` that this chapter derives, as a function of what is given and of settings.

        It gets Tensors and returns the output. Its result, and its gradients of what is given, must be those of the chapter.
        """
        self.runs_as = f
        return f

    def section(self, title: str, text: str = "") -> None:
        """Begin a section."""
        self.parts.append(Section(title, text))

    def table(self, title: str, *header: str) -> Callable:
        """Decorator: a function that returns the rows of a table."""

        def add(rows: Callable) -> Callable:
            self.parts.append(Table(title, header, rows))
            return rows

        return add

    def __post_init__(self) -> None:
        head, _, self.introduction = inspect.cleandoc(self.text or "").partition("\n\n")
        self.title = head.partition(": ")[2].rstrip(".")
        self.upstream = self.upstream or f"d{self.output}"
        names = [*self.sizes, *self.sizes.values()]
        if len({*self.sizes.values()}) < len(self.sizes) or any("_" in name for name in names):
            raise ValueError(f"{self.name}: expected a size for each letter, without underscores, got {self.sizes}")
        if any(letter in self.sizes.values() for letter in self.sizes):
            raise ValueError(f"{self.name}: expected letters that are no sizes, got {self.sizes}")
        self._refuse_taken(self.upstream)
        twice = self.settings.keys() & {*self.given, self.upstream} | {self.upstream} & self.given.keys()
        if twice:
            raise ValueError(f"{self.name}: expected one meaning for each name, got two for {', '.join(twice)}")
        for name, letters in self.given.items():
            repeated = [x for x in letters if x != "." and letters.count(x) > 1]
            if repeated:
                raise ValueError(f"{self.name}: expected a letter for each dimension of {name}, got '{letters}'")
            self._refuse_taken(name, self.given[name] == name)
            self._refuse_second_gradient(name)
        for name, setting in self.settings.items():
            self._refuse_taken(name, setting == name)
            if isinstance(setting, str) and setting not in self.sizes.values():
                raise ValueError(f"{self.name}: expected a size for {name}, one of {[*self.sizes.values()]}, got {setting!r}")
            if isinstance(setting, list):
                raise ValueError(f"{self.name}: expected axes as a tuple for {name}, {tuple(setting)}, got {setting}")
            if not isinstance(setting, tuple | str) and not (isinstance(setting, Real) and float(setting) > 0):
                raise ValueError(f"{self.name}: expected a positive number for {name}, got {setting}")
        for name in (*self.given, self.upstream, *self.settings):
            self._refuse_alike(name)

    def _refuse_taken(self, name: str, itself: bool = False) -> None:
        """A letter or a size may be the name of nothing else: a proof could not tell them apart."""
        if not itself and (name in self.sizes or name in self.sizes.values()):
            raise ValueError(f"{self.name}: {name} is a letter or a size; give the symbol another name")

    def _refuse_second_gradient(self, name: str) -> None:
        """`dt`, the gradient of the output y, would be the gradient of t too."""
        if name != self.output and self.upstream == f"d{name}":
            raise ValueError(
                f"{self.name}: {self.upstream} is the gradient of {self.output}, the output, and reads as that of {name}; "
                "give upstream another name"
            )

    def _refuse_alike(self, name: str) -> None:
        """A reader could not tell two symbols apart that are written alike: var and v."""
        written = self._written(name)
        for other in (*self.sizes.values(), *self.given, *self.settings, self.upstream, *(line.symbol for line in self.lines)):
            if other != name and written and self._written(other) == written:
                raise ValueError(f"{self.name}: {name} and {other} are both written {written}; give one another name")

    def _written(self, name: str) -> str:
        """How a symbol is written, but for its letters; "" for a setting that is not: axes, and a size by another name."""
        return "" if isinstance(self.settings.get(name), tuple | str) else Style(latex=False, sizes=self.sizes).name(name)

    def _line(self, kind: str, number: str, reason: str, quoted: bool = False, proof: Callable | None = None) -> Callable:
        def add(formula: Callable) -> Callable:
            line = Line(self, number, kind, formula, reason, quoted, proof)
            if number != f"{self.key}.{len(self.lines) + 1}":
                raise ValueError(f"{self.name}: expected the number {self.key}.{len(self.lines) + 1}, got {number}")
            self._refuse_taken(line.symbol)
            self._refuse_alike(line.symbol)
            self._refuse_second_gradient(line.symbol)
            why = self._misplaced(line) or self._misnamed(line)
            if why:
                raise ValueError(f"{number}: {why}")
            try:
                line.code, line.tree  # noqa: B018
            except (AttributeError, TypeError, ValueError) as error:
                raise type(error)(f"{number}: {error}") from error
            self.parts.append(line)
            return formula

        return add

    def _misplaced(self, line: Line) -> str:
        """Why a line cannot stand below the lines above it; "" if it can."""
        symbol, defined = line.symbol, self.definition(line.symbol) is not None
        unknown = [name for name in line.uses if not self._knows(name)]
        if unknown:
            return f"{', '.join(unknown)} is not defined above this line"
        if symbol in self.given or symbol in self.settings or symbol == self.upstream:
            return f"{symbol} is given; a line cannot define it"
        if line.kind == ADJOINT and not self._has_gradient(symbol[1:]):
            return f"expected d and a symbol that is given or defined above, got {symbol}"
        if symbol == self.output and self._rests_on_a_gradient(line.uses):
            return f"{self.output}, the output, rests on a gradient: the chain rule knows no such way"
        if line.kind == REWRITING and not defined:
            return f"expected a symbol that a line above defines, got {symbol}"
        if line.kind != REWRITING and defined:
            return f"{symbol} is already defined; call it a rewriting"
        return ""

    def _misnamed(self, line: Line) -> str:
        """Why a definition cannot have its name: dt is the gradient of t, and of nothing else; "" if it can."""
        symbol = line.symbol
        of_ours = line.kind == FORWARD and symbol[0] == "d" and self._has_gradient(symbol[1:])
        if of_ours and not line.quoted:
            return f"{symbol} is the gradient of {symbol[1:]}; write chapter.adjoint, or quoted=True if it is another chapter's"
        if line.quoted and not of_ours:
            return f"{symbol} is no gradient of a symbol of this chapter; leave out quoted=True"
        if line.kind == FORWARD and self.definition(f"d{symbol}") is not None:
            return f"d{symbol}, defined above, would be its gradient; define {symbol} first"
        return ""

    def _has_gradient(self, name: str) -> bool:
        """Whether it is an array that the loss may be differentiated by; an index, 1, 2, …, is none."""
        line = self.definition(name)
        return line.kind == FORWARD if line is not None else self.given.get(name, name) != name

    def _rests_on_a_gradient(self, names: tuple[str, ...]) -> bool:
        lines = [line for name in names if (line := self.definition(name)) is not None]
        return self.upstream in names or any(line.kind == ADJOINT or self._rests_on_a_gradient(line.uses) for line in lines)

    def _knows(self, name: str) -> bool:
        return name in self.given or name in self.settings or name == self.upstream or self.definition(name) is not None

    # -- reading it -------------------------------------------------------------------------------------------------------

    @property
    def lines(self) -> list[Line]:
        """The equations, in order."""
        return [part for part in self.parts if isinstance(part, Line)]

    def definition(self, symbol: str) -> Line | None:
        """The line that defines a symbol."""
        return next((line for line in self.lines if line.symbol == symbol and line.kind != REWRITING), None)

    def reaches(self, symbol: str) -> bool:
        """Whether the output is computed from a symbol."""
        if symbol == self.output:
            return True
        return any(symbol in line.uses and self.reaches(line.symbol) for line in self.lines if line.kind == FORWARD)

    def adjoint_of(self, symbol: str) -> str:
        """The name of dL/d the symbol."""
        return self.upstream if symbol == self.output else f"d{symbol}"

    def letters(self, name: str) -> Letters:
        """The letters of a symbol's dimensions."""
        if name == self.upstream:
            return self.letters(self.output)
        if name in self.given:
            return tuple("" if x == "." else x for x in self.given[name])
        line = self.definition(name)
        if line is not None and line.kind == FORWARD:
            return line.tree.letters
        if line is None:
            raise ValueError(f"{name}, the output, is not defined above this line, which uses its gradient {self.upstream}")
        return self.letters(name[1:])  # an adjoint has the shape of its symbol

    def symbol(self, name: str) -> Any:
        """What stands for a name when a formula is run on symbols."""
        if name not in self.settings:
            line = self.definition(name)
            if line is not None and line.kind == FORWARD:
                return Symbol(name, (tree := line.tree).letters, tree.is_condition)
            return Symbol(name, self.letters(name))
        setting = self.settings[name]
        return setting if isinstance(setting, tuple) else Symbol(setting if isinstance(setting, str) else name)

    def shape(self, name: str, sizes: Mapping[str, int]) -> tuple[int, ...]:
        return tuple(sizes[letter] if letter else 1 for letter in self.letters(name))

    def values(self, sizes: Mapping[str, int], seed: int = 0) -> dict[str, Any]:
        """Random values (float64) for what is given and for the output's gradient, and the settings.

        Parameters
        ----------
        sizes : dict
            The length of each letter's dimension: {"n": 4, "d": 3}.
        """
        rng = np.random.default_rng(seed)
        draw = {name: self.draw.get(name, _normal) for name in self.given} | dict.fromkeys(sizes, _count)
        values = {name: draw[name](rng, self.shape(name, sizes)) for name in self.given}
        values |= {name: sizes[self._letter(s)] if isinstance(s, str) else s for name, s in self.settings.items()}
        values[self.upstream] = rng.normal(size=self.shape(self.output, sizes))
        return values

    def _letter(self, size: str) -> str:
        return next(letter for letter, symbol in self.sizes.items() if symbol == size)

    def run(self, values: Mapping[str, Any], kinds: tuple[str, ...] = (FORWARD, ADJOINT)) -> dict[str, Any]:
        """The values of all symbols: each definition of these kinds in turn, but for symbols that `values` already has.

        Without the adjoints, the definitions that use one are left out.
        """
        values = dict(values)
        for line in self.lines:
            if line.kind in kinds and line.symbol not in values and values.keys() >= set(line.uses):
                values[line.symbol] = line.value(values)
        return values


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.normal(size=shape) + 0.5


def _count(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.arange(1.0, shape[0] + 1)


def _returned(formula: Callable) -> str:
    """What a function returns, as it stands in its source; it has no other statement. (A lambda cannot have one.)"""
    source = textwrap.dedent(inspect.getsource(formula))
    if formula.__code__.co_name == "<lambda>":
        return source.strip()
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    statement = function.body[-1]
    if len(function.body) > 1 or not isinstance(statement, ast.Return) or statement.value is None:
        raise ValueError(f"{formula.__name__}: expected one statement, return and the right-hand side")
    return inspect.cleandoc(ast.get_source_segment(source, statement.value) or "")


def traced(formula: Callable, symbols: Mapping[str, Any]) -> Expression:
    """Run a formula on symbols: `sum_over`, `sqrt` … then make trees too."""
    assert isinstance(formula, types.FunctionType)
    on_symbols = types.FunctionType(formula.__code__, {**formula.__globals__, **VOCABULARY})
    return of(on_symbols(**symbols))
