"""The main job: what train_mlp.py writes and says, that it learns, stops, goes on, and explains what it cannot do."""

import fcntl
import os
import pty
import re
import shlex
import signal
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path
from threading import Thread

import matplotlib.image
import mlp_data
import mlp_options
import mlp_training
import numpy as np
import pytest
import train_mlp
from conftest import events
from helpers import some

from tinynorm import load_checkpoint, load_file
from tinynorm.utils import datasets

pytestmark = pytest.mark.no_cover  # twice as slow where each line is counted; other tests run these lines too

SCRIPT = Path(train_mlp.__file__)
SMALL = ["--hidden", "16", "16"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Each test runs in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def script(*arguments, **settings):
    command = [sys.executable, SCRIPT, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **settings)


def refusal(capsys, *arguments):
    """What the program says when it ends with an error: one message, no traceback."""
    with pytest.raises(SystemExit) as info:
        train_mlp.main([str(a) for a in arguments])
    said = capsys.readouterr().err + (info.value.code if isinstance(info.value.code, str) else "")
    assert info.value.code not in (0, None)
    assert "train_mlp.py: error: " in said
    return said


def same_files(a, b):
    """Whether two checkpoints hold the same, bit for bit."""
    first, second = load_file(a), load_file(b)
    assert sorted(first) == sorted(second)
    for name in first:
        assert first[name].numpy().tobytes() == second[name].numpy().tobytes(), name
    assert load_checkpoint(a) == load_checkpoint(b)


# ---- what it does --------------------------------------------------------------------------------------------------


def test_the_script_trains_and_says_where_everything_is(folder):
    done = script("--epochs", 2)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no bar where there is no terminal
    for text in ("device   ", "64-128-128-10, norm batch, relu", "epoch 2/2", "test accuracy 9", "of 360"):
        assert text in done.stdout
    run = Path("runs/digits-batch-seed0")
    for name in ("checkpoint.safetensors", "curves.png"):
        assert str(run / name) in done.stdout
        assert (folder / run / name).is_file()
    assert load_checkpoint(run / "checkpoint.safetensors").epoch == 2
    image = matplotlib.image.imread(run / "curves.png")
    assert min(image.shape[:2]) > 400
    assert len(np.unique(image[..., :3].reshape(-1, 3), axis=0)) > 100  # two colours of curves, grey text and grid


def test_a_terminal_gets_a_bar_with_loss_and_accuracy(monkeypatch, capsys):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))  # 80 columns
    seen = bytearray()

    def read():
        with suppress(OSError):  # how the end of a terminal shows
            while chunk := os.read(ours, 1 << 16):
                seen.extend(chunk)

    reader = Thread(target=read)  # a terminal holds 4 KiB that nobody reads, and no more
    reader.start()
    with open(theirs, "w") as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        assert train_mlp.main(["--epochs", "2", *SMALL]) == 0
    reader.join()
    os.close(ours)
    out = capsys.readouterr().out
    last = seen.decode(errors="replace").replace("\n", "").rstrip("\r").rpartition("\r")[2]
    assert last.startswith("epoch 2/2 100%|")
    assert re.search(r"loss \d\.\d+, accuracy \d\d\.\d%, test \d\d\.\d+%", last)
    assert "epoch 2/2" not in out


@pytest.mark.long  # CI runs the main job itself, three times
def test_mean_test_accuracy_on_digits_is_at_least_97_5_percent():
    accuracies = []
    for seed in range(5):
        settings = mlp_options.Settings(seed=seed)
        training = mlp_training.Training(settings, mlp_data.load_data("digits", None, seed), "cpu")
        for _ in range(settings.epochs):
            entry = training.epoch()
        accuracies.append(entry["test_accuracy"])
    assert np.mean(accuracies) >= 0.975, accuracies


@pytest.mark.parametrize("norm", ["batch", "layer", "group", "rms", "none"])
def test_every_norm_trains_on_every_device(norm, device, capsys):
    assert train_mlp.main(["--norm", norm, "--epochs", "1", "--device", device, "--hidden", "64", "32"]) == 0
    assert f"norm {norm}" in capsys.readouterr().out
    history = load_checkpoint(f"runs/digits-{norm}-seed0/checkpoint.safetensors").extra["history"]
    assert history[0]["test_accuracy"] > 0.5


