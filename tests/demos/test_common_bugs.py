"""Each mistake of the demo has the symptom that it is shown with, and its repair does not."""

import inspect
import subprocess
import sys

import common_bugs
import numpy as np
import pytest

import tinynorm as tn
from tinynorm import nn

BUGS = {bug.name: bug for bug in common_bugs.BUGS}


@pytest.fixture(scope="module")
def measured():
    """What was measured of each pair: name -> (faulty, repaired)."""
    with np.errstate(all="ignore"):
        return {name: (bug.measure(bug.wrong), bug.measure(bug.right)) for name, bug in BUGS.items()}


def of(found, begin):
    """The figures of the faulty and the repaired listing whose name begins so."""
    return tuple(next(value for name, value in one.items() if name.startswith(begin)) for one in found)


@pytest.mark.parametrize("name", BUGS)
def test_the_symptom_is_there_and_goes_with_the_repair(name, measured):
    faulty, repaired = measured[name]
    assert faulty.keys() == repaired.keys()
    assert BUGS[name].seen(faulty)
    assert not BUGS[name].seen(repaired)


@pytest.mark.parametrize("N", [2, 4, 32])
def test_the_unbiased_variance_shrinks_the_output(N, measured):
    wrong, right = of(measured["variance"], f"spread of the output, N = {N}")
    assert wrong == pytest.approx(np.sqrt((N - 1) / N), rel=1e-3)
    assert right == pytest.approx(1, rel=1e-3)
    wrong, right = of(measured["variance"], "largest difference")
    assert wrong > 0.1
    assert right < 1e-5


def test_eps_outside_the_root_makes_nan_and_another_scale(measured):
    wrong, right = of(measured["eps"], "the loss in three steps")
    assert np.isfinite(wrong).tolist() == [True, False, False]
    assert right[2] < right[1] < right[0]
    wrong, right = of(measured["eps"], "spread of the output")
    expected, _ = of(measured["eps"], "the same of nn.BatchNorm1d")
    assert wrong > 3 * expected
    assert right == pytest.approx(expected, rel=1e-4)
    x = tn.ones(4, 2, requires_grad=True)
    x.std(0, unbiased=False).sum().backward()
    assert not x.grad.numpy().any()  # as the text says


def test_running_statistics_hold_the_graph(measured):
    assert of(measured["graph"], "shape") == ((1, 32), (32,))
    wrong, right = of(measured["graph"], "nodes")
    assert wrong > 4 * common_bugs.STEPS
    assert right == 0
    wrong, right = of(measured["graph"], "bytes that each step adds")
    assert wrong > 2000
    assert right < wrong / 4
    for what, says in (("loaded", "expected shape (32,), got (1, 32)"), ("a backward pass", "already been differentiated")):
        wrong, right = of(measured["graph"], what)
        assert says in wrong
        assert right == "works"


def test_without_gamma_the_loss_has_a_floor(measured):
    wrong, right = of(measured["affine"], "loss")
    floor = np.log(1 + 9 * np.exp(-10 / 3))
    assert floor - 1e-4 < wrong < floor + 1e-3
    assert right < 0.01


def test_the_flag_hides_the_method(measured):
    wrong, right = of(measured["switch"], "layer.train()")
    assert wrong == "TypeError: 'bool' object is not callable"
    assert right == "works"
    with pytest.raises(AttributeError, match="it is a method of the module"):
        nn.Identity().train = True


def test_a_batch_of_one_says_nothing_and_spoils_the_statistics(measured):
    assert of(measured["one"], "rows in the last batch") == (1, 32)
    for what in ("largest output", "largest gradient"):
        wrong, right = of(measured["one"], what)
        assert wrong == 0
        assert right > 0.1
    wrong, right = of(measured["one"], "running_var")
    assert np.isnan(wrong).all()
    assert np.isfinite(right).all()
    with pytest.raises(ValueError, match="more than one value per channel"):
        nn.BatchNorm1d(4)(tn.randn(1, 4))


def test_the_evaluation_is_wrong_and_lost(measured):
    assert of(measured["evaluation"], "it returns") == (None, 96 / 97)
    assert of(measured["evaluation"], "it prints") == ("accuracy 0.7500", "nothing")


def test_the_bias_has_no_effect_and_moves(measured):
    wrong, _ = measured["bias"]
    assert of([wrong], "largest gradient of the bias")[0] < 1e-5 * of([wrong], "largest gradient of a weight")[0]
    assert of([wrong], "how far")[0] > 1e-4
    assert of([wrong], "change of the output")[0] < 1e-4
    assert of(measured["bias"], "parameters") == (2474, 2442)


def test_the_repaired_layer_is_batch_norm():
    tn.manual_seed(0)
    ours, layer = common_bugs.RightRunning(8), nn.BatchNorm1d(8, affine=False)
    for _ in range(5):
        x = 3 * tn.randn(16, 8) + 2
        np.testing.assert_allclose(ours(x).numpy(), layer(x).numpy(), rtol=1e-5, atol=1e-5)
    for name in ("running_mean", "running_var"):
        np.testing.assert_allclose(getattr(ours, name).numpy(), getattr(layer, name).numpy(), rtol=1e-5)
    np.testing.assert_allclose(ours.eval()(x).numpy(), layer.eval()(x).numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", BUGS)
def test_what_is_shown_is_what_runs(name):
    """Each listing is complete, and its changed lines are marked."""
    bug = BUGS[name]
    for sign, lines, listing in zip("-+", common_bugs.marked(bug), (bug.wrong, bug.right), strict=True):
        shown = [line[2:] for line in lines]
        assert shown == [
            line.rstrip() for line in inspect.getsource(listing).replace(listing.__name__, bug.called).splitlines()
        ]
        changed = [line for line in lines if line.startswith(sign)]
        assert changed
        assert any("  # " in line for line in changed)


def test_it_runs_as_a_reader_runs_it():
    command = [sys.executable, common_bugs.__file__, "--only", "switch", "--only", "evaluation"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("symptom:") == done.stdout.count("Repair.") == 2
    assert "it returns: None" in done.stdout
    assert "--only bias" not in done.stdout


def test_all_are_told(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["common_bugs.py"])
    common_bugs.main()
    said = capsys.readouterr().out
    assert all(f"{number}. {bug.title}" in said for number, bug in enumerate(common_bugs.BUGS, 1))
    assert max(map(len, said.splitlines())) <= 128
