"""Say which arguments of forward are drawn, and what each of them is."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

from ..read.guess_kinds import guess
from ..read.indices import indices_of
from ..read.operands import kinds_in_a_norm, kinds_in_a_product
from ..read.packed import Packed, packed_of
from ..read.read_code import is_gradient_of, parameters, plain_title, returned
from ..read.rolled import rolled_of, size_named
from ..run_code import UserError
from .call_pair import ONE_VALUE, STARRED, Call
from .composed import Composed
from .find_pairs import Pair
from .kinds import LEARNED, kind_of, kinds_of


def arguments(pair: Pair) -> Iterator[Call]:
    """Yield calls that name the arguments to draw: first with the optional arrays (gamma=None), then without.

    The parameters in a dict are arguments of their own.
    """
    code = pair.forward.forward if isinstance(pair.forward, Composed) else pair.forward
    found, keys = parameters(pair.forward, ONE_VALUE), packed_of(code)
    needed = [p.name for p in found if p.default is p.empty]
    if not needed:
        title = f"{pair.forward_name}({', '.join(str(p).split(':')[0] for p in parameters(pair.forward))})"
        wraps = "put @functools.wraps(f) above the wrapper of the decorator, or " if parameters(pair.forward, STARRED) else ""
        raise UserError(f"{title}: it names no arguments to draw; {wraps}{advice(pair)}")
    kinds = dict(zip(needed, kinds_of(needed, pair.name), strict=True))
    guesses = {name: guess(code, name, i) for i, name in enumerate(needed) if name not in keys}
    # a p that comes first is no probability of dropout
    nothing = {n for i, n in enumerate(needed) if not kinds[n] or (kinds[n] == "number" and i == 0 and len(n) == 1)}
    guesses = {name: kind for name, kind in guesses.items() if name in nothing or kind.startswith(("one of ", "function"))}
    told = kinds_in_a_product(code, needed, kinds) or kinds_in_a_norm(code, needed, kinds)
    guesses |= {name: kind for name, kind in told.items() if kind != kinds[name] and "hot" not in name}  # one-hot stays so
    guesses |= dict.fromkeys(_numbers_with_gradient(pair, found), "x" if pair.loss else "scale")
    indices = {name: kind for name, kind in indices_of(code).items() if name in needed and kinds[name] in ("", "x", "target")}
    if any(kinds[name] != "target" for name in indices):  # targets alone are class numbers of the rows of x
        guesses |= indices
    rolled = [
        name for name in rolled_of(code) if name in needed and name not in keys and kinds[name] in ("", "settings", "weight")
    ]
    if rolled or "indices" in guesses.values():
        sized = {name: f"size of {size_named(name)}" for name in needed if not kinds[name] and size_named(name)}
        guesses |= sized | dict.fromkeys(rolled, "rolled")
    for name, array in getattr(code, "arrays", {}).items():
        keys |= {name: Packed(tuple(array))} if isinstance(array, dict) else {}
        parts = array.items() if isinstance(array, dict) else [(name, array)]
        guesses |= {part: f"shaped {' '.join(map(str, x.shape))}" for part, x in parts}
    arrays = ("weight", "bias", "affine", "hidden")
    optional = [p.name for p in found if p.default is None and kind_of(p.name, pair.name) in arrays]
    every = [p.name for p in found if p.name in needed or p.name in optional or p.name in guesses]
    for names in [every, needed] if every != needed else [needed]:
        taken_apart = [key for name in names for key in (keys[name].names if name in keys else [name])]
        kept = {name: packed for name, packed in keys.items() if name in names}
        entries = {key for packed in kept.values() for key in packed.names}
        every_kind = zip(taken_apart, kinds_of(taken_apart, pair.name), strict=True)
        guesses |= {name: f"any {name}" for name, kind in every_kind if not kind and name in entries and name not in guesses}
        yield Call(pair, taken_apart, [None] * len(taken_apart), keys=kept, guesses=guesses)


def _numbers_with_gradient(pair: Pair, found: list[inspect.Parameter]) -> list[str]:
    """Return the numbers whose gradient backward returns, as alpha of PReLU: by its name, or as one value more than arrays."""
    values = [getattr(value, "elts", [value]) for value in returned(pair.forward if pair.loss else pair.backward)]
    numbers = [p.name for p in found if type(p.default) in (int, float) or kind_of(p.name, pair.name) == "number"]
    named = [name for name in numbers if any(is_gradient_of(plain_title(e), name) for value in values for e in value)]
    counts = {sum(not (isinstance(e, ast.Constant) and e.value is None) for e in value) for value in values}
    arrays = sum(p.default in (p.empty, None) and p.name not in numbers for p in found)
    of_loss = [p.name for p in found if pair.loss and p.name in numbers and len(p.name) == 1 and p.default is p.empty]
    others = of_loss or [name for name in numbers if name in LEARNED or kind_of(name, pair.name) != "number"]
    returned_many = counts == {arrays + len(others) + pair.loss}  # a loss itself is one more
    return named or (others if returned_many and (of_loss or not pair.loss) else [])


def advice(pair: Pair) -> str:
    return f"write a function {pair.name}_inputs(rng) that returns them as a tuple"
