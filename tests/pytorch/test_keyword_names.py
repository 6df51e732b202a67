"""PyTorch's names of arguments are ours: each call by keyword that PyTorch takes is taken."""

import inspect
import json
from pathlib import Path

import pytest

import tinynorm as tn
from tinynorm.nn import functional as F

RECORDED = json.loads((Path(__file__).parent / "keyword_names.json").read_text())  # by make_keyword_names.py
HERE = sorted(RECORDED)

# what no program on tensors, devices and dtypes that are here can want, or Python keeps for itself
NOWHERE = {
    "layout": "sparse", "names": "named dimensions", "dimname": "named dimensions", "memory_format": "channels last",
    "from": "a word of Python", "to": "the other end of `from`", "sparse_grad": "sparse", "sparse": "sparse",
    "out_dtype": "for float16 on the GPU", "generator": "taken where numbers are drawn", "implicit": "of PyTorch's inside",
    "out": "taken where a tensor is made, added, multiplied ...", "dtype": "taken where a tensor is made or summed",
    "device": "taken where a tensor is made", "pin_memory": "taken where a tensor is made",
}  # fmt: skip
ELSEWHERE = {
    "save": {"pickle_module", "pickle_protocol", "_disable_byteorder_record", "_use_new_zipfile_serialization"},
    "load": {"pickle_module", "pickle_load_args"},
    "F.embedding": {"max_norm", "norm_type", "scale_grad_by_freq"},
    "F.one_hot": {"input"},  # `tensor` in PyTorch's documentation, and here
    **{name: {"weight"} for name in ("F.l1_loss", "F.mse_loss", "F.huber_loss")},
    **{name: {"reduce"} for name in ("scatter", "Tensor.scatter", "Tensor.scatter_")},  # deprecated: scatter_add
    "Tensor.copy_": {"other"},  # `src`
    "from_dlpack": {"copy"},
    "normal": {"input"},
    "Tensor.fill_diagonal_": {"wrap"},
    "Tensor.split": {"split_size", "split_sizes"},  # `split_size_or_sections`
    "Tensor.swapaxes": {"axis0", "axis1"},  # as in `transpose`
    "Tensor.to": {"other"},  # x.to(y)
}


def taken_by(name):
    place, _, method = name.rpartition(".")
    f = getattr({"": tn, "F": F, "Tensor": tn.Tensor}[place], method)
    parameters = inspect.signature(f).parameters
    return set(parameters), any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def test_there_are_many():
    assert len(RECORDED) > 250


@pytest.mark.parametrize("name", HERE)
def test_the_names_of_arguments_are_taken(name):
    ours, any_name = taken_by(name)
    missing = set(RECORDED[name]) - ours - NOWHERE.keys() - ELSEWHERE.get(name, set())
    assert any_name or not missing, f"{name} takes {sorted(ours)}"
