"""Find the classes that are layers, losses or networks, and make a pair of each."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, wraps
from itertools import takewhile
from typing import Any

from ..functions.find_losses import returned_gradients
from ..functions.kinds import kind_of
from ..read.read_code import code_of, is_gradient_of, methods_in, nodes_of, parameters, parts_returned, plain_title, returned
from ..unfinished import TO_BE_WRITTEN
from .attributes import GRADIENTS, MANGLED, RATES
from .one_method import trainers

FORWARDS = (
    "forward forward_pass forward_propagation forward_propagate forward_prop feedforward feed_forward fprop fwd propagate "
    "forwardprop forward_propogation __call__ call apply activate activation function func fn f compute predict value "
    "evaluate transform forward_pass_train run"
)
BACKWARDS = (
    "backward backward_pass backward_propagation backward_propagate backward_prop back_propagation back_propagate "
    "backpropagation backpropagate backprop back_prop backwardprop back_propogation backward_propogation bprop bwd back "
    "backwards backforward back_pass backward_delta "
    "bptt back_propagation_through_time backprop_through_time retropropagation retropropagate"
)
SLOPES = (
    "derivative gradient grad deriv prime derive diff df d d_activation differentiate gradients backward_activation "
    "compute_gradient compute_gradients cost_function_prime cost_prime loss_prime grads get_gradient get_gradients get_grad "
    "get_derivative calculate_gradient calculate_gradients calculate_derivative compute_derivative calc_gradient "
    "calc_derivative delta"
)
COSTS = (
    "loss_and_grads loss_and_grad loss_and_gradients loss_and_gradient compute_loss_and_gradients compute_loss_and_grads "
    "cost_and_grad cost_and_gradient loss cost compute_loss compute_cost calculate_loss calculate_cost loss_function "
    "cost_function loss_fun calc_loss cal_loss get_loss calc calculate direct"
)
# Words in which the names of two methods may differ that are one pair: conv_forward and conv_backward; in other languages too.
HALVES = "forward backward forward backprop forw back adelante atras frente tras avant arriere avanti indietro "
HALVES += "vorwaerts rueckwaerts propager retropropager propagar retropropagar"
LOSS_NAME = re.compile("loss|entropy|mse|criterion|cost|error|divergence|nll", re.IGNORECASE)  # of classes
DATA = re.compile("input|placeholder|variable|const|parameter|trainable", re.IGNORECASE)  # nodes of a graph
ABSTRACT = "layer module function activation loss criterion node op operation"  # names of classes to inherit from
# The gradient of the output among the arguments of a backward.
COTANGENT = re.compile(
    r"^_*(d(?!ata|im|ropout|ebug|type|eriv)|grad|g$|gy$|up|err|back|accum|next_|loss_|top|eps$|res)|grad|delta|err",
    re.IGNORECASE,
)
# The names of methods that are no forward.
OTHERWISE = re.compile(
    "get|set|update|train|fit|load|save|reset|zero|init|build|summary|param|step|to_|from_|print|plot|compile"
)
NEIGHBOUR = re.compile("next|prev|succ|pred(ecessor)?$", re.IGNORECASE)
# The weights of the layer behind among the arguments of a backward: what it returns is then delta, before its own weights.
BEHIND = "next|right|behind|after|forward|above|following|fwd"
NEXT_WEIGHTS = re.compile(
    rf"({BEHIND})_?(layer_?)?(w|weights?|theta)$|^(w|weights?|theta)_?(of_?)?({BEHIND})(_?layer)?$", re.IGNORECASE
)


OF_OUTPUT = re.compile("grad_?out|out(put)?_?grad|d_?out$|upstream", re.IGNORECASE)


@dataclass(frozen=True)
class Methods:
    """The two methods of a class that are checked together."""

    forward: str
    backward: str  # the same as forward for one that returns (loss, gradients)
    how: str  # "layer", "slope" (an elementwise derivative), "loss and gradients" (of one method), "gradient" (of a loss),
    # "cost" (backward begins with the loss of what forward returns)
    cost: str = ""  # the method that gives that loss, where there is one


def find_layers(classes: dict[str, type], names: dict[str, Any]) -> Iterator[tuple[str, type, Methods]]:
    """Yield (name, class, methods) for each class that can be checked."""
    for name, cls in classes.items():
        _name_arguments(cls)
        methods = None if getattr(cls, "_is_protocol", False) else methods_of(cls, names)
        if methods is not None and not is_abstract(cls, methods, classes) and not _is_data(name, cls, methods):
            yield name, cls, methods


def _is_data(name: str, cls: type, methods: Methods) -> bool:
    """Whether a class only holds what is put into a graph: its forward needs nothing."""
    return bool(DATA.match(name)) and not _needed(cls, methods.forward)


def _name_arguments(cls: type) -> None:
    """Give a method that takes ``*args`` and hands them on the arguments of the one that gets them: compute_output."""
    methods = {name: getattr(method, "handing_on", method) for name, method in methods_in(cls).items()}
    for name in methods:
        last, seen = name, {""}
        while last not in seen and {p.kind for p in parameters(methods[last])[1:]} & {inspect.Parameter.VAR_POSITIONAL}:
            seen.add(last)
            text = ast.unparse(code_of(methods[last]) or ast.Pass())
            last = next((m for m in re.findall(r"self\.(\w+)\(\*\w", text) if m in methods), "")
        if len(seen) > 1 and last not in seen:
            setattr(cls, name, _handing_on(methods[name], methods[last]))


def _handing_on(method: Callable, to: Callable) -> Callable:
    """Return a method that takes *inputs and hands them on, with the names of those that the other takes."""

    @wraps(to)
    def handing_on(*given: Any, **named: Any) -> Any:
        in_order = takewhile(named.__contains__, [p.name for p in parameters(to)[len(given) :]])
        return method(*given, *[named.pop(name) for name in list(in_order)], **named)

    handing_on.handing_on = method  # type: ignore[attr-defined]
    return handing_on


def methods_of(cls: type, known: dict[str, Any]) -> Methods | None:
    """Return the methods to check; None for a class that is no layer."""
    forward, cost, slope = (_first(cls, names) for names in (FORWARDS, COSTS, SLOPES))
    if cost:
        slope = _first(cls, " ".join(f"{_snake(cost)}_{word}" for word in SLOPES.split())) or slope  # cost_prime of cost
    if cost and forward and _returns_numbers(getattr(cls, forward)):
        forward = ""  # predict() gives the class's number
    backward = _first(cls, BACKWARDS, taking="[^*]") or _first(cls, BACKWARDS)  # back(error) before backprop()
    forward = forward or (_beside(cls, backward or slope) if not cost else "")
    gradient = _first(cls, SLOPES, taking=f"{COTANGENT.pattern}|^eta$") if backward else ""
    taken = [p.name for p in arguments_of(cls, backward)] if gradient else []
    if gradient and all(RATES.fullmatch(name) or kind_of(name) == "number" for name in taken):
        backward = gradient  # and backward(alpha, momentum) is the step
    call = methods_in(cls).get("__call__")
    call = getattr(call, "handing_on", call)
    does = attributes_in(call, ast.Load) | attributes_in(call)
    starred = [q.kind is q.VAR_POSITIONAL for q in arguments_of(cls, "__call__")] if forward in does != {forward} else [True]
    if starred[:1] != [True]:  # it keeps something, or builds the layer, before it calls forward
        if any(starred):
            cls.__call__ = _handing_on(cls.__call__, getattr(cls, forward))  # type: ignore[method-assign]
        forward = "__call__"
    if forward and backward and (trainer := next(trainers(cls), "")) and _adds_to_what_it_is_given(getattr(cls, backward)):
        return Methods(forward, trainer, "cost", cost)
    leaves = not backward and _leaves_gradients(cls, forward)
    both = forward if leaves else cost or (forward if is_loss(cls) and not backward else "")
    if both and (leaves or _returns_gradients(cls, both, backward, known)):
        return Methods(both, both, "loss and gradients")
    if forward and backward:
        own = cost and [p.name for p in _needed(cls, cost)] == [p.name for p in _needed(cls, forward)] != []
        cost = "" if own else cost  # loss(x), which makes its targets itself
        return Methods(forward, backward, "cost" if _starts_from_targets(cls, forward, backward) else "layer", cost)
    if cost and (slope or backward):
        return Methods(cost, slope or backward, "gradient")
    if forward and slope:
        given, needed = (_needed(cls, name) for name in (slope, forward))
        if given and COTANGENT.search(given[-1].name):  # grad(dout)
            return Methods(forward, slope, "layer")
        if len(given) > 1 and _starts_from_targets(cls, forward, slope):  # compute_gradients(X, y_true, y_pred)
            return Methods(forward, slope, "cost", cost)
        return Methods(forward, slope, "gradient" if len(needed) > 1 else "slope")
    names = [name for name in methods_in(cls) if name[0] != "_"]
    words = zip(HALVES.split()[::2], HALVES.split()[1::2], strict=True)
    pairs = [(name, name.replace(one, other)) for one, other in words for name in names if one in name]
    halves = next((pair for pair in pairs if pair[1] in names), None)
    if halves is None and forward and (trainer := next(trainers(cls), "")) and trainer != forward:
        return Methods(forward, trainer, "cost", cost)
    return Methods(*halves, "cost" if _starts_from_targets(cls, *halves) else "layer") if halves else None


def _adds_to_what_it_is_given(backward: Callable) -> bool:
    """Whether a backward adds the gradients of one sample to those that it is handed, and returns the sums."""
    handed_back = {plain_title(part) for part in parts_returned(backward)}
    changed = {ast.unparse(node.target) for node in nodes_of(backward) if isinstance(node, ast.AugAssign)}
    return bool(handed_back & changed & {p.name for p in parameters(backward)})


def _returns_numbers(method: Callable) -> bool:
    """Whether a method returns what argmax gives: the class's number; others may keep it beside their output."""
    values = returned(method)
    names = {value.id for value in values if isinstance(value, ast.Name)}
    assigned = [node for node in nodes_of(method) if isinstance(node, ast.Assign)]
    made = [node.value for node in assigned if names & {getattr(target, "id", "") for target in node.targets}]
    return any("argmax" in ast.unparse(value) for value in [*values, *made])


