"""The pages in demos/derivations are what the chapters say; and a chapter in another language."""

import inspect
import json
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import make_pages
import pytest
from helpers import some

from tinynorm import derivations
from tinynorm.derivations.machinery import languages, markdown
from tinynorm.derivations.machinery.notation import Style

CHAPTERS = [derivations.load(name) for name in derivations.CHAPTERS]
AGAIN = "the pages are older than the chapters; make them anew: python tests/derivations/make_pages.py"


@pytest.fixture(scope="module")
def made():
    return make_pages.made()


@pytest.fixture(scope="module")
def links():
    return markdown.Links(CHAPTERS)


def committed():
    return {path.name: path.read_text(encoding="utf-8") for path in make_pages.FOLDER.glob("*.md")}


def test_the_pages_are_what_the_chapters_say(made):
    assert committed() == made, AGAIN


@pytest.mark.parametrize("chapter", some(CHAPTERS, 4), ids=lambda chapter: chapter.name)
def test_a_changed_line_of_code_changes_the_page(chapter, tmp_path, links):
    """A copy of the chapter's file, with another sign in its last equation."""
    original = Path(inspect.getsourcefile(chapter.lines[-1].formula))
    source = original.read_text(encoding="utf-8")
    code = chapter.lines[-1].code
    before, _, after = source.rpartition(f"return {code}")
    page = committed()[markdown.file_name(chapter)]
    for changed, same in ((code, True), (f"-({code})", False)):
        path = tmp_path / f"{chapter.name}_{same}.py"
        path.write_text(f"{before}return {changed}{after}", encoding="utf-8")
        spec = spec_from_file_location(f"tinynorm.derivations.{path.stem}", path)
        module = module_from_spec(spec)
        module.__file__ = str(original)  # beside which its data are
        spec.loader.exec_module(module)
        assert page.startswith(markdown.page(module.chapter, links)) is same


def test_every_link_leads_to_something(made):
    anchors = {f"{name}#{found}" for name, text in made.items() for found in re.findall(r'<a id="([^"]+)">', text)}
    for name, text in made.items():
        for target in re.findall(r"\]\(([^)]+)\)", text):
            path, _, place = target.partition("#")
            if not path.startswith(".."):
                assert (path or name) in made
                assert not place or f"{path or name}#{place}" in anchors, target
                continue
            file = make_pages.FOLDER / path
            assert file.exists(), target
            if place:
                assert "  # " in file.read_text().splitlines()[int(place[1:]) - 1], target


def test_every_equation_is_on_its_page_with_its_code_and_its_reason(made):
    for chapter in CHAPTERS:
        text = made[markdown.file_name(chapter)]
        for line in chapter.lines:
            assert text.count(f"**{line.number}**") == 1
            assert rf"\tag{{{line.number}}}" in text
            assert f"`{line.symbol}={''.join(line.code.split())}`" in "".join(text.split())


def test_a_wide_equation_is_broken_and_says_the_same():
    broken = []
    for line in (line for chapter in CHAPTERS for line in chapter.lines):
        rows = markdown._on_lines(line)
        assert " ".join(rows) == Style(latex=True, sizes=line.chapter.sizes).write(line.tree)
        if len(rows) > 1:
            broken.append(markdown.block([line]))
    assert broken
    assert all(r" \notag" in block for block in broken)


def test_comments_in_the_package_name_equations_that_there_are():
    numbers = {line.number for chapter in CHAPTERS for line in chapter.lines}
    keys = {chapter.key for chapter in CHAPTERS}
    for number, places in markdown.implementations().items():
        assert number in numbers or number.partition(".")[0] not in keys, (number, places)


# ---- other languages -------------------------------------------------------------------------------------------------


@pytest.fixture
def german(monkeypatch, tmp_path):
    sentences = {"CE": "Zentrieren", "CE.7": "x wird zweimal gebraucht.", "page next": "weiter"}
    (tmp_path / "de.json").write_text(json.dumps(sentences), encoding="utf-8")
    monkeypatch.setattr(languages, "FOLDER", tmp_path)
    return sentences


def test_another_language_replaces_what_it_has(german):
    chapter = derivations.load("centring")
    english, other = languages.texts(chapter), languages.texts(chapter, "de")
    assert english.keys() == other.keys()
    assert {key for key in english if english[key] != other[key]} == {"CE", "CE.7"}
    page = markdown.pages(CHAPTERS, "de")[markdown.file_name(chapter)]
    assert "Zentrieren" in page
    assert "**CE.7** x wird zweimal gebraucht.<br>" in page
    assert "weiter: [" in page
    assert chapter.lines[0].reason in page  # CE.1 has no translation


def test_a_language_without_a_file_is_refused(german):
    with pytest.raises(ValueError, match="expected a language, one of de, en, got 'fr'"):
        languages.texts(CHAPTERS[0], "fr")


def test_a_translation_has_no_sentence_that_english_does_not_have():
    english = markdown.WORDS.keys() | {key for chapter in CHAPTERS for key in languages.texts(chapter)}
    for path in languages.FOLDER.glob("*.json"):
        assert json.loads(path.read_text(encoding="utf-8")).keys() <= english, path.name
