"""The last chapter's tables are those of its file, and the file is what the demo writes."""

import json
from pathlib import Path

import pytest
import wrong_backward

from tinynorm import derivations
from tinynorm.derivations import mistakes

pytestmark = pytest.mark.no_cover  # twice as slow where each line is counted; other tests run these lines too

FILE = Path(mistakes.__file__).with_name("mistakes_training.json")
DATA = json.loads(FILE.read_text(encoding="utf-8"))
TABLES = {part.title: part for part in derivations.load("mistakes").parts if hasattr(part, "rows")}


def test_the_file_has_every_mistake_of_the_demo_and_enough_seeds():
    assert [row["mistake"] for row in DATA["rows"]][2:] == list(wrong_backward.WRONG)
    assert (DATA["seeds"], DATA["epochs"]) == (wrong_backward.SEEDS, wrong_backward.EPOCHS) == (5, 15)
    for row in DATA["rows"]:
        assert len(row["cosine"]) == len(row["sgd"]["accuracy"]) == len(row["adam"]["accuracy"]) == 5


def test_the_table_is_the_files():
    rows = TABLES["What training makes of each mistake"].rows()
    assert [row[0].strip("`") for row in rows] == [row["mistake"] for row in DATA["rows"]]
    for shown, row in zip(rows, DATA["rows"], strict=True):
        for key, loss, accuracy in (("sgd", *shown[2:4]), ("adam", *shown[4:6])):
            found = [100 * x for x in row[key]["accuracy"]]
            assert float(accuracy.split()[0]) == pytest.approx(sum(found) / 5, abs=0.051)
            assert (None in row[key]["loss"]) == (loss == "not finite")


def test_what_the_text_says_of_the_figures():
    mean = {(row["mistake"], key): sum(row[key]["accuracy"]) / 5 for row in DATA["rows"] for key in ("sgd", "adam")}
    right = {key: mean["right, with BatchNorm", key] for key in ("sgd", "adam")}
    assert abs(mean["batchnorm_missing_x_hat_term", "sgd"] - right["sgd"]) < 0.005
    assert mean["batchnorm_missing_mean_term", "adam"] < right["adam"] - 0.05
    assert mean["batchnorm_sums_for_means", "sgd"] < 0.6
    assert abs(mean["linear_bias_mean", "sgd"] - right["sgd"]) < 0.002
    assert mean["cross_entropy_mean_forgotten", "sgd"] < 0.2
    assert abs(mean["cross_entropy_mean_forgotten", "adam"] - right["adam"]) < 0.005
    for _, wrong, unseen, found in mistakes.unseen():
        assert wrong == found
        assert 0.4 < unseen / wrong < 0.7


def test_the_demo_runs_and_writes_such_a_file(tmp_path, monkeypatch, capsys):
    path = tmp_path / "quick.json"
    monkeypatch.setattr("sys.argv", ["wrong_backward.py", "--quick", "--json", str(path)])
    monkeypatch.setattr(wrong_backward, "WRONG", ("batchnorm_missing_x_hat_term", "cross_entropy_target_minus_softmax"))
    wrong_backward.main()
    data = json.loads(path.read_text(encoding="utf-8"))
    assert {*data} == {*DATA}
    right, _, no_x_hat, uphill = data["rows"]
    assert right["cosine"] == [1.0]
    assert 0.9 < no_x_hat["cosine"][0] < 1 - 1e-3
    assert no_x_hat["sgd"]["accuracy"][0] > 0.7
    assert uphill["cosine"][0] == pytest.approx(-1)
    assert uphill["adam"]["accuracy"][0] < 0.1
    assert "cross_entropy_target_minus_softmax" in capsys.readouterr().out


@pytest.mark.parametrize("name", wrong_backward.WRONG)
def test_each_mistake_is_put_into_the_network(name):
    """The loss is the right one's, the gradient is not."""
    data = wrong_backward.load_data("digits", None, 0)
    m = wrong_backward.mistakes.find(name)
    wrong, right = (wrong_backward.gradient(each, wrong_backward.norm_of(m), data, 0) for each in (m, None))
    assert wrong.shape == right.shape
    if name not in ("batchnorm_gamma_in_its_own_gradient", "linear_bias_mean"):  # γ is 1; the right gradient is 0
        assert abs(wrong - right).max() > 1e-3 * abs(right).max()
