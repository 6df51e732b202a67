"""How a report reads: as text, in colour, in a notebook, as data."""

import io
import json
import re

import numpy as np
import pytest

from tinynorm.gradcheck import check_backward, mistakes
from tinynorm.gradcheck.report.html import COLOURS
from tinynorm.gradcheck.report.report import Fault, InputReport, Report
from tinynorm.gradcheck.report.text import apart, checked_cell, show, verdict, width


def report_of(name, **options):
    m = mistakes.find(name)
    return check_backward(m.forward, m.backward, m.inputs(0), names=m.names, **options)


def test_the_verdict_comes_first_and_then_the_diagnosis():
    lines = str(report_of("layernorm_missing_mean_term")).splitlines()
    assert lines[0] == "LayerNorm: WRONG in dx"
    assert lines[1].strip().startswith("dx: the mean term is missing: ")
    row = next(line for line in lines if re.match(r"  dx +5x8", line))
    analytic, numeric, error, its_own = map(float, re.search(r"\(\d, \d\)((?: +[-\d.e]+){4}) ", row)[1].split())
    assert error == pytest.approx(abs(analytic - numeric), rel=0.05)
    assert 0 < its_own < 1e-9
    assert re.search(r"WRONG +\(\d, \d\) .* 40 of 40 wrong \(100 %\)", row)
    assert max(map(len, lines)) <= 110


def test_a_right_one_is_short():
    layer = mistakes.RIGHT[1]
    lines = str(check_backward(layer.forward, layer.backward, layer.inputs(0), names=layer.names)).splitlines()
    assert lines[0] == "ReLU: right"
    assert len(lines) <= 4


def test_faults_without_wrong_numbers_say_so():
    report = report_of("relu_in_place")
    assert str(report).startswith("ReLU: WRONG (mutates dout; the numbers are right)")
    assert not report


def test_numbers_that_are_not_resolved_are_not_called_right():
    inputs = [InputReport("x", (3,), True), InputReport("w", (3,), None)]
    report = Report(False, inputs, faults=[Fault("aliases_dout", "dx is dout", "x")])
    assert verdict(report) == "backward: WRONG (aliases dout)"
    inputs[1].ok = True
    assert verdict(report) == "backward: WRONG (aliases dout; the numbers are right)"


def test_a_share_is_told_only_where_all_were_measured():
    assert checked_cell(InputReport("x", (4, 5), False, checked=20, wrong=5)) == "5 of 20 wrong (25 %)"
    assert checked_cell(InputReport("x", (1000, 1000), False, checked=13, wrong=1, directions=5)) == "1 wrong of 13 measured"
    assert checked_cell(InputReport("x", (1000, 1000), True, checked=13, directions=1)) == "1 direction, 13 of 1,000,000"
    assert checked_cell(InputReport("x", (4, 5), True, checked=20)) == "all 20"


@pytest.mark.parametrize(("columns", "expected"), [(40, 80), (90, 90), (300, 110)])
def test_lines_are_as_wide_as_the_terminal_in_bounds(monkeypatch, columns, expected):
    assert width() == 100
    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.setenv("COLUMNS", str(columns))
    assert width() == expected


def test_not_resolved_is_not_true_in_an_if():
    report = check_backward(lambda x: (np.float64(np.nan) * x, x), lambda dy, x: (dy,), [np.ones(3)])
    assert report.ok is None
    assert not report
    assert "NOT RESOLVED" in str(report)
    assert "NaN or infinity for 3 of 3 outputs" in str(report)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_colour_is_for_terminals_only(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    report, file, terminal = report_of("relu_sign"), io.StringIO(), Terminal()
    show(report, file)
    assert file.getvalue() == f"{report}\n"
    show(report, terminal)
    assert terminal.getvalue().startswith("\x1b[31mReLU: WRONG in dx\x1b[0m")
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    show(report, plain)
    assert "\x1b" not in plain.getvalue()


def test_html_is_escaped_and_has_the_same_cells():
    report = report_of("relu_mask_forgotten")
    html = report._repr_html_()
    assert "x &gt; 0" in html
    assert "x > 0" not in html
    assert [re.sub("<.*?>", "", cell) for cell in re.findall("<td.*?</td>", html)][:3] == ["dx", "5×6", "WRONG"]
    assert html.count("<tr>") == 2
    assert html.count("text-align:right") == 8  # of the numbers, and their titles
    assert "evaluations in" in html


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return sum(
        k * (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4)
        for k, c in zip((0.2126, 0.7152, 0.0722), channels, strict=True)
    )


@pytest.mark.parametrize("ok", [True, False, None])
def test_colours_can_be_read_on_light_and_on_dark(ok):
    one, other = map(luminance, COLOURS[ok])
    assert 1.05 / (one + 0.05) >= 4.5  # on white
    assert (one + 0.05) / 0.05 >= 4.5  # on black
    assert (other + 0.05) / (luminance("#1e1e1e") + 0.05) >= 4.5  # on what browsers and notebooks have for black


@pytest.mark.parametrize("name", ["layernorm_zero", "linear_bias_left_out", "relu_in_place", "batchnorm_eval_rstd_forgotten"])
def test_plain_data_goes_through_json(name):
    report = report_of(name)
    data = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert data["ok"] is False
    assert data["diagnosis"] == report.diagnosis
    assert [found["name"] for found in data["inputs"]] == [found.name for found in report.inputs]
    assert [found["share_wrong"] for found in data["inputs"]] == [found.share_wrong for found in report.inputs]
    for worst in filter(None, (found["worst"] for found in data["inputs"])):
        assert worst["error"] == abs(worst["analytic"] - worst["numeric"])


def test_numbers_are_shown_with_the_digits_that_tell_them_apart():
    assert apart(1.0, 1.0001) == ("1", "1.0001")
    one, other = apart(0.75, 0.75 * (1 + 1e-10))
    assert one != other
    assert apart(2.0, 2.0) == ("2", "2")
