"""What is wrong with the backward pass of an activation, dx = dy f'(x): ReLU, leaky ReLU, tanh and sigmoid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..report.evidence import Evidence, Finding, Recognised
from .hypotheses import Hypothesis, wrong_gradient
from .naming import exactly, near


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * x))


def recognise(names: list[str], inputs: list[Any], output: np.ndarray, hint: str | None) -> Recognised | None:
    """y = max(x, 0), y = x or a x, tanh(x) or sigmoid(x), for the first array of the output's shape."""
    for i, x in enumerate(inputs):
        if not isinstance(x, np.ndarray) or x.dtype.kind != "f" or x.shape != output.shape or not x.size:
            continue
        if np.any(output) and np.array_equal(np.maximum(x, 0), output):
            return Recognised("ReLU", {"x": i}, {})
        for layer, f in (("Tanh", np.tanh), ("Sigmoid", sigmoid)):
            if np.any(x) and np.allclose(f(x), output, rtol=1e-9, atol=1e-12):
                return Recognised(layer, {"x": i}, {"y": output})
        slope = _slope(x, output)
        if slope is None:
            return None
        alpha = next(
            (k for k, a in enumerate(inputs) if k != i and np.size(a) == 1 and near(float(np.ravel(a)[0]), slope)), None
        )
        roles = {"x": i} | ({} if alpha is None else {"alpha": alpha})
        return Recognised("LeakyReLU" if alpha is None else "PReLU", roles, {"slope": slope})
    return None


def _slope(x: np.ndarray, y: np.ndarray) -> float | None:
    """a, where y is x above 0 and a x below."""
    below = x < 0
    if np.sum(below) < 2 or np.all(below) or not np.array_equal(y[~below], x[~below]):
        return None
    a = float(np.median(y[below] / x[below]))
    return a if a not in (0.0, 1.0) and np.allclose(y[below], a * x[below], rtol=1e-9, atol=0) else None


def explain(recognised: Recognised, evidence: Evidence) -> list[Finding]:
    """At most one finding for each wrong input."""
    found = []
    for role, i in recognised.roles.items():
        if i not in evidence.wrong:
            continue
        x, dy = evidence.inputs[recognised.roles["x"]], evidence.cotangent
        hypotheses = list(_alpha(evidence, i, x, dy) if role == "alpha" else _of(recognised, evidence, i, x, dy))
        suspect = wrong_gradient(recognised, evidence, i, hypotheses[0].prediction)
        finding = suspect.judge(hypotheses) if suspect else None
        if finding is not None:
            found.append(finding)
    return found


def _of(recognised: Recognised, evidence: Evidence, i: int, x: np.ndarray, dy: np.ndarray) -> Iterator[Hypothesis]:
    d = f"d{evidence.names[i]}"
    if recognised.layer == "ReLU":
        G = evidence.analytic[i]
        yield from _relu(d, x, dy, np.zeros_like(x) if G is None else G)
    elif recognised.layer in ("LeakyReLU", "PReLU"):
        yield from _leaky(d, x, dy, recognised.symbols["slope"])
    else:
        yield from _smooth(recognised.layer, d, x, recognised.symbols["y"], dy)


