"""Draw the arguments of a layer's constructor: sizes that agree with x, arrays, numbers."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
from collections.abc import Callable, Container, Iterator
from copy import deepcopy
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ..functions.draw_inputs import draws_of
from ..functions.find_losses import REGULARISED
from ..functions.kinds import NUMBERS, kind_of, number_for
from ..functions.layouts import OUTPUTS, Layout
from ..read.by_use import stands_for, words_meant
from ..read.read_code import code_of, followed, methods_in, parameters
from .attributes import EPOCHS
from .find_layers import BACKWARDS, nodes_in
from .objects import LR, Mixing, Settings, Silent, SquaredError, Step, Tanh, instances

SIZES = {
    "in": "num_features n_features features channels num_channels n_channels dim d_model model_dim fan_in d_in din "
    "in_ch d c hidden_state_dim inputs in_c c_in inputs_num shape nfeatures embedding_size in_feature n_feature feature_dim "
    "ndim n_i normalized_shape input_feature ci cin ic n_embd n_visible d_input",
    "out": "m n_c filters dout_dim n_y ny depth size nb_filter n_o filter_num co cout oc layer_depth",
    "width": "hidden h_d d_h d_hid d_ff ff_dim h_dim n_h nh dim_feedforward h_size hsize mlp_dim h ffn_dim ffn_size "
    "dff d_inner inner_dim",
    "hiddens": "hidden_dims hidden_sizes hidden_layers hidden_size_list hiddens hidden_layer_sizes hidden_list",
    "all": "sizes dims layer_size layer_dimensions structure layers_size layers_dim shapes",
    "vocab": "vocab_size num_embeddings n_vocab vocabulary_size input_vocab v vocab_dim num_words n_tokens n_embeddings "
    "word_dim",
    "word": "embedding_dim embed_size wordvec_size wordvec_dim emb_size emb_dim embedding_size n_embed",
    "heads": "num_heads n_heads heads n_head nhead",
    "head": "d_k d_v head_dim head_size dk dv",
    "kernel": "kernel_size kernel_shape kernel k f pool_size pool_height pool_width ksize",
    "move": "stride strides s",
    "pad": "pad padding p_size",
    "factor": "upsampling_factor downsampling_factor scale_factor factor",
    "lr": "lr learning_rate eta η learningrate l_rate step_size",
    "function": "activation act act_fn nonlinearity act_func func function fn",
    "rng": "rng random_state generator",
    "words": "word_to_idx word2idx vocab",
    "steps": "seq_len seq_length sequence_length max_len time_steps num_steps n_steps t timesteps bptt_truncate seqlen "
    "sequence_len num_timesteps",
    "batch": "batch_size batchsize n batch n_samples",
    "dimensions": "tensor_order ndims n_dims num_dims",
    "new shape": "output_shape target_shape new_shape out_shape shape",
    "layer": "layer cell inner wrapped net network",
    "layers": "layers modules layer_list module_list blocks args sublayers sub_layers",
    "optimizer": "optimizer optim opt optimiser",
    "loss": "loss loss_fn loss_func loss_function criterion cost_function",
}
KIND_OF_SIZE = {name: kind for kind, names in reversed(SIZES.items()) for name in names.split()}
SIZE = "size|dim|len|num|units|nodes|neurons|features|channels|width|shape|^n"
BEFORE = re.compile("prev|input_layer|in_?layer|below|bottom|parent", re.IGNORECASE)  # the layer whose output is x
LIKE = {  # kinds of names that are not among these
    "epochs": f"{EPOCHS.pattern}$",
    "all": "architecture|topology|^(layers?|network|net|nn)_?(config|sizes|dims|structure|spec)",
    "slope": "prime|deriv|^f_?grad$|(^|_)(d|der|diff|grad)_?(act|f$|fn|func)|act.*_(d|der|diff|grad)(_|$)",
    "function": "activation|^(act|func|fn)_",
    "float": "(std|stddev|sigma|gain|scalar|exponent)$",
    "ends": "(weights?|bias(es)?|init\\w*)_range$",
    "init": "init",
    "penalty": "^(l[12]|reg\\w*|lamb?da\\w*|wd|decay)$|(l[12]|reg\\w*|lamb?da|decay)_?(rate|factor|strength|coef\\w*|param)$",
    "heads": "head",
    "kernel": "^size_k$|(kern[ea]l|filter|pool|window|grid)_?(size|dim|shape|kernel_size|[hw]$|width|height|$)|^[fk][hw]$",
    "in": f"(^|_)(in|input|inp|prev|x|embed)(_|$).*({SIZE})|({SIZE}).*(in|input|prev|x)(_|$|s$)|^(in|input)({SIZE[:-3]})",
    "width": f"hid.*({SIZE})|({SIZE}).*hid|hidden|num_states?|states?_({SIZE})|conv_?[0-9]+_(channels|filters)",
    "out": f"(^|_)(out|output|class|label).*({SIZE})?|({SIZE}).*(out|class|label)|units|nodes|neuron|filters|kern[ea]ls"
    f"|(kern[ea]l|filter)_?(num|count|amount|depth)|^(num|depth)_k$|^[yz]_?({SIZE[:-3]})$",
    "layers": "^(?!num|n_).*(layers|modules)$",
    "factor": "(scal|sampl|shuffl|repeat)\\w*_(factor|rate|times)$|^repeats?$",
    "x": "_data$",
    "target": "(labels?|targets?)$",
}
SHORT = {  # of sizes, where an array is made of them; elsewhere they are data
    end: rf"(n|f|fan)?_?{word}(_?(f|n|d|sz|s|size))?" for end, word in (("in", "i(n(p(ut)?)?)?"), ("out", "o(ut(put)?)?"))
}
OF_INT = {"layers": "out", "all": "in"}  # what a kind becomes for a whole number; a number with a fraction becomes a factor
TUPLE = re.compile(r"^(typing\.)?tuple\b(?!.*\| ?int)", re.IGNORECASE)  # an annotation that allows no number
DRAWN_ANYWAY = "in out width hiddens all vocab word heads steps batch move pad"  # though there is a default
NEEDED = f"{DRAWN_ANYWAY} function init kernel optimizer"  # where it does not work with None, the default
USES = (
    "dot|matmul|einsum|outer|exp|log|tanh|maximum|sum|mean|subtract|multiply|array|asarray|hstack|vstack|c_|concatenate|append"
)
MAKES = re.compile(rf"(np|numpy)\.(?!({USES})\b)|_*(rand|init|zeros|ones|normal|uniform|xavier)")  # what makes an array
OF = "__of__"  # between the name of an argument and that of a setting in it
VOCABULARY = 12  # of `draw_inputs`: an index is less than 9
HIDDEN = 7
HIDDENS = [HIDDEN, 5]


@dataclass
class Setting:
    """What an array is drawn for: x in a layout, a class called so, and arguments of these kinds; `unit` for logarithms."""

    layout: Layout
    words: str
    kinds: set[str]
    unit: bool
    held: list[list]  # what a container may hold

    def draws(self, kind: str, *beside: str) -> list[Callable]:
        """Return the ways to draw an argument of a kind."""
        return draws_of(kind, self.layout, self.words, {*self.kinds, *beside}, self.unit)


def arguments_of_constructor(cls: type, given: Container = ()) -> list[inspect.Parameter]:
    """Return the arguments of a constructor; also those that it hands on to the next one as *args and **kwargs.

    One that holds settings, and is not given, is replaced by them.
    """
    found: dict[str, inspect.Parameter] = {}
    for owner in [owner for owner in cls.__mro__ if inspect.isfunction(vars(owner).get("__init__"))]:
        taken = parameters(owner.__init__)[1:]  # type: ignore[misc]
        found = {p.name: p for p in taken if p.kind is not p.VAR_KEYWORD} | found
        rest = [p for p in taken if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        code = code_of(owner.__init__) if rest else None  # type: ignore[misc]
        if code is None or not re.search(r"super\(.*\)\.__init__\(.*\*", ast.unparse(code)):
            break
        found = {name: p for name, p in found.items() if p not in rest}
    starred = [name for name, p in found.items() if p.kind is p.VAR_POSITIONAL and kind_in_constructor(p, "") != "all"]
    found = {name: p for name, p in found.items() if name not in starred or len(found) == 1}
    return [part for p in found.values() for part in (parts_of(p, cls) if p.name not in given else [p])]


def parts_of(p: inspect.Parameter, cls: type) -> list[inspect.Parameter]:
    """Return an argument for each setting that a class reads from this one, config.n_in and config["n_in"]; itself for none."""
    kind = kind_in_constructor(p, "")
    if p.default is not p.empty or kind not in ("", "settings", "layer") or instances(p.annotation, cls):
        return [p]
    titles, keys = _kept_as(p.name, cls), []
    called = [node.func for node in nodes_in(cls) if isinstance(node, ast.Call)]
    if kind == "layer" and any(ast.unparse(getattr(f, "value", f)) in titles for f in called):  # it is in this one
        return [p]
    unpacked = re.search(rf"\n +\(?(\w+(?:, \w+)+)\)? = {p.name}\n", ast.unparse(code_of(cls.__init__) or ast.Pass()))  # type: ignore[misc]
    if unpacked and p.name in titles:  # weights, bias = params
        return [p.replace(name=f"{p.name}{OF}{k}_{name}") for k, name in enumerate(unpacked[1].split(", "))]
    for node in nodes_in(cls):
        read = isinstance(getattr(node, "ctx", None), ast.Load)
        if read and isinstance(node, ast.Attribute | ast.Subscript) and ast.unparse(node.value) in titles:
            key = node.attr if isinstance(node, ast.Attribute) else getattr(node.slice, "value", "")
            keys += [key] if isinstance(key, str) and key.isidentifier() and not hasattr(np.ndarray, key) else []
    return [p.replace(name=f"{p.name}{OF}{key}") for key in dict.fromkeys(keys) if key not in vars(dict)] or [p]


def _kept_as(name: str, cls: type) -> set[str]:
    """Return the names that a class has for an argument of its constructor: activation, self.activation, self.act."""
    assigned = [(node.targets[0], node.value) for node in nodes_in(cls) if isinstance(node, ast.Assign)]
    several = [zip(a.elts, b.elts, strict=False) for a, b in assigned if isinstance(a, ast.Tuple) and isinstance(b, ast.Tuple)]
    assigned += [part for parts in several for part in parts]
    return {name, *(ast.unparse(target) for target, value in assigned if stands_for(value, name))}


def folded(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with those that are settings of one as that one."""
    found: dict[str, Any] = {}
    for name, x in arguments.items():
        owner, _, key = name.partition(OF)
        if key:
            found.setdefault(owner, Settings())[key] = x
        else:
            found[name] = x
    several = {name: x for name, x in found.items() if isinstance(x, Settings) and all(key[0].isdigit() for key in x)}
    return found | {name: tuple(x.values()) for name, x in several.items()}


