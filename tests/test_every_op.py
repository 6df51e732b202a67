"""No op is left out: each is exported, hung on Tensor, put to PyTorch, differentiated by difference quotients, and drawn.

A new op without one of these is red here, and the message says what to do; the README's "How an op is added" has the steps.
(That the stubs and the README's table have it is held by `types/test_types.py` and `test_readme.py`.)
"""

import ast
import functools
import importlib
import inspect
import pkgutil
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import Phase, find, settings

import tinynorm as tn
from tinynorm import Tensor, nn, ops
from tinynorm.autograd import Node
from tinynorm.nn import functional as F
from tinynorm.testing import strategies

sys.path.insert(0, str(Path(__file__).parent / "ops"))
sys.path.insert(0, str(Path(__file__).parent / "pytorch"))
import case as pytorch_case
import cases as pytorch_cases
import test_gradients
from vectors import Vectors

# ---- what there is ---------------------------------------------------------------------------------------------------

# files of ops/ that have no op, only what several ops share
SHARED = {"common", "normalization_formula", "normalization_node", "scaling", "scatter"}

FAMILIES = [
    importlib.import_module(f"tinynorm.ops.{m.name}") for m in pkgutil.iter_modules(ops.__path__) if m.name not in SHARED
]

ARRAY_STANDARD = {"astype", "expand_dims", "getitem", "matrix_transpose", "permute_dims"}  # names that PyTorch has not
METHODS_ONLY = {"expand", "repeat"}  # PyTorch has them as methods, and as no functions
FUNCTIONS_ONLY = {
    *{"cdist", "cosine_similarity"},
    *{"broadcast_to", "cat", "concat", "einsum", "empty_like", "full_like", "hstack", "meshgrid"},
    *{"ones_like", "stack", "tensordot", "vstack", "zeros_like"},
}  # fmt: skip

# the numbers are NumPy's, not PyTorch's
RANDOM = {"bernoulli", "bernoulli_", "dropout", "gumbel_softmax", "multinomial", "normal_", "random_", "uniform_"}
NUMPYS = {"__array_function__", "__array_ufunc__"}  # NumPy's protocols
GPU = {"cuda"}

# what gives no gradient, or zeros: answers, places, new tensors, steps
FLAT = {
    *{"all", "allclose", "any", "argmax", "argmin", "eq", "equal", "ge", "gt", "isfinite", "isnan", "le", "logical_not"},
    *{"argsort", "isclose", "isinf", "nonzero", "logical_and", "logical_or", "logical_xor"},
    *{"bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor"},
    *{"lt", "ne"}, *{"bincount", "histc", "isin", "one_hot", "unique"}, *{"empty_like", "full_like", "ones_like", "zeros_like"},
    *{"ceil", "floor", "floor_divide", "round", "sign", "trunc"},
}  # fmt: skip


def public_functions(module):
    found = {name: f for name, f in vars(module).items() if inspect.isfunction(f) and not name.startswith("_")}
    return {name: f for name, f in found.items() if f.__module__ == module.__name__}


def hung():
    """What is hung on Tensor, by name."""
    members = {}
    for name, member in vars(Tensor).items():
        f = member.fget if isinstance(member, property) else member
        if inspect.isfunction(f) and f.__module__ != Tensor.__module__:
            members[name] = member
    return members


def exported():
    """The functions of the namespace `ops`, by name."""
    return {name: getattr(ops, name) for name in ops.__all__ if inspect.isfunction(getattr(ops, name))}


def nodes():
    """Every Node of ops/ with a forward and a backward."""
    found, bases = set(), [Node]
    while bases:
        for cls in bases.pop().__subclasses__():
            bases.append(cls)
            methods = {name for c in inspect.getmro(cls) if c is not Node for name in vars(c)}
            whole = {"forward", "backward"} <= methods and not inspect.isabstract(cls)
            if cls.__module__.startswith("tinynorm.ops.") and whole:
                found.add(cls.__name__)
    return found


