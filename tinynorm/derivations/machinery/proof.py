"""Proofs with SymPy: an equation's right-hand side as an expression for one element, for any sizes.

The mean of x over the batch becomes Sum(x[n, d], (n, 1, N)) / N, with a symbol N for the size. Two right-hand sides are equal
if their difference, in a normal form, is 0. The normal form multiplies out, splits sums of sums, moves what does not depend
on a sum's letter out of the sum, and takes the one element that a Kronecker delta leaves of a sum. x / x counts as 1, and so
on: what is proved holds wherever both sides are defined.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

import sympy as sp
from sympy.core.function import UndefinedFunction

from .expression import Binary, Broadcast, Expression, Function, Keep, Number, Product, Sum, Symbol, Transposed, View


@cache
def size(name: str) -> sp.Symbol:
    """The symbol of a size: N is a positive integer."""
    return sp.Symbol(name, positive=True, integer=True)


@cache
def index(letter: str) -> sp.Symbol:
    return sp.Symbol(letter, positive=True, integer=True)


@cache
def array(name: str) -> sp.IndexedBase:
    return sp.IndexedBase(name, real=True)


@cache
def number(name: str) -> sp.Symbol:
    """A setting: ε is positive."""
    return sp.Symbol(name, positive=True)


def single(name: str) -> sp.Indexed:
    """An array of one number, which may be negative."""
    return array(name)[0]


class Elements:
    """Turns trees into SymPy's expressions for one element.

    Parameters
    ----------
    sizes : dict of str to str
        The size of each letter's dimension: {"n": "N"}.
    settings : names
        The symbols that stand for positive numbers.
    """

    def __init__(self, sizes: Mapping[str, str], settings: Collection[str] = ()) -> None:
        self.sizes, self.settings = sizes, settings
        self.fresh = itertools.count()

    def unfold(self, e: sp.Expr, definitions: Mapping[str, Expression]) -> sp.Expr:
        """Replace each symbol that has a definition by it, once."""
        new = {}
        for x in e.atoms(sp.Indexed):
            if (tree := definitions.get(x.base.label.name)) is not None:
                letters = [i for i in tree.letters if i]
                new[x] = self.number(tree, dict(zip(letters, x.indices if letters else (), strict=True)))
        return e.xreplace(new)

    def of(self, e: Expression, at: Mapping[str, sp.Symbol]) -> sp.Expr:
        """The element of `e` at the indices `at` (letter to index)."""
        match e:
            case Number():
                simple = Fraction(e.value).limit_denominator(1000)  # 1/3 is meant as it is written, and 0.1 too
                return sp.Rational(simple) if float(simple) == e.value else sp.Rational(str(e.value))
            case Symbol():
                if e.name in self.sizes.values():
                    return size(e.name)
                if e.letters == (e.name,):  # an index as a number
                    return at[e.name]
                if e.name in self.settings:
                    return number(e.name)
                indices = [at[x] for x in e.letters if x]
                return array(e.name)[tuple(indices)] if indices else single(e.name)
            case Function():
                a = self.of(e.a, at)
                if e.name == "~":
                    return sp.Not(a) if isinstance(a, CONDITIONS) else 1 - a  # a product of conditions is a number
                return -a if e.name == "-" else getattr(sp, e.name)(a)
            case Binary():
                a, b = self.number(e.a, at), self.number(e.b, at)
                return _OPERATORS[e.operator](a, b)
            case Keep():
                return self.number(e.condition, at) * self.number(e.a, at)
            case Transposed() | View() | Broadcast():
                return self.of(e.a, at)
            case Product():
                return self._sum((e.a, e.b), e.over, False, at)
            case Sum():
                return self._sum((e.a,), e.over, e.mean, at)
        raise TypeError(f"cannot prove anything about {type(e).__name__}")

    def number(self, e: Expression, at: Mapping[str, sp.Symbol]) -> sp.Expr:
        """The same, and 1 or 0 for a condition."""
        found = self.of(e, at)
        return holds(found) if isinstance(found, CONDITIONS) else found

    def _sum(self, factors: Any, over: tuple[str, ...], mean: bool, at: Mapping[str, sp.Symbol]) -> sp.Expr:
        inner = dict(at)
        for letter in over:
            inner[letter] = index(f"{letter}_{next(self.fresh)}")
        total = sp.Mul(*(self.number(a, inner) for a in factors))
        for letter in over:
            total = sp.Sum(total, (inner[letter], 1, size(self.sizes[letter])))
            total = total / size(self.sizes[letter]) if mean else total
        return total


# (SymPy counts a symbol as a condition too)
CONDITIONS = (sp.core.relational.Relational, sp.logic.boolalg.BooleanFunction, sp.logic.boolalg.BooleanAtom)


class holds(sp.Function):
    """1 where a condition holds, else 0; locally constant."""

    is_extended_real = True

    @classmethod
    def eval(cls, condition: sp.Basic) -> sp.Expr | None:
        return {sp.true: sp.Integer(1), sp.false: sp.Integer(0)}.get(condition)


_OPERATORS: dict[str, Any] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}


def derivative(e: sp.Expr, x: sp.Indexed | sp.Symbol) -> sp.Expr:
    """∂e/∂x for an element x; a condition counts as constant."""
    conditions = {c: sp.Dummy(positive=True) for c in e.atoms(holds)}
    back = {d: c for c, d in conditions.items()}
    found = e.xreplace(conditions).diff(x).xreplace(back)
    return found.replace(sp.sign, lambda a: a / sp.Abs(a))  # `normal` looks for signs in Abs, and in no sign


root = UndefinedFunction("root", positive=True)  # in the normal form, √ of a sum: no power of it is multiplied out
signed = UndefinedFunction("signed", real=True)  # the sum itself: unlike the square of its root it may be negative


def normal(e: sp.Expr) -> sp.Expr:
    """The normal form; equal expressions of this module's kind have equal forms."""
    if isinstance(e, sp.Sum):
        inner = normal(e.function)
        for i, _, n in e.limits:
            inner = sp.Add(*(_summed(term, i, n) for term in sp.Add.make_args(sp.expand(inner))))
        return sp.expand(inner)
    if isinstance(e, (sp.Add, sp.Mul, sp.Pow, sp.Function)) and e.args:
        args = [normal(a) for a in e.args]
        if (isinstance(e, sp.Pow) and not e.exp.is_integer) or isinstance(e, (sp.Abs, sp.log)):
            args[0] = _with_signs(args[0])  # √(1 / c²) is 1 / |c|, and not 1 / c
        e = e.func(*args)
    if isinstance(e, sp.Pow) and isinstance(e.base, sp.Add) and not (e.exp.is_Integer and e.exp > 0):
        shared, rest = sp.factor_terms(e.base).as_independent(sp.Add, as_Add=False)  # √(a² v + a² ε) is a √(v + ε)
        if shared.is_positive and rest != 1:
            return sp.expand(shared**e.exp * root(rest) ** (2 * e.exp))
        return root(e.base) ** (2 * e.exp)
    return sp.expand(e)


