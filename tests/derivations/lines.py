"""Short chapters, for tests."""

from tinynorm.derivations.machinery.chapter import Chapter


def line_of(given, *lines, sizes=None, **options):
    """A chapter of these lines, pairs (kind, formula named as its symbol); returns the last line."""
    chapter = Chapter(0, "XX", "x", None, sizes or {"n": "N"}, given, **options)
    for number, (kind, symbol, formula, *proof_of_its_own) in enumerate(lines, 1):
        formula.__name__ = symbol
        getattr(chapter, kind)(f"XX.{number}", "a line", *proof_of_its_own)(formula)
    return chapter.lines[-1]
