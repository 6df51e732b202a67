"""Training checkpoints: going on is bit for bit the same as not having stopped, and a bad file changes nothing."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

import tinynorm
from tinynorm import CheckpointError, Generator, load_checkpoint, nn, optim, save_checkpoint, save_file
from tinynorm.optim import lr_scheduler
from tinynorm.utils.data import DataLoader, TensorDataset

OPTIMIZERS = {
    "sgd": lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda ps: optim.Adam(ps, lr=0.01, amsgrad=True),
    "adamw": lambda ps: optim.AdamW(ps, lr=0.01, weight_decay=0.1),
    "groups": lambda ps: optim.SGD([{"params": [p], "lr": 0.1 / (i + 3)} for i, p in enumerate(ps)], lr=0.1, momentum=0.5),
}


SCHEDULES = {
    "step": lambda o: lr_scheduler.StepLR(o, step_size=1, gamma=0.5),
    "milestones": lambda o: lr_scheduler.MultiStepLR(o, milestones=[1, 3], gamma=0.3),
    "linear": lambda o: lr_scheduler.LinearLR(o, start_factor=0.1, total_iters=3),
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=4),
    "one cycle": lambda o: lr_scheduler.OneCycleLR(o, max_lr=0.1, total_steps=9),
}


def training(which="adam", device="cpu", seed=3, schedule="step"):
    """All of a small training, with BatchNorm's buffers, dropout from the default generator and a shuffle from its own."""
    tinynorm.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2)).to(device)
    optimizer = OPTIMIZERS[which](list(model.parameters()))
    shuffle = Generator().manual_seed(seed + 1)
    rng = np.random.default_rng(5)
    x = tinynorm.tensor(rng.standard_normal((22, 4)), dtype="float32", device=device)
    y = tinynorm.tensor(rng.integers(0, 2, 22), device=device)
    loader = DataLoader(TensorDataset(x, y), batch_size=8, shuffle=True, generator=shuffle)
    made = {"model": model, "optimizer": optimizer, "scheduler": SCHEDULES[schedule](optimizer), "loader": loader}
    return SimpleNamespace(**made, generators={"shuffle": shuffle})


def run(t, epochs):
    loss = nn.CrossEntropyLoss()
    for _ in range(epochs):
        for x, y in t.loader:
            t.optimizer.zero_grad()
            loss(t.model(x), y).backward()
            t.optimizer.step()
        t.scheduler.step()


