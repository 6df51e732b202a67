"""The forward/backward pairs in somebody's Python file: found, given inputs, checked."""

from __future__ import annotations

import inspect
import itertools
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .check import check_backward
from .problem import CannotCheck
from .report import Report

N, D, M, C, H, W = 6, 5, 4, 4, 3, 2  # of drawn inputs: different, and groups of four and more

X = {"x", "input", "inputs", "a", "z", "h", "data", "features", "scores", "logits"}
MATRIX = {"w", "weight", "weights"}
BIAS = {"b", "bias"}
AFFINE = {"gamma", "beta", "scale", "shift", "g"}
MEAN = {"running_mean", "moving_mean", "mean", "mu"}
VARIANCE = {"running_var", "moving_var", "var", "variance"}
TARGET = {"y", "t", "target", "targets", "label", "labels"}
NUMBERS = {"eps": 1e-5, "epsilon": 1e-5, "momentum": 0.9, "num_groups": 2, "groups": 2, "axis": -1, "dim": -1, "training": True}
SETTINGS = {"mode": "train", "eps": 1e-5, "momentum": 0.9, "p": 0.5, "seed": 1, "stride": 1, "pad": 1}


class Explained(Exception):
    """What a user is told, in place of a traceback of ours."""


@dataclass
class Pair:
    """``NAME_forward`` and ``NAME_backward``, and the function that makes inputs for them, where there is one."""

    name: str
    forward: Callable
    backward: Callable
    inputs: Callable | None
    path: str


def pairs_in(path: Path, only: str | None = None) -> list[Pair]:
    """The pairs in a file.

    Raises
    ------
    Explained
        The file is missing, has a syntax error, raises when it is imported, or has no pairs (or none called `only`).
    """
    found = {name: value for name, value in load(path).items() if callable(value)}
    pairs = []
    for name, forward in found.items():
        if name != "forward" and not name.endswith("_forward"):
            continue
        prefix = name.removesuffix("forward")
        backward = found.get(f"{prefix}backward")
        if backward is not None:
            title = prefix.rstrip("_") or "forward"
            pairs.append(Pair(title, forward, backward, found.get(f"{prefix}inputs"), str(path)))
    chosen = [pair for pair in pairs if only in (None, pair.name, f"{pair.name}_forward", f"{pair.name}_backward")]
    if pairs and not chosen:
        raise Explained(f"{path}: there is no pair called {only!r}; there are {', '.join(pair.name for pair in pairs)}")
    if not chosen:
        raise Explained(f"{path}: no pairs of functions NAME_forward and NAME_backward found{_instead(found, path)}")
    return chosen


def _instead(found: dict[str, Any], path: Path) -> str:
    own = {name: value for name, value in found.items() if getattr(value, "__module__", "") == module_name(path)}
    classes = [name for name, value in own.items() if inspect.isclass(value) and hasattr(value, "forward")]
    if classes:
        return f". The classes {', '.join(classes)} have methods; write a pair of functions around them to check those"
    lonely = [name for name in own if name.endswith(("_forward", "_backward"))]
    return f"; {', '.join(lonely)} has no counterpart" if lonely else ""


def module_name(path: Path) -> str:
    return f"_checked_{path.stem}"