@pytest.mark.parametrize("activation", ["relu", "gelu", "sigmoid", "tanh"])
def test_every_activation_learns(activation):
    data = mlp_data.load_data("digits", None, 0)
    training = mlp_training.Training(mlp_options.Settings(activation=activation, hidden=[32]), data, "cpu")
    assert type(training.model[2]).__name__.lower() == activation
    assert training.epoch()["test_accuracy"] > 0.7


@pytest.mark.parametrize(("optimizer", "kind"), [("adam", "Adam"), ("adamw", "AdamW"), ("sgd", "SGD")])
def test_every_optimizer_learns_with_its_own_learning_rate(optimizer, kind):
    data = mlp_data.load_data("digits", None, 0)
    settings = mlp_options.Settings(optimizer=optimizer)
    assert settings.lr == mlp_options.LEARNING_RATES[optimizer]
    training = mlp_training.Training(settings, data, "cpu")
    assert type(training.optimizer).__name__ == kind
    assert training.optimizer.param_groups[0]["weight_decay"] == (0.01 if optimizer == "adamw" else 0)  # as PyTorch's
    assert training.epoch()["test_accuracy"] > 0.85


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_weight_decay_reaches_the_optimizer(optimizer):
    settings = mlp_options.settings_of(mlp_options.parser().parse_args(["--optimizer", optimizer, "--weight-decay", "0.5"]))
    training = mlp_training.Training(settings, mlp_data.load_data("digits", None, 0), "cpu")
    assert training.optimizer.param_groups[0]["weight_decay"] == 0.5


@pytest.mark.parametrize(
    ("schedule", "falls"), [("none", False), ("cosine", True), ("linear", True), ("step", True), ("onecycle", True)]
)
def test_every_schedule_runs_over_the_whole_run(schedule, falls):
    data = mlp_data.load_data("digits", None, 0)
    training = mlp_training.Training(mlp_options.Settings(schedule=schedule, hidden=[8], epochs=3), data, "cpu")
    for _ in range(3):
        training.epoch()
    last = training.optimizer.param_groups[0]["lr"]
    assert last <= 0.011 * training.settings.lr if falls else last == training.settings.lr


def test_a_left_over_row_does_not_stop_batchnorm():
    data = mlp_data.load_data("digits", None, 0)
    assert len(data.x_train) % 4 == 1
    for norm, batches in (("batch", 359), ("layer", 360)):
        training = mlp_training.Training(mlp_options.Settings(norm=norm, hidden=[8], batch_size=4), data, "cpu")
        assert len(training.batches) == batches
        training.epoch()


def test_the_test_part_is_only_looked_at():
    training = mlp_training.Training(mlp_options.Settings(hidden=[32]), mlp_data.load_data("digits", None, 0), "cpu")
    training.epoch()
    before = {name: value.numpy().copy() for name, value in training.model.state_dict().items()}
    loss, accuracy = training.evaluate()
    for name, value in training.model.state_dict().items():  # running statistics included
        np.testing.assert_array_equal(value.numpy(), before[name])
    each = []
    for i in range(len(training.data.x_test)):  # a row's prediction does not depend on the rows beside it
        logits = training.model(training.x_test[i : i + 1]).detach().numpy()[0].astype(np.float64)
        each.append(np.log(np.exp(logits).sum()) - logits[training.data.y_test[i]])
    assert loss == pytest.approx(np.mean(each), rel=1e-4)
    assert 0.5 < accuracy <= 1


@pytest.mark.parametrize(("width", "expected"), [(128, 8), (100, 5), (12, 6), (8, 4), (7, 1), (2, 1), (1, 1)])
def test_group_norm_gets_groups_of_at_least_two(width, expected):
    assert mlp_training.groups(width) == expected


def test_the_split_is_stratified_and_of_the_seed():
    first, again, other = (mlp_data.load_data("digits", None, seed) for seed in (0, 0, 1))
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert (len(first.x_train), len(first.x_test)) == (1437, 360)
    share = np.bincount(first.y_test) / np.bincount(np.concatenate([first.y_train, first.y_test]))
    np.testing.assert_allclose(share, 0.2, atol=0.01)
    assert abs(first.x_train.mean()) < 1e-5
    assert abs(first.x_train.std() - 1) < 1e-5


# ---- places --------------------------------------------------------------------------------------------------------


