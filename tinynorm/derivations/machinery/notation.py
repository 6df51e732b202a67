"""How a tree is written: as LaTeX for a page, and in Unicode on one line for a terminal. Both are made from the tree.

A symbol is written with the letters of its dimensions: c (N, D) is c_nd, and its mean over the batch is μ_d. A sum whose
letter is already in use takes a spare one: in c_nd - (1/N) Σ_k c_kd, the letter k runs over the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from .expression import Binary, Broadcast, Expression, Function, Keep, Number, Product, Sum, Symbol, Transposed, View

CONDITION, SUM, TERM, FACTOR, POWER, ATOM = range(6)  # how strongly a written expression holds together

# a symbol's name in the code: (LaTeX, Unicode); a name that starts with d is the adjoint of the rest
SYMBOLS = {
    "alpha": (r"\alpha", "α"), "beta": (r"\beta", "β"), "beta1": (r"\beta_1", "β₁"), "beta2": (r"\beta_2", "β₂"),
    "gamma": (r"\gamma", "γ"), "delta": (r"\delta", "δ"), "eps": (r"\varepsilon", "ε"), "eta": (r"\eta", "η"),
    "ell": (r"\ell", "ℓ"), "log_p": (r"(\log p)", "(log p)"),
    "lam": (r"\lambda", "λ"), "mu": (r"\mu", "μ"), "var": (r"v", "v"), "x_hat": (r"\hat{x}", "x̂"),
    "m_hat": (r"\hat{m}", "m̂"), "v_hat": (r"\hat{v}", "v̂"), "rstd": (r"r", "r"), "theta": (r"\theta", "θ"),
    "decay": (r"\lambda", "λ"), "lr": (r"\eta", "η"),
    "std": (r"s", "s"), "z_hat": (r"\hat{z}", "ẑ"), "sigma2": (r"\sigma^2", "σ²"),
    "Pg": ("P(g)", "P(g)"), "P1": ("P(1)", "P(1)"), "Px": (r"P(\hat{x})", "P(x̂)"), "Ph": ("P(h)", "P(h)"),
    **{f"{s}_{i}": (f"{s}^{{{i}}}", f"{s}^{i}") for s in "wef" for i in "vcsrzh"},  # mistakes
    **{f"{s}_mu": (rf"{s}^{{\mu}}", f"{s}^μ") for s in "wef"}, "w_gamma": (r"w^{\gamma}", "w^γ"),
    "Pw": ("P(w)", "P(w)"), "Pu": ("P(u)", "P(u)"), "PPw": ("P(P(w))", "P(P(w))"),
    "Uv": ("U(v)", "U(v)"), "c_next": ("c'", "c′"), "h_next": ("h'", "h′"),
}  # fmt: skip


@dataclass
class Style:
    """One way to write: LaTeX or Unicode."""

    latex: bool
    sizes: Mapping[str, str]  # letter -> the symbol of its size: "n" -> "N"

    @property
    def spare(self) -> str:
        """The letters for a second index over a dimension."""
        return "".join(x for x in "klpq" if x not in self.sizes)

    def write(self, e: Expression, letters: Mapping[str, str] | None = None) -> str:
        """The expression as one line."""
        return self._written(e, letters or {x: x for x in e.letters if x})[0]

    def terms(self, e: Expression, letters: Mapping[str, str] | None = None) -> list[str]:
        """The expression as the terms of its sum, each but the first with its sign: a long one is written on several lines."""
        at = letters or {x: x for x in e.letters if x}
        if isinstance(e, Binary) and e.operator in ("+", "-"):
            return [*self.terms(e.a, at), f"{e.operator} {self._in(e.b, at, SUM if e.operator == '+' else TERM)}"]
        return [self.write(e, at)]

    def name(self, name: str) -> str:
        """A symbol's name; `dx` is the adjoint of `x`."""
        if name in SYMBOLS:
            return SYMBOLS[name][0 if self.latex else 1]
        if len(name) > 1 and name[0] == "d" and (name[1:] in SYMBOLS or len(name) == 2 or name[2] == "_"):
            return (r"\mathrm{d}" if self.latex else "d") + self.name(name[1:])
        stem, _, index = name.rpartition("_")
        if index.isdigit() and stem:
            return f"{self.name(stem)}_{{{index}}}" if self.latex else self.name(stem) + index.translate(SUBSCRIPTS)
        if "_" in name:
            stem, _, index = name.partition("_")
            label = index if index in self.sizes.values() else rf"\mathrm{{{index}}}"
            return f"{self.name(stem)}_{{{label}}}" if self.latex else f"{self.name(stem)}_{index}"
        return rf"\mathrm{{{name}}}" if self.latex and len(name) > 1 else name

    def symbol(self, name: str, letters: str) -> str:
        """A symbol with its index letters."""
        if not letters:
            return self.name(name)
        if not self.latex:
            return f"{self.name(name)}_{letters}"
        stem = self.name(name)
        return f"{stem}_{{{letters}}}" if "_" not in stem else f"({stem})_{{{letters}}}"

    def _written(self, e: Expression, at: Mapping[str, str]) -> tuple[str, int]:
        """The expression, and how strongly it holds together. `at` says which letter stands for which dimension."""
        match e:
            case Number():
                return _number(e.value), ATOM if e.value >= 0 else SUM
            case Symbol() if e.letters == (e.name,):  # an index as a number
                return at[e.name], ATOM
            case Symbol():
                return self.symbol(e.name, "".join(at[x] for x in e.letters if x)), ATOM
            case Function(name="-"):
                return f"-{self._in(e.a, at, TERM)}", SUM
            case Function():
                return self._function(e, at)
            case Binary():
                return self._binary(e, at)
            case Keep():
                a, condition = self._in(e.a, at, TERM), self._in(e.condition, at, CONDITION)
                return (rf"{a}\,[{condition}]" if self.latex else f"{a} [{condition}]"), TERM
            case Transposed() | View() | Broadcast():
                return self._written(e.a, at)  # the letters say it
            case Product() if _is_matrix(e):
                index = "".join(at[x] for x in e.letters if x)
                return f"({self._matrix(e)})_" + (f"{{{index}}}" if self.latex else index), ATOM
            case Product():
                return self._sum((e.a, e.b), e.over, False, at)
            case Sum():
                return self._sum((e.a,), e.over, e.mean, at)
        raise TypeError(f"cannot write {type(e).__name__}")

    def _in(self, e: Expression, at: Mapping[str, str], strength: int) -> str:
        """The expression, in brackets if it holds together less strongly than `strength`."""
        text, its = self._written(e, at)
        if its >= strength:
            return text
        return rf"\left({text}\right)" if self.latex else f"({text})"

    def _matrix(self, e: Expression) -> str:
        """A matrix, without index letters."""
        match e:
            case Transposed():
                return self._matrix(e.a) + (r"^{\top}" if self.latex else "ᵀ")
            case Product():
                return self._matrix(e.a) + (r" \, " if self.latex else " ") + self._matrix(e.b)
            case Symbol():
                return self.name(e.name)
        raise TypeError(f"no matrix: {type(e).__name__}")

    def _function(self, e: Function, at: Mapping[str, str]) -> tuple[str, int]:
        inner = self._written(e.a, at)[0]
        if e.name == "sqrt":
            return (rf"\sqrt{{{inner}}}", ATOM) if self.latex else (f"√({inner})" if len(inner) > 1 else f"√{inner}", ATOM)
        if e.name == "exp":
            return (f"e^{{{inner}}}", POWER) if self.latex else (f"e^({inner})" if len(inner) > 1 else f"e^{inner}", POWER)
        if e.name == "~":
            return (r"\text{not } " if self.latex else "not ") + inner, CONDITION
        argument = self._in(e.a, at, ATOM)
        return (rf"\{e.name} {argument}" if self.latex else f"{e.name} {argument}"), TERM

    def _binary(self, e: Binary, at: Mapping[str, str]) -> tuple[str, int]:
        if e.operator == "+":
            return f"{self._in(e.a, at, SUM)} + {self._in(e.b, at, SUM)}", SUM
        if e.operator in COMPARISONS:
            sign = COMPARISONS[e.operator][0 if self.latex else 1]
            return f"{self._in(e.a, at, SUM)} {sign} {self._in(e.b, at, SUM)}", CONDITION
        if e.operator == "-":
            return f"{self._in(e.a, at, SUM)} - {self._in(e.b, at, TERM)}", SUM
        if e.operator == "**" and isinstance(e.b, Number) and e.b.value == 0.5:
            return self._function(Function("sqrt", e.a), at)
        if e.operator == "**":
            return self._power(e.a, self._written(e.b, at)[0], at), POWER
        if e.operator == "*" and e.a is e.b:
            return self._power(e.a, "2", at), POWER
        positive = _without_minus(e)
        if positive is not None:  # (-a) b is written -a b
            return f"-{self._in(positive, at, TERM)}", SUM
        if e.operator == "/" and self.latex:
            return rf"\frac{{{self._written(e.a, at)[0]}}}{{{self._written(e.b, at)[0]}}}", TERM
        a = self._in(e.a, at, POWER if _ends_in_sum(e.a) else FACTOR if _has_slash(e.a, self.latex) else TERM)
        if e.operator == "/":
            return f"{a} / {self._in(e.b, at, POWER)}", TERM
        return self._beside(a, self._in(e.b, at, FACTOR if _has_slash(e.b, self.latex) else TERM)), TERM

    def _beside(self, *factors: str) -> str:
        """A product. LaTeX needs a space between factors, but none in front of a large bracket, which brings its own."""
        text = (r" \, " if self.latex else " ").join(factors)
        return text.replace(r" \, \left(", r" \left(")

    def _power(self, base: Expression, exponent: str, at: Mapping[str, str]) -> str:
        return self._in(base, at, ATOM) + (f"^{{{exponent}}}" if self.latex else superscript(exponent))

    def _sum(
        self, factors: tuple[Expression, ...], over: tuple[str, ...], mean: bool, at: Mapping[str, str]
    ) -> tuple[str, int]:
        inner, signs, taken = dict(at), [], {*at.values()}
        for letter in over:
            free = next(x for x in (letter, *self.spare) if x not in taken)
            inner[letter] = free
            taken.add(free)
            signs.append(rf"\sum_{{{free}=1}}^{{{self.sizes[letter]}}}" if self.latex else f"Σ_{free}")
        body = self._beside(*(self._in(e, inner, TERM) for e in factors))
        size = "".join(self.sizes[x] for x in over)
        factor = "" if not mean or not over else rf"\frac{{1}}{{{size}}} " if self.latex else f"(1/{size}) "
        return f"{factor}{' '.join(signs)} {body}".strip(), TERM


