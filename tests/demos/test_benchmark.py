"""The benchmark's table has a column for each contender that measured something, and no empty ones."""

import benchmark
import benchmark_contenders
import numpy as np
import pytest

RESULTS = {
    "mlp": {"tinynorm": 2e-6, "torch": 3e-6},
    "ReLU": {"tinynorm": 1e-6, "gemm": 5e-7},
}


def test_a_contender_that_measured_nothing_has_no_column():
    lines = benchmark.table(RESULTS, ["tinynorm", "torch", "torch-graph", "gemm"]).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["case", "tinynorm", "torch", "gemm"]
    assert cells[2] == ["mlp", "2.0", "3.0 (1.50x)", "-"]
    assert cells[3] == ["ReLU", "1.0", "-", "0.5 (0.50x)"]


def test_times_beside_earlier_ones():
    old = {"mlp": {"tinynorm": 1e-6, "jax": 1.0}, "gone": {"torch": 1.0}}
    assert benchmark.compared(RESULTS, old) == "mlp: tinynorm 2.00"


@pytest.mark.parametrize("contender", ["tinynorm", "captured", "gemm"])
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
