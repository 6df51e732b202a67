"""Find which function is the backward of which, by their names: conv_forward and conv_backward, tanh and tanh_prime."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Collection, Iterator
from functools import wraps
from typing import Any

from .read_code import arguments_of, nodes_of, returned

FORWARD = "forw forward forwards fwd fprop feedforward forwardprop forwardpropagate forwardpropagation forwardpass cached"
BACKWARD = """backward backwards backw bwd bprop backprop back backpropagate backpropagation backwardpropagation backwardpass
    vjp pullback adjoint"""
SLOPE = "derivative deriv prime der grad gradient gradients derivate diff derivada derivata"
LOSS = "loss cost losses objective"
MARKS = {
    word: kind
    for kind, words in (("FORWARD", FORWARD), ("BACKWARD", BACKWARD), ("SLOPE", SLOPE), ("LOSS", LOSS))
    for word in words.split()
}
SHORT = {  # of losses: mse_gradient is that of mean_squared_error
    r"cross entropy|\bc?ce\b": "crossentropy",
    "categorical crossentropy": "crossentropy",
    "binary crossentropy": "bce",
    "mean squared? error": "mse",
    "mean absolute error": "mae",
}
BESIDE = "pass propagation propagate prop"  # words after these: forward_pass, back_prop
D = re.compile(
    "(?<=^_)d_?(?=.)|^(?:delta_|d_?)(?=.)|_d[xz]?$|(?<=^[a-z])_?(?:prime|der)$"
)  # of dsigmoid, d_sigmoid and sigmoid_d, delta_cross_entropy
NO_MATTER = "prop of function func fn activation act compute calculate calc get naive fast"
FLAGS = "derivative deriv derivate derive prime grad gradient dx d der backward back is_derivative diff"
WORD = re.compile(r"[A-Z]?[a-z]+(?:\d+[dD]?(?![a-z]))?|[A-Z]+(?![a-z])\d*|\d+|[^\W\da-zA-Z_]+")  # conv2d is one word


def words_of(name: str) -> list[str]:
    """Return the words of a name: those of linearBackward, linear_backward and Linear_Backward are the same."""
    return [word.lower() for word in WORD.findall(name)]


def stem_of(name: str, *kinds: str) -> tuple[str, ...]:
    """Return the words of a name without the words of these kinds and those beside them."""
    words = words_of(name)
    marked = [MARKS.get(word) in kinds for word in words]
    if sum(marked) > 1:  # feedforward_forward is the forward of a feedforward layer
        marked = [mark and word != "feedforward" for word, mark in zip(words, marked, strict=True)]
    beside = [word in BESIDE.split() and i > 0 and marked[i - 1] for i, word in enumerate(words)]
    stem = " ".join(word for word, mark, by in zip(words, marked, beside, strict=True) if not mark and not by)
    for long, short in SHORT.items():
        stem = re.sub(long, short, stem)
    return tuple(stem.split())


def has(name: str, kind: str) -> bool:
    in_one_word = kind == "LOSS" and name.lower().endswith("cost")  # logisticcost
    return in_one_word or any(MARKS.get(word) == kind for word in words_of(name))


def says_only_that(name: str, kind: str) -> bool:
    """Whether a name has no word but that of a kind, and words that say nothing: compute_gradients."""
    return not _core(stem_of(name, kind), NO_MATTER)


def says_slope(name: str) -> bool:
    """Whether a name says derivative, and no backward: mse_grad, d_mse."""
    return has(name, "SLOPE") or name.startswith("d_")


def is_slope(name: str) -> bool:
    """Whether a function's name is that of a derivative: loss_grad, d_loss."""
    return bool(D.search(name)) or has(name, "SLOPE") or has(name, "BACKWARD")