# ---- exports ---------------------------------------------------------------------------------------------------------


def used_inside():
    """The names that the package's own code calls or hands on: a function of ops/ among them may be a helper, and no op."""
    places = {"ops", *(module.__name__.rpartition(".")[2] for module in FAMILIES)}
    found = set()
    for path in Path(tn.__file__).parent.rglob("*.py"):
        for n in ast.walk(ast.parse(path.read_text())):
            if isinstance(n, ast.Name):
                found.add(n.id)
            elif isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id in places:
                found.add(n.attr)
    return found


def test_every_function_of_a_family_is_exported():
    public = {name: module for module in FAMILIES for name in public_functions(module)}
    missing = public.keys() - exported().keys() - hung().keys() - used_inside() - {"setitem"}  # hung as __setitem__
    assert not missing, f"nobody uses {missing}: if they are ops, export them in ops/__init__.py, or hang them on Tensor"


def test_what_ops_imports_it_also_lists():
    functions = {name for name, f in vars(ops).items() if inspect.isfunction(f) and not name.startswith("_")}
    assert functions == set(exported())


def test_every_op_is_in_the_public_face():
    inside = set(exported()) - ARRAY_STANDARD - METHODS_ONLY
    missing = inside - set(tn.__all__) - set(F.__all__)
    assert not missing, f"hand {missing} on in tinynorm/__init__.py or nn/functional.py, and list them in __all__"
    for place in (tn, F):
        names = {name for name, f in vars(place).items() if inspect.isfunction(f) and f.__module__.startswith("tinynorm.ops")}
        names = {name for name in names if not name.endswith("_")}  # torch.exp_(x) is the method x.exp_()
        assert names == set(place.__all__) & set(exported()), f"{place.__name__}: what it imports and its __all__ differ"


def test_every_function_of_the_face_is_a_method():
    functions = set(exported()) & set(tn.__all__)
    missing = functions - hung().keys() - FUNCTIONS_ONLY
    assert not missing, f"put @method() on {missing}, or name them in FUNCTIONS_ONLY here"


# ---- who calls it ----------------------------------------------------------------------------------------------------


@contextmanager
def called():
    """Collects the names that are called from outside of ops/ in the meantime, as functions or as methods; and the nodes."""
    names, patch = set(), pytest.MonkeyPatch()

    def noting(name, f):
        @functools.wraps(f)
        def wrapper(*args, **kwargs):
            if not sys._getframe(1).f_globals["__name__"].startswith(("tinynorm.ops", "tinynorm.autograd")):
                names.add(name)
            return f(*args, **kwargs)

        return wrapper

    def noting_node(self, *args, call=Node.__call__):
        names.add(type(self))
        return call(self, *args)

    for name, f in exported().items():
        for place in (ops, tn, F):
            if name in place.__all__:
                patch.setattr(place, name, noting(name, f))
    for name, member in hung().items():
        note = property(noting(name, member.fget)) if isinstance(member, property) else noting(name, member)
        patch.setattr(Tensor, name, note)
    patch.setattr(Node, "__call__", noting_node)
    try:
        yield names
    finally:
        patch.undo()


@pytest.fixture(scope="module")
def put_to_pytorch():
    """What the recorded cases call."""
    vectors = Vectors()
    with called() as names:
        for case in pytorch_cases.CASES:
            recorded = vectors.by_case[case.name]
            cotangents = recorded["cotangents"]
            pytorch_case.run(tn, case, recorded["inputs"], lambda output, shape, c=cotangents: c[output], "float64")
    return names


def test_every_op_and_method_is_put_to_pytorch(put_to_pytorch):
    missing = (set(exported()) | hung().keys()) - put_to_pytorch - ARRAY_STANDARD - RANDOM - NUMPYS - GPU
    assert not missing, f"{missing}: add a case in tests/pytorch/, and record it: python tests/pytorch/make_vectors.py"


