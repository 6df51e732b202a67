"""The benchmark: its tables say what was measured, its targets what was missed, and disturbed bursts do not count."""

import argparse
import json
import os
import time

import benchmark
import benchmark_contenders
import benchmark_plot
import benchmark_process
import benchmark_targets
import numpy as np
import pytest

RESULTS = {
    "mlp": {"tinynorm": 2e-6, "captured": 1e-6, "torch": 3e-6, "gemm": 5e-7},
    "ReLU": {"tinynorm": 1e-6},
}
SLOWER = {"mlp": {"tinynorm": 2e-6, "captured": 2e-6, "torch": 5e-6, "gemm": 5e-7}}


def cells(grid):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in grid.splitlines()]


# ---- tables ------------------------------------------------------------------------------------------------------------


def test_a_contender_that_measured_nothing_has_no_column():
    header, _, mlp, relu = cells(benchmark.table([RESULTS]))
    assert header == ["case", "tinynorm", "captured", "torch", "roof", "of the roof"]
    assert mlp == ["mlp", "2.0", "1.0 (0.50x)", "3.0 (1.50x)", "0.5", "captured 2.00x"]
    assert relu == ["ReLU", "1.0", "-", "-", "-", "-"]
    assert cells(benchmark.table([{"ReLU": RESULTS["ReLU"]}]))[0] == ["case", "tinynorm"]


def test_several_occasions_show_the_median_ratio_and_how_far_it_went():
    row = cells(benchmark.table([RESULTS, SLOWER, SLOWER]))[2]
    assert row == ["mlp", "2.0", "2.0 (1.00x, 0.50-1.00)", "5.0 (2.50x, 1.50-2.50)", "0.5", "captured 4.00x, 2.00-4.00"]


def test_several_runs_are_merged_old_ones_too():
    bursts = {"all": 10, "disturbed": 2, "only disturbed": ["torch: mlp"]}
    new = {"command": ["new"], "occasions": [RESULTS, SLOWER], "bursts": bursts, "faults": {"mlp": {"torch": 5.0}}}
    figures = benchmark.merged([new, {"command": "old", "seconds": SLOWER, "peak_bytes": {"torch": 1.0}}, new])
    assert figures["command"] == ["new", "old", "new"]
    assert figures["occasions"] == [RESULTS, SLOWER, SLOWER, RESULTS, SLOWER]
    assert figures["seconds"]["mlp"]["torch"] == 5e-6
    assert figures["bursts"] == {"all": 20, "disturbed": 4, "only disturbed": ["torch: mlp"] * 2}
    assert (figures["faults"], figures["peak_bytes"]) == ({"mlp": {"torch": 5.0}}, {"torch": 1.0})


def test_times_beside_earlier_ones():
    old = {"mlp": {"tinynorm": 1e-6, "jax": 1.0}, "gone": {"torch": 1.0}}
    assert benchmark.compared(RESULTS, old) == "mlp: tinynorm 2.00"


# ---- targets -----------------------------------------------------------------------------------------------------------


def verdicts(case, *occasions, **figures):
    figures["occasions"] = [{case: by} for by in occasions]
    return {verdict.what: verdict.cells()[2:] for verdict in benchmark_targets.verdicts(figures)}


def test_a_missed_target_says_by_how_much():
    found = verdicts("mlp LayerNorm", {"captured": 1.0, "torch": 9.0, "torch-fused": 2.0, "jax": 3.0, "gemm": 1.0})
    assert found["captured: as fast as PyTorch"] == ["2.00x", "≥ 2.4x", "missed by 20 %"]
    assert found["captured: as fast as jax"] == ["3.00x", "≥ 1.8x", "met"]
    assert found["captured: of the bare products"] == ["1.00x", "≤ 1.3x", "met"]
    found = verdicts("mlp LayerNorm", *({"captured": 1.3 * t, "gemm": 1.0} for t in (1, 1.2, 1.3)))
    assert found == {"captured: of the bare products": ["1.56x (1.30-1.69)", "≤ 1.3x", "missed by 20 %"]}


