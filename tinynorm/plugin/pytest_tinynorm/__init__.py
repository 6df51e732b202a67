"""The pytest plugin: with ``--tinynorm-check layers.py``, each pair, loss and class in the file is a test, layers.py::affine.

It stands outside the package tinynorm: pytest loads a plugin in every run, and the package would load NumPy. Each test runs the
file in a process of its own, so the tests may be dealt out to several workers.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    told = "check the backward passes in a Python file, a notebook or a folder: a test for each"
    parser.getgroup("tinynorm").addoption("--tinynorm-check", action="append", default=[], metavar="FILE", help=told)
    parser.addini("tinynorm_check", f"{told}; may be several", "paths", [])


@pytest.hookimpl(tryfirst=True)  # then -k and -m choose among these tests too
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    named = [config.invocation_params.dir / file for file in config.getoption("--tinynorm-check")]
    for path in dict.fromkeys([*named, *config.getini("tinynorm_check")]):
        items += _tests(session, path)


def _tests(session: pytest.Session, named: Path) -> Iterator[Check]:
    """Yield the tests of a file, or of the files in a folder."""
    from tinynorm.command.load.find_files import find_files
    from tinynorm.command.main import job_of, parser
    from tinynorm.command.run_code import UserError

    arguments = parser().parse_args(["check", str(named)])
    try:
        for file in find_files([str(named)], None)[0]:
            yield from CheckedFile.from_parent(session, path=file.path, job=job_of(file, arguments)).collect()
    except UserError as error:
        yield Check.from_parent(session, name=named.name, reason=str(error))


class CheckedFile(pytest.File):
    """A file, which is run in a process of its own to see what there is to check."""

    def __init__(self, *, job: dict[str, Any], **given: Any) -> None:
        super().__init__(**given)
        self.job = job

    def collect(self) -> Iterator[Check]:
        """Yield the tests. What cannot be checked, or is not looked at, is a test that fails."""
        from tinynorm.command.run_code import NothingToCheck, UserError

        try:
            found = next(record for record, _ in _records(self.job | {"pairs": []}))
        except UserError as error:
            if not (self.job["of_folder"] and isinstance(error, NothingToCheck)):
                yield Check.from_parent(self, name="import", reason=str(error))
            return
        names = [name for name, _ in found["pairs"]]
        for i, name in enumerate(names):
            same = names[:i].count(name)  # a loss and a pair may have one name
            yield Check.from_parent(self, name=f"{name} ({same + 1})" if same else name, job=self.job | {"pairs": [i]})
        for text in found["left_over"]:
            yield Check.from_parent(self, name=text.partition(" ")[0], reason=f"not looked at: {text}")


def _records(job: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the records of a check, and with each what the file has printed until then."""
    from tinynorm.command.process.own_process import checked
    from tinynorm.command.run_code import Prints

    prints = Prints()
    for record in checked(job, prints):
        shown = StringIO()
        prints.show(Path(job["file"]), shown)
        yield record, shown.getvalue()


class NotRight(Exception):
    """The message is all that is to be told."""


class Check(pytest.Item):
    """A test: the check of one pair, or the reason why there is none."""

    def __init__(self, *, job: dict[str, Any] | None = None, reason: str = "", **given: Any) -> None:
        super().__init__(**given)
        self.job, self.reason = job, reason

    def runtest(self) -> None:
        if self.job is None:
            raise NotRight(self.reason)
        for record, prints in _records(self.job):
            if record["what"] == "result":
                result = record["result"]
                self.add_report_section("call", "stdout", prints)
                if result["verdict"] != "right":
                    raise NotRight(f"{result['text']}\n{result['lead']}".strip())

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        from tinynorm.command.run_code import UserError

        return str(excinfo.value) if isinstance(excinfo.value, NotRight | UserError) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name