def _with_signs(e: sp.Expr) -> sp.Expr:
    """Replace a power of root(b) that may be even by a power of signed(b), whose sign is not known."""
    return e.replace(
        lambda t: t.is_Pow and isinstance(t.base, root) and t.exp.is_even is not False,  # None: root(b)ᴺ, and N may be even
        lambda t: signed(t.base.args[0]) ** (t.exp / 2),
    )


def _summed(term: sp.Expr, i: sp.Symbol, n: sp.Symbol) -> sp.Expr:
    """The sum over i = 1 … n of one product."""
    inside: list[sp.Expr] = []
    outside: list[sp.Expr] = []
    for factor in sp.Mul.make_args(term):
        (inside if i in factor.free_symbols else outside).append(factor)
    delta = next((f for f in inside if isinstance(f, sp.KroneckerDelta)), None)
    if delta is not None:
        other = delta.args[1] if delta.args[0] == i else delta.args[0]
        inside.remove(delta)
        return sp.Mul(*outside) * normal(sp.Mul(*inside).subs(i, other))
    sums = [f for f in inside if isinstance(f, sp.Sum)]
    if len(sums) == 1:  # a product with a sum: the sum of the products
        inside.remove(sums[0])
        inside = [sp.Sum(sp.Mul(*inside, sums[0].function), *sums[0].limits)]
    product = sp.Mul(*inside)
    if product == 1:
        return sp.Mul(*outside) * n
    limits = [(i, n)]
    while isinstance(product, sp.Sum):  # a sum of a sum: one over both letters
        limits += [(j, top) for j, _, top in product.limits]
        product = product.function
    return sp.Mul(*outside) * _named(product, limits)