def kind_in_constructor(p: inspect.Parameter, words: str) -> str:
    """Return the kind of a constructor's argument; "" for an unknown one."""
    low = re.sub("(?<=[a-z])(?=[A-Z][a-z])", "_", p.name.rpartition(OF)[2]).lower().strip("_")  # in_features of inFeatures
    low = re.sub("^(num|number|nb|nr|n)_(of_)?(?=[a-z]{3})", "num_", low) if low not in KIND_OF_SIZE else low
    low, unpacked = low.lstrip("0123456789_"), re.match(r"\d", low)
    if unpacked and kind_of(low.removeprefix("init_"), words):
        return kind_of(low.removeprefix("init_"), words)
    if OF in p.name and BEFORE.match(p.name):  # prev_layer.out_shape, prev_layer.output
        return "in" if re.search(f"{SIZE}|units|nodes|count|^m$", low) else "function" if "act" in low else "x"
    if low == "name" and p.default is p.empty:
        return "function" if "activ" in words else "str"
    if low in ("w", "b", "gamma", "beta") or p.annotation in (np.ndarray, "np.ndarray"):
        return kind_of(p.name, words)
    if re.search(r"(list|sequence)\[int", f"{p.annotation}", re.IGNORECASE) and re.search("layer|net|size|arch|dim|units", low):
        return "hiddens" if "hid" in low else "all"
    known = KIND_OF_SIZE.get(low) or KIND_OF_SIZE.get(low.rstrip("0123456789").rstrip("_")) or kind_of(p.name, words)
    if re.search(r"\bint\b", f"{p.annotation}") and "float" not in f"{p.annotation}":
        known = "factor" if known == "number" and isinstance(NUMBERS.get(low), float) else OF_INT.get(known, known)
        known = "out" if low == "shape" else known
    return known or next((kind for kind, pattern in LIKE.items() if re.search(pattern, low)), "")