def is_loss(cls: type) -> bool:
    """Whether a class is a loss by its name, or by that of one that it inherits from: Huber(Loss)."""
    return any(LOSS_NAME.search(owner.__name__) for owner in cls.__mro__)


def _beside(cls: type, half: str) -> str:
    """Return the only other method of a class, or the only one that takes the arguments of a derivative, whatever its name."""
    taken = [p.name for p in arguments_of(cls, half)] if half else []
    others = [name for name in methods_in(cls) if name[0] != "_" and name != half and half]
    same = [name for name in others if [p.name for p in arguments_of(cls, name)] == taken != []]
    found = same or [name for name in others if taken and not OTHERWISE.match(name) and returned(getattr(cls, name))]
    return found[0] if len(found) == 1 else ""


def _returns_gradients(cls: type, cost: str, backward: str, names: dict[str, Any]) -> bool:
    """Whether a method for the loss returns (loss, gradients), or leaves those behind; it may call backward for them."""
    code = code_of(getattr(cls, cost))
    if code is None or "grad" in cost:  # loss_and_gradients, which leaves the gradients in the object
        return code is not None
    parts = [part for value in returned(getattr(cls, cost)) for part in getattr(value, "elts", [])[1:]]
    inside = [node for part in parts for node in ast.walk(part)]
    calls = any(isinstance(node, ast.Attribute) and node.attr == backward for node in inside)
    calls = calls or any(isinstance(part, ast.Dict) for part in parts)
    return calls or bool(returned_gradients(code, {n: f for n, f in names.items() if inspect.isfunction(f)}))


