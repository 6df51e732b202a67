"""Decide how a forward and its backward are meant to be called together: what is an output, and what backward is given.

The checker knows one form: ``out, cache = forward(...)`` and ``grads = backward(dout, cache)``. Courses write many. The names
of backward's arguments, the names in forward's `return` and the result of one run tell which, as in ::

    h, c, cache = lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b)   # two outputs
    grads = lstm_step_backward(dnext_h, dnext_c, cache)             # a cotangent for each
    grads = fc_backward(dZ, X, W)                                   # no cache, but forward's arguments
    slope = sigmoid_derivative(x)                                   # no cotangent either: dx = dout * slope

Where several conventions are possible, the names do not tell; take the one with which the gradients are right, else the first
that works. `UserError` says why there is none.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import islice, product
from operator import getitem
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import differentiable
from ..read.match_names import says_slope
from ..read.read_code import parameters, titles_of, unpacked
from ..run_code import UserError
from .kinds import CONSTANT, KIND, NUMBERS, PROBABILITIES, RATES, REGULARISED, kind_of

OF_ERRORS = re.compile("e|ei|errs?|errors?|delta\\w*|residuals?")  # what the targets are subtracted in, of whatever output
CACHES = re.compile(r"cache|memory|^(ctx|context|saved|stored?|tape|tmp|intermediates?|residuals?|tupl?e?)($|_)", re.IGNORECASE)
# dout, dZ, d_out, dL_dy, grad_output, upstream_grad, delta, error
COTANGENT = re.compile(
    r"^d(.|_.*|[A-Z].*|out.*|values?|loss.*|next.*|prev.*|l_.*|elta.*)?$|grad|upstream|^(g[abhoxyz]?|err|error|top|up)(_|$)"
)
SHAPE = re.compile(r"^((x|in|input|inputs|original|orig|old|prev|a_prev)_?)?(shape|size)$", re.IGNORECASE)
OUTPUTS = ("y", "a", "out", "output", "outputs", "activations")
PREDICTED = re.compile(r"^(y_?(hat|pred\w*)|preds?|predictions?)$", re.IGNORECASE)  # the names of what a network says
# Conventions that are tried for one pair. Names leave open two arguments of backward at most, with a handful of choices each.
MOST = 24


class NoNumber(ValueError):
    """Backward takes what forward takes, as that of a cost; with these inputs forward returns no number, with others it may."""


@dataclass(frozen=True)
class Source:
    """Where an argument of backward comes from."""

    # "dout", "result", "input", its "shape", "inputs" (several, as a tuple), "all" (these and the results) or "value"
    what: str
    key: Any = None  # the number of the cotangent (None: all), the places in the result, the inputs' names, the value


@dataclass(frozen=True)
class Convention:
    """How a forward and its backward are called together."""

    outputs: tuple[tuple[int, ...], ...]  # the places in forward's result that have a cotangent: (0,); (0, 1) of (a, b), cache
    arguments: tuple[tuple[str, Source], ...]  # of backward, without those left at their defaults
    keywords: frozenset[str] = frozenset()  # the arguments that are handed over by name
    starred: bool = False  # whether the last argument is *cache
    guess: bool = False  # whether it is not told what stands for the cache that backward takes
    slope: bool = False  # whether backward takes no cotangent, but returns the derivative, which dout is multiplied with

    def read(self, result: Any, inputs: dict[str, Any]) -> tuple[Any, Any]:
        """Return (out, cache) of one run: the output, or a tuple of several; and what backward is given beside dout."""
        values = _values_of(result)
        outputs = tuple(stacked(reduce(getitem, place, values)) for place in self.outputs)
        kept = [self._value(source, values, inputs) for _, source in self.arguments if source.what != "dout"]
        return outputs[0] if len(outputs) == 1 else outputs, kept[0] if len(kept) == 1 else kept

    def call(self, backward: Callable, dout: Any, cache: Any) -> Any:
        """Return what backward returns, or dout times the derivative that it returns."""
        sources = [source for _, source in self.arguments]
        kept = iter([cache] if sum(source.what != "dout" for source in sources) == 1 else cache)
        given = [dout if s == Source("dout") else dout[s.key] if s.what == "dout" else next(kept) for s in sources]
        named = dict(zip([name for name, _ in self.arguments], given, strict=True))
        plain = [named.pop(name) for name in list(named) if name not in self.keywords]
        if self.starred:
            plain[-1:] = plain[-1] if isinstance(plain[-1], tuple | list) else [plain[-1]]
        grads = backward(*plain, **named)
        return _times(dout, grads) if self.slope else grads

    @staticmethod
    def _value(source: Source, values: list, inputs: dict[str, Any]) -> Any:
        if source.what == "result":
            found = tuple(reduce(getitem, place, values) for place in source.key)
            return found[0] if len(found) == 1 else found
        if source.what in ("inputs", "all"):
            return (*(inputs[name] for name in source.key), *(values if source.what == "all" else ()))
        if source.what == "value":
            return source.key
        return inputs[source.key] if source.what == "input" else np.shape(inputs[source.key])


def _values_of(result: Any) -> list:
    """Return the values of which a result consists; a list of numbers is one, [max(0, v) for v in x]."""
    numbers = isinstance(result, list) and len(result) > 2 and all(isinstance(x, int | float | np.number) for x in result)
    return list(result) if isinstance(result, tuple | list) and not numbers else [np.asarray(result) if numbers else result]


def stacked(x: Any) -> Any:
    """Return a list with many entries of one shape as an array: a comprehension has made it. Four may be four outputs."""
    return np.asarray(x) if isinstance(x, list) and len(x) > 4 and len({np.shape(e) for e in x}) == 1 else x


def _times(dout: Any, grads: Any) -> Any:
    grads = stacked(grads)
    if isinstance(grads, dict):
        return {key: _times(dout, g) for key, g in grads.items()}
    if isinstance(grads, tuple | list):
        return tuple(_times(dout, g) for g in grads)
    if np.ndim(dout) and np.shape(grads) == (*np.shape(dout), np.shape(dout)[-1]):  # a Jacobian, of a vector or of each row
        return np.einsum("...i,...ij->...j", dout, grads)
    if 0 < np.ndim(dout) < np.ndim(grads) and np.shape(grads)[: np.ndim(dout)] == np.shape(dout):  # of a loss for each row
        dout = dout.reshape(*dout.shape, *[1] * (np.ndim(grads) - dout.ndim))
    return grads if grads is None else dout * grads


def conventions(
    forward: Callable, backward: Callable, result: Any, inputs: dict[str, Any], slope: bool = False
) -> Iterator[Convention]:
    """Yield the conventions that fit the names, the likeliest first. Raise UserError where there is none.

    `result` is what forward returned in one run, `inputs` are all its arguments in that run, by name. `slope` says that
    backward needs no cotangent: it goes back from a loss.
    """
    values = _values_of(result)
    needed = tuple(p.name for p in parameters(forward) if p.default is p.empty and p.name in inputs)
    titles = titles_of(forward, len(values))
    if isinstance(values[-1], dict) and not any(titles):  # of a forward that returns a dict only
        titles[-1] = titles_of(forward, 1)[0]
    asked = {p.name for p in parameters(backward)}
    for names in unpacked(forward) if slope else ():  # Z1, A1 = forward(X), whatever forward calls them itself
        if len(names) == len(values) and len(asked & {*names}) > len(asked & {*titles}):
            titles = names
    run = _Run(values, titles, inputs, needed, titles_of(forward, 1)[0] if isinstance(result, list) else "")
    both_take = parameters(forward, (inspect.Parameter.VAR_POSITIONAL,))  # *argv, which nothing is put into
    taken = [p for p in _taken(backward) if p not in both_take]
    roles = _roles(taken, run, slope, says_slope(getattr(backward, "__name__", "")))
    douts = [name for name, role in roles.items() if role == "dout"]
    number = run.cache != 0 and run.is_number
    alone = len(run.moving) == 1 and not any(is_cache(p.name) for p in taken)  # then backward may return the derivative itself
    if not douts and not slope and not (taken and (number or alone)):
        if {p.name for p in taken} == set(needed) or _of_targets(roles):
            raise NoNumber("give it both, and multiply by dout inside")
        raise UserError("give it both, and multiply by dout inside")
    outputs, cotangents = _outputs(run, douts)
    options = []
    for p in taken:
        role = roles[p.name]
        found = [cotangents[p.name]] if role == "dout" else role if isinstance(role, list) else []
        if role == "cache" or (not found and p.default is p.empty):
            found = _for_unknown(p, run, outputs, [role[0] for role in roles.values() if isinstance(role, list)], slope)
        if found:
            options.append([(p.name, source) for source in found])
    if not any(source.what != "value" for (_, source), *_ in options):
        raise UserError("give it dout and the cache")
    keywords = frozenset(_by_keyword(taken, {name for (name, _), *_ in options}))
    starred = taken[-1].kind is inspect.Parameter.VAR_POSITIONAL
    several = [outputs, *run.others_like(outputs)] if len(douts) == 1 and OF_ERRORS.fullmatch(douts[0].lower()) else [outputs]
    for places, chosen in islice(product(several, product(*options)), MOST):
        yield Convention(places, chosen, keywords, starred, "cache" in roles.values() and run.cache is None, slope=not douts)


@dataclass(frozen=True)
class _Run:
    """One run of forward: its values with their names in the code ("" for none), and its arguments."""

    values: list
    titles: list[str]
    inputs: dict[str, Any]
    needed: tuple[str, ...]  # the arguments without a default
    listed: str = ""  # the name of the values, where they are one list

    @cached_property
    def cache(self) -> int | None:
        """Which value is the cache: by its name, else the last of two, else the last that is no array."""
        if len(self.values) < 2:
            return None
        named = [i for i, title in enumerate(self.titles) if is_cache(title)]
        if named:
            return named[-1]
        if len(self.values) == 2:
            return 0 if isinstance(self.values[0], dict) and not isinstance(self.values[1], dict) else 1
        others = [i for i, x in enumerate(self.values) if i > 0 and (x is None or isinstance(x, tuple | list | dict))]
        return others[-1] if others else None

    def others_like(self, outputs: tuple[tuple[int, ...], ...]) -> list[tuple[tuple[int, ...], ...]]:
        """Return the places of the other arrays of the output's shape: y - y_hat is the gradient of what softmax is given."""
        shape = np.shape(self.values[outputs[0][0]])
        alike = [i for i, x in enumerate(self.values) if isinstance(x, np.ndarray) and x.shape == shape]
        return [((i,),) for i in alike if (i,) != outputs[0]]

    @cached_property
    def is_number(self) -> bool:
        return isinstance(self.values[0], float | np.ndarray | np.generic) and np.size(self.values[0]) == 1

    @cached_property
    def moving(self) -> list[str]:
        """The arguments that may have a gradient."""
        found = [name for name, x in self.inputs.items() if differentiable(x)]
        return [name for name in found if kind_of(name) not in CONSTANT] or found[:1]