def test_every_node_is_put_to_pytorch(put_to_pytorch):
    missing = nodes() - {node.__name__ for node in put_to_pytorch if isinstance(node, type)} - {"Move", "Dropout"}
    assert not missing, f"{missing}: add a case in tests/pytorch/, and record it: python tests/pytorch/make_vectors.py"


def test_every_op_with_a_derivative_is_in_the_table_of_gradients():
    """That every node is in it, `ops/test_gradients.py` holds itself."""
    functions = exported()
    themselves = {id(f): name for name, f in functions.items()}
    with called() as names:
        for _, op, arrays in test_gradients.ALL.values():
            names.add(themselves.get(id(op)))
            op(*[tn.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays])
    names |= {name for name, f in functions.items() if any(f is functions.get(other) for other in names)}  # multiply is mul
    missing = set(functions) & set(tn.__all__) - names - FLAT - {"broadcast_to", "concat", "t"}  # other names of what is in it
    assert not missing, f"add {missing} to the table in tests/ops/test_gradients.py (or to FLAT here)"


def first(strategy):
    """What it draws first."""
    return find(strategy, lambda drawn: True, settings=settings(max_examples=1, phases=[Phase.generate], database=None))


def test_every_op_with_a_derivative_is_drawn_by_a_strategy():
    with called() as names:
        for name in strategies.OPS:
            case = first(strategies.ops([name]))
            names.discard(name)
            case.function(*case.inputs)
            assert name in names, f"strategies.OPS[{name!r}] does not call {name}"
        for name in strategies.NAMES:
            case = first(strategies.layers([name]))
            case.module.train()(*case.inputs)
    missing = set(exported()) - names - FLAT - {"astype"}
    assert not missing, f"add {missing} to OPS in tinynorm/testing/strategies.py (or to FLAT here)"


def test_every_layer_is_drawn_by_a_strategy():
    layers = {name for name in nn.__all__ if inspect.isclass(getattr(nn, name)) and issubclass(getattr(nn, name), nn.Module)}
    losses = {name for name in layers if name.endswith("Loss")}  # their functions are among the ops
    lazy = {name for name in layers if name.startswith("Lazy")}  # they become other layers, which are drawn
    containers = {"Module", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"}
    assert layers - losses - lazy - containers == set(strategies.NAMES)


# ---- the tests themselves can fail -----------------------------------------------------------------------------------


@pytest.mark.long
def test_a_planted_function_is_missed(monkeypatch):
    from tinynorm.ops import exponential

    def planted(x):
        return x

    planted.__module__ = exponential.__name__
    monkeypatch.setattr(exponential, "planted", planted, raising=False)
    with pytest.raises(AssertionError, match=r"nobody uses \{'planted'\}: .* export them in ops/__init__\.py"):
        test_every_function_of_a_family_is_exported()

    monkeypatch.setattr(ops, "planted", planted, raising=False)
    with pytest.raises(AssertionError):
        test_what_ops_imports_it_also_lists()
    monkeypatch.setattr(ops, "__all__", [*ops.__all__, "planted"])
    with pytest.raises(AssertionError, match=r"hand \{'planted'\} on in tinynorm/__init__\.py"):
        test_every_op_is_in_the_public_face()

    monkeypatch.setattr(tn, "planted", planted, raising=False)
    monkeypatch.setattr(tn, "__all__", [*tn.__all__, "planted"])
    with pytest.raises(AssertionError, match=r"put @method\(\) on \{'planted'\}"):
        test_every_function_of_the_face_is_a_method()

    monkeypatch.setattr(Tensor, "planted", planted, raising=False)
    for missed, message in (
        (lambda: test_every_op_and_method_is_put_to_pytorch({*exported(), *hung()} - {"planted"}), "'planted'.* add a case"),
        (test_every_op_with_a_derivative_is_in_the_table_of_gradients, r"add \{'planted'\} to the table"),
        (test_every_op_with_a_derivative_is_drawn_by_a_strategy, r"add \{'planted'\} to OPS"),
    ):
        with pytest.raises(AssertionError, match=message):
            missed()
