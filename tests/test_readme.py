"""What the README says is so: its code runs and prints what stands below it, its commands are those that are tested."""

import builtins
import importlib
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

import make_readme
import pytest

import tinynorm as tn
from tinynorm.command import main as cli
from tinynorm.gradcheck import mistakes

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


class Block(NamedTuple):
    """A block between fences."""

    kind: str  # what stands behind the opening fence
    text: str
    before: str  # the last line of text before it that is not empty
    line: int


def blocks(text):
    found, opening, before = [], None, ""
    lines = text.splitlines()
    for n, line in enumerate(lines):
        if line.strip().startswith("```"):
            if opening is None:
                opening = n
            else:
                inside = textwrap.dedent("\n".join(lines[opening + 1 : n]))
                found.append(Block(lines[opening].strip()[3:], inside, before, opening + 1))
                opening, before = None, "```"
        elif opening is None and line.strip():
            before = line.strip()
    assert opening is None
    return found


BLOCKS = blocks(README)
CODE = [b for b in BLOCKS if b.kind == "python"]
OUTPUT = {i: b for i, b in enumerate(BLOCKS) if not b.kind and b.before == "```" and BLOCKS[i - 1].kind == "python"}
SESSIONS = [b for b in BLOCKS if not b.kind and b.text.startswith("$ ")]


def masked(text):
    """Without what changes from run to run or from machine to machine: the time, how many evaluations, what is rounding."""
    text = re.sub(r"\([\d,]+ evaluations in [\d.]+ s;", "(N evaluations in T s;", text)
    text = re.sub(r"\b\d(\.\d+)?e-1\d\b", "TINY", text)
    return [re.sub(r" +", " ", line).strip() for line in text.strip().splitlines()]


def test_every_block_is_of_a_kind_that_is_tested():
    for i, block in enumerate(BLOCKS):
        command = block.before in ("<!-- main job -->", "<!-- test command -->")
        tested = block in CODE or i in OUTPUT or block in SESSIONS or command or block.text.startswith("dx = rstd")
        assert tested, f"README.md:{block.line}: no test looks at this block"


def run(block, names):
    """Its line numbers are the README's; where it says `# SomeError: ...`, it raises that."""
    program = compile("\n" * block.line + block.text, ROOT / "README.md", "exec")
    said = re.search(r"# (\w+Error): (.*)$", block.text, re.MULTILINE)
    if not said:
        exec(program, names)
        return
    with pytest.raises(getattr(builtins, said[1]), match=re.escape(said[2])):
        exec(program, names)


def test_the_code_runs_and_prints_what_the_readme_says(capsys):
    names = {"__name__": "readme"}
    for i, block in enumerate(BLOCKS):
        if block.kind == "python":
            tn.manual_seed(0)
            run(block, names)
            printed = capsys.readouterr().out
            if i + 1 in OUTPUT:
                assert masked(printed) == masked(OUTPUT[i + 1].text)
            elif "print(" in block.text:
                assert printed


def test_the_ten_lines_train(capsys):
    (block,) = [b for b in CODE if "for step in range(100)" in b.text]
    names = {}
    exec(block.text, names)
    assert len([line for line in block.text.splitlines() if line and "import" not in line]) <= 10
    assert names["y"].dtype == tn.int64
    assert set(names["y"].tolist()) == {0, 1, 2}
    loss = float(re.fullmatch(r"tensor\(([\d.]+), grad_fn=<NllLossBackward0>\)\n", capsys.readouterr().out)[1])
    assert loss < 0.2 < 1.0 < float(tn.nn.functional.cross_entropy(tn.zeros(64, 3), names["y"]))


RELU = """

def relu_forward(x):
    return np.maximum(x, 0), x


def relu_backward(dout, cache):
    return dout * (cache > 0)
"""


def test_the_session_at_the_console_is_what_the_command_prints(tmp_path, monkeypatch, capsys):
    (session,) = [s for s in SESSIONS if "tinynorm check" in s.text]
    command, _, shown = session.text.partition("\n")
    assert command == "$ .venv/bin/tinynorm check layers.py"
    layernorm = next(b.text for b in CODE if "def layernorm_forward" in b.text).partition("\n\n\nrng = ")[0]
    (tmp_path / "layers.py").write_text(layernorm + RELU)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["check", "layers.py"]) == 1
    assert masked(capsys.readouterr().out) == masked(shown)


