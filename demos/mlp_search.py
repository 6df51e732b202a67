"""The search of search.py: what is varied, how a trial is judged, and how the best found is compared with the default."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna
from experiments.base import Difference, Spread, difference, spread
from mlp_data import Data, scaled
from mlp_options import CHOICES, LEARNING_RATES, Settings
from mlp_training import Training, finite
from optuna.trial import FrozenTrial, Trial, TrialState

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
VALIDATION = 0.2  # of the training data: as much as the test part is of the digits
WIDTHS, BATCHES, WEIGHT_DECAYS = (32, 64, 128, 256), (16, 32, 64, 128), (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
DEFAULT = {  # the main job's default, as a trial: the search begins with it
    "optimizer": "adam",
    "lr factor": 1.0,
    "norm": "batch",
    "activation": "relu",
    "schedule": "cosine",
    "batch size": 64,
    "weight decay": 0.0,
    "width": 128,
    "depth": 2,
}


class Search(NamedTuple):
    """What makes two searches comparable: a study on file goes on with the same only."""

    dataset: str
    seeds: int
    epochs: int
    seed: int

    def settings(self, p: dict[str, Any], seed: int = 0) -> Settings:
        """The main job's settings of a trial's parameters."""
        return Settings(
            dataset=self.dataset,
            norm=p["norm"],
            hidden=[p["width"]] * p["depth"],
            activation=p["activation"],
            epochs=self.epochs,
            batch_size=p["batch size"],
            lr=float(f"{LEARNING_RATES[p['optimizer']] * p['lr factor']:.3g}"),  # as it is printed
            optimizer=p["optimizer"],
            weight_decay=p["weight decay"],
            schedule=p["schedule"],
            seed=seed,
        )


def suggest(trial: Trial) -> dict[str, Any]:
    """The parameters of a trial. The learning rate is up to ten times the optimiser's own, or down to a tenth of it."""
    return {
        "optimizer": trial.suggest_categorical("optimizer", CHOICES["optimizer"]),
        "lr factor": trial.suggest_float("lr factor", 0.1, 10, log=True),
        "norm": trial.suggest_categorical("norm", CHOICES["norm"]),
        "activation": trial.suggest_categorical("activation", CHOICES["activation"]),
        "schedule": trial.suggest_categorical("schedule", CHOICES["schedule"]),
        "batch size": trial.suggest_categorical("batch size", BATCHES),
        "weight decay": trial.suggest_categorical("weight decay", WEIGHT_DECAYS),
        "width": trial.suggest_categorical("width", WIDTHS),
        "depth": trial.suggest_int("depth", 1, 4),
    }


# ---- the search ------------------------------------------------------------------------------------------------------


def validation_part(data: Data, seed: int) -> Data:
    """Of the training data 80 % to train on and, in the place of the test data, 20 % to judge by; the test data stay out."""
    from sklearn.model_selection import train_test_split

    parts = train_test_split(data.x_train, data.y_train, test_size=VALIDATION, stratify=data.y_train, random_state=seed)
    x, x_held, y, y_held = parts
    return scaled(x, y, x_held, y_held)


def trained(settings: Settings, data: Data, device: str) -> dict[str, float]:
    """The figures of a run's last epoch, or of the first one that is not finite."""
    training = Training(settings, data, device)
    for _ in range(settings.epochs):
        with np.errstate(all="ignore"):  # a rate that is too high overflows, and its loss tells so
            entry = training.epoch()
        if not finite(entry):
            break
    return entry


def objective(search: Search, parts: list[Data], device: str) -> Callable[[Trial], float]:
    """The mean validation loss over the seeds. A trial whose loss is not finite, or above the median of others, ends early."""

    def judge(trial: Trial) -> float:
        p = suggest(trial)
        losses, accuracies = [], []
        for seed, part in enumerate(parts):
            entry = trained(search.settings(p, seed), part, device)
            if not finite(entry):
                raise optuna.TrialPruned(f"the loss became {entry['train_loss']}")
            losses.append(entry["test_loss"])
            accuracies.append(entry["test_accuracy"])
            trial.report(float(np.mean(losses)), seed)
            if seed + 1 < len(parts) and trial.should_prune():
                raise optuna.TrialPruned
        trial.set_user_attr("accuracy", float(np.mean(accuracies)))
        return float(np.mean(losses))

    return judge


