"""Find the functions NAME_forward and NAME_backward, the losses and the classes of a file; and what else looks like them."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..layers.call_layer import Layer
from ..layers.find_layers import Methods, find_layers
from ..layers.graph_nodes import as_node
from ..layers.one_method import in_one_method
from ..load.load_file import module_name
from ..load.stand_ins import StandIn
from ..loops.in_classes import begins_anew, methods_that_train
from ..loops.make_functions import Apart
from ..loops.take_apart import all_in_one, reversed_steps
from ..read import match_names
from ..read.by_use import words_compared
from ..read.match_names import MARKS, NO_MATTER, has, partners, says_slope, stem_of, words_of
from ..read.read_code import closure_returned, makers_of, needs_no_object, nodes_of, parameters, plain_title, returned
from ..run_code import NothingToCheck, Prints, UserError, running
from ..tensors.draw_operation import inner_functions
from ..tensors.find_tensors import find_operations, own_tensors
from ..tensors.modules import find_modules
from ..tensors.operation import Operation
from .about import about
from .bias_entry import with_entry
from .by_its_use import used_forward
from .composed import Composed, compose, handed_back, takes_targets
from .conventions import is_cotangent
from .filled import returning_its_cache, returning_its_gradients
from .find_losses import find_losses, makes_its_loss, meant_as_a_loss
from .kinds import NAMED, kind_of
from .module_arrays import pair_with_arrays
from .usual_operations import usual_operations

SLOPE = re.compile("grad|deriv|slope|prime")  # the name of the second of (value, slope)
# Names that may be one half of a pair.
HALF = re.compile(r"(^|_)(forward|backward|fwd|bwd|backprop)(_|$)|(Forward|Backward|_derivative|_prime|Derivative|Prime)$")
# Words in the names of functions that use gradients, or measure them, or make what is learned.
STEPS = re.compile("descent|ascent|step|update|train|fit|clip|check|numeric|approx|init|build|load", re.IGNORECASE)
BY_CODE = (match_names.keeps_a_cache, match_names.unpacks_a_cache)
FRAMEWORKS = ("torch", "tensorflow", "jax")  # which find the gradients themselves


@dataclass
class Pair:
    """A forward and its backward, and the function that makes inputs for them (None where the file has none)."""

    name: str
    forward: Callable
    backward: Callable
    path: Path
    forward_name: str
    backward_name: str
    inputs: Any = None
    loss: bool = False  # one function that returns (loss, gradients); what it returns says which inputs have gradients
    ran: set[int] = field(default_factory=set)  # the lines of backward that have run

    def anew(self) -> Pair:
        """Return the pair with nothing found out yet."""
        layer = self.forward.blank if isinstance(self.forward, Layer) else None
        return replace(self, forward=layer, backward=layer.backward) if layer else self


def find_pairs(names: dict[str, Any], path: Path, only: str | None) -> tuple[list[Pair], list[str]]:
    """Return the pairs (or those called `only`), and the names that look like layers but belong to no pair."""
    methods = {id(method) for cls in names.values() if inspect.isclass(cls) for method in vars(cls).values()}
    functions = {
        name: value
        for name, value in names.items()
        if callable(value) and id(value) not in methods and not isinstance(value, StandIn)
    }
    own = {name: value for name, value in functions.items() if getattr(value, "__module__", "") == module_name(path)}
    pairs = [*_pairs(functions, own, path), *_flagged(own, path), *_closures(own, path)]
    paired = {name for pair in pairs for name in (pair.forward_name, pair.backward_name)}
    rest = {name: value for name, value in own.items() if name not in paired}
    losses = [Pair(loss.name, loss, loss.backward, path, loss.name, loss.name, loss=True) for loss in find_losses(rest)]
    alone = {name: value for name, value in rest.items() if name not in {loss.name for loss in losses}}
    by_arguments = [*_by_arguments(alone, path)]
    alone = {name: f for name, f in alone.items() if name not in {pair.backward_name for pair in by_arguments}}
    pairs += [*by_arguments, *_with_slopes(rest, path), *losses, *_of_numpy(alone, path)]
    deltas = [*_of_deltas(own, functions, path)]
    classes = {n: value for n, value in own.items() if inspect.isclass(value) and n not in {pair.name for pair in deltas}}
    layers = list(_layers({name: cls for name, cls in classes.items() if not _is_of_a_framework(cls)}, names, path))
    pairs += [*layers, *_of_methods(classes, layers, path), *deltas]
    tensors, unlike = own_tensors(names)
    others = {name: cls for name, cls in classes.items() if name not in {pair.name for pair in layers}}
    missed: list[str] = []
    for own_tensor in tensors:
        operations, none_found = find_operations(names, module_name(path), own_tensor)
        made = {ast.unparse(n.func).split(".")[-1] for one in operations.values() for n in one.calls()}  # EWiseAdd()(a, b)
        pairs = [pair for pair in pairs if pair.forward_name not in operations and pair.name not in made]
        pairs += [_of_operation(name, operation, path) for name, operation in operations.items()]
        pairs += [_of_layer(*module, path) for module in find_modules(others, names, own_tensor)]
        missed += none_found
    for pair in pairs:  # from softmax_loss_inputs, or softmax_inputs
        titles = (pair.name, pair.forward_name.removesuffix("_forward"), pair.name.removesuffix("_loss"))
        pair.inputs = next((names[f"{title}_inputs"] for title in titles if f"{title}_inputs" in names), None)
    pairs, lost = _with_what_trains(pairs, layers, own, path)
    taken = {name for pair in pairs for name in (pair.forward_name, pair.backward_name, *getattr(pair.forward, "losses", ()))}
    missed += [why for why in unlike if why.partition(" ")[0] in classes]
    missed += [f"{name} (it takes steps along no gradient that is known)" for name in lost]
    left_over = [*_left_over(own, taken), *missed]
    if not pairs:
        found = "no pairs of functions NAME_forward and NAME_backward found, and no NAME_loss that returns (loss, gradients)"
        raise (UserError if left_over else NothingToCheck)(f"{path}: {found}{_advice_on(own, path, missed)}")
    chosen = [pair for pair in pairs if only in (None, pair.name, pair.forward_name, pair.backward_name)]
    if not chosen:
        raise NothingToCheck(f"{path}: there is no pair called {only!r}; there are {', '.join(pair.name for pair in pairs)}")
    return chosen, [] if only else left_over


def _pairs(functions: dict[str, Callable], own: dict[str, Callable], path: Path) -> Iterator[Pair]:
    """Yield a pair for each backward or derivative, in the order of their forwards in the file."""
    for title, forward, backward in partners([name for name, value in functions.items() if not inspect.isclass(value)]):
        of_numpy = "backward" not in backward and backward not in own  # numpy.gradient is no backward
        if not of_numpy and not makes_its_loss(functions[backward]) and not _takes_data_too(functions, forward, backward):
            both = pair_with_arrays(functions[forward], functions[backward])
            both = returning_its_cache(both[0], with_entry(returning_its_gradients(both[1])))
            yield _composed(Pair(title, *both, path, forward, backward), functions)
    paired = {name for _, *both in partners(list(functions)) for name in both}
    for title, forward, backward in match_names.partners_by_code({name: f for name, f in own.items() if name not in paired}):
        both = returning_its_cache(own[forward], returning_its_gradients(own[backward]))
        yield Pair(title, *both, path, forward, backward)


def _takes_data_too(functions: dict[str, Callable], forward: str, backward: str) -> bool:
    """Whether a gradient that is called as that of a loss takes the data of what the loss is given: mse_grad(X, y, y_hat).

    Or it takes what another loss does: softmax_grad(X, y, W) is that of softmax_loss(X, y, W), and not of softmax(Z).
    """
    taken = {p.name for p in parameters(functions[forward])}
    needed = [p.name for p in parameters(functions[backward]) if p.default is p.empty]
    data = [name for name in needed if name not in taken and kind_of(name) == "x" and not is_cotangent(name, [])]
    alike = [n for n in functions if has(n, "LOSS") and {p.name for p in parameters(functions[n])} == {*needed} != taken]
    return bool(says_slope(backward) and (alike or (data and len(needed) > len(taken) > 1)))


def _with_what_trains(pairs: list[Pair], layers: list[Pair], own: dict[str, Any], path: Path) -> tuple[list[Pair], list[str]]:
    """Return the pairs with those of what trains in one function, method or loop; and the names of what is not understood.

    Such a method takes the place of a class whose parameters it makes itself: what is drawn for them would be overwritten.
    """
    trained = {pair.backward_name for pair in pairs if pair.loss or isinstance(pair.forward, Composed)}
    found_as = [(pair, pair.forward) for pair in layers if isinstance(pair.forward, Layer)]
    anew = [pair for pair, x in found_as if x.methods.how == "gradient" or begins_anew(x.cls, x.methods.backward)]
    others = {pair.name for pair in pairs if pair not in anew}
    classes = [cls for name, cls in own.items() if inspect.isclass(cls) and name not in others]
    methods = {name: method for cls in classes for name, method in methods_that_train(cls)}
    trains = {name: apart and _trains(name, apart, path) for name, apart in all_in_one(own, methods, path, trained)}
    found = {name.partition(".")[0] for name in methods if trains.get(name)}
    pairs = [pair for pair in pairs if pair not in anew or pair.name not in found] + [pair for pair in trains.values() if pair]
    halves = {pair.backward_name for pair in pairs if has(pair.backward_name, "BACKWARD")}  # they are checked alone
    lost = [name for name, pair in trains.items() if not pair and name not in methods]
    return pairs, [n for n in lost if not (n in own and halves & {getattr(x, "id", "") for x in nodes_of(own[n])})]


def _trains(name: str, apart: Apart, path: Path) -> Pair | None:
    """Return the pair of what trains in one function or loop; None where no loss is found of which it has the gradients.

    That may be a common one, else the one that is computed there. One that goes up a common one has the wrong sign.
    """
    known = about(apart.forward)
    found = _trains_with(name, apart, path)
    for made in apart.made if found is None else ():
        known.arrays = {n: x for n, x in made.items() if n not in known.data}
        known.kinds |= {n: f"shaped {' '.join(map(str, made[n].shape))}" for n in known.data if n in made}
        found = found or _trains_with(name, apart, path)
    return found


def _trains_with(name: str, apart: Apart, path: Path) -> Pair | None:
    pair = Pair(name, *pair_with_arrays(apart.forward, apart.backward), path, f"the forward in {name}", name)
    composed = compose(pair.forward, pair.backward, name, {})
    if composed is None:
        return None
    composed = replace(composed, losses=composed.losses | apart.losses, penalties=apart.penalties)
    own = replace(composed, losses=apart.losses, of_file=True, penalties=() if apart.penalised else composed.penalties)
    up = replace(composed, user_backward=reversed_steps(composed.user_backward))
    for tried in [composed] * (not apart.penalised) + [own] * bool(apart.losses) + [up]:
        found = replace(pair, forward=tried, backward=tried.backward)
        if _can_be_called(found):
            kept = {tried.loss: tried.losses[tried.loss]}
            down = replace(composed, losses=kept, of_file=True, loss=tried.loss, targets=tried.targets, kinds=(tried.targets,))
            return replace(pair, forward=down, backward=down.backward) if tried is up else found
    return None


def _can_be_called(pair: Pair) -> bool:
    """Whether inputs are found with which both halves work: else it is no pair."""
    from .choose_call import choose_calls  # it takes pairs itself

    try:
        with running(pair.path, Prints()):
            return all(choose_calls(pair, 0)[0].rank)
    except UserError:
        return False


def _composed(pair: Pair, functions: dict[str, Callable]) -> Pair:
    """Return the pair; with a loss behind forward, where backward goes back from one."""
    composed = compose(pair.forward, pair.backward, pair.backward_name, functions)
    return pair if composed is None else replace(pair, forward=composed, backward=composed.backward)


def _by_arguments(own: dict[str, Callable], path: Path) -> Iterator[Pair]:
    """Yield a pair where the name of a gradient does not say of what it is, and its arguments do.

    It is of the only loss that takes the same, or with whose name its own begins; or of the function that hands back what it
    takes, as y_hat, or whose result the file hands to it.
    """
    functions = {name: f for name, f in own.items() if inspect.isfunction(f) and not name.endswith("_inputs")}
    needed = {name: {p.name for p in parameters(f) if p.default is p.empty} for name, f in functions.items()}
    kinds = {name: sorted(kind_of(n) for n in needed[name]) for name in needed}
    kinds = {name: found if all(found) else [] for name, found in kinds.items()}
    titles = set[str]()
    for name in [n for n in needed if (has(n, "SLOPE") or has(n, "BACKWARD")) and not STEPS.search(n)]:
        others = [n for n in needed if not (says_slope(n) or has(n, "BACKWARD") or STEPS.search(n))]
        same = [n for n in others if needed[name] <= needed[n] or kinds[name] == kinds[n] != []]
        costs = [n for n in same if has(n, "LOSS") or NAMED & {*words_of(n)}]
        losses = [n for n in same if name.startswith(n)] or [n for n in costs if _says_no_more(name, n)]
        losses = losses or [n for n in same if "target" in kinds[n] and _says_no_more(name, n)]
        makers = [n for n in makers_of(own[name]) if n in others]
        makers += [n for n in others if handed_back(own[n]) & needed[name] - needed[n]]
        makers = makers or [n for n in others if len(needed[n]) > 1 and _is_all_but_a_target(needed[n], needed[name])][:1]
        makers = [n for n in makers if not STEPS.search(n) and takes_targets(own[n], own[name])]
        used = None if losses else used_forward(own[name])
        if used is not None and takes_targets(used, own[name]):
            pair = Pair(name, *pair_with_arrays(used, own[name]), path, f"the forward of {name}", name)
            yield _composed(pair, own)
            continue
        for forward in losses[: len(losses) == 1] or makers[: not losses]:
            title = name if forward in titles else forward  # a loss may have a gradient for each parameter
            titles.add(title)
            pair = Pair(title, *pair_with_arrays(own[forward], own[name]), path, forward, name)
            yield _composed(pair, own)


def _of_numpy(alone: dict[str, Callable], path: Path) -> Iterator[Pair]:
    """Yield a pair for each backward of an operation of NumPy's, of which the file has no forward: matmul_backward."""
    for name, operation in usual_operations(alone):
        forward = f"NumPy's {operation.word}"
        yield Pair(name, operation, operation.backward, path, forward, name, inputs=operation.inputs)


