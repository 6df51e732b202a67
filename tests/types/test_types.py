"""The types are real: a right program passes, and a mistake in a line is reported in that line."""

import fnmatch
import inspect
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import make_stubs
import pytest
import right_program

import tinynorm as tn

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.mark.parametrize("path", make_stubs.STUBS, ids=lambda path: path.name)
def test_the_stubs_are_those_of_the_ops_as_they_are(path):
    assert path.read_text() == make_stubs.STUBS[path](), "run: python tests/types/make_stubs.py"


def test_a_parameter_whose_type_is_unknown_is_asked_for():
    def foo(x, wobble):
        return x

    with pytest.raises(SystemExit, match="'wobble'"):
        make_stubs.declared("foo", foo)


def test_a_new_op_is_written_down(monkeypatch):
    def foo(x, other):
        return x

    before = make_stubs.methods()
    monkeypatch.setattr(tn.Tensor, "foo", foo, raising=False)
    new = set(make_stubs.methods().splitlines()) - set(before.splitlines())
    assert new == {"    def foo(self, other: TensorLike) -> Tensor: ..."}


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """(file, line) -> the code of the error there, as mypy sees the two programs in a place of their own."""
    options = ["--strict", "--config-file=", "--follow-imports=silent", "--ignore-missing-imports", "--cache-dir"]
    command = [sys.executable, "-m", "mypy", *options, str(tmp_path_factory.mktemp("cache"))]
    result = subprocess.run(
        [*command, "right_program.py", "wrong_lines.py"],
        cwd=HERE, env=os.environ | {"MYPYPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.stderr == ""
    lines = re.findall(r"^(\S+):(\d+): error: .*\[([\w-]+)\]$", result.stdout, re.MULTILINE)
    assert len(lines) == result.stdout.count(" error: "), result.stdout
    return {(file, int(line)): code for file, line, code in lines}


def test_a_right_program_passes_strictly(reported):
    assert {place: code for place, code in reported.items() if place[0] != "wrong_lines.py"} == {}


def test_every_wrong_line_is_reported_and_no_other(reported):
    lines = enumerate((HERE / "wrong_lines.py").read_text().splitlines(), 1)
    expected = {n: found[1] for n, line in lines if (found := re.search(r"# error: ([\w-]+)$", line))}
    assert len(expected) > 50
    assert {line: code for (file, line), code in reported.items() if file == "wrong_lines.py"} == expected


def test_the_right_program_runs(tmp_path, capsys):
    right_program.main(tmp_path)
    assert capsys.readouterr().out.startswith("(2, 4) [[2.0, 2.0, 2.0, 2.0], [2.0, 2.0, 2.0, 2.0]] True [4, 4, 0, 20, 1, 4] ")


# what is called with an argument, or declared as no class
NOT_ALONE = {"__iter__", "backward", "bincount", "clamp", "clip", "clamp_", "clip_", "cuda", "type", "unique"}


def needs_nothing_else(name, member):
    given = [] if isinstance(member, property) else list(inspect.signature(member).parameters.values())[1:]
    return name not in NOT_ALONE and all(p.default is not p.empty for p in given)


ALONE = [name for name, member in make_stubs.hung().items() if needs_nothing_else(name, member)]


@pytest.mark.parametrize("name", ALONE)
def test_what_comes_out_is_what_is_declared(name):
    declared = re.search(rf"def {name}\(\s*self[^>]*-> (\w+)", (ROOT / "tinynorm" / "_methods.pyi").read_text())[1]
    x = tn.tensor([[0.25, 0.5], [0.5, 0.75]])
    x = x.bool() if name in ("__invert__", "bitwise_not", "logical_not") else x
    result = getattr(x, name) if isinstance(vars(tn.Tensor)[name], property) else getattr(x, name)()
    assert declared.replace("Self", "Tensor") in {cls.__name__ for cls in type(result).__mro__}  # `sort` gives a kind of Along


def test_the_stubs_are_shipped():
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["tinynorm"]
    package = ROOT / "tinynorm"
    for path in [package / "py.typed", *package.rglob("*.pyi")]:
        assert any(fnmatch.fnmatch(str(path.relative_to(package)), pattern) for pattern in patterns), path
