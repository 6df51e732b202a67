"""Whether ops are recorded, thread by thread."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any


class _Mode(threading.local):
    enabled = True
    lends = False  # whether a user's backward gets the incoming gradient itself, and may write into what was saved


mode = _Mode()


@contextmanager
def lending() -> Iterator[None]:
    """Hand users' backwards the arrays themselves: for the gradient checker, which wants to see what they write into them."""
    before, mode.lends = mode.lends, True
    try:
        yield
    finally:
        mode.lends = before


def is_grad_enabled() -> bool:
    """Whether this thread records ops.

    >>> is_grad_enabled()
    True
    """
    return mode.enabled


class _Recording:
    """A switch of recording that is a context manager and a decorator."""

    enabled: bool

    def __init__(self) -> None:
        self.before: list[bool] = []  # a stack, so that one instance can be entered again while it is open

    def again(self) -> _Recording:
        """A fresh one: calls and threads share the decorator."""
        return type(self)()

    def __enter__(self) -> None:
        self.before.append(mode.enabled)
        mode.enabled = self.enabled

    def __exit__(self, *exc: object) -> None:
        mode.enabled = self.before.pop()

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self.again():
                return function(*args, **kwargs)

        @functools.wraps(function)
        def wrapped_generator(*args: Any, **kwargs: Any) -> Any:
            return self._stepwise(function(*args, **kwargs))

        return wrapped_generator if inspect.isgeneratorfunction(function) else wrapped

    def _stepwise(self, generator: Generator) -> Generator:
        """The generator, switched while it runs and not while its user does."""
        resume: Callable = generator.send
        value: Any = None
        while True:
            try:
                with self.again():
                    item = resume(value)
            except StopIteration as stop:
                return stop.value
            try:
                resume, value = generator.send, (yield item)
            except BaseException as error:  # thrown in by the user, or the generator is being closed
                resume, value = generator.throw, error


class set_grad_enabled(_Recording):
    """Switch recording on or off in this thread, from now on; for a ``with`` block; or, as a decorator, for a function.

    Examples
    --------
    >>> with set_grad_enabled(False):
    ...     is_grad_enabled()
    False
    >>> @set_grad_enabled(False)
    ... def evaluate():
    ...     return is_grad_enabled()
    >>> evaluate(), is_grad_enabled()
    (False, True)
    """

    def __init__(self, enabled: bool) -> None:
        super().__init__()
        self.enabled = bool(enabled)
        self.until_now: bool | None = mode.enabled  # what the first block, or the decorator, goes back to
        mode.enabled = self.enabled

    def again(self) -> _Recording:
        switch = _Recording()
        switch.enabled = self.enabled
        return switch

    def __call__(self, function: Callable) -> Callable:
        self.__enter__()
        self.__exit__()  # it is for the function only
        return super().__call__(function)

    def __enter__(self) -> None:
        super().__enter__()
        if self.until_now is not None:
            self.before[-1], self.until_now = self.until_now, None


class _Bare(_Recording):
    """One without arguments: `@no_grad` as well as `@no_grad()`."""

    def __new__(cls, function: Callable | None = None) -> Any:
        self = super().__new__(cls)
        if function is None:
            return self
        self.__init__()  # type: ignore[misc]
        return self(function)


class no_grad(_Bare):
    """Record nothing in this thread: a context manager, and a decorator.

    Examples
    --------
    >>> with no_grad():
    ...     is_grad_enabled()
    False
    """

    enabled = False


class enable_grad(_Bare):
    """Record again inside a `no_grad` block: a context manager, and a decorator.

    Examples
    --------
    >>> with no_grad(), enable_grad():
    ...     is_grad_enabled()
    True
    """

    enabled = True