def _leaves_gradients(cls: type, forward: str) -> bool:
    """Whether a forward takes targets, and puts gradients into the object: ``self.gradients["W1"] = dW1``."""
    targets = [p for p in arguments_of(cls, forward) if kind_of(p.name) == "target"] if forward else []
    return bool(targets) and any(GRADIENTS.fullmatch(name) for name in attributes_in(getattr(cls, forward)))


def _starts_from_targets(cls: type, forward: str, backward: str) -> bool:
    """Whether backward takes the targets, and forward does not: a network whose backward begins with its loss."""
    given, wanted = arguments_of(cls, forward), arguments_of(cls, backward)
    if not given and not wanted:  # of NeuralNetwork(x, y), whose constructor has them
        return any(kind_of(p.name) == "target" for p in parameters(cls))
    targets = targets_in(cls, backward)
    return bool(targets) and not any(p.name in targets or kind_of(p.name) == "target" for p in given)


def targets_in(cls: type, backward: str) -> list[str]:
    """Return the arguments of a backward that are targets: by their names, or as they are subtracted, ``self.p - grad``."""
    code = code_of(getattr(cls, backward))
    used = {getattr(node, "id", "") for node in ast.walk(code or ast.Pass())}
    text, taken = ast.unparse(code or ast.Pass()), [p for p in arguments_of(cls, backward) if p.name in used or not code]
    known = [p.name for p in taken if p.default is p.empty and kind_of(p.name) == "target"]
    names = [p.name for p in taken]
    known = [n for n in known if not any(is_gradient_of(p, n) or OF_OUTPUT.search(p) for p in names)]  # not Y, beside DY
    known = [name for name in known if name.lower() != "y"] or known  # Y, beside T, is what the network says
    return known or [p.name for p in taken if re.search(rf"\bself\.\w+ - {p.name}\b(?! \*)", text)]


