"""The report: one HTML file that needs no other, with each experiment's question, picture, table and verdict."""

from __future__ import annotations

import html
import io
import platform
import re
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .base import Experiment, Row, Text, Verdict
from .nets import TEST, TRAINING

STYLE = """
body { font: 16px/1.5 system-ui, "Noto Sans", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; max-width: 62rem;
       margin: 2rem auto; padding: 0 1rem; color: #1b1b1b; }
h1 { line-height: 1.2; } h2 { margin-top: 3rem; border-top: 1px solid #ccc; padding-top: 1rem; }
table { border-collapse: collapse; margin: 1rem 0; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid #ddd; padding: .25rem .6rem; text-align: left; vertical-align: top; }
.wide { overflow-x: auto; } svg { max-width: 100%; min-width: 34rem; height: auto; }
.verdict { border-left: 4px solid #0072B2; padding: .3rem 1rem; background: #f3f7fa; }
.small { color: #555; font-size: .9rem; } nav a { display: inline-block; margin-right: .6rem; }
"""
AGREES = {
    "yes": Text("It agrees with the literature.", "与文献一致。"),
    "no": Text("It contradicts the literature, or what is expected.", "与文献或预期相矛盾。"),
    "partly": Text("It agrees with the literature in part.", "与文献部分一致。"),
}
READING = Text(
    "Bands and error bars in the pictures go from the least to the most of the seeds. a ± b is the mean and the standard "
    "deviation over the seeds; a [b, c] is the mean of a difference, paired by seed, and its 95 % interval. Points are "
    "percentage points.",
    "图中的色带和误差线从各种子的最小值到最大值。a ± b 为各种子的平均值与标准差；"
    "a [b, c] 为按种子配对的平均差值及其 95 % 区间。",
)
OTHER_IMAGES = {
    name: Text(
        f"All experiments use {title} here: {TRAINING:,} of its training images and {TEST} of its test images, as many of each "
        "class and others with each seed. Where a text says digits, these are meant.",
        f"此处所有实验都使用 {title}：{TRAINING:,} 张训练图像和 {TEST} 张测试图像，各类数量相同，每个种子另行抽取。"
        "文中的“数字”均指这些图像。",
    )
    for name, title in (("mnist", "MNIST"), ("fashion-mnist", "Fashion-MNIST"))
}
SPACE = Text(" ", "")  # between sentences
TITLE = Text("BatchNorm or LayerNorm, when which?", "BatchNorm 还是 LayerNorm：何时用哪个？")


def speaker(lang: str) -> Callable[[Text], str]:
    return lambda text: getattr(text, lang)


def svg(figure: Any, png: Path | None = None) -> str:
    """A figure as SVG whose texts stay texts: any language that the reader's fonts have, and searchable. Also as a PNG file."""
    import warnings

    import matplotlib.pyplot as plt

    file = io.StringIO()
    settings: dict[Any, str] = {"svg.fonttype": "none", "font.family": "sans-serif", "svg.hashsalt": "tinynorm"}
    with plt.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # it measures with a font of its own
        figure.savefig(file, format="svg", metadata={"Date": None})
        if png is not None:
            figure.savefig(png, dpi=80)
    plt.close(figure)
    return re.sub(r"^.*?(?=<svg)", "", file.getvalue(), count=1, flags=re.DOTALL)


def grid(lines: list[list[str]]) -> str:
    """A table; its first line has the names of the columns. After an empty line comes another table."""
    if [] in lines:
        end = lines.index([])
        return grid(lines[:end]) + grid(lines[end + 1 :])
    head, *body = lines
    cells = "".join(f"<th>{html.escape(c)}</th>" for c in head)
    rows = "".join("<tr>" + "".join(f"<td>{unbroken(html.escape(c))}</td>" for c in line) + "</tr>" for line in body)
    return f"<table><tr>{cells}</tr>{rows}</table>"


def unbroken(text: str) -> str:
    """The text, whose lines do not break within a figure: 97.8 ± 0.4 %, +3.5 [+2.6, +4.4]."""
    text = re.sub(r"(?<=\d) (?=[±%\[])|(?<=±) ", "\N{NO-BREAK SPACE}", text)
    return re.sub(r"\[[^\]]*\]", lambda m: m[0].replace(" ", "\N{NO-BREAK SPACE}"), text)


def section(e: Experiment, rows: list[Row], s: dict[str, Any], seconds: float, lang: str, out: Path) -> str:
    """An experiment's part of the page. Its picture also goes into a file, in English: Matplotlib's font has no Chinese."""
    say = speaker(lang)
    png = out / f"{e.key}.png" if lang == "en" else None
    verdict: Verdict = e.verdict(rows, s)
    seeds = len({row["seed"] for row in rows})
    cost = Text(f"{seeds} seeds, {seconds:.0f} s of one processor.", f"{seeds} 个随机种子，单核 {seconds:.0f} 秒。")
    settings = ", ".join(f"{k} = {v}" for k, v in s.items())
    return f"""
<h2 id="{e.key}">{e.key}. {html.escape(say(e.title))}</h2>
<p><b>{html.escape(say(e.question))}</b></p>
<p class="verdict">{unbroken(html.escape(say(verdict.answer)))}{say(SPACE)}{html.escape(say(AGREES[verdict.agrees]))}</p>
<div class="wide">{svg(e.draw(rows, s, say), png)}</div>
<div class="wide">{grid(e.table(rows, s, say))}</div>
<p>{html.escape(say(e.how))} <span class="small">{html.escape(say(cost))} {html.escape(settings)}.</span></p>
<p class="small">{html.escape(say(verdict.literature))} <a href="{e.key}.csv">{e.key}.csv</a></p>
"""


def versions() -> str:
    found = []
    for name in ("tinynorm", "numpy", "numba", "scikit-learn", "cupy-cuda13x", "cupy-cuda12x"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join([*found, f"Python {platform.python_version()}", platform.machine(), platform.system()])


def page(sections: list[str], keys: list[str], answer: str, about: str, lang: str, data: dict[str, str]) -> str:
    say = speaker(lang)
    reading = [READING, OTHER_IMAGES[data["dataset"]]] if data else [READING]
    notes = "".join(f'<p class="small">{html.escape(say(text))}</p>\n' for text in reading)
    links = "".join(f'<a href="#{key}">{key}</a>' for key in keys)
    title = html.escape(say(TITLE))
    return f"""<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>{STYLE}</style></head><body>
<h1>{title}</h1>
<nav>{links}</nav>
{notes}<div class="wide">{answer}</div>
{"".join(sections)}
<hr><p class="small">{html.escape(about)}</p>
</body></html>
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
