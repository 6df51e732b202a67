"""Chapters as pages of Markdown, with the mathematics in ``math`` blocks, which code hosts render.

Whatever a page says comes from the chapter: the equation from its tree, the code from its source, the place where it runs from
the comment with its number in the package.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import textwrap
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
WIDEST = 68  # letters of a formula on one line

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
        "fail a check, unless the changed line is proved to be the same.\n"
        "- A line of the package that bears an equation's number is this equation. The tests hold that, and that the line runs "
        "in the op that the chapter derives, or in another that they name. For large arrays a compiled kernel may take its "
        "place, with the same numbers but for rounding.\n\n"
        "`pytest tests/derivations` runs all of this. `tinynorm derive` shows the lines in the terminal, with numbers, and "
        "checks them."
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
    "page like": "cf.",
    "page op": "tinynorm's own code gives the same output and the same gradients:",
    "page op forward": "tinynorm's own code gives the same output:",
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
                parts += _table(part, f"{chapter.key} table {tables}", said, links, chapter)
            case _:
                parts.append(block(part))
                parts += [_beside(line, said[line.number], words, links) for line in part if line.number != _recalled(part)]
    if chapter.runs_as is not None:
        derived = any(chapter.upstream in line.uses for line in chapter.lines)
        parts += [words["page op" if derived else "page op forward"], f"```python\n{_body(chapter.runs_as)}\n```"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _given(chapter: Chapter, words: Mapping[str, str]) -> str:
    """What the derivation starts from."""
    items = [f"{words['page given']} " + ", ".join(_named(chapter, name) for name in chapter.given)]
    if any(chapter.upstream in line.uses for line in chapter.lines):
        items[0] += f"; {_named(chapter, chapter.upstream)}, {words['page upstream']} `{chapter.output}`"
    settings = [f"`{name} = {value}`" for name, value in chapter.settings.items() if name != value]
    if settings:
        items.append(f"{words['page settings']} {', '.join(settings)}")
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
    rows = []
    for line in chain:
        first, *more = _on_lines(line)
        rows += [f"= {first}", *(rf"\quad {{}} {text}" for text in more)]
        rows[-1] += rf" \tag{{{line.number}}}"
    if len(rows) == 1:
        return f"```math\n{left} {rows[0]}\n```"
    rows = [f"{left if k == 0 else ''} &{row}".strip() + ("" if r"\tag" in row else r" \notag") for k, row in enumerate(rows)]
    aligned = " \\\\[6pt]\n".join(rows)
    return f"```math\n\\begin{{align}}\n{aligned}\n\\end{{align}}\n```"


def _on_lines(line: Line) -> list[str]:
    """The right-hand side in LaTeX, broken at signs where it is wider than a page."""
    latex, plain = (Style(latex, line.chapter.sizes) for latex in (True, False))
    tree = line.tree
    if _width(plain.write(tree)) <= WIDEST:
        return [latex.write(tree)]
    found: list[str] = []
    room = 0.0
    for text, width in zip(latex.terms(tree), map(_width, plain.terms(tree)), strict=True):
        if not found or width > room:
            found.append(text)
            room = WIDEST
        else:
            found[-1] += f" {text}"
        room -= width
    return found


def _width(text: str) -> float:
    """About how wide a formula is, in letters; an index letter is half as wide."""
    return len(text) - sum((1 + len(letters)) / 2 for letters in re.findall(r"_(\w+)", text))


def _beside(line: Line, reason: str, words: Mapping[str, str], links: Links) -> str:
    """What stands below an equation: the reason, the code that runs, the shape, the checks, and where the package runs it."""
    chapter = line.chapter
    code = re.sub(r"(?<=[(\[]) | (?=[)\]])", "", " ".join(line.code.split()))  # on one line
    notes = [f"`{line.symbol} = {code}`"]
    if line.kind != REWRITING and shape(chapter, line.symbol):
        notes.append(f"({shape(chapter, line.symbol)})")
    notes.append(words["page own proof" if line.proof else f"page {line.kind}"])
    for word, exact in ((words["page runs"], True), (words["page like"], False)):
        places = [(path, k) for path, k, is_it in implementations().get(line.number, ()) if is_it is exact]
        if places:
            notes.append(f"{word} " + ", ".join(f"[{path.partition('/')[2]}:{k}]({UP}{path}#L{k})" for path, k in places))
    text = links.into(reason, chapter)
    return f'<a id="{anchor(line.number)}"></a>**{line.number}** {text}<br>\n<small>{" · ".join(notes)}</small>'


def _body(f: Callable) -> str:
    """A function's statements, as they stand in its source; a single ``return`` as what it returns."""
    source = textwrap.dedent(inspect.getsource(f))
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    text = textwrap.dedent("\n".join(source.splitlines()[function.body[0].lineno - 1 :]))
    return text.removeprefix("return ") if len(function.body) == 1 else text


def _table(table: Table, key: str, said: Mapping[str, str], links: Links, chapter: Chapter) -> list[str]:
    """A table. Columns of numbers are aligned to the right."""
    rows = [[str(cell) for cell in row] for row in table.rows()]
    numeric = [all(re.fullmatch(r"-?([\d.,]+(e-?\d+)?|inf)|nan", row[k]) for row in rows) for k in range(len(table.header))]
    head = [said[f"{key} column {k}"] for k in range(1, len(table.header) + 1)]
    written = [" | ".join(links.into(cell, chapter).replace("|", "\\|") for cell in row) for row in (head, *rows)]
    written.insert(1, " | ".join("---:" if right else "---" for right in numeric))
    return [f"**{links.into(said[key], chapter)}**", "\n".join(f"| {row} |" for row in written)]


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


NUMBERS = re.compile(r"# (cf\. )?([A-Z]{2}\.\d+(?:, [A-Z]{2}\.\d+)*)")


@cache
def implementations() -> dict[str, list[tuple[str, int, bool]]]:
    """Where the package runs an equation: number -> (path, line, whether it is the equation itself), by the comments there.

    A comment begins with the number; after "cf." it is a line that is like the equation.
    """
    found: dict[str, list[tuple[str, int, bool]]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "derivations" in path.parts or not NUMBERS.search(text):
            continue
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            listed = NUMBERS.match(token.string) if token.type == tokenize.COMMENT else None
            if listed:
                for number in listed[2].split(", "):
                    place = path.relative_to(PACKAGE.parent).as_posix(), token.start[0], not listed[1]
                    found.setdefault(number, []).append(place)
    return found