def load(path: Path) -> dict[str, Any]:
    """Run a file, and return its names."""
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Explained(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    try:
        code = compile(source, str(path), "exec")
    except SyntaxError as error:
        line = (error.text or "").rstrip("\n")
        caret = " " * ((error.offset or 1) - 1) + "^"
        raise Explained(f"{path}:{error.lineno}: syntax error: {error.msg}\n  {line}\n  {caret}") from None
    except ValueError as error:
        raise Explained(f"{path}: cannot be read: {error}") from None
    names: dict[str, Any] = {"__name__": module_name(path), "__file__": str(path)}
    before = list(sys.path)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        exec(code, names)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: the file's own
        raise Explained(f"{path}: raises when it is imported\n{own_frames(error, str(path))}") from None
    finally:
        sys.path[:] = before
    return names


def own_frames(error: BaseException, path: str) -> str:
    """The traceback of somebody's error, without our frames."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    shown = frames if len(frames) <= 6 else [*frames[:3], *frames[-3:]]
    lines = [f"  {path}:{frame.lineno}, in {frame.name}\n    {frame.line}" for frame in shown]
    return "\n".join([*lines, f"  {type(error).__name__}: {error}" if str(error) else f"  {type(error).__name__}"])


# ---- inputs ------------------------------------------------------------------------------------------------------------


def inputs_for(pair: Pair, seed: int) -> tuple[list[str], list[Any]]:
    """(names, inputs) from the file's own function, or drawn from forward's signature.

    Raises
    ------
    Explained
        They cannot be drawn, or forward does not take them.
    """
    parameters = list(inspect.signature(pair.forward).parameters.values())
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if pair.inputs is not None:
        return _given(pair, names, seed)
    wanted = [p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    unknown = [p.name for p in wanted if next(_draws(p.name, pair.name, np.random.default_rng(0)), None) is None]
    advice = f"write a function {pair.name}_inputs(rng) that returns them as a tuple"
    if unknown or not wanted:
        what = f"do not know what to draw for {', '.join(unknown)}" if unknown else "it has no arguments to draw"
        raise Explained(f"{pair.name}_forward({', '.join(names)}): {what}; {advice}")
    first: BaseException | None = None
    for inputs in _candidates([p.name for p in wanted], pair.name, seed):
        try:
            with np.errstate(all="ignore"):
                result = pair.forward(*[a.copy() if isinstance(a, np.ndarray | dict) else a for a in inputs])
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            first = first or error
            continue
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise Explained(f"{pair.name}_forward: expected two values, (out, cache), got {type(result).__name__}")
        return [p.name for p in wanted], inputs
    assert first is not None
    raise Explained(f"{pair.name}_forward raises for all inputs that were tried; {advice}\n{own_frames(first, pair.path)}")


def _given(pair: Pair, names: list[str], seed: int) -> tuple[list[str], list[Any]]:
    assert pair.inputs is not None
    taken = list(inspect.signature(pair.inputs).parameters)
    argument = [] if not taken else [seed] if "seed" in taken[0] else [np.random.default_rng(seed)]
    try:
        inputs = pair.inputs(*argument)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise Explained(f"{pair.name}_inputs raises\n{own_frames(error, pair.path)}") from None
    if isinstance(inputs, dict):
        return list(inputs), list(inputs.values())
    if not isinstance(inputs, tuple | list):
        raise Explained(f"{pair.name}_inputs: expected a tuple of inputs, got {type(inputs).__name__}")
    return [names[i] if i < len(names) else f"input{i}" for i in range(len(inputs))], list(inputs)


def _candidates(names: list[str], prefix: str, seed: int) -> Iterator[list[Any]]:
    """Inputs in one combination of shapes after the other."""
    choices = [list(_draws(name, prefix, np.random.default_rng([seed, k]))) for k, name in enumerate(names)]
    yield from (list(inputs) for inputs in itertools.islice(itertools.product(*choices), 512))


def _draws(name: str, prefix: str, rng: np.random.Generator) -> Iterator[Any]:
    """What an argument of this name may be, the likeliest first."""
    short, norm = name.lower(), "norm" in prefix.lower() or prefix.lower() in ("bn", "ln", "gn")
    if short in X:
        yield 2 * rng.standard_normal((N, D)) + 0.5
        yield 2 * rng.standard_normal((N, C, H, W)) + 0.5
        yield rng.standard_normal(N * D)
    elif short in AFFINE or (norm and short in MATRIX | BIAS):
        for shape in ((D,), (C,), (1, D), (1, C, 1, 1)):
            yield rng.choice([-1.0, 1.0], shape) * rng.uniform(0.5, 1.5, shape)
    elif short in MATRIX:
        yield rng.standard_normal((D, M))
        yield rng.standard_normal((M, D))
    elif short in BIAS:
        for shape in ((M,), (1, M), (D,), (C,)):
            yield rng.standard_normal(shape)
    elif short in MEAN | VARIANCE:
        for shape in ((D,), (C,), (1, D), (1, C, 1, 1)):
            yield rng.standard_normal(shape) if short in MEAN else rng.uniform(0.5, 2.0, shape)
    elif short in TARGET:
        yield rng.integers(0, D, N)
        yield np.eye(D)[rng.integers(0, D, N)]
        yield rng.standard_normal((N, D))
    elif short in NUMBERS:
        yield NUMBERS[short]
    elif name == "G":
        yield 2
    elif short == "normalized_shape":
        yield (D,)
        yield (C, H, W)
    elif short.endswith(("param", "params", "config")):
        yield dict(SETTINGS)


def _shown(a: Any) -> str:
    return str(a.shape) if isinstance(a, np.ndarray) else "{...}" if isinstance(a, dict) else repr(a)


def check_pair(pair: Pair, seed: int = 0, layer: str | None = None) -> tuple[Report, str]:
    """(the report, which inputs were used).

    Raises
    ------
    Explained
        It could not be checked.
    """
    names, inputs = inputs_for(pair, seed)
    used = ", ".join(f"{name} {_shown(a)}" for name, a in zip(names, inputs, strict=True))
    try:
        return check_backward(pair.forward, pair.backward, inputs, names=names, layer=layer or pair.name, seed=seed), used
    except KeyboardInterrupt:
        raise
    except CannotCheck as error:
        raise Explained(f"{pair.name}: {error}") from None
    except BaseException as error:
        if not any(frame.filename == pair.path for frame in traceback.extract_tb(error.__traceback__)):
            raise Explained(f"{pair.name}: {error}") from error
        raise Explained(f"{pair.name} raises\n{own_frames(error, pair.path)}") from None
