"""`save` and `load`: what PyTorch programs put into files, without pickle."""

import io
import json
import os
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
import safetensors.numpy
import stand_in_cupy

import tinynorm as tn
from tinynorm import nn


def through(obj, **how):
    file = io.BytesIO()
    tn.save(obj, file)
    file.seek(0)
    return tn.load(file, **how)


def same(x, y):
    """Whether two objects are alike: kinds, keys in their order, numbers to the bit, dtypes and shapes."""
    if isinstance(x, tn.Tensor):
        return isinstance(y, tn.Tensor) and x.dtype == y.dtype and x.shape == y.shape and x.array.tobytes() == y.array.tobytes()
    if type(x) is not type(y):
        return False
    if isinstance(x, dict):
        return list(x) == list(y) and list(map(type, x)) == list(map(type, y)) and all(same(x[k], y[k]) for k in x)
    if isinstance(x, list | tuple):
        return len(x) == len(y) and all(map(same, x, y))
    if isinstance(x, np.ndarray):
        return x.dtype == y.dtype and np.array_equal(x, y)
    return x == y or (x != x and y != y)


@pytest.mark.parametrize(
    "obj",
    [
        tn.tensor([[1.5, -0.0], [float("nan"), float("inf")]]),
        tn.tensor(3),
        tn.zeros(0, 3, dtype=tn.float64),
        tn.tensor([True, False]),
        [tn.arange(4), tn.zeros(4)],
        (1, 2.5, "text", None, True, [], {}, ()),
        {"x": tn.ones(2), "y": {"x": tn.ones(3)}, "x.y": tn.ones(4), "": tn.ones(1)},
        {0: {"step": tn.tensor(3.0), "exp_avg": tn.ones(2)}, 1: "one", "0": "text", (1, "a"): 5, None: 6, 2.5: 7},
        {"$tensor": 1, "$items": [tn.ones(1)]},
        {"nested": [[(tn.ones(1), {"deep": [tn.ones(2)]})]]},
        {"array": np.arange(6.0).reshape(2, 3), "float16": tn.ones(2, dtype=tn.float16), "uint8": tn.ones(2, dtype=tn.uint8)},
        10**40,
        float("inf"),
        "text",
        None,
        {"ß": tn.ones(1), "\n": "ß"},
    ],
    ids=repr,
)
def test_what_is_saved_is_loaded(obj, tmp_path):
    assert same(obj, through(obj))
    tn.save(obj, tmp_path / "file.pt")
    assert same(obj, tn.load(tmp_path / "file.pt"))
    assert same(obj, tn.load(str(tmp_path / "file.pt"), weights_only=True, map_location="cpu"))
    assert os.listdir(tmp_path) == ["file.pt"]


def test_names_that_would_be_one_in_the_file_stay_two():
    obj = {"a.b": tn.ones(1), "a": {"b": tn.zeros(2)}, 1: tn.ones(3), "1": tn.ones(4)}
    assert same(obj, through(obj))


def test_other_kinds_of_tuples_become_plain_ones():
    pair = namedtuple("pair", ["a", "b"])
    assert same(through({"o": OrderedDict(b=1, a=2), "n": pair(1, tn.ones(1)), "s": tn.ones(2, 3).shape, "f": np.float64(2)}), {
        "o": OrderedDict(b=1, a=2), "n": (1, tn.ones(1)), "s": (2, 3), "f": 2.0
    })  # fmt: skip


def test_whether_it_requires_grad_is_kept():
    x = tn.ones(2, requires_grad=True)
    loaded = through({"leaf": x, "result": x * 2, "data": x.detach(), "parameter": nn.Parameter(tn.ones(1))})
    assert {name: (t.requires_grad, t.is_leaf) for name, t in loaded.items()} == {
        "leaf": (True, True), "result": (True, True), "data": (False, True), "parameter": (True, True)
    }  # fmt: skip


def test_loaded_tensors_own_their_memory():
    x = tn.ones(3)
    first, second = through([x, x])
    first[0] = 5
    assert (x.tolist(), second.tolist()) == ([1, 1, 1], [1, 1, 1])


def trained(seed=0):
    tn.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    optimizer = tn.optim.Adam(model.parameters(), lr=0.01)
    return model, optimizer, tn.optim.lr_scheduler.StepLR(optimizer, 2)


def step(model, optimizer, schedule):
    x = tn.tensor(np.random.default_rng(0).standard_normal((8, 3)), dtype=tn.float32)
    optimizer.zero_grad()
    (model(x) ** 2).mean().backward()
    optimizer.step()
    schedule.step()


def test_training_goes_on_from_a_checkpoint_bit_for_bit(tmp_path):
    ours, theirs = trained(0), trained(1)
    for _ in range(3):
        step(*ours)
    tn.save({"epoch": 3, "parts": [part.state_dict() for part in ours]}, tmp_path / "checkpoint.tar")
    checkpoint = tn.load(tmp_path / "checkpoint.tar")
    assert list(checkpoint["parts"][1]["state"]) == [0, 1, 2, 3, 4, 5]
    for part, state in zip(theirs, checkpoint["parts"], strict=True):
        part.load_state_dict(state)
    for _ in range(2):
        step(*ours)
        step(*theirs)
    assert same(dict(ours[0].state_dict()), dict(theirs[0].state_dict()))
    assert same(ours[1].state_dict(), theirs[1].state_dict())


