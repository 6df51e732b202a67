"""A progress bar for checks that take longer than a few seconds."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


@contextmanager
def shown(problem: Any, names: Sequence[str]) -> Iterator[None]:
    """Count the problem's evaluations in a bar, on a terminal or in a notebook, if tqdm is installed."""
    if "ipykernel" not in sys.modules and not (sys.stderr and sys.stderr.isatty()):  # to import tqdm takes 0.15 s
        yield
        return
    try:
        from tqdm.auto import tqdm
    except ImportError:
        yield
        return
    # most checks end within the delay of 3 seconds and show no bar
    with tqdm(desc=f"checking {', '.join(names)}", unit=" evaluations", delay=3.0, leave=False) as bar:
        problem.tick = bar.update
        try:
            yield
        finally:
            problem.tick = None