def test_save_and_plot_go_where_they_are_told(folder):
    assert train_mlp.main(["--epochs", "1", *SMALL, "--save", "a/b/c.safetensors", "--plot", "d/e.svg"]) == 0
    assert (folder / "a/b/c.safetensors").is_file()
    assert "<svg" in (folder / "d/e.svg").read_text()
    assert not (folder / "runs").exists()


@pytest.mark.long  # three seconds; test_watching writes such files too
def test_tensorboard_files_hold_the_history():
    train_mlp.main(["--epochs", "2", *SMALL, "--schedule", "none", "--log-dir", "logs"])
    path = "runs/digits-batch-seed0/checkpoint.safetensors"
    train_mlp.main(["--resume", path, "--epochs", "3", "--log-dir", "logs"])
    history = load_checkpoint(path).extra["history"]
    tags = {"loss/train": "train_loss", "loss/test": "test_loss", "accuracy/test": "test_accuracy", "lr": "lr"}
    expected = {(epoch, tag): entry[key] for epoch, entry in enumerate(history, 1) for tag, key in tags.items()}
    got = {(step, tag): value for step, tag, value in events("logs")}
    assert len(got) == 15
    assert {key: got[key] for key in expected} == pytest.approx(expected, rel=1e-6)


# ---- stopping and going on -----------------------------------------------------------------------------------------

RUNS = [
    ["--norm", "batch", "--optimizer", "adam", "--schedule", "cosine"],
    ["--norm", "layer", "--optimizer", "sgd", "--schedule", "onecycle"],
    ["--norm", "group", "--optimizer", "adamw", "--schedule", "step"],
    ["--norm", "none", "--optimizer", "adam", "--schedule", "linear"],
]


def test_capturing_the_step_changes_no_number(tmp_path, capsys):
    found = []
    for name, more in (("captured", []), ("plain", ["--no-capture"])):
        path = tmp_path / name
        assert train_mlp.main([*SMALL, "--epochs", "3", *more, "--save", str(path)]) == 0
        said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("epoch")]
        found.append((said, [t.numpy().tobytes() for t in load_file(path).values()]))
    assert found[0] == found[1]


def test_the_steps_are_captured():
    training = mlp_training.Training(mlp_options.Settings(hidden=[8]), mlp_data.load_data("digits", None, 0), "cpu")
    training.epoch()
    assert training.step.reason == ""
    assert training.step.replays == len(training.batches) - 3 - (len(training.data.x_train) % 64 > 0)


@pytest.mark.parametrize("settings", some(RUNS, 2), ids=lambda settings: settings[1])
def test_an_interrupted_run_goes_on_bit_for_bit(settings, monkeypatch, capsys):
    arguments = [*settings, *SMALL, "--epochs", "4", "--seed", "3"]
    assert train_mlp.main([*arguments, "--save", "straight"]) == 0
    epoch = mlp_training.Training.epoch

    def interrupted(self, after_step):
        steps = iter(range(5))  # in the middle of the third epoch
        return epoch(self, after_step if self.done < 2 else lambda *_: next(steps))

    with monkeypatch.context() as patch:
        patch.setattr(mlp_training.Training, "epoch", interrupted)
        with pytest.raises(StopIteration):
            train_mlp.main([*arguments, "--save", "stopped"])
    assert load_checkpoint("stopped").epoch == 2
    assert train_mlp.main(["--resume", "stopped"]) == 0
    assert "going on after epoch 2" in capsys.readouterr().out
    same_files("straight", "stopped")


@pytest.mark.long
def test_more_epochs_can_be_asked_for_without_a_schedule():
    arguments = [*SMALL, "--schedule", "none"]
    train_mlp.main([*arguments, "--epochs", "3", "--save", "straight"])
    train_mlp.main([*arguments, "--epochs", "1", "--save", "first"])
    train_mlp.main(["--resume", "first", "--epochs", "3", "--save", "second"])
    same_files("straight", "second")
    assert load_checkpoint("first").epoch == 1