def partners(names: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Yield (title, forward, backward) for each backward or derivative among some functions, in the order of the forwards.

    The forward of X_backward_Y is X_forward_Y; else X_forward (several backwards may share it), else X, else the loss X_loss.
    """
    order, titles = list(names), set()
    found = [(forward, backward) for backward in order for forward in [_forward_of(backward, order)] if forward]
    for forward, backward in sorted(found, key=lambda pair: (order.index(pair[0]), not has(pair[1], "BACKWARD"))):
        if backward.startswith("_") and any(other == forward and not b.startswith("_") for other, b in found):
            continue  # a helper of the backward
        title = _without(backward, "BACKWARD") or forward if has(backward, "BACKWARD") else forward
        title = forward if words_of(backward)[1:2] and words_of(backward)[1] in BESIDE.split() else title
        title = backward if title in titles else title
        titles.add(title)
        yield title, forward, backward


def _forward_of(backward: str, names: list[str]) -> str | None:
    kind = next((kind for kind in ("BACKWARD", "SLOPE") if has(backward, kind)), "")
    private = backward.startswith("_")  # _conv_back helps conv_backward
    others = [n for n in names if n != backward and not has(n, "BACKWARD") and n.startswith("_") == private]
    if not kind:  # dsigmoid, d_sigmoid, sigmoid_d
        rest = D.sub("", backward).lower()
        return next((name for name in others if name.lower() == rest != backward.lower()), None)
    stem = stem_of(backward, kind)
    if kind == "SLOPE" and says_only_that(backward, kind):
        return None  # compute_gradients: its arguments tell of what
    before = stem_of(re.split(r"_?(?:back|bwd|bprop)", backward, maxsplit=1, flags=re.IGNORECASE)[0])
    forwards = {name: stem_of(name, "FORWARD") for name in others if has(name, "FORWARD")}
    plain = {name: stem_of(name) for name in others if not has(name, "FORWARD") and stem_of(name)}
    losses = {name: stem_of(name, "LOSS") for name in others if has(name, "LOSS")}
    if kind == "SLOPE":
        plain = {name: words for name, words in plain.items() if not has(name, "SLOPE") or stem_of(name, "SLOPE") != stem}
    options = [(forwards, stem), (forwards, before), (plain, stem), (plain, before), (losses, stem)]
    of_backward = options if stem else options[:-1]  # what is called backward only is of no loss
    for known, wanted in of_backward if kind == "BACKWARD" else [options[2], options[4], options[0]]:
        alike = [name for name, words in known.items() if "".join(words) == "".join(wanted)]  # ReLU and deriv_relu
        match = next((name for name in alike if _beside(name) == _beside(backward)), next(iter(alike), None))
        for words_left_out in ("of function func fn", NO_MATTER):
            core = _core(wanted, words_left_out)
            alike = [name for name, words in known.items() if core and core == _core(words, words_left_out)]
            match = match or next(iter(alike), None)
        if match:
            return match
    return None


def _beside(name: str) -> list[str]:
    return [word for word in words_of(name) if word not in MARKS]


def _core(words: tuple[str, ...], left_out: str) -> str:
    return "".join(word for word in words if word not in left_out.split())


def _without(name: str, kind: str) -> str:
    """Return a name without the words of a kind: conv_naive of conv_backward_naive, linear of linearBackward."""
    found = []
    for part in name.split("_"):
        words = WORD.findall(part)
        rest = [word for word in words if MARKS.get(word.lower()) != kind]
        if len(rest) == len(words):
            found.append(part)  # with what the words leave out
        elif rest:
            found.append("".join(rest))
    return "_".join(found).strip("_")


def derivative_by_flag(function: Any) -> Callable | None:
    """Return the derivative that a function is where a flag says so: ``sigmoid(x, derivative=False)``; else None."""
    known = inspect.signature(function) if inspect.isfunction(function) or inspect.ismethod(function) else inspect.Signature()
    flags = [p.name for p in known.parameters.values() if p.default is False and p.name.lower() in FLAGS.split()]
    if not flags:
        return None
    others = known.replace(parameters=[p for p in known.parameters.values() if p.name != flags[0]])

    @wraps(function)
    def slope(*arguments: Any, **keywords: Any) -> Any:
        return function(**others.bind(*arguments, **keywords).arguments, **{flags[0]: True})

    slope.__signature__ = others  # type: ignore[attr-defined]
    return slope


def partners_by_code(functions: dict[str, Callable]) -> Iterator[tuple[str, str, str]]:
    """Yield (title, forward, backward) for functions with names that differ in one word, and the code of one of each.

    So they are found whatever they are called: capa_adelante and capa_atras.
    """
    backwards = [name for name, function in functions.items() if unpacks_a_cache(function)]
    for forward in [name for name, function in functions.items() if keeps_a_cache(function)]:
        alike = [name for name in backwards if _in_common(forward, name)]
        if len(alike) == 1:
            yield _in_common(forward, alike[0]), forward, alike[0]


def _in_common(one: str, other: str) -> str:
    """Return the words that two names have in common, where only the last one differs, or only the first; else ""."""
    first, second = words_of(one), words_of(other)
    parts = ((first[:-1], second[:-1]), (first[1:], second[1:]))
    return "_".join(next((words for words, others in parts if words == others), []))


def keeps_a_cache(function: Callable) -> bool:
    """Whether a function returns (out, (x, w)), where x or w is its argument."""
    pairs = [value.elts for value in returned(function) if isinstance(value, ast.Tuple) and len(value.elts) == 2]
    caches = [cache.elts for _, cache in pairs if isinstance(cache, ast.Tuple)]
    return any(getattr(part, "id", "") in arguments_of(function) for parts in caches for part in parts)


def unpacks_a_cache(function: Callable) -> bool:
    """Whether a function takes its last argument apart, ``x, w = saved``, and returns a product, or several values."""
    last = arguments_of(function)[1:][-1:]
    assigned = [node for node in nodes_of(function) if isinstance(node, ast.Assign)]
    apart = any(isinstance(node.targets[0], ast.Tuple) and getattr(node.value, "id", "") in last for node in assigned)
    return apart and any(isinstance(e, ast.BinOp | ast.Tuple) for value in returned(function) for e in ast.walk(value))
