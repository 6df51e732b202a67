"""Writes what the README says about the code, from the code: python tests/make_readme.py

The tables of what is supported and of the speed with kernels, and how many comparisons with PyTorch there are.
`test_readme.py` holds that they are up to date.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import tinynorm as tn
from tinynorm import Tensor, autograd, creation, nn, ops, optim, random
from tinynorm.utils import data

sys.path.insert(0, str(Path(__file__).parent / "pytorch"))
sys.path.insert(0, str(Path(__file__).parents[1] / "demos"))
import benchmark
from case import DTYPES
from cases import CASES
from vectors import Vectors

README = Path(__file__).parents[1] / "README.md"
FIGURES = Path(__file__).parents[1] / "demos" / "benchmark_results" / "cpu_one_thread.json"
SPEED, END_OF_SPEED = "<!-- speed: made by tests/make_readme.py -->\n", "<!-- end of speed -->\n"
BEGIN, END = "<!-- what there is: made by tests/make_readme.py -->\n", "<!-- end of what there is -->\n"

SIGNS = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "matmul": "@", "neg": "-x",
    "abs": "abs(x)", "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "and": "&", "or": "\\|", "xor": "^",
    "invert": "~", "getitem": "x[i]", "setitem": "x[i] = v",
}  # fmt: skip


def hung() -> dict[str, ModuleType | None]:
    """What ops/ hangs on Tensor: name -> the file it comes from."""
    found = {}
    for name, member in vars(Tensor).items():
        f = member.fget if isinstance(member, property) else member
        if inspect.isfunction(f) and f.__module__.startswith("tinynorm.ops."):
            found[name] = inspect.getmodule(f)
    return found


def listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names, key=lambda name: (name.lower(), name)))


def row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |\n"


def ops_table() -> str:
    """A line for each file of ops/: what is a function of `tinynorm` and a method, or one of them."""
    text = row("`tinynorm/ops/`", "functions of `tn` and methods", "functions only", "methods only") + row(*["---"] * 4)
    methods = hung()
    for info in pkgutil.iter_modules(ops.__path__):
        module = importlib.import_module(f"tinynorm.ops.{info.name}")
        own = {name for name, place in methods.items() if place is module and not name.startswith("__")}
        face = {name for name in tn.__all__ if inspect.getmodule(getattr(tn, name)) is module and hasattr(ops, name)}
        layers = {name for name in nn.functional.__all__ if inspect.getmodule(getattr(nn.functional, name)) is module}
        only = [listed(face - own), listed({f"F.{name}" for name in layers - face - own})]
        link = f"[`{info.name}`](tinynorm/ops/{info.name}.py)"
        if own | face | layers:
            text += row(link, listed(face & own), ", ".join(filter(None, only)), listed(own - face))
    return text


def operators() -> str:
    """The signs of Python that a Tensor knows."""
    names = hung()
    signs = [f"`{sign}`" for name, sign in SIGNS.items() if f"__{name}__" in names]
    in_place = [f"`{sign}=`" for name, sign in SIGNS.items() if f"__i{name}__" in names]
    return ", ".join(signs + in_place)


def public(module: ModuleType) -> list[str]:
    """Its functions and classes: those it lists, or those it defines."""
    own = [n for n, v in vars(module).items() if not n.startswith("_") and getattr(v, "__module__", "") == module.__name__]
    names = getattr(module, "__all__", own)
    return [name for name in names if inspect.isclass(getattr(module, name)) or inspect.isfunction(getattr(module, name))]


def of_tensor() -> list[str]:
    """What a Tensor has that is no op."""
    members = {name: getattr(member, "fget", member) for name, member in vars(Tensor).items() if not name.startswith("_")}
    return [name for name, f in members.items() if inspect.isfunction(f) and not f.__module__.startswith("tinynorm.ops.")]


def parts_table() -> str:
    """A line for each of the other parts."""
    text = row("part", "names") + row("---", "---")
    text += row("operators", operators())
    text += row("`Tensor`, beside the ops", listed(of_tensor()))
    old = [name for name in tn.__all__ if isinstance(getattr(tn, name), creation.TensorType)]
    text += row("`tinynorm`: new tensors", listed([name for name in public(creation) if name in tn.__all__] + old))
    text += row("`tinynorm`: random tensors", listed(name for name in public(random) if name in tn.__all__))
    files = [name for name in tn.__all__ if name.startswith(("save", "load"))]
    text += row("`tinynorm`: files", listed(files))
    text += row("`tinynorm`: a picture of the graph", listed(["draw"]))
    for name, module in {
        "nn": nn,
        "nn.functional": nn.functional,
        "nn.init": nn.init,
        "nn.utils": nn.utils,
        "optim": optim,
        "optim.lr_scheduler": optim.lr_scheduler,
        "autograd": autograd,
        "utils.data": data,
    }.items():
        text += row(f"`{name}`", listed(public(module)))
    told = ops_table() + text
    rest = [name for name in tn.__all__ if f"`{name}`" not in told and not inspect.ismodule(getattr(tn, name))]
    return text + row("`tinynorm`: dtypes, constants and settings", listed(rest))


def tables() -> str:
    """What stands between the marks."""
    return f"\n{ops_table()}\n{parts_table()}\n"


def comparisons() -> str:
    """How many numbers of PyTorch's are compared with ours."""
    recorded = Vectors().by_case
    return f"prints the {sum(len(recorded[case.name][dtype]) for case in CASES for dtype in DTYPES):,} comparisons"


def speed() -> str:
    """What the benchmark measured, as it is on file."""
    occasions = benchmark.merged([json.loads(FIGURES.read_text())])["occasions"]
    return re.sub(" +", " ", re.sub("-{4,}", "---", benchmark.table(occasions))) + "\n"


def between(text: str, begin: str, new: str, end: str) -> str:
    before, _, rest = text.partition(begin)
    return before + begin + new + end + rest.partition(end)[2]


def written(text: str) -> str:
    """The README, with all this as the code is."""
    text = between(text, BEGIN, tables(), END)
    text = between(text, SPEED, speed(), END_OF_SPEED)
    return re.sub(r"prints the [\d,]+ comparisons", comparisons(), text)


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
    print("README.md: as the code is")
