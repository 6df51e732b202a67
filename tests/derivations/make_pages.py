"""Writes the derivations as pages of Markdown, from the chapters: python tests/derivations/make_pages.py

`test_pages.py` holds that the pages are up to date.
"""

from __future__ import annotations

from pathlib import Path

from tinynorm import derivations
from tinynorm.derivations.machinery import markdown

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / markdown.FOLDER


def made() -> dict[str, str]:
    """Each page's name and text."""
    return markdown.pages([derivations.load(name) for name in derivations.CHAPTERS])


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    pages = made()
    for path in FOLDER.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{markdown.FOLDER}: {len(pages)} pages, as the chapters are")
