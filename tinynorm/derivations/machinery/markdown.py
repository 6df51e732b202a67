"""Chapters as pages of Markdown, with the mathematics in ``math`` blocks, which code hosts render.

Whatever a page says comes from the chapter: the equation from its tree, the code from its source, the place where it runs from
the comment with its number in the package.
"""

from __future__ import annotations

import inspect
import re
import tokenize
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from .chapter import REWRITING, Chapter, Line, Section, Table
from .languages import texts, translated
from .notation import Style

PACKAGE = Path(__file__).parents[2]  # tinynorm
FOLDER = "demos/derivations"  # where the pages are, in the repository
UP = "../../"  # from there to the repository

# what the pages say beside the chapters' own sentences: "page ..." are their keys in a language's file
WORDS = {
    "page contents": "Derivations, line by line",
    "page contents introduction": (
        "Each backward pass of tinynorm, derived in small steps. Every equation on these pages is code that runs: a short "
        "function in [`tinynorm/derivations`](../../tinynorm/derivations). The formula, the checks and the proof are all made "
        "from that function.\n\n"
        "`dx` is the derivative of the loss with respect to `x`, and has its shape. An index letter is written for each "
        "dimension that is longer than 1. So the mean of x (N, D) over the batch, of shape (1, D), has the index d alone."
    ),
    "page checks": "How the equations are checked",
    "page checks text": (
        "- A definition must have the shape that its indices say. The lines that use it check its value, and so does the op of "
        "tinynorm that the chapter derives: both must give the same output and the same gradients.\n"
        "- The gradient of the loss with respect to a symbol is compared with finite differences, and the chain rule proves it "
        "for all sizes.\n"
        "- Another form of a symbol is compared with its definition on random numbers, and the two are proved equal for all "
        "sizes.\n"
        "- The tests also change each line: a sign, a term, a factor, a number, an axis, a mean for a sum. Each change must "
        "fail a check, unless the changed line is proved to be the same.\n\n"
        "`pytest tests/derivations` runs all of this."
    ),
    "page chapter": "chapter",
    "page equations": "equations",
    "page given": "Given:",
    "page upstream": "the gradient of the loss with respect to",
    "page settings": "Settings:",
    "page forward": "checked by what uses it",
    "page adjoint": "finite differences; proved by the chain rule",
    "page rewriting": "both sides measured; proved equal",
    "page own proof": "both sides measured; a proof of its own",
    "page runs": "runs in",
    "page op": "The op that this chapter derives gives the same output and the same gradients:",
    "page back": "previous",
    "page next": "next",
}


def pages(chapters: Sequence[Chapter], language: str = "en") -> dict[str, str]:
    """The text of each page: the table of contents ("README.md") and the chapters, in reading order."""
    links = Links(chapters)
    found = {"README.md": contents(chapters, language)}
    for k, chapter in enumerate(chapters):
        body = page(chapter, links, language)
        found[file_name(chapter)] = body + _around(chapters, k, language)
    return found


def file_name(chapter: Chapter) -> str:
    return f"{chapter.order:02}_{chapter.name}.md"


def contents(chapters: Sequence[Chapter], language: str = "en") -> str:
    """The table of contents."""
    words = translated(WORDS, language)
    rows = [f"| | {words['page chapter']} | {words['page equations']} |", "| ---: | --- | --- |"]
    for chapter in chapters:
        title = escaped(texts(chapter, language)[chapter.key])
        numbers = f"{chapter.key}.1 – {chapter.key}.{len(chapter.lines)}"
        rows.append(f"| {chapter.order} | [{title}]({file_name(chapter)}) | {numbers} |")
    parts = [f"# {words['page contents']}", words["page contents introduction"], "\n".join(rows)]
    return "\n\n".join([*parts, f"## {words['page checks']}", words["page checks text"]]) + "\n"