def _is_all_but_a_target(taken: set[str], by_gradient: set[str]) -> bool:
    """Whether a function takes what a gradient does but for its targets: predict(X, w, b), of compute_gradients(X, y, w, b)."""
    rest = by_gradient - taken
    return taken < by_gradient and len(rest) == 1 and all(kind_of(name) == "target" for name in rest)


def _says_no_more(name: str, loss: str) -> bool:
    """Whether a name says only that it is the gradient of a loss: compute_gradients; logistic_gradient, of logisticcost."""
    rest = [word for word in words_of(name) if not (MARKS.get(word) or word in NO_MATTER.split())]
    return has(name, "SLOPE") and all(word in loss.lower() for word in rest)


def _flagged(functions: dict[str, Callable], path: Path) -> Iterator[Pair]:
    """Yield a pair for each function that is its own derivative: ``sigmoid(x, derivative=False)``."""
    for name, function in functions.items():
        slope = match_names.derivative_by_flag(function)
        if slope:
            yield Pair(name, function, slope, path, name, name)


def _of_methods(classes: dict[str, type], layers: list[Pair], path: Path) -> Iterator[Pair]:
    """Yield a pair for each two methods that need no object, as a class's sigmoid(self, x) and sigmoid_derivative(self, x)."""
    taken = {name for layer in layers for name in (layer.forward_name, layer.backward_name)}
    for title, cls in classes.items():
        bare = object.__new__(cls) if cls.__new__ is object.__new__ and not inspect.isabstract(cls) else cls
        numbers = _numbers_set(cls) if bare is not cls else {}
        for attribute, number in numbers.items():
            setattr(bare, attribute, number)
        free = [
            name
            for name in vars(cls)
            if name[:2] != "__" and f"{title}.{name}" not in taken and needs_no_object(cls, name, known=numbers)
        ]
        methods = {f"{title}.{name}": getattr(bare, name) for name in free}
        yield from _flagged(methods, path)
        for name, *halves in partners(free):
            if stem_of(halves[1], "BACKWARD", "SLOPE"):  # not `forward` and `backward` of a class to inherit from
                forward, backward = (f"{title}.{half}" for half in halves)
                heirs = [other for other in classes.values() if issubclass(other, cls) and other is not cls]
                if not parameters(methods[forward]) or any(halves[1] in vars(other) for other in heirs):
                    continue  # parameters(self) and parameters_grad(self) of a class to inherit from; or its heirs' own
                yield Pair(f"{title}.{name}", methods[forward], methods[backward], path, forward, backward)