def _taken(backward: Callable) -> list[inspect.Parameter]:
    """Return the parameters of backward, without **keywords; (dout, cache) of a built-in one and of a decorator's wrapper."""
    found = [p for p in parameters(backward) if p.kind is not p.VAR_KEYWORD]
    if [p.kind for p in found] in ([], [inspect.Parameter.VAR_POSITIONAL]):
        return [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in ("dout", "cache")]
    return found


def _by_keyword(taken: list[inspect.Parameter], given: set[str]) -> list[str]:
    """Return the arguments to hand over by name: those after one that is left at its default, and those after a `*`."""
    gap = next((i for i, p in enumerate(taken) if p.name not in given), len(taken))
    named = [p for i, p in enumerate(taken) if p.kind is p.KEYWORD_ONLY or (i > gap and p.kind is p.POSITIONAL_OR_KEYWORD)]
    return [p.name for p in named if p.name in given]


def is_cache(name: str) -> bool:
    return bool(CACHES.search(name))


def is_cotangent(name: str, titles: list[str]) -> bool:
    after_d = name[1:].lstrip("_") if name[:1] == "d" else ""
    known = KIND.get(after_d.lower()) or any(_same(after_d, title) for title in titles)
    return bool(COTANGENT.search(name) or (after_d and known))