def _relu(d: str, x: np.ndarray, dy: np.ndarray, G: np.ndarray) -> Iterator[Hypothesis]:
    mask, right = x > 0, f"{d} = dy * (x > 0)"
    yield Hypothesis("", dy * mask)
    yield Hypothesis("mask_forgotten", dy, f"the mask is forgotten: where x <= 0 it has to be 0, {right}", "x > 0")
    yield Hypothesis("mask_inverted", dy * ~mask, f"the mask is the wrong way round: {right}", "x > 0")
    says = f"the mask is taken from dy: {right}, whatever the sign of dy"
    yield Hypothesis("mask_of_dy", dy * (dy > 0), says, "x > 0")
    yield Hypothesis("mask_of_dy", dy * mask * (dy > 0), f"{says} (dy > 0 is applied beside x > 0)", "x > 0")
    yield Hypothesis(
        "mask_of_dy", dy * (dy * x > 0), f"the mask is that of dy * x > 0: {right}, whatever the sign of dy", "x > 0"
    )
    says = f"it is (dy * x) > 0, true or false; > binds less than *: {right}, with the parentheses"
    yield Hypothesis("mask_of_dy", (dy * x > 0) * 1.0, says, "x > 0")
    yield Hypothesis("x_for_mask", dy * np.maximum(x, 0), f"y stands for the mask: {right}, which is 1, not x", "x > 0")
    yield Hypothesis("x_for_mask", dy * x, f"x stands for the mask: {right}", "x > 0")
    yield Hypothesis("x_for_mask", dy * np.sign(x), f"the sign of x stands for the mask, -1 where x < 0: {right}", "x > 0")
    yield Hypothesis("x_for_mask", np.maximum(dy, 0) * x, f"max(dy, 0) * x has the mask on dy and not on x: {right}", "x > 0")
    yield Hypothesis("dy_forgotten", mask * 1.0, f"dy is not multiplied in: {right}", "dy")
    yield Hypothesis("dy_twice", dy * dy * mask, f"dy is multiplied in twice: {right}", "dy")
    yield Hypothesis("dy_twice", np.abs(dy) * mask, f"|dy| stands for dy: {right}", "dy")
    yield Hypothesis("wrong_function", dy * mask + np.maximum(x, 0), f"the output is added to it: {right}", "y")
    yield from _other_slope(d, x, dy, 0.0, G)
    yield from _threshold(x, dy, right, G)


def _other_slope(d: str, x: np.ndarray, dy: np.ndarray, slope: float, G: np.ndarray) -> Iterator[Hypothesis]:
    """dy above 0 and a times dy below, for any a."""
    below = (x < 0) & (dy != 0)
    if np.sum(below) < 2:
        return
    a = float(np.median(G[below] / dy[below]))
    if a not in (0.0, 1.0, -1.0):
        says = f"where x < 0 it is {exactly(a)} times dy, as of a leaky ReLU; it has to be 0: {d} = dy * (x > 0)"
        yield Hypothesis("mask_forgotten", np.where(x > 0, dy, a * dy), says, "x > 0")


def _threshold(x: np.ndarray, dy: np.ndarray, right: str, G: np.ndarray) -> Iterator[Hypothesis]:
    """The mask is that of x > t, for some t."""
    passed, stopped = x[(dy == G) & (dy != 0)], x[(G == 0) & (dy != 0)]
    if passed.size > 2 and stopped.size > 2 and stopped.max() < passed.min():
        low, high = float(stopped.max()), float(passed.min())
        if low > 0 or high < 0:
            says = f"the mask is that of x > t, for some t between {low:.4g} and {high:.4g}: {right}"
            yield Hypothesis("mask_threshold", dy * (x > (low + high) / 2), says, "x > 0")


def _leaky(d: str, x: np.ndarray, dy: np.ndarray, a: float) -> Iterator[Hypothesis]:
    slope = exactly(a) if a >= 0.001 else f"{a:.6g}"
    slope = f"{a:.6g}" if "/" in slope else slope
    above, right = x > 0, f"{d} = dy where x > 0, and {slope} * dy elsewhere"

    def below(value: np.ndarray | float) -> np.ndarray:
        return np.where(above, dy, value)

    yield Hypothesis("", below(a * dy))
    yield Hypothesis("slope_forgotten", below(0.0), f"it is 0 where x < 0, as of a plain ReLU: {right}", "slope")
    yield Hypothesis("slope_forgotten", dy, f"the slope is forgotten, dy is passed on everywhere: {right}", "slope")
    yield Hypothesis("mask_inverted", np.where(above, a * dy, dy), f"the slope is on the wrong side: {right}", "x > 0")
    yield Hypothesis("shifted_sign", below(-a * dy), f"the sign is wrong where x < 0: {right}", "slope")
    yield Hypothesis("wrong_slope", below(a * a * dy), f"the slope is multiplied in twice where x < 0: {right}", "slope")
    yield Hypothesis(
        "wrong_slope", below(2 * a * dy), f"where x < 0 the slope is 2 times what it is in forward: {right}", "slope"
    )
    yield Hypothesis("wrong_slope", below(dy / a), f"dy is divided by the slope where x < 0: {right}", "slope")
    yield Hypothesis("dy_forgotten", below(a), f"dy is not multiplied in where x < 0: {right}", "dy")
    yield Hypothesis("dy_forgotten", np.where(above, 1.0, a), f"dy is not multiplied in: {right}", "dy")
    yield Hypothesis("x_for_mask", below(a * x), f"{slope} * x stands for {slope} * dy where x < 0: {right}", "dy")
    yield Hypothesis(
        "mask_of_dy", np.where(dy > 0, dy, a * dy), f"the slope is where dy < 0, and has to be where x < 0: {right}", "x > 0"
    )