def _of_deltas(own: dict[str, Callable], functions: dict[str, Callable], path: Path) -> Iterator[Pair]:
    """Yield a pair for each class of a cost fn(a, y) with delta(z, a, y): the gradient in z, which the file's sigmoid takes."""
    known = [f for n, f in functions.items() if words_of(n) == ["sigmoid"] and inspect.isfunction(f)]
    for title, cls in own.items() if known else ():
        if inspect.isclass(cls) and all(inspect.isfunction(getattr(cls, half, None)) for half in ("fn", "delta")):
            bare: Any = object.__new__(cls)
            composed = compose(known[0], bare.delta, "delta", {"cost": bare.fn})
            if composed and [p.name for p in parameters(bare.delta)][:1] == ["z"]:
                yield Pair(title, composed, composed.backward, path, f"{title}.fn", f"{title}.delta")


def _numbers_set(cls: Any) -> dict[str, float]:
    """Return the attributes that a constructor sets to a number whatever it is given: self.e = 2.718."""
    nodes = nodes_of(cls.__init__) if inspect.isfunction(cls.__init__) else []
    found: dict[str, float] = {}
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            number = node.value.value
            if isinstance(number, int | float) and not isinstance(number, bool):
                found |= {target.attr: number for target in targets if isinstance(target, ast.Attribute)}
    return found


