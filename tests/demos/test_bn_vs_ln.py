"""The report of experiments: what it computes from rows, that it goes on where it was interrupted, and what it writes."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import DEMOS, events
from experiments import base, nets, plots, report, running

ROWS = [{"norm": n, "seed": s, "x": x, "y": s + x} for n in ("BN", "LN") for s in (0, 1, 2) for x in (1, 2)]


def test_values_are_those_of_the_rows_that_fit():
    np.testing.assert_array_equal(base.values(ROWS, "y", norm="LN", x=2), [2, 3, 4])


def test_a_spread_is_the_mean_and_the_standard_deviation_over_seeds():
    assert base.spread([1, 2, 3]) == (2.0, 1.0, 3)
    assert base.spread([0.97, 0.99]).text(1, 100, " %") == "98.0 ± 1.4 %"


def test_a_difference_is_paired_by_seed():
    d = base.difference([11.0, 21.0, 31.1], [10.0, 20.0, 30.0])  # what the seeds have in common goes out
    assert d.mean == pytest.approx(1.0333, abs=1e-4)
    assert d.sign == 1
    assert base.difference([1.0, 2.0, 0.0], [1.1, 1.8, 0.0]).sign == 0  # the seeds do not tell
    assert base.difference([0.0, 0.1], [5.0, 5.0]).sign == -1
    assert base.difference([1.0], [0.0]).sign == 0  # one seed tells nothing
    assert base.difference([1.0], [0.0]).text(unit=" points") == "+1.0 points [one seed]"


def test_lines_go_through_the_means_and_bands_from_the_least_to_the_most():
    x, mean, low, high = plots.by_x(ROWS, "x", "y", norm="BN")
    assert (x.tolist(), mean.tolist(), low.tolist(), high.tolist()) == ([1, 2], [2, 3], [1, 2], [3, 4])


def test_every_experiment_is_whole_in_both_languages():
    for e in running.experiments([]):
        assert re.fullmatch(r"E\d+", e.key)
        for text in (e.title, e.question, e.how):
            assert not re.search(r"[\u4e00-\u9fff]", text.en), text.en
            assert re.search(r"[\u4e00-\u9fff]", text.zh), text.zh
        s = {**e.full, "device": "cpu"}
        arms = e.arms(s)
        assert len({json.dumps(arm, sort_keys=True) for arm in arms}) == len(arms), "two arms are the same"


def call(out, *more, speed=("--quick",)):
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    settings = [*speed, "--only", "E1", "--seeds", "1", "--processes", "1", "--out", str(out), *more]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "start_new_session": True}
    # a job in the background is started with SIGINT ignored, and so are its children
    pipes["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen([sys.executable, str(DEMOS / "bn_vs_ln.py"), *settings], env=env, **pipes)


def finish(process):
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return said


@pytest.mark.long  # half a minute of training and drawing
def test_interrupted_it_goes_on_where_it_was(tmp_path):
    process = call(tmp_path / "a")
    assert "1 of 3 runs" in process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does: to all its processes
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "the same command goes on from there" in said
    assert "Traceback" not in said
    assert re.match("[12] of 3 runs are on file already", finish(call(tmp_path / "a", "--log-dir", str(tmp_path / "logs"))))
    watched = list((tmp_path / "logs" / "E1").iterdir())
    assert len(watched) == 3  # those on file too
    assert all({"loss", "test_accuracy"} == {tag for _, tag, _ in events(run)} for run in watched)
    finish(call(tmp_path / "b", "--lang", "zh"))
    a, b = (tmp_path / name / "quick" for name in "ab")
    assert (a / "E1.csv").read_text() == (b / "E1.csv").read_text()
    html = (b / "report.html").read_text(encoding="utf-8")
    assert "训练步数" in html
    assert not re.search(r'(src|href)="http', html)  # it needs nothing from elsewhere


@pytest.mark.long
def test_interrupted_it_does_not_wait_for_the_runs_under_way(tmp_path):
    process = call(tmp_path, speed=())  # of which one takes some 20 s
    time.sleep(5)
    os.kill(process.pid, signal.SIGINT)  # by `kill`: only the first of its processes
    started = time.perf_counter()
    said, _ = process.communicate(timeout=120)  # all of them have ended then
    assert process.returncode == 130, said
    assert time.perf_counter() - started < 5


def test_a_line_that_was_cut_off_is_done_again(tmp_path):
    runner = running.Runner(tmp_path, quick=True, seeds=1, device="cpu")
    e = running.load("E1")
    name = runner.tasks(e)[0].name
    (tmp_path / "runs" / "E1.jsonl").write_text(json.dumps({"name": name, "seconds": 1, "rows": []}) + '\n{"name": "')
    assert list(runner.done(e)) == [name]


FILES = {  # a small copy of the house: who imports whom, as the experiments do
    "experiments/e01_one.py": "from . import facts\nfrom .base import Row\nfrom .plots import band\n",
    "experiments/e02_two.py": "from .base import Row\ndef run():\n    from .e01_one import net\n",
    "experiments/e03_three.py": "import numpy\nfrom .base import Row\n",
    "experiments/base.py": "from __future__ import annotations\n",
    "experiments/facts.py": "import mlp_data\n",
    "experiments/plots.py": "from .base import Row\n",
    "mlp_data.py": "from tinynorm.utils.datasets import mnist\n",
    "train_mlp.py": "import mlp_data\n",
}


@pytest.mark.parametrize(
    ("changed", "anew"),
    [
        ("experiments/e01_one.py", "12"),
        ("experiments/e02_two.py", "2"),
        ("experiments/e03_three.py", "3"),
        ("experiments/base.py", "123"),
        ("experiments/facts.py", "12"),
        ("mlp_data.py", "12"),
        ("experiments/plots.py", ""),  # draws
        ("train_mlp.py", ""),
    ],
)
def test_runs_are_done_anew_when_the_code_of_their_experiment_has_changed(changed, anew, tmp_path):
    codes = []
    for folder, more in (("before", ""), ("after", "# another\n")):
        for name, text in FILES.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + more * (name == changed))
        codes.append([running.code(path) for path in sorted(tmp_path.glob(f"{folder}/experiments/e0*.py"))])
    assert "".join(str(n) for n, before, after in zip((1, 2, 3), *codes, strict=True) if before != after) == anew


def test_an_experiments_own_code_is_found():
    found = {path.name for path in running.sources(DEMOS / "experiments" / "e01_speed.py")}
    assert {"e01_speed.py", "nets.py", "base.py", "mlp_data.py"} <= found


def test_a_run_has_another_name_and_label_with_other_code(monkeypatch):
    e1 = running.load("E1")

    def task():
        return running.Task(e1, {"norm": "BN", "batch": 2}, 3, {"steps": 1})

    one, again = task(), task()
    monkeypatch.setattr(running, "code", lambda experiment: "other")
    assert one.name == again.name != task().name
    assert one.label == again.label != task().label
    assert re.fullmatch("BN-2-seed3-[0-9a-f]{8}", one.label)


def test_an_unknown_experiment_is_told():
    said = subprocess.run([sys.executable, DEMOS / "bn_vs_ln.py", "--only", "E99"], capture_output=True, text=True)
    assert said.returncode == 2
    assert "there is no such experiment; they are E1, " in said.stderr


def test_a_table_shows_its_cells_as_they_are():
    shown = "<table><tr><th>a&lt;b</th><th>c</th></tr><tr><td>1</td><td>2</td></tr></table>"
    assert report.grid([["a<b", "c"], ["1", "2"]]) == shown


@pytest.fixture(scope="module")
def fake_mnist(tmp_path_factory):
    """A folder with MNIST's four files: random images, 200 of each class to train on and 40 to test with."""
    folder, rng = tmp_path_factory.mktemp("mnist"), np.random.default_rng(0)
    for part, size in (("train", 2000), ("t10k", 400)):
        images, labels = rng.integers(0, 256, (size, 28, 28), np.uint8), np.tile(np.arange(10, dtype=np.uint8), size // 10)
        for kind, a in (("images-idx3", images), ("labels-idx1", labels)):
            head = bytes([0, 0, 8, a.ndim]) + np.array(a.shape, ">u4").tobytes()
            (folder / f"{part}-{kind}-ubyte").write_bytes(head + a.tobytes())
    return str(folder)


@pytest.mark.parametrize(
    ("key", "few"), [("E1", {"steps": 4, "every": 2}), pytest.param("E12", {"steps": 2, "every": 1}, marks=pytest.mark.long)]
)
def test_experiments_run_on_mnist_and_on_a_gpu(key, few, fake_mnist, gpu):
    e = running.load(key)
    s = {**e.full, **e.quick, **few, "device": "cuda", "dataset": "mnist", "data dir": fake_mnist}
    rows = e.run(e.arms(s)[1], 0, s)
    assert len(rows) >= 2
    assert all(0 <= row[name] <= 1 for row in rows for name in row if "accuracy" in name)
    assert np.isfinite([row["loss"] for row in rows if row.get("step") and "loss" in row]).all()  # at step 0 there is none yet


def test_of_mnist_as_many_images_of_each_class_are_taken_as_of_the_digits(fake_mnist):
    data = nets.of_mnist("mnist", fake_mnist, 0)
    assert data.x_train.shape == (1440, 784)
    assert np.bincount(data.y_train).tolist() == [144] * 10
    assert np.bincount(data.y_test).tolist() == [36] * 10
    assert 0 <= data.x_train.min() < data.x_train.max() <= 1
    assert (nets.of_mnist("mnist", fake_mnist, 1).x_train != data.x_train).any()
