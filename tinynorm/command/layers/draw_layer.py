"""Draw a layer that is an object: arguments for its constructor and its forward, and values for its parameters."""

from __future__ import annotations

import ast
import inspect
import linecache
import re
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from functools import partial
from itertools import islice, product
from math import prod
from time import perf_counter
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import differentiable, fresh, random_state_kept
from ..functions.call_pair import shown
from ..functions.depends import moves
from ..functions.kinds import kind_of
from ..functions.layouts import LINE, OUTPUTS, ROWS, Layout
from ..other_numpy import numpy_with, unclipped
from ..read.read_code import code_of, parameters
from ..run_code import UserError, attempt, own_frames, own_traceback
from ..unfinished import blame
from .arguments import advice, forward_kinds, words_of
from .attributes import EPOCHS, RATES, arrays_in, make_arrays, put, set_numbers
from .by_chance import is_no_target, right_by_chance, row_by_row, rows_in
from .call_layer import USUAL_LOSSES, Layer, call_by_name
from .draw_constructor import OF, Setting, appended, arguments_of_constructor, choices, folded, parts_of, sets_up, settle
from .draw_forward import draw_arguments, draws_of_targets, layouts_for, layouts_of
from .find_layers import attributes_in, methods_in, neighbours, reached, takes_deltas
from .objects import LR, Mixing, Neighbour, Step, asked_for, layers_for
from .one_method import trainers
from .parameters import find_parameters, reset, run, values_of
from .readings import share_right, ways_to_read, with_a_method_after
from .roles import possible_roles

# Seconds after which the search for arguments ends; forwards that work, where backward does not, after which another shape of x
# is tried; and combinations of arguments for one shape of x.
PATIENCE, ENOUGH, MOST = 12.0, 8, 256
SHAPES = ("input_shape", "in_shape", "input_size", "input_dim")  # attributes that a network sets of its layers
WINDOWS = ("kernel", "move", "pad", "factor")  # kinds of numbers with which one layer works, or does not, as with others
MADE = "build|compile|init|set_?up|create"  # in the names of methods that make an object ready