def _same(one: str, other: str) -> bool:
    """Whether two names have the same words in any order: h_next and next_h."""
    return bool(one) and sorted(one.lower().split("_")) == sorted(other.lower().split("_"))


def _are_two_cotangents(needed: list[str], run: _Run) -> bool:
    """Whether backward's two arguments begin alike, as ga and gb, and forward returns two new arrays: no cache."""
    arrays = len(run.values) == 2 and all(isinstance(x, np.ndarray) and x.dtype.kind == "f" for x in run.values)
    short = len(needed) == 2 and needed[0][0] == needed[1][0] in "dg" and [*map(len, needed)] == [2, 2]
    known = [x for x in run.inputs.values() if isinstance(x, np.ndarray)]
    return arrays and short and not any(np.array_equal(run.values[1], x) for x in known)


def _roles(taken: list[inspect.Parameter], run: _Run, slope: bool, named_slope: bool) -> dict[str, Any]:
    """Return what each argument of backward is by its name: "dout", "cache", a list of sources, or "" (unknown)."""
    roles: dict[str, Any] = {}
    for p in taken:
        if run.listed == p.name:
            roles[p.name] = [Source("result", tuple((i,) for i in range(len(run.values))))]
        elif is_cache(p.name):
            roles[p.name] = "cache"
        elif p.name in run.inputs:
            roles[p.name] = _perhaps_output(Source("input", p.name), run)
        elif p.name in run.titles:
            roles[p.name] = [Source("result", ((run.titles.index(p.name),),))]
        elif SHAPE.search(p.name) and run.moving:
            roles[p.name] = [Source("shape", run.moving[0])]
        else:
            roles[p.name] = "dout" if is_cotangent(p.name, run.titles) else ""
    needed = [p.name for p in taken if p.default is p.empty]
    of_loss = run.is_number and all(isinstance(roles[name], list) for name in needed)  # (probs, targets)
    if _are_two_cotangents(needed, run):
        return roles | dict.fromkeys(needed, "dout")
    if len(needed) == len(run.values) == 2 and "cache" not in roles.values() and not of_loss:
        first, second = needed if roles[needed[1]] != "dout" or roles[needed[0]] == "dout" else needed[::-1]
        if roles[second] != "dout" or not isinstance(run.values[1 - (run.cache or 0)], tuple | list):
            return roles | {first: "dout", second: "cache"}  # the order of (dout, cache) says more than the names
    pairs = [*zip(needed, run.needed, strict=False)] if named_slope and run.is_number and len(needed) == len(run.needed) else []
    alike = [(kind_of(a) == "target") == (kind_of(b) == "target") and (a == b or a not in run.inputs) for a, b in pairs]
    if pairs and all(alike) and not {*needed} & {*run.titles}:
        return roles | {name: [Source("input", given)] for name, given in pairs}  # what the loss takes, by other names
    unnamed = [i for i, title in enumerate(run.titles) if not title]
    others = [name for name in needed if roles[name] == "" and not (name.lower() in RATES or says_slope(name))]
    if slope and len(unnamed) == len(others) == 1 < len(run.values) and others[0][:1] not in "xX":
        roles[others[0]] = [Source("result", ((unnamed[0],),))]  # out of `return hidden, sigmoid(hidden @ W)`
    _by_likeness(roles, run)
    unknown = [name for name in needed if roles[name] == ""]
    alone = len(run.values) == 1 and "dout" in roles.values()  # dist, beside dL_ddist
    roles |= {name: "dout" for name in unknown if name.startswith("d") and not slope and not alone}
    others = [roles[name][0].key for name in needed if isinstance(roles[name], list)]
    modes = len(unknown) == 1 and others and not any(differentiable(run.inputs.get(key)) for key in others)
    if "dout" not in roles.values() and len(needed) > 1 and not (slope or (named_slope and (modes or _of_targets(roles)))):
        roles |= dict.fromkeys([name for name in unknown if name[:1] not in "xX"][:1], "dout")  # X_noisy is data
    return roles