@pytest.mark.long
def test_ctrl_c_saves_and_prints_the_command_that_goes_on(folder):
    arguments = ["--epochs", "60", *SMALL, "--device", "cpu"]
    process = subprocess.Popen(
        [sys.executable, SCRIPT, *arguments, "--save", "my run.safetensors", "--plot", "p.png"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    while "test accuracy" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == ""
    epoch = load_checkpoint("my run.safetensors").epoch
    assert 6 <= epoch < 60
    assert f"as it was after epoch {epoch} of 60" in out
    assert f"epoch {epoch + 1} begins anew" in out
    command = out.strip().splitlines()[-1].strip()
    assert "--resume 'my run.safetensors'" in command
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (folder / "p.png").is_file()
    assert script(*arguments, "--save", "straight").returncode == 0  # in a process too: equal thread counts
    same_files("straight", "my run.safetensors")


def test_ctrl_c_in_the_first_epoch_leaves_a_checkpoint_too(monkeypatch, capsys):
    def interrupt(self, after_step):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(mlp_training.Training, "epoch", interrupt)
        assert train_mlp.main([*SMALL, "--epochs", "1", "--log-dir", "logs"]) == 130
    command = shlex.split(capsys.readouterr().out.strip().splitlines()[-1])
    assert command[-4:] == ["--resume", "runs/digits-batch-seed0/checkpoint.safetensors", "--log-dir", "logs"]
    assert train_mlp.main(command[2:]) == 0


def test_ctrl_c_before_the_training_says_that_nothing_was_written(monkeypatch, capsys):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(mlp_data, "digits", interrupt)
    assert train_mlp.main([]) == 130
    assert "nothing was written" in capsys.readouterr().out
    assert not Path("runs").exists()


@pytest.fixture(scope="module")
def two_epochs(tmp_path_factory):
    """A checkpoint after two epochs."""
    path = tmp_path_factory.mktemp("two_epochs") / "c"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path.parent)
        train_mlp.main([*SMALL, "--epochs", "2", "--save", "c"])
    return path.read_bytes()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["--norm", "layer"], r"--norm layer (the checkpoint has batch)"),
        (["--hidden", "8"], r"--hidden 8 (the checkpoint has 16 16)"),
        (["--seed", "1", "--lr", "1"], r"--seed 1 (the checkpoint has 0)"),
        (["--epochs", "1"], "the checkpoint has 2 epochs behind it"),
        (["--epochs", "5"], "cosine schedule was laid out for 2 epochs"),
    ],
)
def test_resuming_with_other_settings_is_refused(asked, message, two_epochs, capsys):
    Path("c").write_bytes(two_epochs)
    said = refusal(capsys, "--resume", "c", *asked)
    assert message in said
    assert Path("c").read_bytes() == two_epochs
    assert train_mlp.main(["--resume", "c", "--norm", "batch", *SMALL]) == 0  # the same settings may be repeated


def test_files_that_are_no_checkpoint_of_this_program_are_refused(capsys):
    from tinynorm import nn, save_checkpoint

    assert "No such file" in refusal(capsys, "--resume", "nowhere")
    Path("text").write_text("hello")
    assert "not a whole safetensors file" in refusal(capsys, "--resume", "text")
    save_checkpoint("foreign", model=nn.Linear(1, 1))
    assert "not one of train_mlp.py" in refusal(capsys, "--resume", "foreign")


# ---- MNIST ---------------------------------------------------------------------------------------------------------


def write_mnist(data_dir, seed=0):
    """Four small IDX files: 5 x 5 images of ten classes, each class a bright pixel of its own."""
    data_dir.mkdir(exist_ok=True)
    rng = np.random.default_rng(seed)
    for part, n in (("train", 200), ("t10k", 50)):
        labels = np.arange(n, dtype=np.uint8) % 10
        images = rng.integers(0, 80, (n, 5, 5), dtype=np.uint8)
        images.reshape(n, 25)[np.arange(n), labels] = 255
        for name, array in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", labels)):
            header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
            (data_dir / name).write_bytes(header + array.tobytes())


@pytest.mark.parametrize("dataset", some(["mnist", "fashion-mnist"], 2))
def test_mnist_is_read_from_the_data_dir(folder, dataset, capsys):
    write_mnist(folder / "idx")
    assert train_mlp.main(["--dataset", dataset, "--data-dir", "idx", "--epochs", "12", "--batch-size", "20", *SMALL]) == 0
    out = capsys.readouterr().out
    assert f"{dataset}: 200 images to train on, 50 to test with" in out
    assert "25-16-16-10" in out
    history = load_checkpoint(f"runs/{dataset}-batch-seed0/checkpoint.safetensors").extra["history"]
    assert history[-1]["test_accuracy"] > 0.95


