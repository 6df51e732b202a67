"""What is wrong with the backward pass of an activation, dx = dy f'(x): ReLU, leaky ReLU, PReLU, tanh and sigmoid."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..report.evidence import Evidence, Recognised
from .hypotheses import Hypothesis, Mistake, listed
from .naming import exactly, near


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * x))


# (f, f' as a function of y = f(x), the mistake: dy f' with + in place of -, f' as text, f' as text for use in a product)
SMOOTH: dict[str, tuple[Any, Any, Any, str, str]] = {
    "Tanh": (np.tanh, lambda y: 1 - y * y, lambda y, dy: dy * (1 + y * y), "1 - y²", "(1 - y²)"),
    "Sigmoid": (sigmoid, lambda y: y * (1 - y), lambda y, dy: dy * y * (1 + y), "y (1 - y)", "y (1 - y)"),
}


def recognise(names: list[str], inputs: list[Any], output: np.ndarray) -> Recognised | None:
    """y = max(x, 0), y = x or a x, tanh(x) or sigmoid(x), for the first array of the output's shape."""
    for i, x in enumerate(inputs):
        if not isinstance(x, np.ndarray) or x.dtype.kind != "f" or x.shape != output.shape or not x.size:
            continue
        if np.any(output) and np.array_equal(np.maximum(x, 0), output):
            return Recognised("ReLU", {"x": i}, {})
        for layer, (f, *_) in SMOOTH.items():
            if np.any(x) and np.allclose(f(x), output, rtol=1e-9, atol=1e-12):
                return Recognised(layer, {"x": i}, {"y": output})
        slope = _slope(x, output)
        if slope is None:
            return None
        alphas = [k for k, a in enumerate(inputs) if k != i and np.size(a) == 1 and near(float(np.ravel(a)[0]), slope)]
        roles = {"x": i} | ({"alpha": alphas[0]} if alphas else {})
        return Recognised("PReLU" if alphas else "LeakyReLU", roles, {"slope": slope})
    return None


def _slope(x: np.ndarray, y: np.ndarray) -> float | None:
    """a, if y is x for x >= 0 and a x for x < 0; else None."""
    below = x < 0
    if np.sum(below) < 2 or np.all(below) or not np.array_equal(y[~below], x[~below]):
        return None
    a = float(np.median(y[below] / x[below]))
    return a if a not in (0.0, 1.0) and np.allclose(y[below], a * x[below], rtol=1e-9, atol=0) else None


def hypotheses(recognised: Recognised, evidence: Evidence, role: str) -> list[Hypothesis]:
    """What may be wrong with the gradient of the input that has this role."""
    i, x, dy = recognised.roles[role], evidence.inputs[recognised.roles["x"]], evidence.cotangent
    d = f"d{evidence.names[i]}"
    if role == "alpha":
        return _alpha(d, x, dy, np.shape(evidence.inputs[i]))
    if recognised.layer == "ReLU":
        return _relu(d, x, dy, np.asarray(evidence.analytic[i], dtype=float))
    if "slope" in recognised.symbols:
        return _leaky(d, x, dy, recognised.symbols["slope"])
    return _smooth(recognised.layer, d, x, recognised.symbols["y"], dy)


def _relu(d: str, x: np.ndarray, dy: np.ndarray, G: np.ndarray) -> list[Hypothesis]:
    mask, y, of_dy = x > 0, np.maximum(x, 0), "the mask is taken from dy: {right}, whatever the sign of dy"
    forgotten = "the mask is forgotten: where x <= 0 it has to be 0, {right}"
    of_product = "the mask is that of dy * x > 0: {right}, whatever the sign of dy"
    precedence = "it is (dy * x) > 0, true or false; > binds less than *: {right}, with the parentheses"
    mistakes: list[Mistake] = [
        ("mask_forgotten", dy, forgotten, "x > 0"),
        ("mask_inverted", dy * ~mask, "the mask is the wrong way round: {right}", "x > 0"),
        ("mask_of_dy", dy * (dy > 0), of_dy, "x > 0"),
        ("mask_of_dy", dy * mask * (dy > 0), f"{of_dy} (dy > 0 is applied beside x > 0)", "x > 0"),
        ("mask_of_dy", dy * (dy * x > 0), of_product, "x > 0"),
        ("mask_of_dy", (dy * x > 0) * 1.0, precedence, "x > 0"),
        ("x_for_mask", dy * y, "y stands for the mask: {right}, which is 1, not x", "x > 0"),
        ("x_for_mask", dy * x, "x stands for the mask: {right}", "x > 0"),
        ("x_for_mask", dy * np.sign(x), "the sign of x stands for the mask, -1 where x < 0: {right}", "x > 0"),
        ("x_for_mask", np.maximum(dy, 0) * x, "max(dy, 0) * x has the mask on dy and not on x: {right}", "x > 0"),
        ("dy_forgotten", mask * 1.0, "dy is not multiplied in: {right}", "dy"),
        ("dy_twice", dy * dy * mask, "dy is multiplied in twice: {right}", "dy"),
        ("dy_twice", np.abs(dy) * mask, "|dy| stands for dy: {right}", "dy"),
        ("wrong_function", dy * mask + y, "the output is added to it: {right}", "y"),
    ]
    return listed(f"{d} = dy * (x > 0)", dy * mask, [*mistakes, *_other_slope(x, dy, G), *_threshold(x, dy, G)])