def bits(value):
    """A value in which only equal bits are equal."""
    if isinstance(value, tinynorm.Tensor):
        return str(value.device), bits(value.cpu().detach().numpy())
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, dict):
        return {key: bits(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value), [bits(v) for v in value]
    return type(value), repr(value)


def everything(t):
    return bits(
        {
            "model": t.model.state_dict(),
            "optimizer": t.optimizer.state_dict(),
            "scheduler": t.scheduler.state_dict(),
            "default": tinynorm.backend.default_generator.get_state(),
            "shuffle": t.generators["shuffle"].get_state(),
        }
    )


def parts(t):
    return {"model": t.model, "optimizer": t.optimizer, "scheduler": t.scheduler, "generators": t.generators}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "checkpoint.safetensors"


@pytest.mark.parametrize(("which", "schedule"), [*((o, "step") for o in OPTIMIZERS), *(("adamw", s) for s in SCHEDULES)])
def test_going_on_from_a_checkpoint_is_bit_for_bit_as_not_having_stopped(path, device, which, schedule):
    straight = training(which, device, schedule=schedule)
    run(straight, 4)
    expected = everything(straight)

    first = training(which, device, schedule=schedule)
    run(first, 2)
    save_checkpoint(path, **parts(first), epoch=2)
    second = training(which, device, seed=99, schedule=schedule)  # other weights, other random numbers
    run(second, 1)
    result = load_checkpoint(path, **parts(second))
    run(second, 4 - result.epoch)
    assert everything(second) == expected


def test_saving_changes_nothing(path):
    t = training()
    run(t, 1)
    before = everything(t)
    save_checkpoint(path, **parts(t))
    assert everything(t) == before


def test_a_fresh_optimizer_without_state_is_restored_to_that(path):
    t = training()
    save_checkpoint(path, **parts(t))
    before = everything(t)
    run(t, 1)
    load_checkpoint(path, **parts(t))
    assert everything(t) == before
    assert t.optimizer.state_dict()["state"] == {}


def test_a_weight_that_two_layers_share_stays_shared(path):
    def tied():
        model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
        model[1].weight = model[0].weight
        return model

    saved, loaded = tied(), tied()
    save_checkpoint(path, model=saved)
    load_checkpoint(path, model=loaded)
    assert loaded[1].weight is loaded[0].weight
    assert bits(loaded.state_dict()) == bits(saved.state_dict())


def test_epoch_and_extra_come_back_as_they_were(path):
    extra = {
        "best": 0.1 + 0.2,
        "inf": -math.inf,
        "big": 2**200,
        "tuple": (1, [None, True]),
        7: "seven",
        "$tensor": "no reference",
        "x": tinynorm.arange(3),
        "a": np.eye(2),
        "np": np.float32(0.1),
        "empty": {},
    }
    save_checkpoint(path, model=nn.Linear(1, 1), epoch=np.int64(5), extra=extra)
    epoch, found = load_checkpoint(path)
    assert (type(epoch), epoch) == (int, 5)
    assert bits(found) == bits({**extra, "np": float(np.float32(0.1))})


def test_the_tensors_have_readable_names_in_the_file(path):
    t = training()
    run(t, 1)
    save_checkpoint(path, **parts(t))
    names = set(tinynorm.load_file(path))
    assert {f"model.{name}" for name in t.model.state_dict()} <= names
    assert {"optimizer.0.exp_avg", "optimizer.5.exp_avg_sq"} <= names


def test_a_checkpoint_serves_a_model_alone(path):
    t = training()
    run(t, 1)
    save_checkpoint(path, **parts(t))
    other = training(seed=99).model
    load_checkpoint(path, model=other)
    assert bits(other.state_dict()) == bits(t.model.state_dict())


def test_without_a_model_nothing_is_restored(path):
    t = training()
    save_checkpoint(path, **parts(t), epoch=4, extra="seen")
    tinynorm.manual_seed(17)
    before = everything(t)
    assert load_checkpoint(path) == (4, "seen")
    assert everything(t) == before
    with pytest.raises(TypeError, match="expected a model"):
        load_checkpoint(path, optimizer=t.optimizer)


@pytest.mark.parametrize("kind", ["MT19937", "Philox", "SFC64"])
def test_any_of_numpys_bit_generators_is_restored(path, kind):
    mine = Generator()
    mine.rng = np.random.Generator(getattr(np.random, kind)(3))
    mine.rng.random(5, dtype=np.float32)
    save_checkpoint(path, model=nn.Linear(1, 1), generators={"mine": mine})
    expected = mine.rng.random(8, dtype=np.float32)
    load_checkpoint(path, model=nn.Linear(1, 1), generators={"mine": mine})
    np.testing.assert_array_equal(mine.rng.random(8, dtype=np.float32), expected)


# ---- bad files change nothing ----------------------------------------------------------------------------------------


def refused(path, t, match, **changes):
    before = everything(t)
    with pytest.raises(CheckpointError, match=match):
        load_checkpoint(path, **{**parts(t), **changes})
    assert everything(t) == before


@pytest.fixture
def saved(path):
    t = training()
    run(t, 1)
    save_checkpoint(path, **parts(t), epoch=1)
    return path


def test_a_truncated_or_altered_checkpoint_changes_nothing(saved):
    t = training(seed=8)
    run(t, 1)
    whole = saved.read_bytes()
    for n in range(0, len(whole), 97):
        saved.write_bytes(whole[:n])
        refused(saved, t, "not a whole safetensors file")
    for i in range(8, len(whole), 97):
        saved.write_bytes(whole[:i] + bytes([whole[i] ^ 4]) + whole[i + 1 :])
        refused(saved, t, "altered")


def test_a_file_of_tensors_only_is_told_from_a_checkpoint(path):
    t = training()
    save_file(t.model.state_dict(), path)
    refused(path, t, "no training checkpoint; tinynorm.load_file")


def test_a_file_from_elsewhere_is_told_from_a_checkpoint(path):
    import safetensors.numpy

    safetensors.numpy.save_file({"model.w": np.ones(2)}, path, {"tinynorm.checkpoint": "{}"})
    refused(path, training(), "not written by tinynorm, or was altered")


def test_a_checkpoint_of_a_later_version_is_refused(path):
    save_file({}, path, {"tinynorm.checkpoint": json.dumps({"version": 2})})
    refused(path, training(), "version 1, got 2")


def test_a_checkpoint_of_another_model_changes_nothing(saved):
    other = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(7))
    before = bits(other.state_dict())
    refused(saved, training(seed=8), r"(?s)does not fit the model given.*1\.running_mean", model=other)
    assert bits(other.state_dict()) == before


