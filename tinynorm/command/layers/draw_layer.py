"""Draw a layer that is an object: arguments for its constructor and its forward, and values for its parameters."""

from __future__ import annotations

import ast
import inspect
import linecache
import re
import sys
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from functools import partial
from itertools import islice, product
from time import perf_counter
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import random_state_kept
from ..functions.call_pair import shown
from ..functions.layouts import LINE, ROWS, Layout
from ..read.read_code import own_text, parameters
from ..run_code import UserError, attempt, own_frames, own_traceback
from ..unfinished import blame, miscalled
from .arguments import advice, forward_kinds
from .attributes import arrays_in
from .by_chance import has_one_window, is_no_target, is_square_image, right_by_chance, row_by_row, rows_in
from .call_layer import USUAL_LOSSES, Layer
from .draw_constructor import Setting
from .draw_forward import COLUMNS, draw_arguments, draws_of_targets, layouts_for, layouts_of
from .find_layers import attributes_in
from .make_object import Maker
from .objects import Step
from .one_method import trainers
from .parameters import run, values_of
from .readings import most_right, with_a_method_after
from .roles import possible_roles
from .try_layer import rank_of

# Seconds after which the search for arguments ends; forwards that work, where backward does not, after which another shape of x
# is tried; and combinations of arguments for one shape of x.
PATIENCE, ENOUGH, MOST = 12.0, 8, 256
WINDOWS = ("kernel", "move", "pad", "factor")  # kinds of numbers with which one layer works, or does not, as with others
MADE = "build|compile|init|set_?up|create|connect|attach|link"  # in the names of methods that make an object ready


