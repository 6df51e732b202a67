"""Search the main job's hyperparameters with Optuna, and compare the best found with the default over new seeds.

    python demos/search.py                        # 40 trials of five seeds each
    python demos/search.py --trials 80            # goes on from there to 80
    python demos/search.py --quick                # short runs: to see it work

Trials are judged by their loss on a validation part of the training data. The test data are looked at once, at the end.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from mlp_options import CHOICES, Settings, show, whole
from train_mlp import python

if TYPE_CHECKING:
    import optuna
    from mlp_data import Data
    from mlp_search import Comparison, Search

NEEDS = {"optuna": "Optuna", "sklearn": "scikit-learn", "scipy": "SciPy", "matplotlib": "matplotlib", "tqdm": "tqdm"}
TRIALS, QUICK_TRIALS, QUICK_EPOCHS = 40, 8, 5
SPLIT = 0  # the seed of the digits' one split: with a split for each seed, the test rows of one would be trained on by another


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="search.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--trials", type=whole(1), metavar="N", help=f"in all (default {TRIALS}, with --quick {QUICK_TRIALS})")
    p.add_argument("--seeds", type=whole(1), default=5, metavar="N", help="how many judge a trial (default %(default)s)")
    p.add_argument("--new-seeds", type=whole(5), default=5, metavar="N", help="how many compare, in the end (default 5)")
    p.add_argument("--seed", type=whole(0), default=0, metavar="N", help="of the sampler (default %(default)s)")
    p.add_argument("--quick", action="store_true", help=f"runs of {QUICK_EPOCHS} epochs")
    p.add_argument("--storage", type=Path, metavar="FILE", help="Optuna's SQLite file (default runs/search/DATASET.db)")
    p.add_argument("--plot", type=Path, metavar="FILE", help="the picture (default: the storage's name with .png)")
    p.add_argument("--dataset", choices=CHOICES["dataset"], default="digits", help="what to learn (default %(default)s)")
    p.add_argument("--data-dir", metavar="DIR", help="the folder of MNIST's four IDX files (default: data/DATASET)")
    p.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    return p


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    options = parser().parse_args(arguments)
    missing = [name for module, name in NEEDS.items() if importlib.util.find_spec(module) is None]
    if missing:
        line = f"{python()} -m pip install -e '.[demos,search]'"
        stop(f"not installed: {', '.join(missing)}. In the repository's folder:\n  {line}")
    options.trials = options.trials or (QUICK_TRIALS if options.quick else TRIALS)
    options.storage = options.storage or Path("runs/search") / f"{options.dataset}{'-quick' * options.quick}.db"
    options.plot = options.plot or options.storage.with_suffix(".png")
    try:
        return run(options)
    except KeyboardInterrupt:
        command = shlex.join([python(), sys.argv[0], *arguments])
        print(f"\nInterrupted. {options.storage} holds the trials that are done; this goes on from there:\n  {command}")
        return 130


def stop(message: object) -> NoReturn:
    """End the program with an error message, and no traceback."""
    sys.exit(f"search.py: error: {message}")


def run(options: argparse.Namespace) -> int:
    """Open the data and the study, and search; what cannot be done stops here."""
    from mlp_data import load_data
    from mlp_search import Search, open_study

    from tinynorm import cuda

    if options.device == "cuda" and not cuda.is_available():
        stop(f"--device cuda: {cuda.why_not()}. Or search on the CPU: --device cpu")
    epochs = QUICK_EPOCHS if options.quick else Settings().epochs
    search = Search(options.dataset, options.seeds, epochs, options.seed)
    try:
        data = load_data(options.dataset, options.data_dir, SPLIT)
        with open_study(options.storage, search) as study:
            return searched(study, search, data, options)
    except (OSError, ValueError) as error:
        stop(error)


def searched(study: optuna.Study, search: Search, data: Data, options: argparse.Namespace) -> int:
    """The trials that are missing, and what follows from them."""
    from mlp_search import compare, finished, go_on

    done = len(finished(study))
    print(f"{len(data.x_train):,} images to train and judge on, {len(data.x_test):,} to test with in the end")
    print(f"{options.storage}: {done} of {options.trials} trials are done", flush=True)
    with progress("trial", options.trials, done) as bar:
        go_on(study, search, data, options.trials, options.device, lambda: step(bar, f"best loss {best_loss(study):.4f}"))
    if math.isinf(best_loss(study)):
        stop("no trial came to its end: the losses were not finite on these data, the default's included")
    new = range(options.seeds, options.seeds + options.new_seeds)
    best = search.settings(study.best_params)
    with progress("comparison", 2 * len(new), 0) as bar:
        test = compare(best, data, new, options.device, lambda: step(bar, ""))
    report(study, best, test, new, len(data.x_test))
    draw(study, test, new, options.plot)
    print(f"picture       {options.plot}")
    return 0


def progress(what: str, total: int, done: int) -> Any:
    """A bar on a terminal; elsewhere `step` prints lines."""
    from tqdm import tqdm

    return tqdm(desc=what, total=total, initial=done, disable=None, dynamic_ncols=True)


def step(bar: Any, text: str) -> None:
    bar.set_postfix_str(text, refresh=False)
    bar.update()
    if bar.disable:
        bar.n += 1  # a disabled bar does not count
        if bar.n % -(-bar.total // 10) == 0 or bar.n == bar.total:  # about ten lines
            print(f"{bar.n} of {bar.total} {text}", flush=True)


def best_loss(study: optuna.Study) -> float:
    """The least validation loss of the trials that came to their end."""
    from mlp_search import judged

    return min((trial.values[0] for trial in judged(study)), default=math.inf)


# ---- after -----------------------------------------------------------------------------------------------------------


def report(study: optuna.Study, best: Settings, test: Comparison, new: range, images: int) -> None:
    """What was found, on the validation parts and on the test data, and what it is worth."""
    from mlp_search import DEFAULT, finding, finished, judged

    trial, default = study.best_trial, next((t for t in judged(study) if t.params == DEFAULT), None)
    ended = len(finished(study)) - len(judged(study))
    print(f"\nbest found    trial {trial.number} of {len(finished(study))} ({ended} ended early): {command(best)}")
    print(f"validation    loss {trial.value:.4f}, accuracy {trial.user_attrs['accuracy']:.2%}", end="")
    print(f"; default: {default.value:.4f}, {default.user_attrs['accuracy']:.2%}" if default else "")
    print(f"test          new seeds {new[0]} to {new[-1]}, mean ± standard deviation, difference [95 % interval]")
    for what, digits, scale, unit in (("loss", 4, 1, ""), ("accuracy", 2, 100, " %")):
        best_of, default_of = (s.text(digits, scale, unit) for s in test.of(f"test_{what}")[:2])
        print(f"  {what:<11} best {best_of}, default {default_of}: {test.of(f'test_{what}')[2].text(digits, scale)}")
    print(finding(test))
    print(f"(One test part of {images:,} images for all: the interval is over first weights and orders of batches.)")


def command(best: Settings) -> str:
    """The main job with these settings, as on the command line."""
    default = Settings(optimizer=best.optimizer)
    given = [(name, value) for name, value in asdict(best).items() if value != getattr(default, name)]
    if best.optimizer != Settings().optimizer:
        given.insert(0, ("optimizer", best.optimizer))
    return " ".join(["train_mlp.py", *(f"--{name.replace('_', '-')} {show(value)}" for name, value in given)])


def draw(study: optuna.Study, test: Comparison, new: range, path: Path) -> None:
    """The validation loss of each trial, and the test accuracy of each new seed."""
    from experiments.plots import axes_of
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
    from mlp_search import DEFAULT, finished, judged

    figure, (left, right) = axes_of(2, width=11, height=4.5)
    whole_ones, ended = judged(study), [t for t in finished(study) if t not in judged(study)]
    numbers = [trial.number for trial in whole_ones]
    losses = np.array([trial.value for trial in whole_ones])
    left.plot(numbers, losses, "o", color="tab:blue", label="trial")
    cut = [(t.number, list(t.intermediate_values.values())[-1]) for t in ended if t.intermediate_values]
    left.plot(*zip(*cut, strict=True) if cut else ([], []), "x", color="tab:gray", label="ended early (loss so far)")
    left.step(numbers, np.minimum.accumulate(losses), where="post", color="tab:blue", label=f"best: {losses.min():.4f}")
    for trial in whole_ones:
        if trial.params == DEFAULT:
            left.axhline(trial.value, color="tab:orange", linestyle="--", label=f"default: {trial.value:.4f}")
            break
    left.set(xlabel="trial", ylabel="validation loss (nats), logarithmic", yscale="log", title="the search")
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))  # 0.05, not 5 x 10^-2
    left.yaxis.set_minor_formatter(NullFormatter())
    for runs, style, name in (
        (test.best, {"color": "tab:blue", "marker": "o"}, "best found"),
        (test.default, {"color": "tab:orange", "marker": "s", "fillstyle": "none"}, "default"),
    ):
        accuracy = [100 * run["test_accuracy"] for run in runs]
        right.plot(new, accuracy, linestyle="", label=f"{name} (mean: {np.mean(accuracy):.2f} %)", **style)
    difference = test.of("test_accuracy")[2].text(2, 100)
    right.set(xlabel="new seed", ylabel="test accuracy (%)", title=f"test: best - default {difference} points")
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    sys.exit(main())
