"""`tinynorm derive`: every chapter can be walked through at 80 columns, and its lines checked."""

import json

import pytest

from tinynorm import derivations
from tinynorm.command import derive
from tinynorm.command.main import main


@pytest.fixture
def run(capsys, monkeypatch):
    """Run the command in a terminal of 80 columns: (exit code, what it prints, its errors)."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments):
        code = main(["derive", *arguments])
        return code, *capsys.readouterr()

    return run


def test_without_a_name_it_lists_the_chapters(run):
    code, out, _ = run()
    assert code == 0
    for name in derivations.CHAPTERS:
        assert f"  {name} " in out
        assert derivations.load(name).title in out


@pytest.mark.parametrize("name", derivations.CHAPTERS)
def test_a_walk_shows_every_line_within_80_columns(run, name):
    code, out, _ = run(name)
    assert code == 0
    for line in derivations.load(name).lines:
        assert f" {line.number} {derive.equation(line)} " in " ".join(out.split())
    assert [line for line in out.splitlines() if len(line) > 80] == []


def test_one_step_with_its_checks(run):
    code, out, _ = run("centring", "--step", "8", "--all", "--shape", "m=3", "--seed", "1")
    assert code == 0
    assert "CE.8   dx_i = dc_i - (1/m) Σ_k dc_k" in out
    assert out.count("right: ") == 2
    assert "CE.7" not in out


def test_the_numbers_are_those_of_the_seed_and_the_sizes(run):
    _, out, _ = run("batch_norm", "--json", "--seed", "3", "--shape", "N=5, D=2")
    lines = {line["number"]: line for line in json.loads(out)}
    assert lines["BN.2"]["shape"] == [5, 2]
    assert lines["BN.2"]["equation"] == "c_nd = x_nd - μ_d"
    assert lines["BN.2"]["latex"] == r"x_{nd} - \mu_{d}"
    chapter = derivations.load("batch_norm")
    values = chapter.run(chapter.values({"n": 5, "d": 2}, 3))
    assert lines["BN.14"]["value"] == values["dx"].tolist()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing"], "no chapter 'nothing'"),
        (["centring", "--step", "99"], "--step from 1 to 8, got 99"),
        (["batch_norm", "--shape", "Q=3"], "--shape as N=4,D=3, got 'Q=3'"),
        (["batch_norm", "--shape", "N=0"], "--shape as N=4,D=3, got 'N=0'"),
    ],
)
def test_what_it_cannot_do_is_said(run, arguments, says):
    code, _, err = run(*arguments)
    assert code == 2
    assert says in " ".join(err.split())


def test_the_check_of_a_chapter_has_a_line_for_each_line(run):
    code, out, _ = run("centring", "--check")
    assert code == 0
    assert out.count("right") == len(derivations.load("centring").lines) + 1
    assert "8 lines (3 forward, 2 adjoint, 3 rewriting)" in out


def test_a_wrong_line_makes_the_exit_code_1(run, monkeypatch):
    line = derivations.load("centring").lines[-1]
    monkeypatch.setattr(line, "formula", lambda dc, axes: dc)
    monkeypatch.setattr(type(line), "symbol", property(lambda self: "dx" if self is line else self.formula.__name__))
    code, out, _ = run("centring", "--check")
    assert code == 1
    assert "CE.8   rewriting WRONG" in out


def test_without_sympy_nothing_is_called_proved(run, monkeypatch):
    monkeypatch.setattr(derive, "find_spec", lambda name: None)
    code, _, err = run("centring", "--check")
    assert code == 2
    assert "pip install 'tinynorm[derive]'" in err


def test_results_as_json(run):
    code, out, _ = run("centring", "--check", "--json")
    found = json.loads(out)
    assert code == 0
    assert [len(results) for results in found.values()] == [1, 1, 1, 2, 2, 2, 2, 2]
    assert all(result["ok"] for results in found.values() for result in results)
