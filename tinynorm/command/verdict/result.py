"""The result for one pair: a report, or the reason why there is none, and what is said of it in a few words."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...gradcheck.report.report import Report

VERDICTS = {True: "right", None: "not resolved", False: "wrong"}  # of `Report.ok`, from good to bad
BEHAVIOUR = {  # what a backward does whose numbers are right, in the fewest words
    "mutates_dout": "writes into dout",
    "mutates_input": "writes into its input",
    "mutates_output": "writes into the output",
    "mutates_cache": "writes into the cache",
    "aliases_dout": "hands back dout's memory",
    "aliases_input": "hands back an input's memory",
    "aliases_gradient": "hands back one array twice",
    "reuses_memory": "reuses its memory",
    "nondeterministic": "another result each time",
    "foreign_state": "uses what the last forward left behind",
    "not_linear": "not linear in dout",
    "wrong_dtype": "wrong dtype",
    "imprecise": "imprecise in its own dtype",
    "batch_dependent": "rows depend on each other",
}


@dataclass
class Result:
    """The result for one pair: a report and the inputs that it was made with, or the reason why there is no report."""

    name: str
    report: Report | None = None
    inputs: str = ""
    reason: str = ""
    about: str = ""  # what there is to say of it in a few words
    left_out: dict[str, bool] = field(default_factory=dict)  # what of it was not checked, and whether that should have been

    @property
    def verdict(self) -> str:
        return "not checked" if self.report is None else VERDICTS[self.report.ok]

    @property
    def nuance(self) -> str:
        """A few words for the summary: "unfinished", "right up to 1/m", "numbers right, writes into dout"; mostly ""."""
        words = [self.about] if self.about or self.report is None else _words_of(self.report)
        return ", ".join(filter(None, dict.fromkeys([*words, *self.left_out])))

    @property
    def in_part(self) -> bool:
        """Whether lines or a mode were not checked, or no gradient was found of what is a parameter by its name."""
        return any(self.left_out.values())


def _words_of(report: Report) -> list[str]:
    if any(warning.startswith("forward rounds to") for warning in report.warnings):
        return ["forward rounds to float32"]
    faults = report.faults if all(found.ok for found in report.inputs) else []
    words = [BEHAVIOUR[fault.kind] for fault in faults if fault.kind in BEHAVIOUR]
    if words:
        return ["numbers right", *words]
    order = [note.rpartition(" those of ")[2] for note in report.notes if note.startswith("the gradients are read by")]
    handed_back = any("is the memory of" in note for note in report.notes)
    return [f"returned in the order {names}" for names in order] + ["hands back dout"] * handed_back