def test_a_checkpoint_of_another_optimizer_changes_nothing_not_even_the_model(saved):
    refused(saved, training("sgd", seed=8), "does not fit the optimizer given")


class FailsOnce(lr_scheduler.StepLR):
    failed = False

    def load_state_dict(self, state):
        if not type(self).failed:
            type(self).failed, self.last_epoch = True, -1
            raise ValueError("a fault")
        super().load_state_dict(state)


def test_what_was_restored_is_undone_when_a_later_part_fails_half_way(saved):
    t = training(seed=8)
    run(t, 1)
    t.scheduler = FailsOnce(t.optimizer, step_size=1)
    refused(saved, t, "does not fit the scheduler given: a fault")
    assert FailsOnce.failed


def test_one_part_that_cannot_be_set_back_does_not_keep_the_others_from_it(saved):
    """A rate below 0, which a user set or a schedule came to, is refused by the optimizer's own load_state_dict."""
    t = training(seed=8)
    run(t, 1)
    t.optimizer.param_groups[0]["lr"] = -0.01
    before = bits(t.model.state_dict())
    other = lr_scheduler.ExponentialLR(t.optimizer, 1.0)
    with pytest.raises(CheckpointError, match=r"does not fit the scheduler given.*could not be set back: optimizer$"):
        load_checkpoint(saved, **{**parts(t), "scheduler": other})
    assert bits(t.model.state_dict()) == before


@pytest.mark.parametrize("fails", ["scheduler", "generators"])
def test_a_failure_leaves_no_key_behind_in_the_groups(path, fails):
    """The file's optimizer has a schedule's entries, the one given has not."""
    t = training(schedule="one cycle")
    run(t, 1)
    save_checkpoint(path, **parts(t))
    other = training(seed=8)
    other.optimizer = optim.Adam(other.model.parameters(), lr=0.5)  # without a schedule
    if fails == "scheduler":
        other.scheduler = SCHEDULES["linear"](OPTIMIZERS["sgd"](list(other.model.parameters())))
    else:
        other.scheduler, other.generators = None, {"another": Generator()}
    group, keys = other.optimizer.param_groups[0], list(other.optimizer.param_groups[0])
    given = {name: part for name, part in parts(other).items() if part is not None}
    before = bits({"model": other.model.state_dict(), "optimizer": other.optimizer.state_dict()})
    with pytest.raises(CheckpointError, match="Nothing was changed"):
        load_checkpoint(path, **given)
    assert other.optimizer.param_groups[0] is group
    assert list(group) == keys
    assert bits({"model": other.model.state_dict(), "optimizer": other.optimizer.state_dict()}) == before