def _is_matrix(e: Expression) -> bool:
    """Whether it is a product of named matrices, as they are or transposed: it is written x Wᵀ, and not as a sum."""
    match e:
        case Symbol():
            return len(e.letters) == 2
        case Transposed(a=Symbol() as a):
            return _is_matrix(a)
        case Product():
            return _is_matrix(e.a) and _is_matrix(e.b) and any(e.letters)
    return False


def _ends_in_sum(e: Expression) -> bool:
    """Whether a factor behind the written expression would look like a part of its sum."""
    match e:
        case Sum() | Product():
            return not _is_matrix(e)
        case Binary(operator="*"):
            return _ends_in_sum(e.b)
        case Function():
            return e.name in ("-", "log")
    return False


def _number(value: float) -> str:
    """
    >>> _number(0.1), _number(1 / 3), _number(1.2345678e-12)
    ('0.1', '1/3', '1.23457e-12')
    """
    if len(str(value)) < 12:
        return str(value)
    simple = Fraction(value).limit_denominator(100)
    return str(simple) if abs(float(simple) - value) < 1e-12 * abs(value) else f"{value:g}"


def _without_minus(e: Expression) -> Expression | None:
    """-e, if a minus sign stands in front of e."""
    if isinstance(e, Function) and e.name == "-":
        return e.a
    if isinstance(e, Binary) and e.operator in "*/" and (a := _without_minus(e.a)) is not None:
        return replace(e, a=a)
    return None


def _has_slash(e: Expression, latex: bool) -> bool:
    """Whether a factor in front of or behind the written expression would look like a part of the division."""
    return not latex and isinstance(e, Binary) and e.operator == "/"


COMPARISONS = {">": (">", ">"), "<": ("<", "<"), ">=": (r"\ge", "≥"), "<=": (r"\le", "≤")}
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SUPERSCRIPTS = str.maketrans("0123456789-+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺")


def superscript(exponent: str) -> str:
    """
    >>> superscript("-2"), superscript("k + 1")
    ('⁻²', '^(k + 1)')
    """
    raised = exponent.translate(SUPERSCRIPTS)
    return raised if not set(exponent) - set("0123456789-+") else f"^{exponent}" if len(exponent) == 1 else f"^({exponent})"