class Search:
    """The search for an object and for arguments with which a layer works."""

    def __init__(self, layer: Layer, seed: int, given: dict[str, Any] | None = None, only: Layout | None = None) -> None:
        self.layer, self.seed, self.path, self.given, self.only = layer, seed, layer.path, given or {}, only
        self.words = words_of(layer.name)
        steps = takes_deltas(layer.cls, layer.methods.backward) if layer.methods.how == "cost" else ""
        layer.after, layer.handed = steps or layer.after, bool(steps)
        self.taken: dict[str, str] = {}
        self.adders: dict[str, str] = {}  # the methods that add a layer, and the name of their argument
        stepping = [_text_of(getattr(layer.cls, name)) for name in reached(layer.cls, layer.methods.backward)]
        # v = beta * v + (1 - beta) * dW; also in an optimizer that it holds
        self.momenta = ["momentum", *re.findall(r"self\.\w+ = self\.(\w+) \* self\.v", "".join(stepping))]
        self._settle([])
        self.taken = forward_kinds(layer)
        self.furthest: tuple[int, BaseException | None, str] = (-1, None, "")
        self.best: Layer | None = None
        self.rank = (False,) * 4  # of the best: whether its output is finite, and what `_rank` says
        texts = [_text_of(getattr(layer.cls, name)) for name in (layer.methods.forward, layer.methods.backward)]
        self.signs = "== -1" in "".join(texts)
        loop = rf"for .+ in (zip\(.*|enumerate\()?\b({'|'.join(self.taken)})\b"
        self.plain = "np." not in texts[0] and bool(re.search(loop, texts[0]))  # whether x is a list of numbers
        xs = "|".join(name for name, kind in self.taken.items() if kind == "x")
        self.multiplies = bool(xs and re.search(rf"@ (self\.)?({xs})\b|\b({xs}) @|dot\(.*\b({xs})\b", texts[0]))  # no indices
        self.whole = False  # whether x is of whole numbers
        self.unsummed = False  # whether a gradient is that of each row, where there are several
        self.refused: dict[str, Any] = {}  # the first sizes of windows with which forward works, and backward does not
        self.of_lists = False  # whether it works without NumPy, on one sample
        self.tried: Counter[Layout] = Counter()  # the forwards that worked
        self._find_setups()

    def _settle(self, setups: list[str]) -> None:
        """Say what is drawn for the constructor, and for the methods that make the parameters after it."""
        cls, self.setups = self.layer.cls, setups
        own = arguments_of_constructor(cls, self.given)
        self.own = {p.name for p in own}
        known = [p for name in setups for p in parameters(getattr(cls, name))[1:] if p.kind is p.POSITIONAL_OR_KEYWORD]
        parts = {p.name: parts_of(p.replace(default=p.empty), cls) for p in known if p.default in (p.empty, None)}
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

    # ---- what is drawn ---------------------------------------------------------------------------------------------------

    def _layouts(self) -> list[Layout]:
        if self.only is not None:
            return [self.only]
        derived = []
        if not {"in", "all", "weight", "affine", "index", "vocab", "x", "outside"} & set(self.kinds.values()):
            derived = layouts_for(self._bare())
        line = [LINE] if self.plain else []
        return [*line, *derived, *layouts_of(self.words, {*self.taken.values(), *self.kinds.values()})]

    def _constructors(self, around: Setting) -> Iterator[dict[str, Any]]:
        made = choices(self.constructor, self.kinds, around)
        known = {p.name for p in self.constructor}
        yield from (arguments | {name: x for name, x in self.given.items() if name in known} for arguments in made)

    def _arguments(self, around: Setting, made: dict[str, Any], obj: Any) -> Iterator[dict[str, Any]]:
        """Yield arguments for forward."""
        if not self.taken:
            yield {name: made[name] for name, kind in self.kinds.items() if kind in ("x", "target")}
            return
        sizes = [made[name] for name, kind in self.kinds.items() if kind in ("out", "vocab", "all") and name in made]
        targets = partial(draws_of_targets, sizes, obj, around, self.signs)
        for found in draw_arguments(self.taken, around, targets, self.seed, self.whole):
            yield found | {name: x for name, x in self.given.items() if name in found}

    # ---- trials ----------------------------------------------------------------------------------------------------------

    def _make(self, arguments: dict[str, Any]) -> tuple[Any, BaseException | None]:
        np.random.seed(self.seed % 2**32)  # noqa: NPY002
        obj, error = attempt(self._construct, arguments)
        if error is not None:
            self._failed(error, f"{self.layer.name}({shown(arguments)})")
        return obj, error

    def _construct_with(self, **arguments: Any) -> Any:
        return self._construct(arguments)

    def _construct(self, arguments: dict[str, Any]) -> Any:
        arguments = {name: fresh(x) for name, x in arguments.items()}
        obj = call_by_name(self.layer.cls, folded({name: x for name, x in arguments.items() if name in self.own}))
        known = {id(x): name for name, x in arguments.items() if isinstance(x, np.ndarray)}
        self.layer.drawn = {way: known[id(a)] for ways, a in arrays_in(obj) if id(a) in known for way in ways}
        self.of_lists = make_arrays(obj) or self.plain
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

    def _failed(self, error: BaseException, what: str) -> None:
        line = next((frame.lineno or 0 for frame in own_frames(error, self.path)), 0)
        if line >= self.furthest[0]:
            self.furthest = (line, error, what)

    def run(self) -> Layer:
        """Return the layer with the best object and arguments. Raise UserError where forward works with none."""
        self._look()
        setups = (partial(self._find_setups, (None, False)), partial(self._find_setups, named=MADE))
        for change in setups:
            if not self.rank[1] and change():
                self._look()
        if self.best is None and self._take_whole_numbers():
            self._look()
        if not all(self.rank) and self._take_lists():
            self._look()
        cls, methods = self.layer.cls, self.layer.methods
        # what forward has kept and backward reads: then backward is no forward itself
        kept = attributes_in(getattr(cls, methods.forward)) & attributes_in(getattr(cls, methods.backward), ast.Load)
        kept |= {p.name for p in parameters(getattr(cls, methods.backward))[3:] if p.default is p.empty}  # or what it returned
        if not self.rank[1] and not kept and methods.backward in trainers(cls):
            raise UserError(f"forward, backward and the step are one method, {methods.backward}; make backward one of its own")
        if self.best is None:
            raise self._failure()
        if not all(self.rank) and methods.how == "layer" and self.best.doubt:
            raise UserError(self.best.doubt)
        return with_a_method_after(self.best) if methods.how in ("layer", "cost") else self.best

    def _look(self) -> None:
        """Try one combination after the other until all works, or PATIENCE is over."""
        started, clipped = perf_counter(), _takes_probabilities(self.layer)
        layouts = self._layouts()
        for unit in (clipped, not clipped):
            for layout in layouts:
                for drawn in islice(self._drawn(layout, unit), MOST):
                    done = self.tried[layout] < ENOUGH and self._try(layout, *drawn)
                    if done or perf_counter() - started > PATIENCE:
                        return
            if self.rank[0]:
                return

    def _drawn(self, layout: Layout, unit: bool) -> Iterator[tuple[Any, dict[str, Any], dict[str, Any]]]:
        """Yield an object, the arguments of its constructor and those of forward."""
        around = self._around(layout, unit)
        for made in self._constructors(around):
            obj, error = self._make(made)
            if error is None:
                yield from ((obj, made, arguments) for arguments in self._arguments(around, made, obj))

    def _around(self, layout: Layout, unit: bool) -> Setting:
        kinds = {*self.kinds.values(), *self.taken.values()} - ({"vocab"} if self.multiplies else set())
        return Setting(layout, self.words, kinds, unit, self.held)

    def _take_lists(self) -> bool:
        """Draw a list of arrays for x, where forward's code may mean that."""
        self.layer = replace(self.layer, packed={})
        before, self.taken = self.taken, forward_kinds(self.layer, lists=True)
        self.tried.clear()
        return before != self.taken

    def _take_whole_numbers(self) -> bool:
        """Draw whole numbers for x. Only where no other x works, as its gradient is not looked for then."""
        self.whole = "x" in self.taken.values() and not isinstance(self.furthest[1], AttributeError)
        return self.whole

    def _find_setups(self, nothing: tuple = (None,), named: str = "$^") -> bool:
        """Note the methods that set what forward or backward needs and an object lacks: build(n_in), add(layer), fit(X, y).

        `nothing`: what an attribute is that is not set; `named`: the names of methods that are called in any case.
        """
        obj, cls = self.best.made if self.best else self._bare(), self.layer.cls
        halves = (self.layer.methods.forward, self.layer.methods.backward)
        read = {name for half in halves for name in attributes_in(getattr(cls, half), ast.Load)}
        made = {one for called in reached(cls, halves[0]) for one in attributes_in(getattr(cls, called))}
        found, more = list(self.setups), list(halves)
        with_data = self.furthest[1] is not None  # a method with data is called only where it does not work without
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
            self._settle(found)
            self.tried.clear()
        return new

    def _bare(self) -> Any:
        """Return an object as it is made; None where that fails."""
        made: dict[str, Any] = next(self._constructors(self._around(ROWS, False)), {})
        return self._make(made)[0]

    def _failure(self) -> UserError:
        _, error, what = self.furthest
        if error is None:
            return UserError(f"no arguments were found for it; {advice(self.layer)}")
        lines = "".join(linecache.getlines(inspect.getsourcefile(self.layer.cls) or ""))
        if isinstance(error, AttributeError) and re.search(rf"\.{error.name}\s*(,[^=\n]*)?=[^=]", lines):
            says = f"{self.layer.cls.__name__} needs {error.name}, which other methods set after it is made"
            return UserError(f"{says}, so it cannot be used as it is")
        return blame(error, self.path) or UserError(
            f"it raises for all arguments that were tried; {advice(self.layer)}. It came furthest with {what}"
            f"\n{own_traceback(error, self.path)}"
        )

    def _try(self, layout: Layout, obj: Any, made: dict[str, Any], arguments: dict[str, Any]) -> bool:
        """Run forward and backward with these arguments; keep the layer if it is the best. Return whether all works."""
        if self.rank[0] and self._may_hide(layout, made):
            return False
        layer = self.layer.anew(arguments=arguments, remake=partial(self._construct_with, **made))
        layer.targets = [name for name, kind in (self.taken or self.kinds).items() if kind == "target"]
        layer.steps = any(isinstance(x, Step) for x in made.values())
        layer.base = obj if attempt(deepcopy, obj)[1] is None else None
        if layer.methods.how == "cost" and not layer.methods.cost:
            layer.usual = next(iter(USUAL_LOSSES))
            says = "begins with a loss, and the class has no method for it, such as loss(self, y_pred, y)"
            layer.doubt = f"{layer.methods.backward} {says}; its gradients are those of no usual loss (squares, cross-entropy)"
        used, error = attempt(run, layer)
        parts, error = attempt(layer.parts, used) if error is None else ([], error)
        if error is None and is_no_target(layer, parts[0]):
            return False
        if error is not None:
            self._failed(error, f"{self.layer.name}({shown(made)}).{layer.methods.forward}({shown(arguments)})")
            return False
        whole = all(a.size for _, a in arrays_in(obj))  # x is too small for the net where a parameter has no elements
        finite = whole and all(np.size(y) > 0 and bool(np.all(np.isfinite(y))) for y in parts)
        self.tried[layout] += 1
        ranked: list[tuple[tuple[bool, bool, bool, bool], Layer]] = []
        for row, (roles, loss) in product((False, True), possible_roles(layer, used)):
            if not row or (np.ndim(parts[0]) == 1 and "dout" in roles.values() and not any(rank[1] for rank, _ in ranked)):
                one = layer.anew(base=attempt(deepcopy, layer.base)[0], roles=roles, loss=loss, row=row)
                ranked.append((self._rank(one, finite), one))
        best = max(rank for rank, _ in ranked)
        several = self.best is not None and self.rank[0] and rows_in(self.best.arguments) > 1
        steps = layer.methods.how == "cost" or "rate" in ranked[0][1].roles.values() or any(one.updated for _, one in ranked)
        if several and rows_in(arguments) == 1 and not steps and not self.of_lists:
            ranked = self._for_one(ranked, made, parts[0])
            if not ranked:
                return False
        sizes = {name: made.get(name) for name, kind in self.kinds.items() if kind in WINDOWS}
        self.refused = self.refused or (sizes if parts and not best[1] else {})
        if self.best is None or best > self.rank:
            found = [one for rank, one in ranked if rank == best]
            self.best = self._settled(found) if all(best) else found[0]
            self.rank = best
            self.best.refused = shown(self.refused) if best[1] and sizes != self.refused else ""
        return all(best)

    def _for_one(self, ranked: list[tuple[tuple, Layer]], made: dict[str, Any], out: Any) -> list[tuple[tuple, Layer]]:
        """Return the readings of a class that is made for one row, or vector: right there only."""
        best, layer = max(ranked, key=lambda one: one[0])
        column = all(np.ndim(x) < 2 or np.shape(x)[-1] == 1 for x in layer.arguments.values())
        says_one = re.search(r"[x,×] ?1\)", inspect.getdoc(getattr(layer.cls, layer.methods.forward)) or "")  # (n x 1)
        works = all(self.rank[: 4 if says_one else 3]) or (self.unsummed and self.best is not None and row_by_row(self.best))
        if not column or not all(best) or works:
            return []
        alike = [(rank, one) for rank, one in ranked if rank == best]
        return [(rank, one) for rank, one in alike if says_one or not right_by_chance(one, made, self.kinds, out)]

    def _may_hide(self, layout: Layout, made: dict[str, Any]) -> bool:
        """Whether a wrong backward may be right: without padding, with two axes for a dim, or as many outputs as x has rows."""
        given = {p.name: p.default for p in self.constructor} | made
        unpadded = any(kind == "pad" and given[name] == 0 for name, kind in self.kinds.items())
        odd = any(kind == "in" and isinstance(given[name], tuple) and "shape" not in name for name, kind in self.kinds.items())
        return unpadded or odd or (self.only is None and "out" in self.kinds.values() and OUTPUTS in layout.x)

    def _settled(self, options: list[Layer]) -> Layer:
        """Return the one that makes most gradients right of several ways to understand a class, the first of these."""
        every = [one for layer in options for one in ways_to_read(layer)]
        if len(every) == 1 and not every[0].doubt:
            return every[0]
        shares: list[float] = []
        for one in every:
            with numpy_with(clip=unclipped):  # as a recurrent network's gradients may be
                shares.append(attempt(share_right, one)[0] or 0.0)
            if shares[-1] == 1:
                break
        if not any(shares) and every[0].doubt:
            up = [one for one in every if one.updated and attempt(share_right, replace(one, rate=-one.rate))[0] == 1]
            if not up:
                raise UserError(every[0].doubt)
            return up[0]  # each of its steps is up that loss
        return every[shares.index(max(shares))]

    def _rank(self, layer: Layer, finite: bool) -> tuple[bool, bool, bool, bool]:
        """Return whether the output is finite and depends on x, whether backward works, and whether the gradients' shapes are
        right: those of all but the biases, and of all."""
        _, error = attempt(find_parameters, layer)
        if error is not None:
            return finite, False, False, False
        values = values_of(layer)
        (out, used), error = attempt(layer, *values)
        finite = finite and (not values or moves(layer.outputs, values, 0, self.words, layer.parts(used)))
        douts = [np.random.default_rng(0).standard_normal(np.shape(y))[()] for y in (out if isinstance(out, tuple) else [out])]
        grads, error = attempt(layer.backward, tuple(douts) if isinstance(out, tuple) else douts[0], used)
        if error is not None:
            return finite, False, False, False
        if "softmax" in self.words.replace("_", "") and not layer.loss and any(np.array_equal(grads[0], u) for u in douts):
            says = "hands dout on as it is, right only after a loss whose backward is the gradient of both together, p - y"
            layer.doubt = f"{layer.methods.backward} {says}; that loss is checked with a softmax before it"
        floats = {name: x for name, x in zip(layer.names, values, strict=True) if differentiable(x)}
        fits = {name: g is not None and np.shape(g) == x.shape for (name, x), g in zip(floats.items(), grads, strict=True)}
        steps = np.shape(used.scores) if layer.methods.how == "cost" else ()
        targets = np.size(layer.arguments.get(layer.target, 0))
        every = len(steps) < 3 or targets in (prod(steps), prod(steps[:-1]))  # a target for each step
        rows = zip(floats.values(), grads, strict=True) if rows_in(layer.arguments) > 1 else ()
        self.unsummed |= any(np.ndim(g) > x.ndim > 0 and np.shape(g)[-x.ndim :] == x.shape for x, g in rows)
        weights = all(fits[name] for name in fits if not kind_of(name).endswith("bias"))
        return finite, True, weights, bool(fits) and all(fits.values()) and every