def _closures(own: dict[str, Callable], path: Path) -> Iterator[Pair]:
    """Yield a pair for each function that returns (out, backward), where backward is a function made in it."""
    for name, function in own.items():
        values = returned(function) if inspect.isfunction(function) and not words_compared(function) else []  # no table
        made = [closure_returned(value, function) for value in values]
        if made and all(made):
            yield Pair(name, function, _call_closure, path, name, f"{name}'s {made[0]}")


def _call_closure(dout: Any, cache: Callable) -> Any:
    if parameters(cache):
        return cache(dout)
    grads = cache()  # of a loss
    return tuple(dout * g for g in grads) if isinstance(grads, tuple) else dout * grads


def _with_slopes(own: dict[str, Callable], path: Path) -> Iterator[Pair]:
    """Yield a pair for each function that returns (value, slope): ``def relu(x): ... return out, grad``."""
    for name, function in own.items():
        values = returned(function) if inspect.isfunction(function) and len(parameters(function)) == 1 else []
        seconds = [value.elts[1] for value in values if isinstance(value, ast.Tuple) and len(value.elts) == 2]
        if values and len(seconds) == len(values) and all(SLOPE.match(plain_title(second)) for second in seconds):
            yield Pair(name, function, lambda dout, slope: dout * slope, path, name, name)


