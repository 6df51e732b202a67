"""Make an object of a class: what its constructor takes, and the methods that set after it what the object lacks."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import fresh
from ..functions.kinds import kind_of
from ..functions.layouts import OUTPUTS
from ..read.read_code import code_of, methods_in, own_text, parameters
from ..run_code import UserError, attempt
from .arguments import advice, words_of
from .attributes import EPOCHS, RATES, arrays_in, make_arrays, put, set_numbers
from .call_layer import Layer, call_by_name
from .draw_constructor import (
    NEEDED,
    OF,
    Setting,
    appended,
    arguments_of_constructor,
    choices,
    folded,
    kind_in_constructor,
    parts_of,
    sets_up,
    settle,
)
from .find_layers import attributes_in, neighbours, reached, takes_deltas
from .objects import LR, Mixing, Neighbour, asked_for, layers_for
from .parameters import reset

SHAPES = ("input_shape", "in_shape", "input_size", "input_dim")  # attributes that a network sets of its layers


class Maker:
    """Knows what the constructor of a class takes, and makes objects with that."""

    def __init__(self, layer: Layer, seed: int, given: dict[str, Any]) -> None:
        self.layer, self.seed, self.given = layer, seed, given
        self.words = words_of(layer.name)
        steps = takes_deltas(layer.cls, layer.methods.backward) if layer.methods.how == "cost" else ""
        layer.after, layer.handed = steps or layer.after, bool(steps)
        self.adders: dict[str, str] = {}  # the methods that add a layer, and the name of their argument
        stepping = [own_text(getattr(layer.cls, name)) for name in reached(layer.cls, layer.methods.backward)]
        # v = beta * v + (1 - beta) * dW; also in an optimizer that it holds
        self.momenta = ["momentum", *re.findall(r"self\.\w+ = self\.(\w+) \* self\.v", "".join(stepping))]
        self.of_lists = False  # whether the last object held lists of numbers in place of arrays
        self.needs_more = False  # whether the constructor is given what is None by default
        self.settle([])

    def settle(self, setups: list[str]) -> None:
        """Say what is drawn for the constructor, and for the methods that make the parameters after it."""
        cls, self.setups = self.layer.cls, setups
        own = arguments_of_constructor(cls, self.given)
        own = [p.replace(default=p.empty) if self.needs_more and self._is_needed(p) else p for p in own]
        self.own = {p.name for p in own}
        known = [p for name in setups for p in parameters(getattr(cls, name))[1:] if p.kind is p.POSITIONAL_OR_KEYWORD]
        parts = {p.name: parts_of(p.replace(default=p.empty), cls) for p in known if p.default is p.empty or p.default is None}
        known = [p for p in known if p.default is p.empty or p.name == "optimizer" or OF in parts.get(p.name, [p])[0].name]
        known = [part for p in known for part in parts.get(p.name, [p.replace(default=p.empty)])]
        self.constructor = list({p.name: p for p in own + known}.values())
        codes = [code for owner in cls.__mro__ for method in vars(owner).values() if (code := code_of(method))]
        text, later = "\n".join(map(ast.unparse, codes)), attributes_in(getattr(cls, self.layer.methods.forward)) | self.own
        self.outside = {name: "outside" for name in SHAPES if f"self.{name} = None" in text and name not in later}
        self.outside |= {"layers": "layers"} if "self.layers = []" in text and "self.layers.append(" not in text else {}
        self.constructor += [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in self.outside]
        added = set(self.adders.values())
        self.kinds, unknown = settle([p for p in self.constructor if p.name not in {*self.given, *added}], self.words, cls)
        self.kinds |= dict.fromkeys(added, "layers") | self.outside
        data = {p.name: kind_of(p.name) for p in known if p.name not in self.own}
        self.kinds |= {name: kind for name, kind in data.items() if kind in ("x", "target") and name in self.kinds}
        ours = [Mixing(asked_for(cls)), Mixing(asked_for(cls))]
        held = [ours, layers_for(cls, self.layer.methods)] if "layers" in self.kinds.values() else []
        self.held = [layers for layers in held if layers]
        if unknown:
            titles = ", ".join(folded({str(p).split(":")[0]: p for p in self.constructor}))
            wanted = ", ".join(folded(dict.fromkeys(unknown)))
            raise UserError(f"{self.layer.name}({titles}): do not know what to draw for {wanted}; {advice(self.layer)}")

    def leave_no_none(self) -> bool:
        """Give the constructor the sizes, the activation and the initialisers that are None by default, if there are any."""
        self.needs_more = any(map(self._is_needed, arguments_of_constructor(self.layer.cls, self.given)))
        if self.needs_more:
            self.settle(self.setups)
        return self.needs_more

    def _is_needed(self, p: inspect.Parameter) -> bool:
        return p.default is None and kind_in_constructor(p, self.words) in NEEDED.split()

    def constructors(self, around: Setting) -> Iterator[dict[str, Any]]:
        made = choices(self.constructor, self.kinds, around)
        known = {p.name for p in self.constructor}
        yield from (arguments | {name: x for name, x in self.given.items() if name in known} for arguments in made)

    def may_hide(self, made: dict[str, Any], x: tuple[int, ...]) -> bool:
        """Whether a wrong backward may be right: without padding, with two axes for a dim, or as many outputs as x has rows.

        `made`: what the constructor is given; `x`: the shape of x, () where no other may be drawn.
        """
        given = {p.name: p.default for p in self.constructor} | made
        unpadded = any(kind == "pad" and given[name] == 0 for name, kind in self.kinds.items())
        odd = any(kind == "in" and isinstance(given[name], tuple) and "shape" not in name for name, kind in self.kinds.items())
        return unpadded or odd or ("out" in self.kinds.values() and OUTPUTS in x)

    def make(self, arguments: dict[str, Any]) -> tuple[Any, BaseException | None]:
        """Return (an object, None), or (None, what its constructor raised)."""
        np.random.seed(self.seed % 2**32)  # noqa: NPY002
        return attempt(partial(self.construct, **arguments))

    def construct(self, **arguments: Any) -> Any:
        arguments = {name: fresh(x) for name, x in arguments.items()}
        obj = call_by_name(self.layer.cls, folded({name: x for name, x in arguments.items() if name in self.own}))
        known = {id(x): name for name, x in arguments.items() if isinstance(x, np.ndarray) and OF not in name}
        self.layer.drawn = {way: known[id(a)] for ways, a in arrays_in(obj) if id(a) in known for way in ways}
        self.of_lists = make_arrays(obj)
        set_numbers(obj, RATES, LR)
        set_numbers(obj, EPOCHS, 1)
        set_numbers(obj, re.compile("|".join(self.momenta)), 0.0)  # the first step is then that of the gradient
        for name in self.outside:
            attempt(setattr, obj, name, arguments[name])
        for name in neighbours(self.layer.cls):
            attempt(setattr, obj, name, Neighbour())
        self._set_up(obj, arguments)
        for ways, a in arrays_in(obj):
            if a.dtype != np.float64:
                put(obj, ways, a.astype(np.float64))
        reset(obj)
        return obj

    def _set_up(self, obj: Any, arguments: dict[str, Any]) -> None:
        """Call the methods that make what a new object lacks. One that trains it ends where it calls backward."""
        halves = {self.layer.methods.backward} if self.setups and hasattr(obj, "__dict__") else set()
        vars(obj).update(dict.fromkeys(halves, _leave)) if halves else None
        for method in self.setups:
            for one in arguments[self.adders[method]] if method in self.adders else [None]:
                attempt(call_by_name, getattr(obj, method), folded(arguments) | {self.adders.get(method, ""): one})
        for half in halves:
            del vars(obj)[half]

    def find_setups(self, obj: Any, with_data: bool, nothing: tuple = (None,), named: str = "$^") -> bool:
        """Note the methods that set what forward or backward needs and an object lacks: build(n_in), add(layer), fit(X, y).

        `with_data`: whether a method may take data; `nothing`: what an attribute is that is not set; `named`: the names of
        methods that are called in any case. Return whether there are other ones than before.
        """
        cls = self.layer.cls
        halves = (self.layer.methods.forward, self.layer.methods.backward)
        read = {name for half in halves for name in attributes_in(getattr(cls, half), ast.Load)}
        made = {one for called in reached(cls, halves[0]) for one in attributes_in(getattr(cls, called))}
        found, more = list(self.setups), list(halves)
        while more and obj is not None:
            has = {name: inspect.getattr_static(obj, name, None) for name in read - made}
            empty = {name for name, x in has.items() if isinstance(x, dict | list) and not x}
            lacking = {name for name, x in has.items() if any(x is none for none in nothing)} | empty
            own = [name for name in methods_in(cls) if name[:2] != "__" and name not in (*halves, *found, *read)]
            self.adders |= {name: added for name in own if (added := appended(cls, name, empty))}
            sets = {
                name: {one for called in reached(cls, name) for one in attributes_in(methods_in(cls)[called])} for name in own
            }
            more = [name for name in own if sets[name] & lacking or re.search(named, name)]
            more = [name for name in own if name in self.adders or (name in more and sets_up(cls, name, with_data))]
            found = [*more, *found]  # what init_params reads is set before it
            read |= {name for setup in more for name in attributes_in(getattr(cls, setup), ast.Load)}
        new = found != self.setups
        if new:
            self.settle(found)
        return new


def _leave(*_: Any, **__: Any) -> None:
    raise GeneratorExit  # no Exception, which the file may catch
