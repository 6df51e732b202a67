"""A chapter's sentences, each under a key. They are English in the code; another language is a file of this form:

    tinynorm/derivations/languages/zh.json: {"BN": "the chapter's title", "BN.7": "the reason of equation BN.7", ...}

What a language does not have stays English. `texts(chapter)` has all keys of a chapter; those that begin with "page" are in
`markdown.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from .chapter import Chapter, Line, Section, Table

FOLDER = Path(__file__).parents[1] / "languages"


def texts(chapter: Chapter, language: str = "en") -> dict[str, str]:
    """All sentences of a chapter.

    The keys of chapter BN: "BN" is its title, "BN introduction" its introduction, "BN.7" the reason of an equation,
    "BN section 2" a section's title and "BN section 2 text" its text, "BN table 1" a table's title and "BN table 1 column 2"
    the head of a column.
    """
    key = chapter.key
    english = {key: chapter.title, f"{key} introduction": chapter.introduction}
    sections = tables = 0
    for part in chapter.parts:
        match part:
            case Line():
                english[part.number] = part.reason
            case Section():
                sections += 1
                english |= {f"{key} section {sections}": part.title, f"{key} section {sections} text": part.text}
            case Table():
                tables += 1
                english[f"{key} table {tables}"] = part.title
                english |= {f"{key} table {tables} column {k}": title for k, title in enumerate(part.header, 1)}
    return translated(english, language)


def translated(english: Mapping[str, str], language: str = "en") -> dict[str, str]:
    """The same keys with the sentences of another language, as far as it has them.

    Raises
    ------
    ValueError
        There is no file of this language.
    """
    own = {} if language == "en" else _file(FOLDER, language)
    return {key: own.get(key, sentence) for key, sentence in english.items()}


@cache
def _file(folder: Path, language: str) -> dict[str, str]:
    known = {path.stem: path for path in folder.glob("*.json")}
    if language not in known:
        raise ValueError(f"derivations: expected a language, one of {', '.join(sorted({'en', *known}))}, got {language!r}")
    return json.loads(known[language].read_text(encoding="utf-8"))
