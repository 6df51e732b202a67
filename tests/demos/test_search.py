"""The search for hyperparameters: it goes on where it was, never sees the test data, and is compared over new seeds."""

import math
import re
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib.image
import mlp_data
import mlp_search
import numpy as np
import pytest
import search
from mlp_options import Settings

pytestmark = pytest.mark.no_cover
ARGUMENTS = ["--quick", "--trials", "3", "--seeds", "2", "--storage", "study.db"]


@pytest.fixture(autouse=True)
def tiny(tmp_path, monkeypatch):
    """Each test runs in a folder of its own, with networks and runs that are small."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(search, "QUICK_EPOCHS", 1)
    monkeypatch.setattr(mlp_search, "WIDTHS", (8, 16))
    monkeypatch.setattr(mlp_search, "BATCHES", (64, 128))
    monkeypatch.setitem(mlp_search.DEFAULT, "width", 8)
    return tmp_path


@pytest.fixture(scope="module")
def data():
    return mlp_data.load_data("digits", None, search.SPLIT)


def trials(storage="study.db", seeds=2):
    """Parameters, values and states of the trials that are done, of the study in a file."""
    with mlp_search.open_study(Path(storage), mlp_search.Search("digits", seeds, 1, 0)) as study:
        return [(t.params, t.value, t.state, t.intermediate_values) for t in mlp_search.finished(study)]


def refusal(*arguments):
    with pytest.raises(SystemExit) as info:
        search.main(list(arguments))
    return str(info.value.code)


def test_it_searches_compares_and_draws(capsys, monkeypatch):
    assert search.main(ARGUMENTS) == 0
    said = capsys.readouterr().out
    assert "3 of 3 best loss" in said
    assert "new seeds 2 to 6" in said
    assert re.search(r"accuracy +best \d+\.\d\d ± \d\.\d\d %, default \d+\.\d\d ± .* %: [+-]\d+\.\d\d \[[+-]", said)
    assert "One test part of 360 images" in said
    found = trials()
    assert len(found) == 3
    assert found[0][0] == mlp_search.DEFAULT  # the search begins with the main job's own
    assert f"validation    loss {min(value for _, value, *_ in found):.4f}" in said
    image = matplotlib.image.imread("study.png")[..., :3]
    for rgb in ((31, 119, 180), (255, 127, 14)):  # what was found is blue, the default orange
        assert (abs(image - np.array(rgb) / 255).max(2) < 0.01).sum() > 50
    monkeypatch.setattr(search, "searched", only_the_trials)
    assert search.main(ARGUMENTS) == 0  # nothing is missing: no trial is done again
    assert trials() == found


@pytest.mark.long
def test_interrupted_it_goes_on_to_the_same_trials(data, monkeypatch, capsys):
    monkeypatch.setattr(search, "searched", only_the_trials)
    assert search.main([*ARGUMENTS[:-1], "straight.db"]) == 0
    trained, count = mlp_search.trained, iter(range(9))

    def interrupted(*arguments):
        if next(count) == 3:  # the second trial's second seed
            raise KeyboardInterrupt
        return trained(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(mlp_search, "trained", interrupted)
        assert search.main(ARGUMENTS) == 130
    said = capsys.readouterr().out
    assert "study.db holds the trials that are done" in said
    assert len(trials()) == 1
    command = shlex.split(said.strip().splitlines()[-1])
    assert search.main(command[2:]) == 0
    assert trials() == trials("straight.db")
    assert len({str(parameters) for parameters, *_ in trials()}) == 3


def only_the_trials(study, what, data, options):
    mlp_search.go_on(study, what, data, options.trials, "cpu", lambda: print(end=""))
    return 0


@pytest.mark.long
def test_the_choice_never_sees_the_test_data(data):
    what = mlp_search.Search("digits", 2, 1, 0)
    for name, given in (("a.db", data), ("b.db", data._replace(x_test=np.full_like(data.x_test, np.nan)))):
        with mlp_search.open_study(Path(name), what) as study:
            mlp_search.go_on(study, what, given, 2, "cpu", lambda: None)
    assert trials("a.db") == trials("b.db")
    assert all(math.isfinite(value) for _, value, *_ in trials("a.db"))


def test_a_validation_part_is_a_fifth_of_the_training_data_by_class_and_seed(data):
    numbered = data._replace(x_train=np.arange(len(data.x_train) * 64, dtype=np.float64).reshape(-1, 64))
    parts = [mlp_search.validation_part(numbered, seed) for seed in (0, 0, 1)]
    one = parts[0]
    assert one.fingerprint == parts[1].fingerprint != parts[2].fingerprint
    assert (len(one.x_train), len(one.x_test)) == (1149, 288)
    assert len(np.unique(np.concatenate([one.x_train, one.x_test])[:, 0])) == 1437  # no row is in both
    np.testing.assert_allclose(np.bincount(one.y_test) / np.bincount(data.y_train), 0.2, atol=0.01)


def test_a_trial_that_diverges_ends_early(data, monkeypatch):
    monkeypatch.setattr(mlp_search, "trained", lambda *_: {"train_loss": math.nan, "test_loss": math.nan})
    assert "no trial came to its end" in refusal(*ARGUMENTS)
    assert [state.name for _, _, state, _ in trials()] == ["PRUNED"] * 3


@pytest.mark.long
def test_the_comparison_trains_on_all_training_data_with_the_new_seeds(data):
    best = Settings(hidden=[8], epochs=1, norm="none")
    default = Settings(epochs=1)
    seen = []
    test = mlp_search.compare(best, data, range(7, 9), "cpu", lambda: seen.append(1))
    assert len(seen) == 4
    for settings, runs in ((best, test.best), (default, test.default)):
        assert runs == [mlp_search.trained(replace(settings, seed=seed), data, "cpu") for seed in (7, 8)]


@pytest.mark.parametrize(
    ("losses", "accuracies", "sentence"),
    [
        ((-0.1, -0.2, -0.15), (0.01, 0.02, 0.015), "test loss is lower than the default's and its test accuracy is higher"),
        ((-0.1, -0.2, -0.15), (0.01, -0.02, 0.0), "test loss is lower than the default's; by accuracy the seeds do not tell"),
        ((0.1, 0.2, 0.15), (0.01, -0.02, 0.0), "test loss is higher than the default's; by accuracy the seeds do not tell"),
        ((0.1, -0.2, 0.15), (0.01, -0.02, 0.0), "The seeds do not tell whether the best found is better"),
        ((0, 0, 0), (0, 0, 0), "The best found is the default."),
    ],
)
def test_the_sentence_is_what_the_intervals_bear_out(losses, accuracies, sentence):
    default = [{"test_loss": 1.0 + seed, "test_accuracy": 0.9 + seed / 100} for seed in range(3)]
    moved = zip(default, losses, accuracies, strict=True)
    best = [{"test_loss": run["test_loss"] + a, "test_accuracy": run["test_accuracy"] + b} for run, a, b in moved]
    assert sentence in mlp_search.finding(mlp_search.Comparison(best, default))


def test_the_defaults_of_search_and_main_job_are_the_same(monkeypatch):
    monkeypatch.setitem(mlp_search.DEFAULT, "width", 128)
    assert mlp_search.Search("digits", 5, 30, 0).settings(mlp_search.DEFAULT) == Settings()


def test_the_best_is_told_as_a_command_of_the_main_job():
    from mlp_options import parser, settings_of

    best = Settings(norm="rms", hidden=[8, 8], lr=0.02, optimizer="sgd", weight_decay=1e-4, epochs=5)
    words = search.command(best).split()
    assert words[0] == "train_mlp.py"
    assert settings_of(parser().parse_args(words[1:])) == best


@pytest.mark.long
def test_a_file_of_another_search_or_of_none_is_refused():
    search.main(["--quick", "--trials", "1", "--seeds", "1", "--storage", "study.db"])
    said = refusal(*ARGUMENTS)
    assert "--storage study.db holds a search with seeds 1, not 2. Ask for the same, or give another file" in said
    Path("text.db").write_text("hello" * 100)
    assert "--storage text.db: expected an Optuna study or no file" in refusal("--quick", "--storage", "text.db")


def test_without_optuna_there_is_the_pip_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    said = refusal()
    assert "not installed: Optuna" in said
    assert "-m pip install -e '.[demos,search]'" in said


def test_a_comparison_of_fewer_than_five_seeds_is_refused(capsys):
    refusal("--new-seeds", "4")
    assert "--new-seeds: expected a whole number of at least 5, got '4'" in capsys.readouterr().err