def settle(found: list[inspect.Parameter], words: str, cls: type) -> tuple[dict[str, Any], list[str]]:
    """Return the kinds of the arguments that are drawn, and the names of those that nothing is known of.

    The kind of an argument that is an object of the file's own is a tuple of such objects.
    """
    kinds: dict[str, Any] = {}
    steps = any(KIND_OF_SIZE.get(p.name) == "lr" for p in found)  # then beta is that of its momentum
    unknown, beside_its_slope = [], any(re.search(LIKE["slope"], p.name.lower()) for p in found)
    for p in found:
        kind = "function" if p.name == "f" and beside_its_slope else kind_in_constructor(p, words)
        if kind in ("", "x", "target") and _is_size(p.name, cls):
            kind = next((one for one, names in SHORT.items() if re.fullmatch(names, p.name.lower().strip("_"))), "")
        kind = "float" if kind == "affine" and steps and "norm" not in words else kind
        kind = "vocab" if kind == "words" and _is_size(p.name, cls) else kind
        kind = kind or ("layers" if p.kind is p.VAR_POSITIONAL else "")
        kind = "penalty" if kind == "number" and "net" not in words and re.search(LIKE["penalty"], p.name.lower()) else kind
        kind = "all" if kind == "layers" and _is_list(p.name, cls, NEIGHBOURS) else kind
        has_default, words_of_it = (
            p.default is not p.empty,
            words_for(p.name, cls) if kind in ("", "number", "optimizer") else (),
        )
        sizes = isinstance(p.default, int | tuple | list) and not isinstance(p.default, bool)
        anyway = (sizes and kind in DRAWN_ANYWAY.split()) or (kind == "slope" and "function" in kinds.values())
        objects = [] if has_default or kind == "layers" else instances(p.annotation, cls)
        kind = "hiddens" if kind == "width" and _is_list(p.name, cls, JOINED) else kind
        kind = "all" if kind in ("", "out") and not has_default and _is_list(p.name, cls, COUNTED) else kind
        kind = "layer" if kind in ("kernel", "x") and _hands_on(p.name, cls) else kind  # f of f.forward(x)
        if p.default is None and _hands_on(p.name, cls):
            kinds[p.name] = (Tanh() if kind == "function" else Silent(),)
        elif objects:
            kinds[p.name] = tuple(objects)
        elif p.name == "dtype" or (p.name in REGULARISED and "net" in words):
            kinds[p.name] = "dtype" if p.name == "dtype" else "number"
        elif not has_default and words_of_it and "sgd" not in words_of_it:
            kinds[p.name] = words_of_it
        elif has_default and not anyway:
            continue
        elif kind or p.annotation in (int, float, bool, str, "int", "float", "bool", "str"):
            kinds[p.name] = kind or str(getattr(p.annotation, "__name__", p.annotation))
        elif OF in p.name and not _is_size(p.name, cls):
            kinds[p.name] = "float"
        elif OF not in p.name and _is_only_kept(p.name, cls):
            kinds[p.name] = "int"
        else:
            unknown.append(p.name)
    letters = [name for name in kinds if name.lower() in ("n", "m")]
    if "in" not in kinds.values() and letters not in (["m"], ["M"]):  # of Layer(n, m), Layer(m, n) and Layer(n)
        kinds |= dict(zip(letters, ("in", "out"), strict=False))
    for name in [name for name in unknown if OF not in name and _is_size(name, cls)]:
        order = ("in", "out") if _is_size(name, cls, "__init__") else ("out",)  # of what forward makes, the other size is x's
        kinds[name] = next((kind for kind in order if kind not in kinds.values()), "width")
        unknown.remove(name)
    return kinds, unknown