class Search:
    """The search for an object and for arguments with which a layer works."""

    def __init__(self, layer: Layer, seed: int, given: dict[str, Any] | None = None, only: Layout | None = None) -> None:
        self.layer, self.seed, self.path, self.given, self.only = layer, seed, layer.path, given or {}, only
        self.maker = Maker(layer, seed, self.given)
        self.words, self.taken = self.maker.words, forward_kinds(layer)
        self.furthest: tuple[int, BaseException | None, str] = (-1, None, "")
        self.best: Layer | None = None
        self.rank = (False,) * 4  # of the best: whether its output is finite, and what `rank_of` says
        texts = [own_text(getattr(layer.cls, name)) for name in (layer.methods.forward, layer.methods.backward)]
        self.signs = "== -1" in "".join(texts)
        loop = rf"for .+ in (zip\(.*|enumerate\()?\b({'|'.join(self.taken)})\b"
        self.plain = "np." not in texts[0] and bool(re.search(loop, texts[0]))  # whether x is a list of numbers
        xs = "|".join(name for name, kind in self.taken.items() if kind == "x")
        self.multiplies = bool(xs and re.search(rf"@ (self\.)?({xs})\b|\b({xs}) @|dot\(.*\b({xs})\b", texts[0]))  # no indices
        self.words_one_by_one = bool(xs and re.search(rf"\[(:, )?({xs})\[\w+\]\]", texts[0]))  # U[:, x[t]]
        self.whole = False  # whether x is of whole numbers
        self.unsummed = False  # whether a gradient is that of each row, where there are several
        self.refused: dict[str, Any] = {}  # the first sizes of windows with which forward works, and backward does not
        self.doubt: UserError | None = None  # what is said where no way to read it makes it right
        self.doubted: Layout | None = None  # that of the x where this was so first
        self.tried: Counter[Layout] = Counter()  # the forwards that worked
        self._take_setups()

    # ---- what is drawn ---------------------------------------------------------------------------------------------------

    def _layouts(self) -> list[Layout]:
        if self.only is not None:
            return [self.only]
        derived = []
        if not {"in", "all", "weight", "affine", "index", "vocab", "x", "outside"} & set(self.maker.kinds.values()):
            derived = layouts_for(self._bare())
        line = [LINE] if self.plain else []
        return [*line, *derived, *layouts_of(self.words, {*self.taken.values(), *self.maker.kinds.values()})]

    def _arguments(self, around: Setting, made: dict[str, Any], obj: Any) -> Iterator[dict[str, Any]]:
        """Yield arguments for forward."""
        if not self.taken:
            data = ("x", "target") if self.layer.methods.how == "cost" else ()  # of the layer before, x is a parameter
            yield {name: made[name] for name, kind in self.maker.kinds.items() if kind in data}
            return
        sizes = [made[name] for name, kind in self.maker.kinds.items() if kind in ("out", "vocab", "all") and name in made]
        targets = partial(draws_of_targets, sizes, obj, around, self.signs)
        for found in draw_arguments(self.taken, around, targets, self.seed, self.whole, self.words_one_by_one):
            yield found | {name: x for name, x in self.given.items() if name in found}

    # ---- trials ----------------------------------------------------------------------------------------------------------

    def _made(self, arguments: dict[str, Any]) -> tuple[Any, BaseException | None]:
        obj, error = self.maker.make(arguments)
        if error is not None:
            self._failed(error, f"{self.layer.name}({shown(arguments)})")
        return obj, error

    def _failed(self, error: BaseException, what: str) -> None:
        frames = own_frames(error, self.path)
        line = sys.maxsize if miscalled(error, frames) else next((frame.lineno or 0 for frame in frames), 0)
        if line >= self.furthest[0]:
            self.furthest = (line, error, what)

    def run(self) -> Layer:
        """Return the layer with the best object and arguments. Raise UserError where forward works with none."""
        self._look()
        for nothing, named in (((None, False), "$^"), ((None,), MADE)):
            if not self.rank[1] and self._take_setups(nothing, named):
                self._look()
        for take in (self._take_no_none, self._take_a_usual_loss, self._take_whole_numbers):
            if self.best is None and take():
                self._look()
        if not all(self.rank) and self._take_lists():
            self._look()
        cls, methods = self.layer.cls, self.layer.methods
        # what forward has kept and backward reads: then backward is no forward itself
        kept = attributes_in(getattr(cls, methods.forward)) & attributes_in(getattr(cls, methods.backward), ast.Load)
        kept |= {p.name for p in parameters(getattr(cls, methods.backward))[3:] if p.default is p.empty}  # or what it returned
        if not self.rank[1] and not kept and methods.backward in trainers(cls):
            raise UserError(f"forward, backward and the step are one method, {methods.backward}; make backward one of its own")
        if self.doubt and not all(self.rank):
            raise self.doubt
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
        for made in self.maker.constructors(around):
            obj, error = self._made(made)
            if error is None:
                yield from ((obj, made, arguments) for arguments in self._arguments(around, made, obj))

    def _around(self, layout: Layout, unit: bool) -> Setting:
        kinds = {*self.maker.kinds.values(), *self.taken.values()} - ({"vocab"} if self.multiplies else set())
        return Setting(layout, self.words, kinds, unit, self.maker.held)

    def _take_lists(self) -> bool:
        """Draw a list of arrays for x, where forward's code may mean that."""
        self.layer = self.maker.layer = replace(self.layer, packed={})
        before, self.taken = self.taken, forward_kinds(self.layer, lists=True)
        self.tried.clear()
        return before != self.taken

    def _take_no_none(self) -> bool:
        """Leave no size None, see `Maker.leave_no_none`."""
        more = self.maker.leave_no_none()
        self._take_setups() if more else None
        self.tried.clear()
        return more

    def _take_a_usual_loss(self) -> bool:
        """Leave the class's own loss, which takes other things than what forward returned: many sentences, and their words."""
        methods = self.layer.methods
        own = methods.how == "cost" and bool(methods.cost)
        self.layer = self.maker.layer = replace(self.layer, methods=replace(methods, cost="" if own else methods.cost))
        self.tried.clear()
        return own

    def _take_whole_numbers(self) -> bool:
        """Draw whole numbers for x. Only where no other x works, as its gradient is not looked for then."""
        self.whole = "x" in self.taken.values() and not isinstance(self.furthest[1], AttributeError)
        return self.whole

    def _take_setups(self, nothing: tuple = (None,), named: str = "$^") -> bool:
        """Call other methods before forward, see `Maker.find_setups`. Return whether there are any."""
        obj = self.best.made if self.best else self._bare()
        with_data = self.furthest[1] is not None  # only where it does not work without
        new = self.maker.find_setups(obj, with_data, nothing, named)
        if new:
            self.tried.clear()
        return new

    def _bare(self) -> Any:
        """Return an object as it is made; None where that fails."""
        made = map(self._made, islice(self.maker.constructors(self._around(ROWS, False)), ENOUGH))
        return next((obj for obj, error in made if error is None), None)

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
        if self.doubted not in (None, layout) or (self.rank[0] and self.maker.may_hide(made, () if self.only else layout.x)):
            return False
        layer = self.layer.anew(arguments=arguments, remake=partial(self.maker.construct, **made))
        layer.targets = [name for name, kind in (self.taken or self.maker.kinds).items() if kind == "target"]
        layer.steps = any(isinstance(x, Step) for x in made.values())
        layer.base = obj if attempt(deepcopy, obj)[1] is None else None
        if layer.methods.how == "cost" and not layer.methods.cost:
            layer.usual = next(iter(USUAL_LOSSES))
            says = "begins with a loss, and the class has no method for it, such as loss(self, y_pred, y)"
            layer.doubt = f"{layer.methods.backward} {says}; its gradients are those of no usual loss (squares, cross-entropy)"
        used, error = attempt(run, layer)
        parts, error = attempt(layer.parts, used) if error is None else ([], error)
        sizes = {name: made.get(name) for name, kind in self.maker.kinds.items() if kind in WINDOWS}
        fails = self.rank[0] and not self.rank[1] and sizes == self.refused  # with other inputs, in backward
        empty = error is None and not all(map(np.size, parts))
        if empty or (error is None and (is_no_target(layer, parts[0]) or (fails and has_one_window(layer, parts[0])))):
            return False
        if error is not None:
            self._failed(error, f"{self.layer.name}({shown(made)}).{layer.methods.forward}({shown(arguments)})")
            return False
        whole = all(a.size for _, a in arrays_in(obj))  # x is too small for the net where a parameter has no elements
        finite = whole and all(np.size(y) > 0 and bool(np.all(np.isfinite(y))) for y in parts)
        self.tried[layout] += 1
        ranked: list[tuple[tuple[bool, bool, bool, bool], Layer]] = []
        for row, (roles, loss) in product(((), (None, ...), (..., None)), possible_roles(layer, used)):
            if not row or (np.ndim(parts[0]) == 1 and "dout" in roles.values() and not any(rank[1] for rank, _ in ranked)):
                one = layer.anew(base=attempt(deepcopy, layer.base)[0], roles=roles, loss=loss, row=row)
                ranked.append((rank_of(one, self.words, finite), one))
        best = max(rank for rank, _ in ranked)
        of_one = any(kind == "in" and made.get(name) == 1 for name, kind in self.maker.kinds.items())
        if layout is COLUMNS and (of_one or not all(best)):  # NumPy takes that by accident too
            return False
        self.unsummed |= any(one.unsummed for _, one in ranked)
        several = shown(self.best.arguments) if self.best and self.rank[0] and rows_in(self.best.arguments) > 1 else ""
        steps = layer.methods.how == "cost" or "rate" in ranked[0][1].roles.values() or any(one.updated for _, one in ranked)
        alone = bool(several) and rows_in(arguments) == 1
        if alone and not steps and not (self.maker.of_lists or self.plain):
            ranked = self._for_one(ranked, made, parts[0])
            if not ranked:
                return False
        self.refused = self.refused or (sizes if parts and not best[1] else {})
        if self.best is None or best > self.rank:
            apart = alone and self.best is not None and row_by_row(self.best)
            oblong = self.best.arguments if self.best and self.rank[0] and not self.rank[1] else {}
            found = [one for rank, one in ranked if rank == best]
            try:
                self.best = most_right(found) if all(best) else found[0]
            except UserError as doubt:  # beside the same x, targets of another shape may be meant
                self.doubt, self.doubted = doubt, layout
                return False
            self.rank = best
            self.best.several = several if alone else ""
            self.best.refused = shown(self.refused) if best[1] and sizes != self.refused else ""
            if oblong and is_square_image(arguments) and not is_square_image(oblong) and best[1]:
                self.best.refused = shown(oblong)
            if self.best.several and not self.best.parameters and apart:  # it is not made for one sample
                self.best.refused, self.best.several = several, ""
        return all(best)

    def _for_one(self, ranked: list[tuple[tuple, Layer]], made: dict[str, Any], out: Any) -> list[tuple[tuple, Layer]]:
        """Return the readings of a class that is made for one row, or vector: right there only."""
        best, layer = max(ranked, key=lambda one: one[0])
        column = all(np.ndim(x) < 2 or np.shape(x)[-1] == 1 for x in layer.arguments.values())
        says_one = re.search(r"[x,×] ?1\)", inspect.getdoc(getattr(layer.cls, layer.methods.forward)) or "")  # (n x 1)
        works = all(self.rank[: 4 if says_one else 3]) or (self.unsummed and self.best is not None and row_by_row(self.best))
        if column and not self.rank[1] and best == (True, True, True, False):  # with several samples, backward always fails
            return [(rank, one) for rank, one in ranked if not one.unseen]
        if not column or not all(best) or works:
            return []
        alike = [(rank, one) for rank, one in ranked if rank == best]
        return [(rank, one) for rank, one in alike if says_one or not right_by_chance(one, made, self.maker.kinds, out)]


def _takes_probabilities(layer: Layer) -> bool:
    """Whether forward takes logarithms of its input without a softmax or a sigmoid before."""
    text = own_text(inspect.unwrap(getattr(layer.cls, layer.methods.forward)))
    probable = re.search(r"\blog\w*\(|clip\(.*\b1[.0]* ?- ?", text)  # clip(p, 1e-7, 1 - 1e-7), and not clip(x, -1, 1)
    scores = re.search(r"softmax|sigmoid|exp\(|logit", text, re.IGNORECASE)
    return "from_logits" in text or bool(probable and not scores)  # there both may be meant, and probabilities are scores too


def draw_layer(layer: Layer, seed: int, given: dict[str, Any] | None = None, only: Layout | None = None) -> dict[str, Any]:
    """Find an object and arguments, write them into `layer`, and return all inputs by name. `only`: x in this layout."""
    with random_state_kept():
        best = Search(layer, seed, given, only).run()
    layer.__dict__.update(best.__dict__)
    return dict(zip(layer.names, values_of(layer), strict=True))
