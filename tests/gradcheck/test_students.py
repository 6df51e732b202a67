"""`tinynorm check` on files as students hand them in (`students/`), right and wrong, in the manner of many courses.

What is expected stands in each file: a line ``# expect NAME: VERDICT`` for each pair, loss and class, or
``# expect NAME: VERDICT: a piece of what is printed``, as often as there are pieces. Two verdicts may be joined by "or".
NAME is `file` where the file as a whole is refused. A line ``# long`` leaves the file to the long tests; it takes more than a
second. ``python tests/gradcheck/test_students.py [PART OF A FILE'S NAME ...]`` prints the count.
"""

import json
import re
import sys
from pathlib import Path
from time import process_time
from zlib import crc32

import pytest

from tinynorm.command.functions.find_pairs import find_pairs
from tinynorm.command.load.load_file import load
from tinynorm.command.run_code import Prints, UserError
from tinynorm.command.verdict.check_pair import check_pair
from tinynorm.command.verdict.print_results import Checked, as_record, summary

HOME = Path(__file__).parent / "students"
EXPECTED = re.compile(r"# expect ([^\n:]+): ([a-z ]+)(?:: (.+))?$", re.MULTILINE)
LONG = re.compile(r"^# long$", re.MULTILINE)
ALWAYS = re.compile(r"^# always$", re.MULTILINE)
VERDICTS = ("right", "wrong", "not resolved", "not checked", "not looked at")
# A file takes 0.1 to 0.5 s; one that takes longer than this is too large for its purpose. Other tests run beside it.
PATIENCE = 20.0
# Of the quick files, one in so many, by its name, is checked with each commit, and those that say "# always", for no other of
# these leads to their part of the code; the others with the long tests: all of them take a minute.
EVERY = 2


def text_of(path: Path) -> str:
    """What is written in a file; of a notebook, in its cells."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])


def expectations(path: Path) -> dict[str, tuple[set[str], list[str]]]:
    """Return by name: the verdicts that are allowed, and the pieces that must be printed."""
    found: dict[str, tuple[set[str], list[str]]] = {}
    for name, verdicts, piece in EXPECTED.findall(text_of(path)):
        allowed, pieces = found.setdefault(name, (set(verdicts.split(" or ")), []))
        assert allowed == set(verdicts.split(" or ")) <= set(VERDICTS), f"{path.name}: {name}: {verdicts}"
        pieces += [piece] if piece else []
    return found


def checked(path: Path) -> dict[str, tuple[str, str]]:
    """Return (verdict, what is printed in one line) by name, also for what was not looked at."""
    prints = Prints()
    try:
        pairs, left_over = find_pairs(load(path, prints), path, None)
    except UserError as error:
        return {"file": ("not checked", one_line(str(error)))}
    found = {}
    for pair in pairs:
        record = as_record(check_pair(pair, 0, None, prints))
        assert record.name not in found, f"two results are called {record.name}"
        printed = f"{record.lead} {record.text} {summary([Checked(path, [record])])}"
        found[record.name] = record.verdict, one_line(printed).replace(str(path), "FILE")  # its name is no sentence
    return found | {line.split(" (")[0]: ("not looked at", line) for line in left_over}


def one_line(text: str) -> str:
    return " ".join(text.split())


def student_files() -> list[Path]:
    """The files with expectations. In a folder pkg_* not every file needs some."""
    alone = [path for path in HOME.iterdir() if path.suffix in (".py", ".ipynb") and path.name != "conftest.py"]
    packed = [path for path in HOME.glob("pkg_*/**/*") if path.suffix in (".py", ".ipynb") and expectations(path)]
    return sorted(alone + packed)


def title(path: Path) -> str:
    return str(path.relative_to(HOME))


def parameters() -> list:
    """The files as pytest's parameters."""
    quick = [path for path in student_files() if not LONG.search(text_of(path))]
    with_each_commit = [p for p in quick if crc32(title(p).encode()) % EVERY == 0 or ALWAYS.search(text_of(p))]
    marks = {path: () if path in with_each_commit else pytest.mark.long for path in student_files()}
    return [pytest.param(path, id=title(path), marks=mark) for path, mark in marks.items()]


@pytest.mark.parametrize("path", parameters())
def test_a_students_file(path):
    expected, started = expectations(path), process_time()
    found = checked(path)
    assert expected, "the file says nothing about what is expected"
    assert found.keys() == expected.keys(), found
    for name, (verdict, printed) in found.items():
        allowed, pieces = expected[name]
        assert verdict in allowed, printed
        for piece in pieces:
            assert one_line(piece) in printed, name
    assert process_time() - started < PATIENCE


def test_there_are_enough_files():
    assert len(student_files()) >= 60
    assert all(any(expectations(path) for path in folder.rglob("*.py")) for folder in HOME.glob("pkg_*"))


def count(paths: list[Path]) -> dict[str, int]:
    """Count what a user would: how many pairs get a usable answer, and how many answers are false alarms or misses."""
    counted = dict.fromkeys(("files", "pairs", "usable", "false alarms", "missed", "other sentence"), 0)
    for path in paths:
        expected, started = expectations(path), process_time()
        found = checked(path)
        seconds = process_time() - started
        counted["files"] += 1
        for name, (allowed, pieces) in expected.items():
            verdict, printed = found.pop(name, found.get("file", ("not found", "")))
            missing = [piece for piece in pieces if one_line(piece) not in printed]
            counted["pairs"] += 1
            counted["usable"] += verdict in allowed
            counted["false alarms"] += verdict == "wrong" and "wrong" not in allowed
            counted["missed"] += verdict == "right" and "right" not in allowed
            counted["other sentence"] += verdict in allowed and bool(missing)
            if verdict not in allowed or missing:
                print(f"{title(path)}: {name}: {verdict}, expected {' or '.join(allowed)} {missing}\n    {printed}")
        for name, (verdict, printed) in found.items():
            print(f"{title(path)}: {name}: {verdict}, and nothing was expected\n    {printed}")
        if seconds > 1:
            print(f"{title(path)}: {seconds:.1f} s")
    return counted


if __name__ == "__main__":
    print(count([path for path in student_files() if not sys.argv[1:] or any(name in title(path) for name in sys.argv[1:])]))
