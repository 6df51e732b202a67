"""The benchmark's table has a column for each contender that measured something, and no empty ones."""

import benchmark

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