def words_for(name: str, cls: type) -> tuple[str, ...]:
    """Return the words that a class, or a function that it calls, compares an argument with, or finds in a table by it."""
    methods, titles = methods_in(cls).values(), sorted(_kept_as(name, cls))
    codes = [code for method in methods for title in titles for code in followed(method, title, 1)]
    return tuple(dict.fromkeys(word for code, here in codes for word in words_meant(code, here)))


def _hands_on(name: str, cls: type) -> bool:
    """Whether a class calls backward of what it is given under this name: a loss does that with its network."""
    calls = [node.func for node in nodes_in(cls) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return any(f.attr in BACKWARDS.split() and ast.unparse(f.value) in _kept_as(name, cls) for f in calls)


def _is_list(name: str, cls: type, used: str) -> bool:
    """Whether a class uses an argument of its constructor so: one that it goes through, hidden_dim of several layers."""
    uses = re.compile(used.format("|".join(map(re.escape, _kept_as(name, cls)))))
    return any(uses.search(ast.unparse(code_of(method) or ast.Pass())) for method in methods_in(cls).values())


def _is_size(name: str, cls: type, only: str = "") -> bool:
    """Whether a class makes arrays of this size: ``np.random.randn(name, m)``, or ``np.zeros(self.name)`` in another method."""
    makers = [method for title, method in methods_in(cls).items() if title == only or not only]
    calls = [node for m in makers for node in ast.walk(code_of(m) or ast.Pass()) if isinstance(node, ast.Call)]
    titles = [(call, ast.unparse(call.func)) for call in calls]  # Linear(n, m), but not X.dot(W)
    made = [call for call, title in titles if MAKES.match(title) or re.match("_*[A-Z]", title.rpartition(".")[2])]
    inside = [part for call in made for part in ast.walk(call)]  # of an array, or of a layer in this one
    owners = [part.value for part in inside if isinstance(part, ast.Subscript | ast.Attribute)]  # spec of spec["rows"]
    owner, _, key = name.partition(OF)
    kept = {f"{owner}.{key}", f"{owner}['{key}']"} if key else _kept_as(name, cls)
    return any(ast.unparse(part) in kept for part in inside if part not in owners)


def _is_only_kept(name: str, cls: type) -> bool:
    """Whether a class does nothing with an argument but to keep it."""
    reads = [node for node in nodes_in(cls) if isinstance(getattr(node, "ctx", None), ast.Load)]
    kept = [title for title in _kept_as(name, cls) if title != name]
    names = [node for node in reads if getattr(node, "id", "") == name]
    return len(names) == len(kept) and not any(ast.unparse(node) in kept for node in reads)


def sets_up(cls: type, name: str, with_data: bool) -> bool:
    """Whether the arguments of a method are sizes, or words that the class compares them with; data too, if `with_data`."""
    needed = [p for p in parameters(getattr(cls, name))[1:] if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    data = () if with_data else ("x", "target")
    known = {*SIZES, *LIKE, "number", "x", "target"}.difference(data)
    given = (p for p in needed if kind_in_constructor(p, "") not in known and p.annotation not in (bool, "bool"))
    given = (p for p in given if parts_of(p, cls) == [p] and not _is_only_kept(p.name, cls))  # the layer before it, and behind
    return all(words_for(p.name, cls) or _is_size(p.name, cls) for p in given)


def appended(cls: type, name: str, lists: set[str]) -> str:
    """Return the argument that a method appends to one of these lists of the object, ``self.layers.append(layer)``; else ""."""
    needed = [p.name for p in parameters(getattr(cls, name))[1:] if p.default is p.empty]
    text = ast.unparse(code_of(getattr(cls, name)) or ast.Pass())
    match = re.search(rf"self\.({'|'.join(lists)})\.append\((\w+)\)", text) if lists else None
    return match[2] if match and needed == [match[2]] else ""


def choices(found: list[inspect.Parameter], kinds: dict[str, str], around: Setting) -> Iterator[dict[str, Any]]:
    """Yield arguments for the constructor, the likeliest first. Arguments of one kind vary together."""
    defaults = {p.name for p in found if p.default is not p.empty}
    whole = [p for p in found if p.annotation not in (int, "int")]
    tuples = {p.name for p in whole if "shape" in p.name or isinstance(p.default, tuple) or TUPLE.search(f"{p.annotation}")}
    options = {}
    all_kinds = {*kinds.values(), *(kind_in_constructor(p, around.words) for p in found)}
    for kind in sorted(dict.fromkeys(kinds.values()), key=lambda kind: kind == "in"):  # x in rows or in columns: first
        options[kind] = _options(kind, around, all_kinds, [n for n in kinds if kinds[n] == kind], defaults, tuples)
    for choice in itertools.product(*options.values()):
        chosen = dict(zip(options, choice, strict=True))
        made: dict[str, Any] = {}
        for k, (name, kind) in enumerate(kinds.items()):
            one = chosen[kind]
            made[name] = one(name, k) if callable(one) else one
        yield {name: x for name, x in made.items() if x is not KEEP}


STRINGS = ["relu", "tanh", "sigmoid"]  # activations by name
# How a list of sizes is used: it is joined to others, or gone through; its neighbours are taken together, or counted.
JOINED = r"(extend\(|in (enumerate\()?|len\(|\*|\] \+ )({})\b(?! \*)"
# What makes an array of two entries of a list: np.zeros((layers[i], layers[i + 1])), or zip(layers[:-1], layers[1:]).
NEIGHBOURS = r"(np|numpy)\.[^\n]*[(, ]({0})\[|zip\(({0})(\[:-1\])?, ({0})\[1:\]"
COUNTED = r"len\(({0})\)|(\W|^)({0})\[(:-1|1:)\]"
KEEP = object()  # stands for a default that is left as it is
# What arguments may be that depend on nothing else. A function is called with (the name, the number of the argument).
ANYWHERE: dict[str, list[Any]] = {
    "vocab": [VOCABULARY],
    "head": [3],
    "factor": [2],
    "ends": [(-0.5, 0.5)],
    "init": [lambda name, k: Initialiser(k), "xavier", "he", "random"],
    "lr": [LR],
    "penalty": [0.0],
    "epochs": [1],
    "slope": [lambda name, k: lambda z: 1 - np.tanh(z) ** 2],
    "rng": [lambda name, k: np.random.default_rng(k)],
    "optimizer": [lambda name, k: Step(), "sgd"],
    "loss": [lambda name, k: SquaredError(), lambda name, k: SquaredError(target_first=True), "mse"],
    "words": [{"<NULL>": 0, "<START>": 1, "<END>": 2, **{f"word{i}": i for i in range(3, VOCABULARY)}}],
    "dtype": [lambda name, k: np.float64, "float64"],
    "layer": [lambda name, k: Mixing()],
    "int": [OUTPUTS],
    "float": [0.5],
    "bool": [lambda name, k: not re.match("_*(no|without|disable)_", name)],
    "str": ["layer"],
    "number": [lambda name, k: number_for(name)],
}


class Initialiser:
    """An initialiser of weights, whatever its method is called; it is given the sizes, or one shape."""

    def __init__(self, k: int) -> None:
        self.k = k

    def __call__(self, *sizes: Any, **_: Any) -> np.ndarray:
        return np.random.default_rng(self.k).standard_normal(np.ravel(sizes).astype(int))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.__call__


def _options(kind: Any, around: Setting, kinds: set[str], names: list[str], defaults: set[str], tuples: set[str]) -> list[Any]:
    """Return what an argument of a kind may be. A function is called with (the name, the number of the argument)."""
    if isinstance(kind, tuple):
        return [lambda name, k, one=one: deepcopy(one) for one in kind]
    if kind in ANYWHERE:
        return ANYWHERE[kind]
    x, f, words = around.layout.x, around.layout.features, around.words
    recurrent = "hidden" in around.kinds or any(word in words for word in ("rnn", "lstm", "gru", "recurrent", "cell"))
    keep = [KEEP] if set(names) <= defaults else []
    shapes = bool(tuples & {*names})
    shaped = [(OUTPUTS,), (OUTPUTS, 1)] if shapes else []
    alone = [1] if {"x", "target"} <= around.kinds else []  # for each sample a number
    by_kind: dict[str, list[Any]] = {
        "out": [HIDDEN if recurrent and "width" in kinds else OUTPUTS, f, *alone, *shaped, *keep],
        "width": [
            OUTPUTS if recurrent or not {"out", "in"} & kinds else HIDDEN,
            *([f] if "in" not in kinds and f > 1 else []),
            *keep,
        ],
        "hiddens": [HIDDENS, *keep],
        "all": [
            *([n, *HIDDENS, OUTPUTS] for n in (prod(x[1:]), x[0])),  # a mistake in one layer of many shows with several only
            *([n, HIDDEN, OUTPUTS] for n in (prod(x[1:]), x[0])),
            (prod(x[1:]), HIDDEN, OUTPUTS),
        ],
        "word": [9 if "in" not in kinds else f],
        "heads": [2 if f % 2 == 0 else 3],
        "dimensions": [len(x)],
        "move": [2, 1, *keep] if "kernel" in kinds or "weight" in kinds or not keep else keep,
        "pad": [0, *keep] if "pool" in words else [1, 0, *keep],
        "function": [*([] if "slope" in kinds else STRINGS), lambda name, k: np.tanh, lambda name, k: Tanh()],
        "layers": around.held,
        "steps": [x[1] if len(x) > 1 else 3],
        "batch": [x[0]],
        "outside": [x[1:]] if shapes else [prod(x[1:]), f],
    }
    if kind in by_kind:
        return by_kind[kind]
    if kind == "in":
        sizes: list[Any] = list(dict.fromkeys([f, prod(x[1:]), x[0], x[-1], *x[1:2]]))
        whole = [x[1:], x] if len(x) > 1 else [x]
        whole += [(f, OUTPUTS), (OUTPUTS, f)] if len(x) == 2 else []  # of the weights
        return [*(whole if shapes else []), *sizes, *([] if shapes else whole if len(x) > 2 else []), *keep]
    if kind == "kernel":
        own = 2 if "pool" in words or any("pool" in n for n in names) else 3
        return [
            *keep,
            *([(own, own), own] if shapes else [own, (own, own)]),
            *([5 - own, (own, own, f, OUTPUTS), (own, own, f), (own, own, x[-1])] if not keep else []),
        ]
    if kind == "new shape":
        size = [OUTPUTS] if "in" in kinds else []
        return [*size, (prod(x[1:]),), prod(x[1:]), x[:0:-1], (prod(x), 1), (-1,), (x[0], prod(x[1:])), x[::-1]]
    return [lambda name, k, draw=draw: draw(np.random.default_rng([0, k])) for draw in around.draws(kind)]
