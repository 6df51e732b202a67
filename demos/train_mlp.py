"""Train a multilayer perceptron on handwritten digits with tinynorm.

    python demos/train_mlp.py                                # scikit-learn's digits, BatchNorm, a few seconds
    python demos/train_mlp.py --norm layer --dataset mnist   # downloads MNIST once
    python demos/train_mlp.py --help

It writes a checkpoint after every epoch and a picture of the curves at the end. Ctrl-C stops it and says how to go on.
"""

from __future__ import annotations

import importlib.util
import shlex
import shutil
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlp_options import Settings, given, parser, resumed_settings, settings_of
from watching import Log, Refused, event_files, not_installed, wandb_run

if TYPE_CHECKING:
    from mlp_training import Training

BAR = "{desc} {percentage:3.0f}%|{bar}| {remaining} left{postfix}"
NEEDS = {"numpy": "NumPy", "tinynorm": "tinynorm", "sklearn": "scikit-learn", "matplotlib": "matplotlib", "tqdm": "tqdm"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    options = parser().parse_args(arguments)
    try:
        check_installed(options)
        training, checkpoint = prepare(options)
    except KeyboardInterrupt:
        print("\nInterrupted before the training began: nothing was written.")
        return 130
    try:
        train(training, checkpoint, options)
        report(training, checkpoint, options)
    except KeyboardInterrupt:
        print(interrupted(training, checkpoint, options))
        return 130
    return 0


def check_installed(options: Namespace) -> None:
    """Stop with the pip line where something is missing that the demo needs."""
    if options.wandb and (message := not_installed("--wandb", python())):
        stop(message)
    needs = NEEDS | ({"tensorboardX": "tensorboardX (for --log-dir)"} if options.log_dir else {})
    missing = [name for module, name in needs.items() if importlib.util.find_spec(module) is None]
    if missing:
        stop(f"not installed: {', '.join(missing)}. In the repository's folder:\n  {python()} -m pip install -e '.[demos]'")


def stop(message: object) -> Any:
    """End the program with an error message, and no traceback."""
    sys.exit(f"train_mlp.py: error: {message}")


# ---- before ----------------------------------------------------------------------------------------------------------


def prepare(options: Namespace) -> tuple[Training, Path]:
    """The run as the options want it, new or restored, and the path of its checkpoint; what cannot be done stops here."""
    from mlp_data import load_data
    from mlp_training import Training, saved_run

    import tinynorm

    try:
        saved = saved_run(options.resume) if options.resume else None
        if saved is None:
            settings = settings_of(options)
        else:
            settings = resumed_settings(Settings(**saved["settings"]), given(options), done=len(saved["history"]))
        device, why = choose_device(options.device)
        data = load_data(settings.dataset, options.data_dir, settings.seed)
        training = Training(settings, data, device, capture=not options.no_capture)
        if saved is not None:
            training.load(options.resume)
        checkpoint = checkpoint_path(options, settings)
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        training.save(checkpoint)  # now, not after the first epoch: a path that cannot be written shows before the work
    except (OSError, ValueError, tinynorm.CheckpointError) as error:
        stop(error)
    describe(training, device, why)
    return training, checkpoint


def checkpoint_path(options: Namespace, settings: Settings) -> Path:
    if options.save or options.resume:
        return Path(options.save or options.resume)
    return Path("runs") / f"{settings.dataset}-{settings.norm}-seed{settings.seed}" / "checkpoint.safetensors"


def choose_device(wanted: str) -> tuple[str, str]:
    """The device, and a remark on the choice. Stops where CUDA was asked for and does not work."""
    from tinynorm import cuda

    if wanted == "cpu":
        return "cpu", ""
    if cuda.is_available():
        return "cuda", " (auto: a GPU works)" if wanted == "auto" else ""
    if wanted == "cuda":
        stop(f"--device cuda: {cuda.why_not()}. Or train on the CPU: --device cpu")
    return "cpu", f" (auto: no GPU; {cuda.why_not()})"


def describe(training: Training, device: str, why: str) -> None:
    """Say what is going to be trained, on what, how."""
    from mlp_training import parameter_count

    s, data = training.settings, training.data
    widths = "-".join(map(str, [data.x_train.shape[1], *s.hidden, data.classes]))
    print(f"device   {device}{why}")
    print(f"data     {s.dataset}: {len(data.x_train):,} images to train on, {len(data.x_test):,} to test with")
    print(f"network  {widths}, norm {s.norm}, {s.activation}: {parameter_count(training.model):,} parameters")
    epochs = f"{s.epochs} epochs of {len(training.batches)} batches of {s.batch_size}"
    going_on = f"; going on after epoch {training.done}" if training.done else ""
    print(f"training {s.optimizer}, lr {s.lr:g}, schedule {s.schedule}, {epochs}, seed {s.seed}{going_on}", flush=True)


# ---- training --------------------------------------------------------------------------------------------------------


def train(training: Training, checkpoint: Path, options: Namespace) -> None:
    """The remaining epochs, with a progress bar on a terminal and plain lines elsewhere; a checkpoint after each epoch."""
    from mlp_training import finite
    from tqdm import tqdm

    epochs, steps = training.settings.epochs, len(training.batches)
    with (
        watched(training, checkpoint, options) as log,
        tqdm(total=epochs * steps, initial=training.done * steps, bar_format=BAR, disable=None, dynamic_ncols=True) as bar,
    ):
        tested = ""

        def after_step(loss: float, accuracy: float) -> None:
            bar.set_postfix_str(f"loss {loss:.4f}, accuracy {accuracy:.1%}{tested}", refresh=False)
            bar.update()  # draws, now and then

        for epoch in range(training.done + 1, epochs + 1):
            bar.set_description_str(f"epoch {epoch}/{epochs}", refresh=False)
            entry = training.epoch(after_step)
            if not finite(entry):
                stop(f"the loss became {entry['train_loss']} in epoch {epoch}: the steps are too long, try a lower --lr")
            training.save(checkpoint)
            log(epoch, tagged(entry))
            tested = f", test {entry['test_accuracy']:.2%}"
            if bar.disable and (epoch % -(-epochs // 10) == 0 or epoch == epochs):  # about ten lines
                text = "loss {train_loss:.4f}, test loss {test_loss:.4f}, test accuracy {test_accuracy:.2%}".format(**entry)
                print(f"epoch {epoch:{len(str(epochs))}d}/{epochs}  {text}", flush=True)
        last = training.history[-1]
        bar.set_postfix_str(f"loss {last['train_loss']:.4f}, accuracy {last['train_accuracy']:.1%}{tested}")


@contextmanager
def watched(training: Training, checkpoint: Path, options: Namespace) -> Iterator[Log]:
    """A function that writes an epoch's numbers where the options want them: for TensorBoard, W&B, both or nowhere."""
    logs: list[Log] = []
    with ExitStack() as stack:
        if options.log_dir:
            logs.append(stack.enter_context(event_files(options.log_dir, training.done)))
        if options.wandb:
            s = training.settings
            try:
                run = wandb_run(checkpoint.parent, f"{s.dataset}-{s.norm}-seed{s.seed}", asdict(s))
                logs.append(stack.enter_context(run))
            except Refused as error:
                stop(error)
            for epoch, entry in enumerate(training.history, 1):  # a run that goes on is a new one there: it gets all epochs
                logs[-1](epoch, tagged(entry))

        def log(epoch: int, figures: dict[str, float]) -> None:
            for one in logs:
                one(epoch, figures)

        yield log


def tagged(entry: dict[str, float]) -> dict[str, float]:
    """An epoch's numbers by TensorBoard's names, which are grouped by what stands before the slash."""
    return {"/".join(name.split("_")[::-1]): value for name, value in entry.items()}


# ---- after -----------------------------------------------------------------------------------------------------------


def report(training: Training, checkpoint: Path, options: Namespace) -> None:
    """The result, the picture, and where everything is."""
    from mlp_plot import draw_curves

    s, last = training.settings, training.history[-1]
    plot = Path(options.plot) if options.plot else checkpoint.with_name("curves.png")
    title = f"{s.dataset}, {'-'.join(map(str, s.hidden))}, norm {s.norm}, {s.activation}, {s.optimizer}, lr {s.lr:g}, "
    try:
        draw_curves(training.history, f"{title}schedule {s.schedule}, batch {s.batch_size}, seed {s.seed}", plot)
    except (OSError, ValueError) as error:
        stop(f"--plot {plot}: {error}")
    accuracy, n = last["test_accuracy"], len(training.y_test)
    print(f"\ntest accuracy {accuracy:.2%} ({round(accuracy * n)} of {n}), test loss {last['test_loss']:.4f}")
    print(f"checkpoint    {checkpoint}")
    print(f"curves        {plot}")
    if options.log_dir:
        print(f"event files   {options.log_dir} (tensorboard --logdir {shlex.quote(options.log_dir)})")


def interrupted(training: Training, checkpoint: Path, options: Namespace) -> str:
    """What to say after Ctrl-C: the checkpoint holds the last whole epoch, and this command goes on from there."""
    from mlp_training import saved_run

    done = len(saved_run(checkpoint)["history"])  # of the file, not of memory: the interrupt may have come between the two
    again = f" (epoch {done + 1} begins anew)" if done < training.settings.epochs else ""
    return (
        f"\nInterrupted. {checkpoint} holds the run as it was after epoch {done} of {training.settings.epochs}.\n"
        f"This goes on from there{again} and ends with the same numbers as if it had not stopped:\n"
        f"  {resume_command(checkpoint, options)}"
    )


def resume_command(checkpoint: Path, options: Namespace) -> str:
    """The command line that goes on with the run, with the same places."""
    command = [python(), sys.argv[0], "--resume", str(checkpoint)]
    for name in ("device", "data_dir", "log_dir", "plot"):
        value = getattr(options, name)
        if value is not None and (name, value) != ("device", "auto"):
            command += [f"--{name.replace('_', '-')}", value]
    command += ["--wandb"] if options.wandb else []
    return shlex.join(command)


def python() -> str:
    """How to call this Python from the shell: by its name where that finds it, else by its path."""
    name = Path(sys.executable).name
    return name if shutil.which(name) == sys.executable else sys.executable


if __name__ == "__main__":
    sys.exit(main())