def _layers(classes: dict[str, type], names: dict[str, Any], path: Path) -> Iterator[Pair]:
    """Yield a pair for each class. NAME_inputs may give arguments of its constructor too."""
    for name, cls, methods in find_layers(classes, names):
        halves = [_of_an_array(vars(cls).get(half)) for half in (methods.forward, methods.backward)]
        if all(halves):  # Relu.forward(x), with `self` for x
            yield Pair(name, halves[0], halves[1], path, f"{name}.{methods.forward}", f"{name}.{methods.backward}")  # type: ignore
            continue
        yield _of_layer(name, cls, methods, path)


def _of_layer(name: str, cls: type, methods: Methods, path: Path) -> Pair:
    layer: Any = as_node(name, cls, methods) or Layer(name, cls, methods, path)
    return Pair(name, layer, layer.backward, path, f"{name}.{methods.forward}", f"{name}.{methods.backward}")


def _of_operation(name: str, operation: Operation, path: Path) -> Pair:
    inner = [f.name for f in inner_functions(operation.function) if isinstance(f, ast.FunctionDef)]
    backward = f"{name}.{inner[-1]}" if inner else f"{operation.own.cls.__name__}.{operation.own.backward}"
    return Pair(name, operation, operation.backward, path, name, backward)


def _of_an_array(method: Any) -> Callable | None:
    """Return a method whose `self` is the array itself as a function of x; None for any other."""
    nodes = nodes_of(method) if inspect.isfunction(method) and [p.name for p in parameters(method)] == ["self"] else []
    of_self = [node for node in nodes if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "self"]
    if not any(getattr(node, "id", "") == "self" for node in nodes) or any(not hasattr(np.ndarray, n.attr) for n in of_self):
        return None

    def function(x: Any) -> Any:
        return method(x)

    function.__name__, function.__qualname__, function.__module__ = method.__name__, method.__qualname__, method.__module__
    return function