def _around(chapters: Sequence[Chapter], k: int, language: str) -> str:
    """The links to the chapter before and to the one after."""
    words = translated(WORDS, language)
    links = [f"[{words['page contents']}](README.md)"]
    for i, word in ((k - 1, words["page back"]), (k + 1, words["page next"])):
        if 0 <= i < len(chapters):
            links.append(f"{word}: [{escaped(texts(chapters[i], language)[chapters[i].key])}]({file_name(chapters[i])})")
    return "\n---\n\n" + " · ".join(links) + "\n"


def page(chapter: Chapter, links: Links, language: str = "en") -> str:
    """A chapter's page, but for the links at its end."""
    said, words = texts(chapter, language), translated(WORDS, language)
    parts = [f"# {chapter.order}. {escaped(said[chapter.key])}", links.into(said[f"{chapter.key} introduction"], chapter)]
    parts.append(_given(chapter, words))
    sections = tables = 0
    for part in _grouped(chapter):
        match part:
            case Section():
                sections += 1
                key = f"{chapter.key} section {sections}"
                parts += [f"## {escaped(said[key])}", links.into(said[f"{key} text"], chapter)]
            case Table():
                tables += 1
                parts += _table(part, f"{chapter.key} table {tables}", said)
            case _:
                parts.append(block(part))
                parts += [_beside(line, said[line.number], words, links) for line in part if line.number != _recalled(part)]
    if chapter.runs_as is not None:
        parts.append(f"{words['page op']} `{_returned(chapter.runs_as)}`")
    return "\n\n".join(part for part in parts if part) + "\n"


def _given(chapter: Chapter, words: Mapping[str, str]) -> str:
    """What the derivation starts from."""
    items = [f"{words['page given']} " + ", ".join(_named(chapter, name) for name in chapter.given)]
    if any(chapter.upstream in line.uses for line in chapter.lines):
        items[0] += f"; {_named(chapter, chapter.upstream)}, {words['page upstream']} `{chapter.output}`"
    if chapter.settings:
        items.append(
            f"{words['page settings']} " + ", ".join(f"`{name} = {value}`" for name, value in chapter.settings.items())
        )
    return "\n".join(f"- {item}" for item in items)


def _named(chapter: Chapter, name: str) -> str:
    sizes = shape(chapter, name)
    return f"`{name}` ({sizes})" if sizes else f"`{name}`"


def shape(chapter: Chapter, name: str) -> str:
    """The lengths of a symbol's dimensions: "N, D"; "" for a number."""
    return ", ".join(chapter.sizes[letter] if letter else "1" for letter in chapter.letters(name))


# ---- equations -------------------------------------------------------------------------------------------------------


def _grouped(chapter: Chapter) -> Iterator[Section | Table | list[Line]]:
    """The parts, with each symbol's forms that follow one another as one chain.

    A chain that takes up a symbol from further above begins with the last form it had there.
    """
    chain: list[Line] = []
    last: dict[str, Line] = {}
    for part in chapter.parts:
        if isinstance(part, Line) and part.kind == REWRITING and chain and chain[-1].symbol == part.symbol:
            chain.append(part)
        else:
            if chain:
                yield chain
            chain = []
            if not isinstance(part, Line):
                yield part
            else:
                chain = [last[part.symbol], part] if part.kind == REWRITING else [part]
        if isinstance(part, Line):
            last[part.symbol] = part
    if chain:
        yield chain


def _recalled(chain: Sequence[Line]) -> str:
    """The number of a chain's first form if it stands further above; it is not explained again."""
    apart = len(chain) > 1 and _place(chain[1]) != _place(chain[0]) + 1
    return chain[0].number if apart else ""


def _place(line: Line) -> int:
    return next(k for k, part in enumerate(line.chapter.parts) if part is line)


def block(chain: Sequence[Line]) -> str:
    """An equation, or the forms of a symbol one below another, as a ``math`` block."""
    chapter, symbol = chain[0].chapter, chain[0].symbol
    style = Style(latex=True, sizes=chapter.sizes)
    left = style.symbol(symbol, "".join(chapter.letters(symbol)))
    rows = [rf"= {style.write(line.tree)} \tag{{{line.number}}}" for line in chain]
    if len(chain) == 1:
        return f"```math\n{left} {rows[0]}\n```"
    aligned = " \\\\[6pt]\n".join(f"{left if k == 0 else ''} &{row}".strip() for k, row in enumerate(rows))
    return f"```math\n\\begin{{align}}\n{aligned}\n\\end{{align}}\n```"


