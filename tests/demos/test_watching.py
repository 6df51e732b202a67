"""Runs that are watched: what TensorBoard's files hold, and what Weights & Biases gets, of the main job and of experiments."""

import importlib.machinery
import importlib.util
import json
import os
import shlex
import subprocess
import sys
import types
from pathlib import Path

import pytest
import train_mlp
import watching
from conftest import DEMOS, events
from experiments import running

from tinynorm import load_checkpoint

pytestmark = pytest.mark.no_cover
CHECKPOINT = "runs/digits-batch-seed0/checkpoint.safetensors"
SMALL = ["--hidden", "8", "--schedule", "none"]
ROWS = [  # two curves, and accuracies by attack and strength
    {"step": 0, "loss": 2.0},
    {"step": 5, "loss": 1.0},
    {"attack": "FGSM", "epsilon": 0.0, "accuracy": 0.9},
    {"attack": "FGSM", "epsilon": 0.1, "accuracy": 0.5},
    {"attack": "PGD, 7", "epsilon": 0.1, "accuracy": 0.5},
]
FIGURES = {
    0: {"loss": 2.0, "accuracy/FGSM/epsilon_0": 0.9, "accuracy/FGSM/epsilon_0.1": 0.5, "accuracy/PGD_7/epsilon_0.1": 0.5},
    5: {"loss": 1.0},
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Each test runs in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def runs(monkeypatch):
    """A stand-in for wandb: what its runs were begun with and got, in order. It makes a run's folder as wandb does."""
    found = []

    class Run:
        def __init__(self, dir, **begun):
            self.begun, self.logged, self.ended = begun, [], False
            Path(dir, "wandb", f"run-{len(found)}-{begun.get('id', 'its-own')}").mkdir(parents=True)
            found.append(self)

        def log(self, figures, step):
            self.logged.append((step, figures))

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.ended = True

    module = types.ModuleType("wandb")
    module.__spec__ = importlib.machinery.ModuleSpec("wandb", None)
    module.Error = type("Error", (Exception,), {})
    module.init = lambda **begun: Run(**begun)
    monkeypatch.setitem(sys.modules, "wandb", module)
    monkeypatch.delenv("WANDB_PROJECT", raising=False)
    return found


def tagged_history():
    history = load_checkpoint(CHECKPOINT).extra["history"]
    return [(epoch, {"/".join(k.split("_")[::-1]): v for k, v in entry.items()}) for epoch, entry in enumerate(history, 1)]


# ---- the main job ----------------------------------------------------------------------------------------------------


def test_wandb_gets_the_settings_and_each_epoch(runs):
    assert train_mlp.main([*SMALL, "--epochs", "2", "--wandb"]) == 0
    (run,) = runs
    assert run.begun["project"] == "tinynorm"
    assert run.begun["name"] == "digits-batch-seed0"
    assert run.begun["config"] == load_checkpoint(CHECKPOINT).extra["settings"]
    assert run.logged == tagged_history()
    assert {"lr", "loss/train", "accuracy/test"} < run.logged[0][1].keys()
    assert run.ended


def test_a_run_that_goes_on_shows_wandb_all_its_epochs(runs, monkeypatch, capsys):
    epoch = train_mlp_epochs(monkeypatch, before=1)
    assert train_mlp.main([*SMALL, "--epochs", "2", "--wandb", "--log-dir", "logs"]) == 130
    command = shlex.split(capsys.readouterr().out.strip().splitlines()[-1])
    assert command[-1] == "--wandb"
    monkeypatch.setattr("mlp_training.Training.epoch", epoch)
    assert train_mlp.main(command[2:]) == 0
    first, second = runs
    assert first.ended
    assert [first.logged, second.logged] == [tagged_history()[:1], tagged_history()]
    assert {step for step, _, _ in events("logs")} == {1, 2}


def train_mlp_epochs(monkeypatch, before):
    """Ctrl-C in the epoch after so many; returns what an epoch was."""
    from mlp_training import Training

    epoch = Training.epoch

    def interrupted(self, after_step):
        if self.done == before:
            raise KeyboardInterrupt
        return epoch(self, after_step)

    monkeypatch.setattr(Training, "epoch", interrupted)
    return epoch


def test_a_refusal_of_wandb_names_the_offline_mode(runs, monkeypatch):
    wandb = sys.modules["wandb"]

    def refuse(**begun):
        raise wandb.Error("No API key configured.")

    monkeypatch.setattr(wandb, "init", refuse)
    with pytest.raises(SystemExit, match=r"error: --wandb: No API key configured\. .* WANDB_MODE=offline"):
        train_mlp.main([*SMALL, "--epochs", "1", "--wandb"])


@pytest.mark.parametrize("program", ["train_mlp", "bn_vs_ln"])
def test_without_wandb_there_is_the_pip_line(program, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.setattr(sys, "argv", [program, "--wandb"])
    with pytest.raises(SystemExit) as info:
        __import__(program).main()
    said = capsys.readouterr().err + str(info.value.code)
    assert "--wandb: wandb is not installed" in said
    assert "-m pip install wandb" in said
    assert not Path("runs").exists()


@pytest.mark.skipif(importlib.util.find_spec("wandb") is None, reason="wandb is not installed: the stand-in is tested")
def test_wandb_itself_keeps_the_figures_offline(folder):
    env = {**os.environ, "WANDB_MODE": "offline"}
    program = [sys.executable, DEMOS / "train_mlp.py", *SMALL, "--epochs", "2", "--wandb"]
    done = subprocess.run(program, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("runs/digits-batch-seed0/wandb/offline-run-*/*.wandb")
    content = path.read_bytes()
    for epoch, figures in tagged_history():
        for name, value in figures.items():
            assert name.encode() in content
            assert json.dumps(value).encode() in content, (epoch, name)


# ---- experiments -----------------------------------------------------------------------------------------------------


def test_curves_have_the_steps_and_what_a_row_is_about_in_their_names():
    assert watching.curves(ROWS) == FIGURES
    assert watching.curves([{"step": 10, "layer": n, "share": n / 4} for n in (1, 2)]) == {
        10: {"share/layer_1": 0.25, "share/layer_2": 0.5}
    }
    assert watching.curves([{"accuracy": 0.5}]) == {0: {"accuracy": 0.5}}
    assert watching.curves([{"a": 1, "b": 2.0}, {"a": 1, "b": 2.0}]) == {0: {"b/a_1": 2.0}}  # nothing tells them apart


def runner_with(out, monkeypatch, on_file, **where):
    """A runner of E1 with some of its runs on file; the others would give the same rows."""
    runner = running.Runner(out, quick=True, seeds=2, device="cpu", **where)
    e1 = running.load("E1")
    for task in runner.tasks(e1)[:on_file]:
        runner._keep(task, [{**task.arm, "seed": task.seed, **row} for row in ROWS], 0.1)

    def results(self, pool, tasks):
        for task in tasks:
            yield task, ([{**task.arm, "seed": task.seed, **row} for row in ROWS], 0.1)

    monkeypatch.setattr(running.Runner, "_results", results)
    return runner, e1


def test_each_run_is_written_for_tensorboard_once_those_on_file_too(folder, monkeypatch):
    runner, e1 = runner_with(folder / "out", monkeypatch, on_file=1, log_dir=folder / "logs")
    for _ in range(2):
        runner.run([e1], 1, lambda key: None)
        found = sorted((folder / "logs" / "E1").iterdir())
        assert [path.name.rpartition("-")[0] for path in found] == [
            f"{n}-seed{s}" for n in ("BN", "LN", "none") for s in (0, 1)
        ]
        for path in found:
            assert len(list(path.iterdir())) == 1
            got = {(step, tag): value for step, tag, value in events(path)}
            assert got == pytest.approx({(step, tag): v for step, named in FIGURES.items() for tag, v in named.items()})


def test_event_files_that_were_cut_off_are_written_anew(folder):
    part = folder / "run.part"
    part.mkdir()
    (part / "half").write_bytes(b"x")
    watching.keep_events(folder, "run", {3: {"loss": float("nan")}})
    ((step, tag, value),) = events(folder / "run")
    assert (step, tag) == (3, "loss")
    assert value != value  # a NaN is shown, not hidden
    assert not part.exists()


def test_each_run_is_logged_to_wandb_once_those_on_file_too(folder, monkeypatch, runs):
    runner, e1 = runner_with(folder / "out", monkeypatch, on_file=2, wandb=True)
    for _ in range(2):
        runner.run([e1], 1, lambda key: None)
        assert len(runs) == len({run.begun["id"] for run in runs}) == 6
    for run, task in zip(runs, runner.tasks(e1), strict=True):
        assert run.begun["group"] == "E1"
        assert run.begun["name"] == f"E1-{task.label}"
        assert run.begun["config"] == {**task.settings, **task.arm, "seed": task.seed}
        assert run.logged == list(FIGURES.items())
        assert run.ended
