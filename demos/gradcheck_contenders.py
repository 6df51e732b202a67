"""The gradient checkers that people use, each around the same plain NumPy pair, each with its own defaults.

A contender takes (forward, backward, inputs, names) and answers True (passed), False (failed), None (could not tell).
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinynorm.gradcheck import check_backward

Contender = Callable[[Callable, Callable, Sequence[Any], Sequence[str]], bool | None]


def tinynorm_checker(forward: Callable, backward: Callable, inputs: Sequence[Any], names: Sequence[str]) -> bool | None:
    """This one."""
    return check_backward(forward, backward, inputs, names=names).ok


def floating(inputs: Sequence[Any]) -> list[int]:
    return [i for i, x in enumerate(inputs) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]


def torch_checker(fast: bool) -> Contender:
    """torch.autograd.gradcheck, with the pair inside a torch.autograd.Function. Running statistics do not require grad."""
    import torch

    def check(forward: Callable, backward: Callable, inputs: Sequence[Any], names: Sequence[str]) -> bool:
        wrt = differentiated(forward, backward, inputs)

        class Pair(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, *xs: Any) -> Any:
                out, ctx.cache = forward(*[x.detach().numpy() for x in xs])
                return torch.as_tensor(np.asarray(out))

            @staticmethod
            def backward(ctx: Any, dout: Any) -> Any:
                dout = dout.numpy() if dout.ndim else dout.numpy()[()]
                grads = backward(dout, ctx.cache)
                return tuple(None if g is None else torch.as_tensor(np.asarray(g)) for g in grads)

        xs = [torch.tensor(x, requires_grad=i in wrt) for i, x in enumerate(inputs)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # float32 inputs are warned of
            return bool(torch.autograd.gradcheck(Pair.apply, xs, fast_mode=fast, raise_exception=False))

    return check


def differentiated(forward: Callable, backward: Callable, inputs: Sequence[Any]) -> list[int]:
    """The inputs for which backward returns a gradient."""
    out, cache = forward(*[np.copy(x) for x in inputs])
    grads = backward(np.ones_like(out) if np.ndim(out) else 1.0, cache)
    return [i for i in floating(inputs) if i >= len(grads) or grads[i] is not None]


def jax_checker() -> Contender:
    """jax.test_util.check_grads(modes=["rev"], order=1), with the pair inside a custom_vjp and pure_callback."""
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    logging.getLogger("jax._src.callback").setLevel(logging.CRITICAL)  # it logs each error of a callback, and raises it too

    def check(forward: Callable, backward: Callable, inputs: Sequence[Any], names: Sequence[str]) -> bool:
        wrt = differentiated(forward, backward, inputs)
        constants = [np.copy(x) for x in inputs]
        out, _ = forward(*[np.copy(x) for x in inputs])
        shape = jax.ShapeDtypeStruct(np.shape(out), np.asarray(out).dtype)
        shapes = tuple(jax.ShapeDtypeStruct(inputs[i].shape, inputs[i].dtype) for i in wrt)

        def filled(xs: Any) -> list:
            every = [np.copy(c) for c in constants]
            for i, x in zip(wrt, xs, strict=True):
                every[i] = np.array(x)
            return every

        def primal(*xs: Any) -> Any:
            return np.asarray(forward(*filled(xs))[0])

        def pulled_back(dout: Any, *xs: Any) -> Any:
            dout = np.array(dout)
            grads = backward(dout if dout.ndim else dout[()], forward(*filled(xs))[1])
            return tuple(np.asarray(grads[i]) for i in wrt)

        @jax.custom_vjp
        def f(*xs: Any) -> Any:
            return jax.pure_callback(primal, shape, *xs)

        f.defvjp(lambda *xs: (f(*xs), xs), lambda xs, dout: jax.pure_callback(pulled_back, shapes, dout, *xs))
        try:
            check_grads(f, tuple(inputs[i] for i in wrt), order=1, modes=["rev"])
        except AssertionError:
            return False
        return True

    return check


def autograd_checker() -> Contender:
    """HIPS autograd's check_grads(modes=["rev"], order=1), with the pair as a primitive."""
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    def check(forward: Callable, backward: Callable, inputs: Sequence[Any], names: Sequence[str]) -> bool:
        wrt = differentiated(forward, backward, inputs)

        def filled(xs: Any) -> list:
            every = [np.copy(c) for c in inputs]
            for i, x in zip(wrt, xs, strict=True):
                every[i] = np.array(x)
            return every

        f = primitive(lambda *xs: forward(*filled(xs))[0])

        def vjp(k: int) -> Callable:
            def of(ans: Any, *xs: Any) -> Callable:
                return lambda dout: backward(dout, forward(*filled(xs))[1])[wrt[k]]

            return of

        defvjp(f, *(vjp(k) for k in range(len(wrt))))
        try:
            for k in range(len(wrt)):
                xs = [inputs[i] for i in wrt]
                check_grads(lambda x, k=k, xs=xs: f(*xs[:k], x, *xs[k + 1 :]), modes=["rev"], order=1)(xs[k])
        except AssertionError:
            return False
        return True

    return check


def course_checker(ones: bool = False) -> Contender:
    """The recipe of course notebooks: central differences with h = 1e-5, the largest relative error below 1e-6.

    With `ones` that of small frameworks: a cotangent of ones, and allclose with rtol = 1e-4, atol = 1e-5.
    """

    def close(analytic: np.ndarray, numeric: np.ndarray) -> bool:
        if ones:
            return bool(np.allclose(analytic, numeric, rtol=1e-4, atol=1e-5))
        error = np.abs(analytic - numeric) / np.maximum(1e-8, np.abs(analytic) + np.abs(numeric))
        return bool(np.max(error, initial=0.0) < 1e-6)

    def check(forward: Callable, backward: Callable, inputs: Sequence[Any], names: Sequence[str]) -> bool:
        out, cache = forward(*[np.copy(x) for x in inputs])
        dout = np.ones_like(out) if ones else np.random.default_rng(0).standard_normal(np.shape(out))
        grads = backward(dout if np.ndim(out) else float(dout), cache)
        for i in floating(inputs):
            if i < len(grads) and grads[i] is None:
                continue
            numeric = np.zeros_like(inputs[i])
            for j in np.ndindex(inputs[i].shape):
                above, below = [np.copy(x) for x in inputs], [np.copy(x) for x in inputs]
                above[i][j] += 1e-5
                below[i][j] -= 1e-5
                numeric[j] = np.sum((forward(*above)[0] - forward(*below)[0]) * dout) / 2e-5
            if not close(grads[i], numeric):
                return False
        return True

    return check


CONTENDERS: dict[str, Callable[[], Contender]] = {
    "tinynorm": lambda: tinynorm_checker,
    "PyTorch gradcheck": lambda: torch_checker(fast=False),
    "PyTorch gradcheck, fast": lambda: torch_checker(fast=True),
    "JAX check_grads": jax_checker,
    "HIPS autograd check_grads": autograd_checker,
    "course notebooks' recipe": course_checker,
    "cotangent of ones, allclose": lambda: course_checker(ones=True),
}


def installed() -> tuple[dict[str, Contender], list[str]]:
    """(the contenders that can be had here, the names of the others)."""
    found, missing = {}, []
    for name, make in CONTENDERS.items():
        try:
            found[name] = make()
        except ImportError:
            missing.append(name)
    return found, missing
