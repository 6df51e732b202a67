"""Records the names of the arguments of PyTorch's functions and methods. It needs torch==2.13.0

Of what is written in C++ only the schemas know the names: `self` there is `input` of a function, and the receiver of a method.
"""

import inspect
import json
from pathlib import Path

import torch
from torch.nn import functional

import tinynorm as tn
from tinynorm import Tensor
from tinynorm.nn import functional as ours

RECORDED = Path(__file__).parent / "keyword_names.json"


def schemas(name: str) -> list[list[str]]:
    found = [s.arguments for s in torch._C._jit_get_schemas_for_operator(f"aten::{name}")]
    of_tensors = [names for names in found if names and names[0].name == "self" and names[0].type.kind() == "TensorType"]
    return [["input" if a.name == "self" else a.name for a in names if not a.is_out] for names in of_tensors]


def names_of(f, name: str) -> set[str]:
    try:
        return set(inspect.signature(f).parameters) - {"_stacklevel", "args", "kwargs"}
    except (ValueError, TypeError):
        return {a for names in schemas(name) for a in names}


def record() -> dict[str, list[str]]:
    found = {}
    for prefix, here, there in (("", tn, torch), ("F.", ours, functional)):
        for name in here.__all__:
            if inspect.isfunction(getattr(here, name)) and callable(getattr(there, name, None)):
                found[prefix + name] = sorted(names_of(getattr(there, name), name))
    for name in dir(Tensor):
        if not name.startswith("_") and inspect.isfunction(getattr(Tensor, name)) and hasattr(torch.Tensor, name):
            found["Tensor." + name] = sorted({a for names in schemas(name) for a in names} - {"input"})
    return {name: names for name, names in found.items() if names}


if __name__ == "__main__":
    lines = [f" {json.dumps(name)}: {json.dumps(names)}" for name, names in sorted(record().items())]
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(lines)} functions and methods in {RECORDED.name}")
