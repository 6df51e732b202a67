"""The report in the words of the user's file: `dZ` and `std` where the file has these for the checker's `dy` and `1 / rstd`."""

from __future__ import annotations

import ast
import re
from dataclasses import replace

from ...gradcheck.report.report import Report
from ..functions.call_pair import Call
from ..layers.call_layer import Layer
from ..read.read_code import code_of

# The checker's symbol -> the names that files have for it, and how it is written with such a name.
SYMBOLS: dict[str, dict[str, str]] = {
    "rstd": {
        **dict.fromkeys(("rstd", "ivar", "istd", "inv_std", "invstd", "std_inv", "inv_var", "inv_stddev", "stddev_inv"), "{}"),
        **dict.fromkeys(("std", "stddev", "sqrtvar", "std_dev", "sample_std", "sd", "sigma"), "1/{}"),
    },
    "x_hat": dict.fromkeys(("x_hat", "xhat", "x_norm", "xnorm", "x_normalized", "x_normed", "xn", "xh", "normalized"), "{}"),
    "mu": dict.fromkeys(("mu", "mean", "sample_mean", "x_mean", "xmean", "batch_mean"), "{}"),
}


def in_their_words(report: Report, call: Call) -> None:
    """Replace the checker's symbols in what is said of a wrong gradient."""
    words = _words(call)

    def told(sentence: str) -> str:
        lead = re.match(r"d\w+: ", sentence)  # the gradient that is spoken of; of an input y it is dy
        start = lead.end() if lead else 0
        symbols = r"(?<![\w.])(?:" + "|".join(map(re.escape, words)) + r")(?!\w)"
        said = re.sub(symbols, lambda found: words[found[0]], sentence[start:]) if words else sentence[start:]
        for name in re.findall(r"\b(gamma|beta) = \w+,? ?", said):  # an argument of theirs, by its own name
            theirs = re.search(rf"\b{name} = (\w+)", said)
            said = re.sub(rf"\b{name}\b", theirs[1], re.sub(rf"\b{name} = \w+,? ?", "", said)) if theirs else said
        return sentence[:start] + re.sub(r"1/(\w+) = 1 / sqrt", r"\1 = sqrt", said).replace("* 1/", "/ ")

    report.findings = [replace(f, sentence=told(f.sentence), formula=told(f.formula)) for f in report.findings]
    updated = getattr(call.pair.forward, "updated", ())  # by steps of the learning rate times the gradient, as it should be
    for k, finding in enumerate(report.findings):
        if finding.kind == "zero" and finding.input in updated:
            says = f"d{finding.input}: {finding.input} is updated, and the learning rate is not multiplied in."
            report.findings[k] = replace(finding, sentence=says)
    report.faults = [replace(fault, sentence=told(fault.sentence)) for fault in report.faults]


def _words(call: Call) -> dict[str, str]:
    """Return the file's word for each symbol; only for those that differ."""
    dout = cotangent_of(call)
    words = {"dy": dout, "dout": dout} if dout else {}
    used = _names(call)
    for symbol, names in SYMBOLS.items():
        known = [name for name in names if name in used]
        if known:
            words[symbol] = names[known[0]].format(known[0])
    return {symbol: word for symbol, word in words.items() if symbol != word}


def cotangent_of(call: Call) -> str:
    """Return the name of backward's argument for the gradient of the output, if there is one such argument."""
    if isinstance(call.pair.forward, Layer):
        names = call.pair.forward.douts
    else:
        arguments = call.convention.arguments if call.convention is not None else ()
        names = [name for name, source in arguments if source.what == "dout"]
    return names[0] if len(names) == 1 and not call.pair.loss else ""


def _names(call: Call) -> set[str]:
    """Return the names of variables in the two functions, or of variables and attributes in the two methods."""
    functions = [call.pair.forward, call.pair.backward]
    if isinstance(functions[0], Layer):
        layer = functions[0]
        functions = [getattr(layer.cls, name) for name in (layer.methods.forward, layer.methods.backward)]
    found = set()
    for code in filter(None, map(code_of, functions)):
        for node in ast.walk(code):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
                found.add(node.attr)
            elif isinstance(node, ast.Name):
                found.add(node.id)
    return found