def _named(product: sp.Expr, limits: list) -> sp.Expr:
    """The sum with its letters renamed, so that equal sums are written alike."""
    inner = {letter for s in product.atoms(sp.Sum, sp.Product) for letter, *_ in s.limits}
    outer = {s for s in product.free_symbols if isinstance(s, sp.Symbol)} - {i for i, _ in limits}
    numbers = (letter.name.rpartition("#")[2] for letter in inner | outer if "#" in letter.name)
    depth = max(map(int, numbers), default=0)
    best = None
    for order in itertools.permutations(limits):
        names = [index(f"{n}#{depth + 1 + k}") for k, (_, n) in enumerate(order)]
        body = product.subs({i: new for (i, _), new in zip(order, names, strict=True)}, simultaneous=True)
        found = sp.Sum(body, *((new, 1, n) for new, (_, n) in zip(names, order, strict=True)))
        if best is None or sp.default_sort_key(found) < sp.default_sort_key(best):
            best = found
    return best


def vanishes(e: sp.Expr) -> bool:
    """Whether `e` is 0, whatever its symbols and sizes are."""
    e = normal(e)
    if e == 0:
        return True
    if e.has(holds):
        return _in_every_case(e)
    return e.has(root, signed) and sp.expand(sp.together(_without_roots(e)).as_numer_denom()[0]) == 0


def _without_roots(e: sp.Expr) -> sp.Expr:
    """The opposite of what `normal` does with a power of a sum."""
    return e.replace(root, sp.sqrt).replace(signed, lambda inner: inner)


def _in_every_case(e: sp.Expr) -> bool:
    """Whether `e` is 0 whether the element that its conditions ask for is positive, zero or negative."""
    asked = {x for condition in e.atoms(holds) for x in condition.atoms(sp.Indexed)}
    summed = {i for total in e.atoms(sp.Sum) for i, *_ in total.limits}
    if len(asked) != 1 or any(x.free_symbols & summed for x in asked):  # the elements of a sum have signs of their own
        return False
    size_of_it = sp.Dummy(positive=True)
    cases = (e.xreplace({x: value}) for x in asked for value in (size_of_it, sp.Integer(0), -size_of_it))
    return all(not case.has(holds) and vanishes(case) for case in cases)


# ---- for the proofs that a chapter brings itself: they get a difference that should be 0 -------------------------------


def at_the_last_and_before(difference: sp.Expr, letter: str, top: str) -> Iterator[sp.Expr]:
    """A difference of sums over i = 1 … n, term by term: the terms i = n, and i = n - j for j = 1, 2, …

    A condition such as i ≥ n holds or not in each of the two cases. Without sums: the element i of the difference.
    """
    i, n, j = index(letter), size(top), sp.Dummy("j", positive=True, integer=True)
    terms = sp.Add.make_args(normal(difference))
    split = [term.as_independent(sp.Sum, as_Add=False) for term in terms]
    if any(term.has(sp.Sum) for term in terms):
        sums = [total for _, total in split if isinstance(total, sp.Sum)]
        if len(sums) < len(terms) or any(len(s.limits) > 1 or s.limits[0][2] != n for s in sums) or difference.has(i):
            yield sp.Integer(1)  # a constant has no terms: nothing is proved
            return
        terms = tuple(factor * total.function.subs(total.limits[0][0], i) for factor, total in split)
    for case in (n, n - j):
        yield sp.Add(*terms).subs(i, case)


def with_geometric_sums(difference: sp.Expr) -> list[sp.Expr]:
    """The difference with last (1 - rⁿ) / (1 - r) in place of each sum of n terms of which each is r times the next."""
    difference, sums = _without_roots(normal(difference)), {}
    for total in difference.atoms(sp.Sum):
        (i, _, n), term = total.limits[0], total.function
        r = sp.simplify(term.subs(i, i - 1) / term)
        if len(total.limits) == 1 and i not in r.free_symbols:
            sums[total] = term.subs(i, n) * (1 - r**n) / (1 - r)
    return [difference.xreplace(sums)]


def with_positive(difference: sp.Expr, *parts: sp.Expr) -> list[sp.Expr]:
    """The difference with a positive number in place of each of these parts."""
    return [difference.xreplace({part: sp.Dummy(positive=True) for part in parts})]
