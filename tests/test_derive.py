"""`tinynorm derive`: every chapter can be walked through at 80 columns, and its lines checked."""

import json
import subprocess
import sys

import pytest
from helpers import some

from tinynorm import derivations
from tinynorm.command import derive
from tinynorm.command.main import main
from tinynorm.derivations.machinery.chapter import Chapter
from tinynorm.ops.common import keep_where, sum_over


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
        (["batch_norm", "--shape", "N=" + "9" * 5000], "--shape as N=4,D=3, got"),
        (["batch_norm", "--shape", "N=100000,D=100000"], "sizes that multiply to 1,000,000 at most, got N=100000,D=100000"),
        (["running_statistics", "--shape", "m=1"], "no numbers of the sizes m=1: division by zero"),
        (["--step", "3"], "expected a chapter for --step"),
        (["--check", "--step", "3"], "expected a chapter for --step"),
        (["--shape", "N=3"], "expected a chapter for --shape"),
        (["centring", "--check", "--shape", "m=3"], "leave out --shape"),
    ],
)
def test_what_it_cannot_do_is_said(run, arguments, says):
    code, _, err = run(*arguments)
    assert code == 2
    assert says in " ".join(err.split())


@pytest.mark.parametrize("seed", ["-1", "1.5", "one"])
def test_a_seed_is_a_whole_number(run, capsys, seed):
    with pytest.raises(SystemExit) as ended:
        run("centring", f"--seed={seed}")
    assert ended.value.code == 2
    assert f"expected a whole number, 0 or more, got '{seed}'" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["7", "batch_norm_closed_form", "batchnorm's backward pass in one line"])
def test_a_chapter_has_a_name_a_number_and_a_title(run, text):
    code, out, _ = run(text, "--step", "1")
    assert code == 0
    assert out.startswith("\nCF.1 ")


def test_case_and_signs_of_a_name_do_not_matter(run):
    assert run("BatchNorm", "--step", "1")[1].startswith("\nBN.1 ")


@pytest.mark.parametrize("columns", ["1", "0", "-3", "9" * 30, "wide"])
def test_any_width_of_the_terminal_will_do(run, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    code, out, _ = run("mistakes")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 100


@pytest.mark.parametrize("arguments", some([["batch_norm"], [], ["centring", "--check"], ["centring", "--json"]], 4))
def test_a_reader_that_ends_early_ends_it_quietly(arguments):
    with subprocess.Popen(
        [sys.executable, "-m", "tinynorm", "derive", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


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


def test_a_check_of_one_line(run):
    code, out, _ = run("centring", "--check", "--step", "8")
    assert code == 0
    assert "  CE.8   rewriting right" in out
    assert "1 lines (0 forward, 0 adjoint, 1 rewriting)" in out


@pytest.fixture
def mixed(monkeypatch):
    """The only chapter: its lines are right, not proved (twice) and wrong."""
    chapter = Chapter(0, "XX", "mixed", "Chapter 0: Mixed.", {"n": "N"}, {"x": "n"})

    @chapter.forward("XX.1", "On the way.")
    def t(x):
        return keep_where(x > 0, x)

    @chapter.forward("XX.2", "The output.")
    def y(t):
        return sum_over(t, (0,))

    @chapter.rewriting("XX.3", "True, and the proof does not find it.")
    def y(x):  # noqa: F811
        return sum_over(keep_where(x > 0, keep_where(x > 0, x)), (0,))

    @chapter.adjoint("XX.4", "Right, but dt is missing.")
    def dx(x, dy):
        return keep_where(x > 0, dy)

    @chapter.rewriting("XX.5", "Wrong.")
    def dx(x, dy):  # noqa: F811
        return keep_where(x < 0, dy)

    monkeypatch.setattr(derivations, "CHAPTERS", ("mixed",))
    monkeypatch.setattr(derivations, "load", lambda name: chapter)
    return chapter


@pytest.mark.parametrize(
    ("step", "verdict", "code"), [(1, "right", 0), (3, "not proved", 2), (4, "not proved", 2), (5, "WRONG", 1)]
)
def test_what_is_not_proved_is_not_called_wrong(run, mixed, step, verdict, code):
    found, out, _ = run("mixed", "--check", "--step", str(step))
    assert found == code
    assert f"  XX.{step}   {mixed.lines[step - 1].kind:9} {verdict}  " in out
    assert (f"1 {verdict}, worst error" in out) is (code > 0)
    found, out, _ = run("mixed", "--all", "--step", str(step))
    assert found == code
    assert f"       {verdict}: " in out


def test_a_wrong_line_outweighs_one_that_is_not_proved(run, mixed):
    code, out, _ = run("--check")
    assert code == 1
    assert "mixed                    1 WRONG, 2 not proved, worst error" in out


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
    assert all(result["ok"] and result["verdict"] == "right" for results in found.values() for result in results)


def test_verdicts_as_json(run, mixed):
    code, out, _ = run("--check", "--json")
    assert code == 1
    last = [results[-1] for results in json.loads(out).values()]
    assert [result["verdict"] for result in last] == ["right", "right", "not proved", "not proved", "wrong"]
    assert [result["ok"] for result in last] == [True, True, None, None, False]