def test_targets_beside_the_times():
    case = "mlp BatchNorm, 30 layers"
    found = verdicts(case, {"captured": 900e-6, "gemm": 600e-6}, peak_bytes={"tinynorm": 7.0, "torch": 10.0})
    assert found["captured: a block beyond its products"] == ["10.00 us", "≤ 20 us", "met"]
    assert found["tinynorm: of PyTorch"] == ["0.70x", "≤ 0.6x", "missed by 17 %"]
    found = verdicts(case, {}, {}, import_seconds={"tinynorm": 0.045})
    assert found["tinynorm: CPU time"] == ["45.00 ms", "≤ 30 ms", "missed by 50 %"]


def test_pytorch_that_has_page_faults_is_to_be_beaten_by_more():
    case, by = "LayerNorm 4096x1024", {"tinynorm": 1.0, "torch": 2.0}
    for faults, told in ((3.0, ["2.00x", "≥ 1.2x", "met"]), (8160.0, ["2.00x", "≥ 2.5x", "missed by 25 %"])):
        assert verdicts(case, by, faults={case: {"torch": faults}}) == {"tinynorm: as fast as torch": told}


def test_each_target_is_of_a_case_that_is_measured():
    known = {*benchmark_contenders.CASES, benchmark_process.MEMORY}
    contenders = {*benchmark_contenders.CONTENDERS, benchmark_targets.BEST}
    for cases, ours, _, other in benchmark_targets.AT_LEAST + benchmark_targets.AT_MOST:
        assert known.issuperset(cases)
        assert {ours, other} <= contenders


# ---- bursts ------------------------------------------------------------------------------------------------------------


def test_a_burst_says_what_a_call_takes(monkeypatch):
    monkeypatch.setattr(benchmark_process, "others_time", lambda: 0.0)
    asleep = benchmark_process.bursts(lambda: time.sleep(0.01), 0.05, "wall")
    assert len(asleep) == 3
    for burst in asleep:
        assert 0.01 <= burst["seconds"] < 0.1
        assert burst["disturbed"] is False
    assert benchmark_process.bursts(lambda: time.sleep(0.01), 0.05, "cpu")[0]["seconds"] < 0.005


def test_work_of_others_disturbs_a_burst(monkeypatch):
    monkeypatch.setattr(benchmark_process, "others_time", lambda: 0.5 * time.perf_counter())
    assert all(b["disturbed"] for b in benchmark_process.bursts(lambda: time.sleep(0.01), 0.05, "wall"))


def test_the_time_of_others(tmp_path, monkeypatch):
    """All that the processors did, what was stolen from them too, less idling, waiting and this process's own."""
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 20 50 99999 9999 1 2 27 55 0\ncpu0 1 1 1\n")
    monkeypatch.setattr(benchmark_process, "Path", lambda name: stat)
    monkeypatch.setattr(time, "process_time", lambda: 0.5)
    assert benchmark_process.others_time() == 200 / os.sysconf("SC_CLK_TCK") - 0.5
    stat.unlink()
    assert benchmark_process.others_time() == 0.0


def fake(answers):
    """A contender's process that gives these bursts."""

    class Worker:
        def __init__(self, contender, device, clock):
            self.contender = contender

        def ask(self, case, seconds=0.0):
            return answers[self.contender]

        def close(self):
            pass

    return Worker


def test_disturbed_bursts_are_left_out_and_counted(monkeypatch):
    def bursts(*seconds, disturbed=False):
        return [{"seconds": s, "faults": 1.0, "disturbed": disturbed} for s in seconds]

    answers = {"tinynorm": bursts(1.0, 2.0, 3.0) + bursts(90.0, disturbed=True), "jax": None}
    answers["torch"] = bursts(4.0, disturbed=True)
    monkeypatch.setattr(benchmark, "Worker", fake(answers))
    monkeypatch.setattr(benchmark, "PAUSE", 0)
    args = argparse.Namespace(device="cpu", rounds=2, seconds=0.1)
    found = benchmark.measure(list(answers), ["mlp"], args, "cpu")
    assert found["occasions"] == [{"mlp": {"tinynorm": 2.0, "torch": 4.0}}]
    assert found["bursts"] == {"all": 10, "disturbed": 4, "only disturbed": ["torch: mlp"]}