def _leave(*_: Any, **__: Any) -> None:
    raise GeneratorExit  # no Exception, which the file may catch


def _text_of(function: Any) -> str:
    """Return the code of a function, without its docstring."""
    code = code_of(function)
    return "\n".join(ast.unparse(line) for line in code.body if not isinstance(line, ast.Expr)) if code else ""


def _takes_probabilities(layer: Layer) -> bool:
    """Whether forward takes logarithms of its input without a softmax or a sigmoid before."""
    text = _text_of(inspect.unwrap(getattr(layer.cls, layer.methods.forward)))
    probable = re.search(r"\blog\w*\(|clip\(.*\b1[.0]* ?- ?", text)  # clip(p, 1e-7, 1 - 1e-7), and not clip(x, -1, 1)
    scores = re.search(r"softmax|sigmoid|exp\(|logit", text, re.IGNORECASE)
    return "from_logits" in text or bool(probable and not scores)  # there both may be meant, and probabilities are scores too


def draw_layer(layer: Layer, seed: int, given: dict[str, Any] | None = None, only: Layout | None = None) -> dict[str, Any]:
    """Find an object and arguments, write them into `layer`, and return all inputs by name. `only`: x in this layout."""
    with random_state_kept():
        best = Search(layer, seed, given, only).run()
    layer.__dict__.update(best.__dict__)
    return dict(zip(layer.names, values_of(layer), strict=True))