def test_the_file_is_safetensors_with_the_names_of_the_state(tmp_path):
    model, _, _ = trained()
    tn.save(model.state_dict(), tmp_path / "model.pt")
    arrays = safetensors.numpy.load_file(tmp_path / "model.pt")
    assert arrays.keys() == model.state_dict().keys()
    np.testing.assert_array_equal(arrays["0.weight"], model[0].weight.detach().numpy())
    assert tn.load_file(tmp_path / "model.pt").keys() == arrays.keys()
    tn.save({"model": model.state_dict(), "n": 1}, tmp_path / "both.pt")
    assert set(safetensors.numpy.load_file(tmp_path / "both.pt")) == {f"model.{name}" for name in arrays}


def test_a_safetensors_file_of_another_program_is_its_tensors_by_name(tmp_path):
    safetensors.numpy.save_file({"w": np.ones(2, "float32")}, tmp_path / "w.safetensors")
    assert same(tn.load(tmp_path / "w.safetensors"), {"w": tn.ones(2)})


# ---- devices -------------------------------------------------------------------------------------------------------------


def test_map_location(with_cupy):
    with_cupy(stand_in_cupy.module())
    x = tn.ones(2).to("cuda")
    here = tn.zeros(2)
    there = [("cpu", "cpu"), (tn.device("cpu"), "cpu"), ({"cuda:0": "cpu"}, "cpu"), ({"cuda:1": "cpu"}, "cuda")]
    for location, device in there:
        loaded = through([x, here], map_location=location)
        assert [t.device.type for t in loaded] == [device, "cpu"]
    assert [t.device.type for t in through([x, here])] == ["cuda", "cpu"]
    assert [t.device.type for t in through([x, here], map_location="cuda")] == ["cuda", "cuda"]
    seen = []
    assert same(through([x, here], map_location=lambda storage, device: seen.append(device) or storage), [tn.ones(2), here])
    assert sorted(seen) == ["cpu", "cuda:0"]


def test_a_device_that_is_missing_says_so(with_cupy, monkeypatch):
    with_cupy(stand_in_cupy.module())
    file = io.BytesIO()
    tn.save(tn.ones(2).to("cuda"), file)
    monkeypatch.setattr(tn.backend, "cuda_status", lambda: (None, "no GPU here"))
    file.seek(0)
    with pytest.raises(RuntimeError, match="device 'cuda:0' is not available: no GPU here"):
        tn.load(file)
    file.seek(0)
    assert tn.load(file, map_location="cpu").tolist() == [1, 1]


# ---- what is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        (nn.Linear(1, 1), r"got Linear; save its state_dict\(\), and load it with \.load_state_dict"),
        ({"model": [nn.Linear(1, 1)]}, r"got Linear at 'model\.0'; save its state_dict\(\)"),
        ({"optimizer": trained()[1]}, r"got Adam at 'optimizer'; save its state_dict\(\)"),
        ({"f": print}, "save: expected numbers, strings, None, tensors, arrays, .*, got builtin_function_or_method at 'f'"),
        ({1, 2}, "got set"),
        ({tn.ones(1): 1}, "expected the keys .* to be numbers or strings, got a tensor"),
    ],
)
def test_what_cannot_be_saved_is_refused_and_nothing_is_written(obj, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        tn.save(obj, tmp_path / "file")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("start", [b"PK\x03\x04 and so on", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."])
def test_a_pickle_of_pytorchs_says_how_to_convert_it(start, tmp_path):
    (tmp_path / "model.pt").write_bytes(start * 10)
    with pytest.raises(tn.CheckpointError) as error:
        tn.load(tmp_path / "model.pt")
    assert str(error.value).splitlines()[1:] == [
        "    import tinynorm, torch",
        f"    tinynorm.save(torch.load({str(tmp_path / 'model.pt')!r}, weights_only=True), 'converted.safetensors')",
    ]
    with pytest.raises(tn.CheckpointError, match=r"the file object is not .*; it looks like torch"):
        tn.load(io.BytesIO(start * 10))


def test_pytorchs_tensors_are_converted():
    """By those two lines. (A stand-in: PyTorch is no part of the tests.)"""

    class Theirs:
        def detach(self):
            return self

        def cpu(self):
            return self

        def numpy(self):
            return np.ones(2, "float32")

    assert same(through({"state": {0: Theirs()}}), {"state": {0: tn.ones(2)}})


ENTRIES = ["{", "[]", "{}", '{"object": {"$tensor": "missing"}}', '{"object": 1, "tensors": [1]}']


@pytest.mark.parametrize("entry", [*ENTRIES, '{"object": 1, "tensors": {"w": 3}}'])
def test_an_entry_that_is_no_structure_is_refused(entry, tmp_path):
    tn.save_file({"w": tn.ones(1)}, tmp_path / "w", {"tinynorm.save": entry})
    with pytest.raises(tn.CheckpointError, match=r"w is no file that tinynorm\.save wrote, or was altered"):
        tn.load(tmp_path / "w")


def test_the_structure_is_json(tmp_path):
    tn.save({"a": (1, tn.ones(1))}, tmp_path / "a")
    header = (tmp_path / "a").read_bytes()[8:]
    document = json.loads(json.JSONDecoder().raw_decode(header.decode("latin-1"))[0]["__metadata__"]["tinynorm.save"])
    assert document == {"object": {"a": {"$tuple": [1, {"$tensor": "a.1"}]}}}


def test_a_missing_file_is_the_systems_error():
    with pytest.raises(FileNotFoundError):
        tn.load("missing.pt")
