"""What is known of a function that is made of a file's lines, or that takes the file's arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class About:
    """What the file says of a function beside what it computes."""

    lines: str = ""  # of which it is made, or in short what they are
    kinds: dict[str, str] = field(default_factory=dict)  # of arguments whose names do not tell them
    data: tuple[str, ...] = ()  # the arguments that have no gradient
    arrays: dict[str, Any] = field(default_factory=dict)  # those of its file that it takes; they are learned
    unread: tuple[str, ...] = ()  # the parameters that are stepped, and that it does not read
    one_output: bool = False  # whether it is of a network with one output
    left: dict[str, Any] = field(default_factory=dict)  # what its last call has left in the file


def about(function: Callable) -> About:
    """Return what is known of a function; of most there is nothing."""
    return getattr(function, "about", None) or About()


def known_of(function: Any, known: About) -> Any:
    """Return the function, with what is known of it."""
    function.about = known
    return function