def _of_targets(roles: dict[str, Any]) -> bool:
    """Whether backward takes the targets of what is a loss, then: it needs no cotangent."""
    return any(
        isinstance(role, list) and role[0].what == "input" and kind_of(role[0].key) == "target" for role in roles.values()
    )


def _by_likeness(roles: dict[str, Any], run: _Run) -> None:
    """Find a role for unknown arguments: a name that differs in its case or its order of words; the only one of its kind."""
    for name in [name for name, role in roles.items() if role == ""]:
        claimed = [role[0] for role in roles.values() if isinstance(role, list)]
        known = {Source("input", n): n for n in run.inputs}
        known |= {Source("result", ((i,),)): t for i, t in enumerate(run.titles) if t}
        free = {source: n for source, n in known.items() if source not in claimed}
        alike = [source for source, n in free.items() if _same(n, name)]
        kind = kind_of(name)
        if name.lower() in PROBABILITIES and len(run.values) == 1:  # pred, of a loss behind softmax(x)
            alike = alike or [Source("result", ((0,),))]
        targets = [n for n, x in run.inputs.items() if kind_of(n) == "target" and isinstance(x, np.ndarray)]  # of a loss
        said = PREDICTED.match(name) and not targets and not any(map(PREDICTED.match, run.inputs))
        if said and not alike and Source("result", ((0,),)) not in claimed:
            alike = [Source("result", ((0,),))]  # Y_hat of a network that takes X and returns A_curr
        alike = alike or [source for source, n in free.items() if kind not in ("", "number") and kind_of(n) == kind]
        before, _, last = name.rpartition("_")
        alike = alike or [source for source, n in free.items() if before and n == last][:1]  # ret_x
        if len(alike) == 1:
            roles[name] = _perhaps_output(alike[0], run)
        elif last in OUTPUTS and (len(last) > 1 or any(n.startswith(f"{before}_") and roles[n] for n in roles)):
            roles[name] = [Source("result", ((0,),))]  # layer_output; ret_y, beside ret_x