def backward_of(pair: Pair) -> Callable:
    """Return the function of the file that makes the gradients."""
    forward: Any = pair.forward
    if isinstance(forward, Layer):
        return getattr(forward.cls, forward.methods.backward, pair.backward)
    return getattr(forward, "user_backward", forward if pair.loss else pair.backward)


def _is_of_a_framework(cls: type) -> bool:
    """Whether a framework finds the gradients of a class: it has no backward of its own."""
    return "backward" not in vars(cls) and any(base.__module__.partition(".")[0] in FRAMEWORKS for base in cls.__mro__)


# ---- what is left over -------------------------------------------------------------------------------------------------


def _left_over(own: dict[str, Callable], paired: set[str]) -> Iterator[str]:
    """Yield the functions of a file that look like one half of a pair, or like a loss, and are in no pair, with the reason."""
    classes = {name: value for name, value in own.items() if inspect.isclass(value)}
    yield from in_one_method(classes, paired)
    calls = {name: [node.func for node in nodes_of(f) if isinstance(node, ast.Call)] for name, f in own.items()}
    called = {name: {getattr(function, "id", "") for function in found} for name, found in calls.items()}
    checked = {*paired}
    while more := {helper for name in checked for helper in called.get(name, ())} - checked:  # with the pairs that call them
        checked |= more
    for name, value in own.items():
        forwards = {n for n in called[name] & paired if has(n, "FORWARD")}  # of a forward without a cache
        if name in classes or name in paired or (forwards and has(name, "FORWARD") and not has(name, "BACKWARD")):
            continue
        if (HALF.search(name) or _is_a_gradient_of_a_loss(name, value)) and name not in checked:
            yield f"{name} (no counterpart is found)"
        elif meant_as_a_loss(name, value) and name not in checked:
            returns = any(isinstance(node, ast.Return) and node.value for node in nodes_of(value))
            why = "no gradient is seen in what it returns" if returns else "unfinished: it returns nothing"
            yield f"{name} ({why})"
        elif any(test(value) for test in BY_CODE) and not any(name in helpers for helpers in called.values()):
            yield f"{name} (by its code one half of a pair, and by its name of none)"


def _is_a_gradient_of_a_loss(name: str, function: Callable) -> bool:
    """Whether a function is the gradient of a loss, by its name, and takes targets: the loss is not there, or not told."""
    targets = [p.name for p in parameters(function) if kind_of(p.name) == "target"]
    return bool(targets and has(name, "SLOPE") and returned(function)) and not STEPS.search(name)


def _advice_on(own: dict[str, Callable], path: Path, missed: list[str]) -> str:
    """Say why a file has no pairs."""
    if missed:
        return f"; not looked at: {', '.join(missed)}"
    classes = [name for name, value in own.items() if inspect.isclass(value) and hasattr(value, "forward")]
    framework = re.search(rf"^\s*(?:import|from) ({'|'.join(FRAMEWORKS)})\b", path.read_text("utf-8", "ignore"), re.MULTILINE)
    if framework:
        return f"; it is written with {framework[1]}, which finds the gradients itself"
    if classes:
        return f", and no class with both methods ({', '.join(classes)}: no backward is found)"
    halves = [name for name in own if HALF.search(name)]
    if halves:
        return f"; {', '.join(halves)} {'has' if len(halves) == 1 else 'have'} no counterpart"
    return '. What stands under `if __name__ == "__main__":` is not run' if b"__main__" in path.read_bytes() else ""