@contextmanager
def open_study(storage: Path, search: Search) -> Iterator[optuna.Study]:
    """The study in an SQLite file, new or as it was left; the file is closed at the end.

    Raises
    ------
    ValueError
        The file holds another search, or is none.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage.parent.mkdir(parents=True, exist_ok=True)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=5)
    try:
        database = optuna.storages.RDBStorage(f"sqlite:///{storage}")
        study = optuna.create_study(storage=database, study_name="train_mlp", load_if_exists=True, pruner=pruner)
    except Exception as error:  # SQLAlchemy's, of many kinds: no database, a locked one, one of another program
        told = str(error).splitlines()[0]
        raise ValueError(f"--storage {storage}: expected an Optuna study or no file; SQLite says: {told}") from error
    try:
        saved, asked = study.user_attrs.get("search"), search._asdict()
        if saved is None:
            study.set_user_attr("search", asked)
        elif saved != asked:
            other = [f"{name} {saved.get(name)}, not {value}" for name, value in asked.items() if saved.get(name) != value]
            raise ValueError(
                f"--storage {storage} holds a search with {'; '.join(other)}. Ask for the same, or give another file"
            )
        yield study
    finally:
        database.engine.dispose()


def go_on(study: optuna.Study, search: Search, data: Data, trials: int, device: str, after: Callable[[], object]) -> None:
    """Do the trials that are missing. Interrupted and resumed, a search has the same trials as one that ran through.

    For that, the sampler of each trial has a seed of its own, and what was interrupted in a trial is done anew.
    """
    judge = objective(search, [validation_part(data, seed) for seed in range(search.seeds)], device)
    while (done := len(finished(study))) < trials:
        if not done and not study.get_trials(deepcopy=False, states=[TrialState.WAITING]):
            study.enqueue_trial(DEFAULT)
        study.sampler = optuna.samplers.TPESampler(seed=int(np.random.SeedSequence([search.seed, done]).generate_state(1)[0]))
        study.optimize(judge, n_trials=1)
        after()


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that are done, in order: judged with all seeds, or ended early."""
    return study.get_trials(deepcopy=False, states=FINISHED)


def judged(study: optuna.Study) -> list[FrozenTrial]:
    """Those that have a value: judged with all seeds."""
    return study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])


# ---- after -----------------------------------------------------------------------------------------------------------


class Comparison(NamedTuple):
    """Figures on the test data, by new seed: of the best found and of the default."""

    best: list[dict[str, float]]
    default: list[dict[str, float]]

    def of(self, what: str) -> tuple[Spread, Spread, Difference]:
        """Best, default, and best - default."""
        best, default = ([run[what] for run in runs] for runs in (self.best, self.default))
        return spread(best), spread(default), difference(best, default)


def compare(best: Settings, data: Data, seeds: range, device: str, after: Callable[[], object]) -> Comparison:
    """Train both on all training data with these seeds, and look at the test data for the first time."""
    default = Settings(dataset=best.dataset, epochs=best.epochs)
    found = Comparison([], [])
    for seed in seeds:
        for settings, runs in ((best, found.best), (default, found.default)):
            runs.append(trained(Settings(**{**asdict(settings), "seed": seed}), data, device))
            after()
    return found


def finding(test: Comparison) -> str:
    """The sentence that the differences bear out: by loss, which the search was for, and by accuracy."""
    loss, accuracy = (test.of(what)[2].sign for what in ("test_loss", "test_accuracy"))
    if test.best == test.default:
        return "The best found is the default."
    words = {1: "higher than the default's", -1: "lower than the default's"}
    told = [f"its test {what} is {words[sign]}" for what, sign in (("loss", loss), ("accuracy", accuracy)) if sign]
    untold = [what for what, sign in (("loss", loss), ("accuracy", accuracy)) if not sign]
    if not told:
        return "The seeds do not tell whether the best found is better than the default."
    rest = f"; by {untold[0]} the seeds do not tell" if untold else ""
    return f"Of the best found: {' and '.join(told)}{rest}."