def test_a_contender_has_a_process_of_its_own():
    worker = benchmark_process.Worker("copy", "cpu", "cpu")
    assert worker.ask("a + b, recorded", 0.01) is None
    assert 0 < worker.ask("ReLU 64x128", 0.01)[0]["seconds"] < 0.01
    worker.close()
    assert worker.process.returncode == 0


def test_the_whole_program(tmp_path, monkeypatch, capsys):
    file = tmp_path / "a.json"
    argv = ["benchmark.py", "--only", "P[i]", "--contenders", "tinynorm", "--rounds", "1", "--seconds", "0.01"]
    monkeypatch.setattr(benchmark, "PAUSE", 0)
    monkeypatch.setattr(benchmark, "limit", lambda threads: None)  # this process goes on to other tests
    monkeypatch.setattr("sys.argv", [*argv, "--occasions", "2", "--json", str(file)])
    benchmark.main()
    figures = json.loads(file.read_text())
    assert [list(o) for o in figures["occasions"]] == [["small: P[i]"]] * 2
    assert (figures["clock"], figures["threads"], figures["bursts"]["all"]) == ("cpu", 1, 6)
    monkeypatch.setattr("sys.argv", ["benchmark.py", "--merge", str(file), str(file), "--targets"])
    capsys.readouterr()
    benchmark.main()
    said = capsys.readouterr().out
    assert "Medians of 4 occasions" in said
    assert "of 12 bursts; these are left out" in said


# ---- the picture -------------------------------------------------------------------------------------------------------


def test_the_picture_names_each_line(tmp_path):
    from matplotlib import pyplot as plt

    seconds = {
        case: {c: 1e-4 * n * (1 + k / 100) for k, c in enumerate(benchmark_plot.LINES)}
        for cases in benchmark_contenders.SCALING.values()
        for n, case in cases.items()
    }
    seconds["small: P[i]"] = {"tinynorm": 1e-9}  # is not drawn
    figures, close = [], plt.close
    try:
        plt.close = figures.append
        benchmark_plot.draw(seconds, str(tmp_path / "steps.png"), "cpu")
    finally:
        plt.close = close
    assert (tmp_path / "steps.png").stat().st_size > 10_000
    for axes in figures[0].axes:
        assert 1e-4 < axes.get_ylim()[0] < 16e-4
        names = {t.get_text(): t.xyann[1] for t in axes.texts if hasattr(t, "xyann")}
        assert names.keys() == {name for name, _, _ in benchmark_plot.LINES.values()}
        assert np.diff(sorted(names.values())).min() > 0.9 * benchmark_plot.APART
    close(figures[0])
    with pytest.raises(SystemExit, match="leave out --only"):
        benchmark_plot.draw({"small: P[i]": {"tinynorm": 1e-9}}, str(tmp_path / "none.png"), "cpu")


# ---- the cases ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("contender", ["tinynorm", "captured", "gemm", "copy"])
def test_each_case_does_its_work(contender):
    for case in benchmark_contenders.CASES:
        if case.startswith(("mlp", "small", "a + b")) or "64x128" in case:
            work = benchmark_contenders.CONTENDERS[contender](case, "cpu")
            for _ in range(4 if work else 0):
                work()


def test_a_captured_case_is_captured():
    step = benchmark_contenders.captured("mlp LayerNorm", "cpu")
    for _ in range(5):
        step()
    assert (step.reason, step.replays) == ("", 2)


def test_networks_of_other_sizes():
    widths, batch = benchmark_contenders._network("mlp BatchNorm, 30 layers")
    assert (len(widths), batch) == (32, 64)
    assert np.prod(benchmark_contenders._network("mlp LayerNorm")[0]) == 784 * 128 * 128 * 10
    assert benchmark_contenders._network("mlp BatchNorm, width 2048") == ((784, 2048, 2048, 10), 64)


def test_a_copy_moves_the_bytes_of_five_arrays(monkeypatch):
    copied = []
    monkeypatch.setattr(np, "copyto", lambda target, source: copied.append(target.nbytes + source.nbytes))
    benchmark_contenders.copy("LayerNorm 64x128", "cpu")()
    assert copied == [5 * 64 * 128 * 4]