def _other_slope(x: np.ndarray, dy: np.ndarray, G: np.ndarray) -> list[Mistake]:
    """G is dy for x > 0 and a dy for x < 0; a is estimated from G."""
    below = (x < 0) & (dy != 0)
    a = float(np.median(G[below] / dy[below])) if np.sum(below) > 1 else 0.0
    if a in (0.0, 1.0, -1.0):
        return []
    says = f"where x < 0 it is {exactly(a)} times dy, as of a leaky ReLU; it has to be 0: {{right}}"
    return [("mask_forgotten", np.where(x > 0, dy, a * dy), says, "x > 0")]


def _threshold(x: np.ndarray, dy: np.ndarray, G: np.ndarray) -> list[Mistake]:
    """The mask is x > t; the range of t is estimated from G."""
    passed, stopped = x[(dy == G) & (dy != 0)], x[(G == 0) & (dy != 0)]
    if min(passed.size, stopped.size) < 3 or stopped.max() >= passed.min() or stopped.max() <= 0 <= passed.min():
        return []
    low, high = float(stopped.max()), float(passed.min())
    says = f"the mask is that of x > t, for some t between {low:.4g} and {high:.4g}: {{right}}"
    return [("mask_threshold", dy * (x > (low + high) / 2), says, "x > 0")]


def _leaky(d: str, x: np.ndarray, dy: np.ndarray, a: float) -> list[Hypothesis]:
    above, slope = x > 0, exactly(a)
    if a < 0.001 or "/" in slope:  # a decimal, also of 1/3
        slope = f"{a:.6g}"

    def below(value: np.ndarray | float) -> np.ndarray:
        return np.where(above, dy, value)

    twice, inverted = "where x < 0 the slope is 2 times what it is in forward: {right}", np.where(above, a * dy, dy)
    of_dy = "the slope is where dy < 0, and has to be where x < 0: {right}"
    mistakes: list[Mistake] = [
        ("slope_forgotten", below(0.0), "it is 0 where x < 0, as of a plain ReLU: {right}", "slope"),
        ("slope_forgotten", dy, "the slope is forgotten, dy is passed on everywhere: {right}", "slope"),
        ("mask_inverted", inverted, "the slope is on the wrong side: {right}", "x > 0"),
        ("shifted_sign", below(-a * dy), "the sign is wrong where x < 0: {right}", "slope"),
        ("wrong_slope", below(a * a * dy), "the slope is multiplied in twice where x < 0: {right}", "slope"),
        ("wrong_slope", below(2 * a * dy), twice, "slope"),
        ("wrong_slope", below(dy / a), "dy is divided by the slope where x < 0: {right}", "slope"),
        ("dy_forgotten", below(a), "dy is not multiplied in where x < 0: {right}", "dy"),
        ("dy_forgotten", np.where(above, 1.0, a), "dy is not multiplied in: {right}", "dy"),
        ("x_for_mask", below(a * x), f"{slope} * x stands for {slope} * dy where x < 0: {{right}}", "dy"),
        ("mask_of_dy", np.where(dy > 0, dy, a * dy), of_dy, "x > 0"),
    ]
    return listed(f"{d} = dy where x > 0, and {slope} * dy elsewhere", below(a * dy), mistakes)


def _alpha(d: str, x: np.ndarray, dy: np.ndarray, shape: tuple[int, ...]) -> list[Hypothesis]:
    """The gradient of the slope of a PReLU, which is one number."""

    def summed(a: np.ndarray) -> np.ndarray:
        return np.asarray(a.sum()).reshape(shape)

    below = x < 0
    right, mean = summed(dy * x * below), f"a mean over the {x.size} elements stands for the sum: {{right}}"
    mistakes: list[Mistake] = [
        ("mask_forgotten", summed(dy * x), "the sum runs over all elements: {right}", "x < 0"),
        ("mask_inverted", summed(dy * x * ~below), "the sum runs over the elements where x > 0: {right}", "x < 0"),
        ("input_forgotten", summed(dy * below), "x is not multiplied in: {right}", "x"),
        ("dy_forgotten", summed(x * below), "dy is not multiplied in: {right}", "dy"),
    ]
    formula = f"{d} = Σ dy * x over the elements where x < 0"
    return listed(formula, right, mistakes, [("mean_for_sum", right / x.size, mean, "Σ")])


def _smooth(layer: str, d: str, x: np.ndarray, y: np.ndarray, dy: np.ndarray) -> list[Hypothesis]:
    f, derivative_of, plus, written, factor = SMOOTH[layer]
    _, derivative_of_other, *_, other_factor = SMOOTH["Sigmoid" if layer == "Tanh" else "Tanh"]
    derivative, of_other = derivative_of(y), f"it is dy * {other_factor}, the derivative of another function: {{right}}"
    mistakes: list[Mistake] = [
        ("dy_forgotten", derivative, "dy is not multiplied in: {right}", "dy"),
        ("wrong_function", dy, f"dy is passed on, {written} is not multiplied in: {{right}}", written),
        ("x_for_y", dy * derivative_of(x), f"x stands for y = {layer.lower()}(x): {{right}}", "y"),
        ("x_for_y", dy * derivative_of(f(y)), "the function is applied once more, to y: {right}", "y"),
        ("wrong_function", dy * derivative_of_other(y), of_other, written),
        ("wrong_function", dy * y, "it is dy * y: {right}", written),
        ("wrong_function", dy * (1 - y), "it is dy * (1 - y): {right}", written),
        ("wrong_function", dy * y * y, "it is dy * y²: {right}", written),
        ("term_sign", plus(y, dy), "a plus stands for the minus: {right}", written),
        ("dy_twice", dy * dy * derivative, "dy is multiplied in twice: {right}", "dy"),
        ("wrong_function", dy * derivative**2, f"{written} is multiplied in twice: {{right}}", written),
    ]
    return listed(f"{d} = dy * {factor}", dy * derivative, mistakes)