@pytest.mark.parametrize(
    "document",
    ["[]", "3", "null", "{", "[" * 100_000, '{"version": 1}', '{"version": 1, "epoch": {"$tensor": "x"}, "extra": null}',
     '{"version": 1, "epoch": 1, "extra": {"$items": [1]}}', '{"version": 1, "epoch": 1, "extra": {"$items": [[[], 1]]}}',
     '{"version": 1, "epoch": 1, "extra": null, "model": {}, "generators": [1]}',
     '{"version": 1, "epoch": 1, "extra": null, "model": {"w": {"$array": 3}}}'],
)  # fmt: skip
def test_a_document_of_nonsense_changes_nothing(path, document):
    save_file({}, path, {"tinynorm.checkpoint": document})
    refused(path, training(), "no training checkpoint|has no |is no part of a checkpoint|does not fit the model")


def states_of(bit_generator):
    """Damaged states of it: an entry missing, or of another kind."""
    good = bit_generator.state
    inner = good["state"]
    yield from ({k: v for k, v in good.items() if k != name} for name in good)
    yield from ({**good, name: bad} for name in good for bad in ("x", None, -1) if name not in ("has_uint32", "uinteger"))
    yield from ({**good, "state": {k: v for k, v in inner.items() if k != name}} for name in inner)
    yield from (3, None, [], {})


@pytest.mark.parametrize("kind", ["PCG64", "MT19937", "Philox", "SFC64"])
def test_a_damaged_random_state_is_refused_and_the_generator_goes_on_as_before(kind):
    mine = Generator()
    mine.rng = np.random.Generator(getattr(np.random, kind)(3))
    other = getattr(np.random, kind)(4)
    before, refusals = bits(mine.get_state()), 0
    for state in states_of(other):
        try:
            mine.set_state(state)
        except ValueError as error:
            assert "set_state: expected a state of " + kind in str(error)  # noqa: PT017
            assert bits(mine.get_state()) == before
            refusals += 1
        else:
            mine.rng.bit_generator.state = getattr(np.random, kind)(3).state
    assert refusals > 8


def test_ctrl_c_while_restoring_undoes_it(saved):
    t = training(seed=8)

    class Interrupted(Generator):
        def set_state(self, state):
            super().set_state(state)
            if not hasattr(self, "done"):
                self.done = True
                raise KeyboardInterrupt

    t.generators["shuffle"] = Interrupted().manual_seed(8)
    before = everything(t)
    with pytest.raises(KeyboardInterrupt):
        load_checkpoint(saved, **parts(t))
    assert everything(t) == before


@pytest.mark.parametrize(
    ("part", "match"),
    [("optimizer", "has no optimizer"), ("scheduler", "has no scheduler"), ("generators", "has no generator 'shuffle'")],
)
def test_a_part_that_was_not_saved_is_missed_by_name(path, part, match):
    t = training()
    kept = {name: value for name, value in parts(t).items() if name != part}
    save_checkpoint(path, **kept)
    refused(path, training(seed=8), match)


# ---- mistakes when saving --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"epoch": -1}, ValueError, "epoch to be an int of at least 0, got -1"),
        ({"epoch": 1.5}, ValueError, "got 1.5"),
        ({"extra": {"a": [1, {2}]}}, TypeError, "got set at 'extra.a.1'"),
        ({"extra": {"a": np.ones(2, complex)}}, TypeError, "'extra.a', got complex128"),
        ({"extra": {"a": {tinynorm.ones(1): 2}}}, TypeError, "keys of 'extra.a' to be numbers or strings, got a tensor"),
        ({"generators": {"default": Generator()}}, ValueError, "give yours another"),
    ],
)
def test_what_cannot_be_saved_is_an_error_and_the_old_checkpoint_stays(path, arguments, error, match):
    save_checkpoint(path, model=nn.Linear(1, 1), extra="old")
    with pytest.raises(error, match=match):
        save_checkpoint(path, model=nn.Linear(1, 1), **arguments)
    assert load_checkpoint(path).extra == "old"
