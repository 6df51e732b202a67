"""The switch that turns the recording of ops on or off. Each thread has its own."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any


class _Mode(threading.local):
    enabled = True
    lends = False  # True: a user's backward gets the gradient and saved arrays themselves, writeable


mode = _Mode()


@contextmanager
def lending() -> Iterator[None]:
    """Pass the arrays themselves to user-defined backwards. The gradient checker uses this to see if they write into them."""
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
    """A context manager and decorator that turns recording on or off."""

    enabled: bool

    def __init__(self) -> None:
        self.before: list[bool] = []  # a stack, so that one instance can be entered several times

    def again(self) -> _Recording:
        """A new instance for each call, because calls and threads share the decorator."""
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
        """Run the generator with the switch set; restore the mode at each yield, while the caller's code runs."""
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
            except BaseException as error:  # the caller throws an error into the generator, or closes it
                resume, value = generator.throw, error


class set_grad_enabled(_Recording):
    """Turn recording on or off in this thread: from now on, in a ``with`` block, or in a function (as a decorator).

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
        self.until_now: bool | None = mode.enabled  # the mode that the first block or the decorator restores
        mode.enabled = self.enabled

    def again(self) -> _Recording:
        switch = _Recording()
        switch.enabled = self.enabled
        return switch

    def __call__(self, function: Callable) -> Callable:
        self.__enter__()
        self.__exit__()  # restore the mode: the switch is for the function only
        return super().__call__(function)

    def __enter__(self) -> None:
        super().__enter__()
        if self.until_now is not None:
            self.before[-1], self.until_now = self.until_now, None


class _Bare(_Recording):
    """A switch without arguments: both `@no_grad` and `@no_grad()` work."""

    def __new__(cls, function: Callable | None = None, *others: Any, **options: Any) -> Any:
        if others or options:
            got = f"{1 + len(others)} arguments" if others else f"{next(iter(options))}="
            raise TypeError(f"{cls.__name__}: expected no arguments, or the function that is decorated, got {got}")
        self = super().__new__(cls)
        if function is None:
            return self
        self.__init__()  # type: ignore[misc]
        return self(function)


class no_grad(_Bare):
    """A context manager and decorator: this thread records no ops inside it.

    Examples
    --------
    >>> with no_grad():
    ...     is_grad_enabled()
    False
    """

    enabled = False


class inference_mode(_Bare):
    """`no_grad` by the name under which programs evaluate a model; with False it is `enable_grad`.

    Unlike PyTorch's, its tensors are ordinary ones, which may be recorded later.

    Examples
    --------
    >>> with inference_mode():
    ...     is_grad_enabled()
    False
    """

    def __new__(cls, mode: Any = True) -> Any:
        return super().__new__(cls, None if isinstance(mode, bool) else mode)

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self.enabled = not mode

    def again(self) -> _Recording:
        return type(self)(not self.enabled)


class enable_grad(_Bare):
    """A context manager and decorator: this thread records ops inside it, also within a `no_grad` block.

    Examples
    --------
    >>> with no_grad(), enable_grad():
    ...     is_grad_enabled()
    True
    """

    enabled = True