def _perhaps_output(source: Source, run: _Run) -> list[Source]:
    """Return the source; and the output where forward returns nothing else: ``sigmoid_grad(x): return x * (1 - x)``."""
    output = Source("result", ((0,),))
    either = len(run.values) == 1 and source != output and run.moving == [source.key]
    return [source, output] if either else [source]


def _outputs(run: _Run, douts: list[str]) -> tuple[tuple[tuple[int, ...], ...], dict[str, Source]]:
    """Return the places of the outputs that have a cotangent, and which cotangent each of the arguments `douts` is."""
    every = len(douts) == len(run.values) and all(isinstance(x, np.ndarray) for x in run.values)  # then there is no cache
    places: list[tuple[int, ...]] = [(i,) for i in range(len(run.values)) if every or i != run.cache]
    words: dict[tuple[int, ...], str] = {(i,): title for i, title in enumerate(run.titles)}
    first = run.values[places[0][0]]
    if len(douts) > 1 and isinstance(first, tuple | list):
        words |= {(*places[0], j): title for j, title in enumerate(words[places[0]].split(", "))}
        places = [(*places[0], j) for j in range(len(first))] + places[1:]
    if len(douts) < 2:
        matched = [place for place in places if douts and _names(douts[0], words.get(place, ""))]
        place = matched[0] if len(matched) == 1 else places[0]
        return (place,), dict.fromkeys(douts, Source("dout"))
    if len(douts) > len(places):
        raise UserError("several outputs are one tuple, `return (a, b), cache` in forward, and dout is a tuple too")
    owners: dict[str, tuple[int, ...]] = {}
    for by_name in (True, False):
        for name in [name for name in douts if name not in owners]:
            rest = [place for place in places if place not in owners.values()]
            fits = [place for place in rest if _names(name, words.get(place, ""))] if by_name else rest
            if fits:
                owners[name] = fits[0]
    chosen = sorted(owners.values())
    return tuple(chosen), {name: Source("dout", chosen.index(place)) for name, place in owners.items()}


def _names(dout: str, output: str) -> bool:
    """Whether a cotangent's name is that of an output: dnext_h or dh_next of next_h, grad_h of h."""
    return any(_same(re.sub(prefix, "", dout), output) for prefix in ("^d_?", "^grad_?", "_?grad$", "^dL_?d_?"))


def _for_unknown(
    p: inspect.Parameter, run: _Run, outputs: tuple[tuple[int, ...], ...], used: list[Source], slope: bool
) -> list[Source]:
    """Return what an argument of backward may be that is the cache, or whose name tells nothing."""
    if p.name in REGULARISED:  # forward has no such term
        return [Source("value", 0.0)]
    if says_slope(p.name) and any(callable(x) for x in run.inputs.values()):  # derivative, beside the activation x -> x
        return [Source("value", np.ones_like)]
    a_rate = p.name.lower() in RATES and slope  # it may stand before the cache
    if run.cache is not None and Source("result", ((run.cache,),)) not in used and not a_rate:
        return [Source("result", ((run.cache,),))]
    if p.name in NUMBERS and p.name not in PROBABILITIES and len(p.name) > 1:
        return [Source("value", NUMBERS[p.name])]
    if p.name.lower() in RATES:
        return [Source("value", 0.5)]
    rest = tuple((i,) for i in range(len(run.values)) if not any(place[0] == i for place in outputs))
    several = [Source("result", rest)] if len(rest) > 1 else []
    tuples = [Source(what, names) for what in ("inputs", "all") for names in dict.fromkeys((run.needed, tuple(run.inputs)))]
    alone, output = [Source("input", name) for name in run.moving], Source("result", outputs[:1])
    alone = [Source("result", (place,)) for place in rest[::-1]] + alone
    a_tuple = is_cache(p.name) and len(run.needed) > 1
    found = [*several, *tuples, *alone, output] if a_tuple else [*alone, output, *several, *tuples]
    found.sort(key=lambda source: not (slope and source == output))  # of a network and its loss
    if p.name in NUMBERS:  # p is the output of softmax(z), or a rate
        found = [output, *found, Source("value", NUMBERS[p.name])]
    return [source for source in found if source not in used]