def test_resuming_on_other_images_is_refused(folder, capsys):
    write_mnist(folder / "idx")
    train_mlp.main(["--dataset", "mnist", "--data-dir", "idx", "--epochs", "1", "--save", "c", *SMALL])
    write_mnist(folder / "idx", seed=1)
    assert "trained on other mnist data" in refusal(capsys, "--resume", "c", "--data-dir", "idx")


def test_without_a_network_it_says_which_files_to_put_where(folder, monkeypatch, capsys):
    hashes = datasets.SOURCES["mnist"].sha256
    monkeypatch.setitem(datasets.SOURCES, "mnist", datasets.Source("http://127.0.0.1:1/", hashes))
    said = refusal(capsys, "--dataset", "mnist")
    for name in hashes:
        assert f"http://127.0.0.1:1/{name}" in said
    assert str(folder / "data" / "mnist") in said


def test_a_damaged_mnist_file_is_named(folder, capsys):
    write_mnist(folder / "idx")
    path = folder / "idx" / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    said = refusal(capsys, "--dataset", "mnist", "--data-dir", "idx")
    assert "train-images-idx3-ubyte is truncated" in said


# ---- what it cannot do ---------------------------------------------------------------------------------------------


def test_cuda_without_a_gpu_is_explained():
    done = script("--device", "cuda", env=os.environ | {"CUDA_VISIBLE_DEVICES": ""})
    assert done.returncode == 1
    assert "train_mlp.py: error: --device cuda:" in done.stderr
    assert "--device cpu" in done.stderr
    assert "Traceback" not in done.stderr
    assert not Path("runs").exists()


def test_auto_says_what_it_chose(capsys):
    import tinynorm

    train_mlp.main(["--epochs", "1", *SMALL])
    expected = "cuda (auto: a GPU works)" if tinynorm.cuda.is_available() else "cpu (auto: no GPU; "
    assert f"device   {expected}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "--epochs: expected a whole number of at least 1, got '0'"),
        (["--epochs", "2.5"], "--epochs: expected a whole number"),
        (["--hidden", "128", "-1"], "--hidden: expected a whole number of at least 1, got '-1'"),
        (["--hidden"], "--hidden: expected at least one argument"),
        (["--lr", "-0.1"], "--lr: expected a number above 0, got '-0.1'"),
        (["--lr", "nan"], "--lr: expected a number above 0"),
        (["--lr", "fast"], "--lr: expected a number above 0"),
        (["--weight-decay", "-1"], "--weight-decay: expected a number of at least 0, got '-1'"),
        (["--weight-decay", "nan"], "--weight-decay: expected a number of at least 0"),
        (["--seed", "-1"], "--seed: expected a whole number of at least 0"),
        (["--norm", "bach"], "--norm: invalid choice: 'bach' (choose from"),
        (["--device", "tpu"], "--device: invalid choice"),
        (["--batch-size", "1"], "--batch-size 1 has no variance over the batch for --norm batch"),
        (["--save", "/dev/null/x/c"], "Not a directory"),
        (["--epochs", "1", "--hidden", "8", "--plot", "curves.xyz"], "--plot curves.xyz: Format 'xyz' is not supported"),
    ],
)
def test_bad_options_are_explained(arguments, message, capsys):
    assert message in refusal(capsys, *arguments)


def test_help_shows_every_option_with_its_default(capsys):
    with pytest.raises(SystemExit) as info:
        train_mlp.main(["--help"])
    assert info.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for name in (*mlp_options.NAMES, "device", "data_dir", "save", "resume", "log_dir", "wandb", "plot"):
        assert f"--{name.replace('_', '-')} " in text
    assert text.count("(default: ") == len(mlp_options.NAMES) + 5  # all but --resume


def test_a_missing_extra_is_named_with_the_pip_line(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    said = refusal(capsys, "--log-dir", "logs")
    assert "not installed: tqdm, tensorboardX" in said
    assert "-m pip install -e '.[demos]'" in said


def test_a_run_that_diverges_says_so(capsys):
    with np.errstate(all="ignore"):
        said = refusal(capsys, "--norm", "none", "--optimizer", "sgd", "--lr", "1e30", *SMALL, "--save", "c")
    assert "try a lower --lr" in said
    assert load_checkpoint("c").epoch == 0
