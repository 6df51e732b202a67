"""A name that is missing says what to do; an error about arguments names the public function."""

import importlib
import inspect
import re
import subprocess
import sys
from fnmatch import fnmatchcase

import pytest

import tinynorm as tn
from tinynorm import Tensor, left_out

NN = ("nn", "nn.functional", "nn.init", "nn.utils")
MODULES = ("", *NN, "optim", "optim.lr_scheduler", "utils", "utils.data", "autograd", "cuda")


def module(place):
    return importlib.import_module(f"tinynorm.{place}".rstrip("."))


def is_there(name):
    place, _, last = name.rpartition(".")
    try:
        return last in dir(module(place))
    except ModuleNotFoundError:
        return False


def public(place):
    return [name for name in dir(module(place)) if not name.startswith("_")]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("range", "module 'tinynorm' has no attribute 'range': use torch.arange(start, end + 1, step)"),
        ("linalg", "module 'tinynorm' has no attribute 'linalg': linear algebra is left out; numpy.linalg does it on "),
        ("complex64", "complex numbers are left out"),
        ("nn.ConvTranspose2d", "module 'tinynorm.nn' has no attribute 'ConvTranspose2d': other layers of images are left out"),
        ("nn.Conv3d", "other layers of images are left out: there are Conv1d, Conv2d"),
        ("nn.Lineer", "the closest names are Linear, "),
        ("nn.relu", "use torch.relu"),
        ("nn.functional.scaled_dot_product_attention", "attention is left out; softmax(q @ k.mT / math.sqrt(d), dim=-1) @ v"),
        ("nn.functional.max_pool3d", "other layers of images are left out"),
        ("nn.init.xavier_norml_", "the closest names are xavier_normal_, "),
        ("optim.Muon", "use optim.Adam"),
        ("optim.lr_scheduler.CyclicLR", "use OneCycleLR, or LambdaLR"),
        ("utils.data.DistributedSampler", "training on several devices or machines is left out"),
        ("utils.tensorboard", "use from tensorboardX import SummaryWriter"),
        ("autograd.profiler", "use time.perf_counter()"),
        ("set_flush_denormal", "leave it out: numbers below the normal range stay as they are"),
        ("batch_norm", "use torch.nn.functional.batch_norm"),
        ("swapaxes", "use the method x.swapaxes(…)"),
        ("xyzzy", "no name is like it; the README lists those that there are"),
    ],
)
def test_a_name_that_is_missing_says_what_to_do(name, says):
    place, _, last = name.rpartition(".")
    with pytest.raises(AttributeError, match=re.escape(says)):
        getattr(module(place), last)
    with pytest.raises(ImportError, match=re.escape(says)):  # Python itself would only say "cannot import name"
        exec(f"from {module(place).__name__} import {last}")
    assert not hasattr(module(place), last)


@pytest.mark.parametrize("place", MODULES)
def test_every_module_says_so(place):
    with pytest.raises(AttributeError, match=f"module {module(place).__name__!r} has no attribute 'Xyzzy': "):
        _ = module(place).Xyzzy


def test_the_table_says_nothing_of_names_that_there_are():
    there = [name for name in left_out.USE if is_there(name)]
    assert not there, f"take them out of the table USE in left_out.py: {there}"
    for why, patterns in left_out.FAMILIES.items():
        for place in MODULES:
            for name in set(public(place)) & set(getattr(module(place), "__all__", public(place))):
                whole = f"{place}.{name}".lstrip(".")
                found = [p for p in patterns.split() if fnmatchcase(whole if "." in p else name, p)]
                assert not found, f"left_out.py says of {whole}: {why} ({found})"


def test_what_the_table_says_to_use_is_there():
    names = [(text, name) for text in left_out.USE.values() for name in re.findall(r"\b(?:torch|nn|F|optim)\.[\w.]+\w", text)]
    assert len(names) > 30
    for text, name in names:
        name = re.sub(r"^F\.", "nn.functional.", name).removeprefix("torch.")
        assert is_there(name), f"{text}: there is no {name}"
    methods = [name for text in left_out.USE.values() for name in re.findall(r"\b[xyap]\.(\w+)\(", text)]
    assert len(methods) > 10
    assert {name for name in methods if not hasattr(Tensor, name)} == set()


def test_what_the_table_says_to_write_gives_pytorchs_numbers():
    """One of each kind, against what is meant."""
    x, a, b = tn.tensor([[1.5, -2.0], [0.5, 3.0]]), tn.tensor([1.0, -4.0]), tn.tensor([3.0, 2.0])
    for name, values, expected in (
        ("column_stack", {"tensors": [a, b]}, [[1.0, 3.0], [-4.0, 2.0]]),
        ("take", {"x": x, "index": tn.tensor([3, 0])}, [3.0, 1.5]),
        ("inner", {"a": a, "b": b}, -5.0),
        ("nanmean", {"x": tn.tensor([2.0, float("nan"), 4.0])}, 3.0),
        ("tril_indices", {"n": 2}, [[0, 1, 1], [0, 0, 1]]),
        ("dist", {"a": a, "b": tn.tensor([1.0, -1.0])}, 3.0),
        ("count_nonzero", {"x": tn.tensor([0.0, 2.0])}, 1),
        ("heaviside", {"x": tn.tensor([-1.0, 7.0])}, [0.0, 1.0]),
        ("exp2", {"x": tn.tensor([3.0])}, [8.0]),
        ("moveaxis", {"x": x, "source": 0, "destination": 1}, [[1.5, 0.5], [-2.0, 3.0]]),
    ):
        assert eval(left_out.USE[name], {"torch": tn} | values).tolist() == expected


def test_difflib_is_not_loaded_before_somebody_asks():
    loaded = "print('difflib' in sys.modules)"
    program = f"import sys, tinynorm; {loaded}; hasattr(tinynorm, 'sinn'); {loaded}"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.split() == ["False", "True"]


# ---- errors about arguments name the public function ---------------------------------------------------------------------


def functions():
    """Every public function and method: (its name, the function)."""
    for place in MODULES:
        for name in getattr(module(place), "__all__", public(place)):
            f = getattr(module(place), name)
            if inspect.isfunction(f):
                yield f"{place}.{name}".lstrip("."), f
    for cls in (Tensor, tn.nn.Module, tn.optim.Optimizer):
        for name, member in vars(cls).items():
            if inspect.isfunction(member):
                yield f"{cls.__name__}.{name}", member


FUNCTIONS = dict(functions())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_its_public_name(name):
    f = FUNCTIONS[name]
    assert "<locals>" not in f.__qualname__
    assert "<lambda>" not in f.__qualname__


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if not name.rpartition(".")[2].startswith("_")])
def test_an_error_about_arguments_names_the_function(name):
    f = FUNCTIONS[name]
    own = name.rpartition(".")[2]
    last = f.__name__  # of a second name, such as concat, the first: cat
    assert last == own or any(hasattr(found, last) for found in (tn, Tensor, tn.nn.Module, tn.nn.init))
    parameters = inspect.signature(f).parameters.values()
    if inspect.Parameter.VAR_KEYWORD in [p.kind for p in parameters]:
        return
    required = [p for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    with pytest.raises(TypeError) as error:
        f(*[tn.ones(1) for _ in required], no_such_argument=1)
    assert re.search(rf"\b{last}(\(\)|:)", str(error.value)), str(error.value)
    assert "<locals>" not in str(error.value)
