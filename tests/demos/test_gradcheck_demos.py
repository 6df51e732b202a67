"""The demos about the gradient checker run, and say what they promise."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import check_your_backward
import gradcheck_contenders
import gradcheck_contest
import pytest


@pytest.mark.long  # a million elements
def test_check_your_backward_names_the_missing_term_and_finds_the_element(capsys):
    check_your_backward.main(side=1000)
    printed = capsys.readouterr().out
    assert "the mean term is missing: subtract rstd * mean(g)" in printed
    assert "BatchNorm: right" in printed
    assert "backward writes into the incoming gradient dout" in printed
    assert "at (412, 77): 1 + 0.0001 times the right value" in printed
    evaluations = [int(n.replace(",", "")) for n in re.findall(r"\(([\d,]+) evaluations in", printed)]
    assert len(evaluations) == 5
    assert evaluations[-1] < 1000  # for up to a million elements: some directions, 20 halvings, and a dozen elements


@pytest.mark.long
def test_the_contest_runs_without_the_other_tools(monkeypatch, capsys, tmp_path):
    """On a machine that has none of them; they are told of, and what is left is right."""
    for name in ("torch", "jax", "autograd", "autograd.extend"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(sys, "argv", ["gradcheck_contest.py", "--quick", "--json", str(tmp_path / "all.json")])
    contenders, missing = gradcheck_contenders.installed()
    assert len(contenders) == 3
    assert set(missing) == {
        *("PyTorch gradcheck", "PyTorch gradcheck, fast", "JAX check_grads", "HIPS autograd check_grads"),
    }
    gradcheck_contest.main()
    printed, data = capsys.readouterr().out, json.loads((tmp_path / "all.json").read_text())
    row = next(line for line in printed.splitlines() if line.startswith("| tinynorm |"))
    caught, missed, untold, *alarms = [int(cell) for cell in row.strip("| ").split(" | ")[1:-1]]
    assert caught == data["counts"]["mistakes"] == len(gradcheck_contest.mistakes.ALL[::6])
    assert (missed, untold, alarms[:3]) == (0, 0, [0, 0, 0])
    assert f"named rightly: {caught} of {caught} (100 %); named wrongly: 0" in printed
    assert len(data["blind_spots"]) >= 14
    assert [spot["name"] for spot in data["blind_spots"] if spot["ours"] != spot["should"]] == []


README = Path(__file__).parents[2] / "README.md"
RELU = "def relu_forward(x): return np.maximum(x, 0), x\ndef relu_backward(dout, x): return dout * (x > 0)\n"


def readmes_example():
    """(its code, what it says is printed)"""
    text = README.read_text(encoding="utf-8")
    return re.search(r"```python\n(import numpy as np\nfrom tinynorm.gradcheck.*?)```\n\n```\n(.*?)```", text, re.S).groups()


def without_rounding(printed):
    """Lines without what depends on the machine: the effort, and in rows that are right the worst element and its error."""
    lines = [re.sub(r"\S+ evaluations in \S+ s;", "", line.strip()) for line in printed.strip().splitlines()]
    return [re.sub(r"( right +)\(.*?(all .*)", r"\1\2", line) for line in lines]


def test_the_readmes_example_prints_what_the_readme_says():
    code, printed = readmes_example()
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert without_rounding(result.stdout) == without_rounding(printed)


def test_the_readmes_command_prints_what_the_readme_says(tmp_path):
    pair = readmes_example()[0].partition("rng =")[0]
    (tmp_path / "layers.py").write_text(f"{pair}\n{RELU}")
    command = [sys.executable, "-m", "tinynorm", "check", "layers.py"]
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(README.parent)}
    )
    printed = re.search(r"tinynorm check layers.py\n(.*?)```", README.read_text(encoding="utf-8"), re.S)[1]
    assert without_rounding(result.stdout) == without_rounding(printed)


def test_the_files_of_every_kind_are_checked_as_is_written():
    command = [sys.executable, str(README.parent / "demos" / "check_any_file.py")]
    result = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": str(README.parent)}
    )
    printed = (README.parent / "demos" / "any_file" / "printed.txt").read_text(encoding="utf-8")
    assert without_rounding(result.stdout) == without_rounding(printed)


def test_the_readmes_table_is_that_of_the_data():
    root = Path(__file__).parents[2]
    text = (root / "README.md").read_text(encoding="utf-8")
    data = json.loads((root / "demos" / "gradcheck_results" / "cpu.json").read_text())
    for name, score in data["scores"].items():
        alarms = [score["false_alarms"][group] for group in gradcheck_contest.GROUPS]
        cells = [score["caught"], score["missed"], score["untold"], *alarms, score["unresolved"]]
        assert f"| {name} | {' | '.join(map(str, cells))} | {score['seconds']:.1f} |" in text
    assert len(gradcheck_contest.mistakes.ALL) == data["counts"]["mistakes"] == len(data["diagnoses"])
