"""Whether ops are recorded, thread by thread."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Generator
from typing import Any


class _Mode(threading.local):
    enabled = True


mode = _Mode()


def is_grad_enabled() -> bool:
    """Whether this thread records ops.

    >>> is_grad_enabled()
    True
    """
    return mode.enabled


class set_grad_enabled:
    """Switch recording on or off in this thread, for a ``with`` block or from now on."""

    def __init__(self, enabled: bool) -> None:
        self.before, mode.enabled = mode.enabled, bool(enabled)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        mode.enabled = self.before


class _Recording:
    """A switch of recording that is a context manager and a decorator."""

    enabled: bool

    def __init__(self) -> None:
        self.before: list[bool] = []  # a stack, so that one instance can be entered again while it is open

    def __enter__(self) -> None:
        self.before.append(mode.enabled)
        mode.enabled = self.enabled

    def __exit__(self, *exc: object) -> None:
        mode.enabled = self.before.pop()

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with type(self)():  # a fresh one a call: threads share the decorator
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
                with type(self)():
                    item = resume(value)
            except StopIteration as stop:
                return stop.value
            try:
                resume, value = generator.send, (yield item)
            except BaseException as error:  # thrown in by the user, or the generator is being closed
                resume, value = generator.throw, error

    def __new__(cls, function: Callable | None = None) -> Any:  # `@no_grad` as well as `@no_grad()`
        self = super().__new__(cls)
        if function is None:
            return self
        self.__init__()  # type: ignore[misc]
        return self(function)


class no_grad(_Recording):
    """Record nothing in this thread: a context manager, and a decorator.

    Examples
    --------
    >>> with no_grad():
    ...     is_grad_enabled()
    False
    """

    enabled = False


class enable_grad(_Recording):
    """Record again inside a `no_grad` block: a context manager, and a decorator.

    Examples
    --------
    >>> with no_grad(), enable_grad():
    ...     is_grad_enabled()
    True
    """

    enabled = True