def _beside(line: Line, reason: str, words: Mapping[str, str], links: Links) -> str:
    """What stands below an equation: the reason, the code that runs, the shape, the checks, and where the package runs it."""
    chapter = line.chapter
    notes = [f"`{line.symbol} = {' '.join(line.code.split())}`"]
    if line.kind != REWRITING and shape(chapter, line.symbol):
        notes.append(shape(chapter, line.symbol))
    notes.append(words["page own proof" if line.proof else f"page {line.kind}"])
    places = [f"[{path}:{number}]({UP}{path}#L{number})" for path, number in implementations().get(line.number, ())]
    if places:
        notes.append(f"{words['page runs']} {', '.join(places)}")
    text = links.into(reason, chapter)
    return f'<a id="{anchor(line.number)}"></a>**{line.number}** {text}<br>\n<small>{" · ".join(notes)}</small>'


def _returned(f: Callable) -> str:
    """What a function of one ``return`` returns, as it stands in its source."""
    return " ".join(inspect.getsource(f).partition("return ")[2].split())


def _table(table: Table, key: str, said: Mapping[str, str]) -> list[str]:
    rows = [[said[f"{key} column {k}"] for k in range(1, len(table.header) + 1)], ["---"] * len(table.header)]
    rows += [[str(cell) for cell in row] for row in table.rows()]
    written = (" | ".join(cell if cell == "---" else escaped(cell).replace("|", "\\|") for cell in row) for row in rows)
    return [f"**{escaped(said[key])}**", "\n".join(f"| {row} |" for row in written)]


# ---- text ------------------------------------------------------------------------------------------------------------


def escaped(text: str) -> str:
    """The text, with what Markdown would take for a sign of its own escaped; code between backticks stays.

    >>> print(escaped("dx_hat * r * `a * b` <c>"))
    dx\\_hat \\* r \\* `a * b` \\<c>
    """
    parts = re.split(r"(`+[^`]*`+)", text)
    return "".join(part if k % 2 else re.sub(r"([\\*_<\[\]$~#])", r"\\\1", part) for k, part in enumerate(parts))


def anchor(number: str) -> str:
    return number.lower().replace(".", "-")


class Links:
    """Makes links of the numbers of equations and chapters in a text."""

    def __init__(self, chapters: Sequence[Chapter]) -> None:
        self.files = {line.number: file_name(chapter) for chapter in chapters for line in chapter.lines}
        self.files |= {f"chapter {chapter.order}": file_name(chapter) for chapter in chapters}
        names = "|".join(chapter.key for chapter in chapters)
        self.mentioned = re.compile(rf"\b((?:{names})\.\d+|[Cc]hapter \d+)\b")

    def into(self, text: str, chapter: Chapter) -> str:
        """The text, escaped, with its links; `chapter` is the page that it stands on."""

        def link(found: re.Match) -> str:
            name = found[0]
            file = self.files.get(name[0].lower() + name[1:] if " " in name else name)
            if file is None:
                return name
            here = file == file_name(chapter)
            place = "" if " " in name else f"#{anchor(name)}"
            return f"[{name}]({'' if here and place else file}{place})"

        return self.mentioned.sub(link, escaped(text))


@cache
def implementations() -> dict[str, list[tuple[str, int]]]:
    """Where the package runs an equation: number -> (path, line) of each comment that begins with the number."""
    found: dict[str, list[tuple[str, int]]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if "derivations" in path.parts:
            continue
        with path.open(encoding="utf-8") as file:
            for token in tokenize.generate_tokens(file.readline):
                listed = re.match(r"# ?([A-Z]+\.\d+(, [A-Z]+\.\d+)*)", token.string) if token.type == tokenize.COMMENT else None
                for number in listed[1].split(", ") if listed else ():
                    found.setdefault(number, []).append((path.relative_to(PACKAGE.parent).as_posix(), token.start[0]))
    return found