def test_the_shown_line_of_a_derivation_is_what_the_command_prints(monkeypatch, capsys):
    (session,) = [s for s in SESSIONS if "tinynorm derive" in s.text]
    command, _, shown = session.text.partition("\n")
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.main(command.split()[2:]) == 0
    assert masked(capsys.readouterr().out) == masked(shown)


def test_every_session_is_tested():
    assert len(SESSIONS) == 2


@pytest.mark.parametrize("mark", ["main job", "test command"])
def test_the_two_commands_stand_where_ci_and_the_reader_look_for_them(mark):
    (block,) = [b for b in BLOCKS if b.before == f"<!-- {mark} -->"]
    assert block.kind == "bash"
    assert block.text.startswith("python3 -m venv .venv && .venv/bin/pip install -q -e ")
    assert "\n" not in block.text


def test_what_is_made_of_the_code_is_as_the_code_is():
    assert make_readme.BEGIN in README
    assert make_readme.comparisons() in README, "run: python tests/make_readme.py"
    assert make_readme.written(README) == README, "run: python tests/make_readme.py"


def test_a_new_op_is_in_the_table(monkeypatch):
    from tinynorm.ops import exponential

    def planted(x):
        return x

    planted.__module__ = exponential.__name__
    for place in (tn, tn.ops):
        monkeypatch.setattr(place, "planted", planted, raising=False)
        monkeypatch.setattr(place, "__all__", [*place.__all__, "planted"])
    line = next(line for line in make_readme.ops_table().splitlines() if "ops/exponential.py" in line).split(" | ")
    assert (line[2], "`planted`" in line[1]) == ("`planted`", False)
    monkeypatch.setattr(tn.Tensor, "planted", planted, raising=False)
    line = next(line for line in make_readme.ops_table().splitlines() if "ops/exponential.py" in line).split(" | ")
    assert ("`planted`" in line[1], line[2]) == (True, "")
    assert make_readme.written(README) != README


def test_the_files_that_it_links_to_exist():
    targets = {target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", README)}
    assert len(targets) > 10
    for target in targets - {""}:
        assert target.startswith("http") or (ROOT / target).exists(), target


def test_its_anchors_exist():
    titles = re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    titles = {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}
    for anchor in re.findall(r"\]\(#([^)\s]+)\)", README):
        assert anchor in titles


def test_the_names_in_its_text_exist():
    """`tinynorm.x.y` and `tn.x.y`, wherever they stand."""
    for dotted in sorted(set(re.findall(r"\b(?:tinynorm|tn)((?:\.[A-Za-z_]\w*)+)", README))):
        if dotted.endswith((".py", ".md")):
            continue
        value, place = tn, "tinynorm"
        for name in dotted.strip(".").split("."):
            place += f".{name}"
            value = getattr(value, name, None) or importlib.import_module(place)  # raises where it is neither


def test_there_are_as_many_mistakes_as_it_says():
    said = {int(n) for n in re.findall(r"\b(\d+) (?:wrong backward passes|mistakes)", README)}
    assert said == {len(mistakes.ALL)}
    assert mistakes.find("layernorm_missing_mean_term").why in [m.why for m in mistakes.ALL]


def test_the_commands_of_demos_and_tests_that_it_names_exist():
    for script in re.findall(r"python ((?:demos|tests)/[\w/]+\.py)", README):
        assert (ROOT / script).exists(), script
    for option in re.findall(r"train_mlp.py`[^|]*\| ([^|]*)\|", README):
        help_text = subprocess.run(
            [sys.executable, ROOT / "demos" / "train_mlp.py", "--help"], capture_output=True, text=True, check=True,
            env=os.environ | {"COLUMNS": "200"},
        ).stdout  # fmt: skip
        for flag in re.findall(r"--[a-z-]+", option):
            assert flag in help_text, flag