def arguments_of(cls: type, name: str) -> list[inspect.Parameter]:
    """Return the parameters of a method without self; for one that has none, the attributes that it is given from outside."""
    bare = isinstance(inspect.getattr_static(cls, name), staticmethod | classmethod)
    found = parameters(getattr(cls, name))[not bare :]
    return found or [inspect.Parameter(title, inspect.Parameter.KEYWORD_ONLY) for title in given_outside(cls, name)]


@lru_cache(maxsize=256)
def given_outside(cls: type, name: str) -> list[str]:
    """Return the attributes that a method without arguments reads, and that no method of the class sets but to None."""
    if not inspect.isfunction(getattr(cls, name)) or parameters(getattr(cls, name))[1:]:
        return []
    return sorted(left_empty(cls) & attributes_in(getattr(cls, name), ast.Load))


def left_empty(cls: type) -> set[str]:
    """Return the attributes that a class sets to None, and to nothing else but what it is given: ``set_input(self, x)``."""
    given = {
        id(node) for name, m in methods_in(cls).items() if name[:3] == "set" for node in ast.walk(code_of(m) or ast.Pass())
    }
    nodes = [node for node in nodes_in(cls) if id(node) not in given]
    assigned = [(node.targets, node.value) for node in nodes if isinstance(node, ast.Assign)]
    pairs = [(ast.unparse(one), value) for targets, value in assigned for one in targets]
    several = [(title, getattr(value, "value", 0) is None) for title, value in pairs if title not in ast.unparse(value)]
    empty = {title for title, none in several if none} - {title for title, none in several if not none}
    return {title.removeprefix("self.") for title in empty}


def neighbours(cls: type) -> list[str]:
    """Return the attributes with the layers before and behind a layer that it calls itself: ``self.next.forward(y)``."""
    calls = [node.func.value for node in nodes_in(cls) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    called = {call.attr for call in calls if isinstance(call, ast.Attribute)}
    return sorted(filter(NEIGHBOUR.search, left_empty(cls) & called))


def left_by_neighbours(cls: type, name: str) -> set[str]:
    """Return what the method of a layer, or one that it calls, reads of the layer before it: ``self.prev_layer.output``."""
    methods = methods_in(cls)
    nodes = [node for one in reached(cls, name) if one in methods for node in ast.walk(code_of(methods[one]) or ast.Pass())]
    read = [node for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute)]
    return {node.attr for node in read if re.match(r"self\.\w*prev", ast.unparse(node.value))}