def _alpha(evidence: Evidence, i: int, x: np.ndarray, dy: np.ndarray) -> Iterator[Hypothesis]:
    shape, right = np.shape(evidence.inputs[i]), f"d{evidence.names[i]} = Σ dy * x over the elements where x < 0"

    def summed(a: np.ndarray) -> np.ndarray:
        return np.asarray(a.sum()).reshape(shape)

    below = x < 0
    yield Hypothesis("", summed(dy * x * below))
    says = f"a mean over the {x.size} elements stands for the sum: {right}"
    yield Hypothesis("mean_for_sum", summed(dy * x * below) / x.size, says, "Σ", is_factor=True)
    yield Hypothesis("mask_forgotten", summed(dy * x), f"the sum runs over all elements: {right}", "x < 0")
    yield Hypothesis("mask_inverted", summed(dy * x * ~below), f"the sum runs over the elements where x > 0: {right}", "x < 0")
    yield Hypothesis("input_forgotten", summed(dy * below), f"x is not multiplied in: {right}", "x")
    yield Hypothesis("dy_forgotten", summed(x * below), f"dy is not multiplied in: {right}", "dy")


def _smooth(layer: str, d: str, x: np.ndarray, y: np.ndarray, dy: np.ndarray) -> Iterator[Hypothesis]:
    """dx = dy f'(x), with f' written in y."""
    tanh = layer == "Tanh"
    derivative, other = (1 - y * y, y * (1 - y)) if tanh else (y * (1 - y), 1 - y * y)
    written, theirs = ("1 - y²", "y (1 - y)") if tanh else ("y (1 - y)", "(1 - y²)")
    right, f = f"{d} = dy * ({written})" if tanh else f"{d} = dy * {written}", np.tanh if tanh else sigmoid
    again, of_x = f(y), (1 - x * x if tanh else x * (1 - x))
    yield Hypothesis("", dy * derivative)
    yield Hypothesis("dy_forgotten", derivative, f"dy is not multiplied in: {right}", "dy")
    yield Hypothesis("wrong_function", dy, f"dy is passed on, {written} is not multiplied in: {right}", written)
    yield Hypothesis("x_for_y", dy * of_x, f"x stands for y = {layer.lower()}(x): {right}", "y")
    twice = 1 - again**2 if tanh else again * (1 - again)
    yield Hypothesis("x_for_y", dy * twice, f"the function is applied once more, to y: {right}", "y")
    yield Hypothesis("wrong_function", dy * other, f"it is dy * {theirs}, the derivative of another function: {right}", written)
    yield Hypothesis("wrong_function", dy * y, f"it is dy * y: {right}", written)
    yield Hypothesis("wrong_function", dy * (1 - y), f"it is dy * (1 - y): {right}", written)
    yield Hypothesis("wrong_function", dy * y * y, f"it is dy * y²: {right}", written)
    sign = dy * (1 + y * y) if tanh else dy * y * (1 + y)
    yield Hypothesis("term_sign", sign, f"a plus stands for the minus: {right}", written)
    yield Hypothesis("dy_twice", dy * dy * derivative, f"dy is multiplied in twice: {right}", "dy")
    yield Hypothesis("wrong_function", dy * derivative**2, f"{written} is multiplied in twice: {right}", written)