def _needed(cls: type, name: str) -> list[inspect.Parameter]:
    """Return the parameters of a method that have no default, without self, *args and **kwargs."""
    return [p for p in arguments_of(cls, name) if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


@lru_cache(maxsize=256)  # it is asked in each backward
def attributes_in(method: Any, used: type = ast.Store) -> set[str]:
    """Return the attributes of self that a method sets, or an entry of them, or those that it reads."""
    code = code_of(method) if inspect.isroutine(method) else None
    nodes = [x for x in ast.walk(code or ast.Pass()) if isinstance(getattr(x, "ctx", None), used)]
    own = [x.value if isinstance(x, ast.Subscript) else x for x in nodes]
    return {x.attr for x in own if isinstance(x, ast.Attribute) and getattr(x.value, "id", "") == "self"}


def last_set(method: Any) -> str:
    """Return the attribute of self that a method sets in its last statement; "" where it ends otherwise."""
    code = code_of(method)
    last = code.body[-1] if code else None
    return ast.unparse(last.targets[0]).removeprefix("self.") if isinstance(last, ast.Assign) else ""


def reached(cls: type, name: str) -> set[str]:
    """Return the names of a method and of all those that it calls."""
    methods, found, more = methods_in(cls), {name}, {name}
    while more:
        more = {one for called in more for one in attributes_in(getattr(cls, called), ast.Load) if one in methods} - found
        found |= more
    return found


@lru_cache(maxsize=256)
def that_returns(cls: type, name: str) -> Callable:
    """Return the method whose values another hands on, ``return self.through_time(x, dout)``; mostly that other itself."""
    values, methods = returned(getattr(cls, name)), methods_in(cls)
    called = values[0].func if len(values) == 1 and isinstance(values[0], ast.Call) else None
    own = isinstance(called, ast.Attribute) and ast.unparse(called.value) == "self" and called.attr in methods
    return methods[called.attr] if own and called.attr != name else getattr(cls, name)  # type: ignore[union-attr]


def takes_deltas(cls: type, backward: str) -> str:
    """Return the method that makes a step of what backward returns, which are errors of layers: update(x, delta1, delta2)."""
    parts = parts_returned(getattr(cls, backward))
    deltas = {part.id for part in parts if isinstance(part, ast.Name) and re.search("delta|err", part.id, re.IGNORECASE)}
    others = {name: m for name, m in methods_in(cls).items() if attributes_in(m) and name != backward}
    taken = {name: {p.name for p in parameters(m)} for name, m in others.items()}
    return next((name for name, names in taken.items() if deltas and len(deltas) == len(parts) and deltas <= names), "")


@lru_cache(maxsize=64)  # it is asked for each argument of the constructor
def nodes_in(cls: type) -> list[ast.AST]:
    """Return the nodes in the code of all methods of a class, also of those that it overrides, which may call them."""
    every = [getattr(x, "fget", None) or x for owner in cls.__mro__ for x in vars(owner).values()]  # its properties too
    methods = [method for method in every if inspect.isfunction(method)]
    return [node for method in methods for node in ast.walk(code_of(method) or ast.Pass())]


@lru_cache(maxsize=64)  # it is asked in each backward
def rates_of(cls: type) -> re.Pattern[str]:
    """Return what the learning rates in an object are called: by their names, or alp of ``self.W -= self.alp * dW``."""
    steps = [node for node in nodes_in(cls) if isinstance(node, ast.AugAssign | ast.Assign)]
    found = [re.match(r"(self\.\S+) (-=|= \1 -) self\.(\w+) \*", ast.unparse(step)) for step in steps]
    return re.compile("|".join([RATES.pattern, *{m[3] for m in found if m}]), re.IGNORECASE)


def _first(cls: type, known: str, taking: str = "") -> str:
    """Return the first of these methods that a class has, `taking` such an argument; a library's classes have their own."""
    owners = [c for c in reversed(cls.__mro__) if c.__module__.split(".")[0] not in ("torch", "builtins")]
    names = [name for owner in owners for name in vars(owner) if inspect.isroutine(getattr(owner, name, None))]
    said = sorted([(MANGLED.sub("", name) or name, name) for name in names], key=lambda one: one[0] == one[1])  # loss of __loss
    methods = {_snake(word): name for word, name in said}
    methods = {name.strip("_"): own for name, own in methods.items() if name[:2] != "__"} | methods  # forward of _forward
    found = [methods[name] for name in known.split() if name in methods]
    return next((m for m in found if not taking or any(re.search(taking, p.name) for p in arguments_of(cls, m))), "")


def _snake(name: str) -> str:
    """Return forward_pass for forwardPass."""
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def is_abstract(cls: type, methods: Methods, classes: dict[str, type]) -> bool:
    """Whether a class is written only for others to inherit from: its methods say nothing, and it has heirs or such a name."""
    halves = [getattr(cls, name) for name in {methods.forward, methods.backward}]
    said = [[ast.unparse(x) for x in code.body if not isinstance(x, ast.Raise)] for code in map(code_of, halves) if code]
    nothing = re.compile(f"{TO_BE_WRITTEN}|return np\\.zeros.*|['\"].*", re.DOTALL)
    called = {name for half in halves for name in attributes_in(half, ast.Load)} & methods_in(cls).keys()
    codes = [code for name in called if (code := code_of(getattr(cls, name)))]
    left = any(isinstance(code.body[-1], ast.Raise) for code in codes)  # for its heirs to write
    left = left or (bool(codes) and all(nothing.fullmatch(ast.unparse(code.body[-1])) for code in codes))
    left = left or any(getattr(half, "__isabstractmethod__", False) for half in halves)
    left = left or any("forward" in attributes_in(half, ast.Load) and not hasattr(cls, "forward") for half in halves)
    heirs = [other for other in classes.values() if issubclass(other, cls) and other is not cls]
    given = re.compile(rf"return self\.(?!({'|'.join(methods_in(cls))})\b)\w+\(.*\)")  # a function that its heirs give it
    left = left or (
        any("__init__" in vars(heir) for heir in heirs) and all(given.fullmatch(line) for lines in said for line in lines)
    )
    if not left and not any(all(map(nothing.fullmatch, lines)) for lines in said):
        return False
    base = cls.__name__.lower().strip("_").removesuffix("base").removeprefix("base").removeprefix("abstract").strip("_")
    own = [name for name in vars(cls) if name[:2] != "__" or name == "__init__"]
    bare = not any(inspect.isroutine(getattr(cls, name)) for name in own)  # class RMSNorm(Layer): pass
    return bool(heirs) or bare or inspect.isabstract(cls) or base in ("", *ABSTRACT.split())
