"""The graph of a tensor as a picture: its ops, their shapes and the leaves, in the language of Graphviz."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .. import backend
from ..autograd import grad
from ..autograd.engine import nodes_behind
from ..autograd.node import Node, Saved
from ..files import replacing
from ..ops import ones_like
from ..tensor import Tensor

LEAF, CONSTANT, OP, OUTPUT = "#cfe2ff", "#eeeeee", "#ffffff", "#d1e7dd"  # the boxes' colours
LARGE = 1000  # boxes: laying out more takes too long to do it unasked in a notebook

HEAD = """digraph {
  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11]
  edge [arrowsize=0.6, fontname="Helvetica", fontsize=9]
"""


def draw(
    output: Tensor | Sequence[Tensor], names: Any = None, *, values: bool = False, gradients: bool = False, largest: int = 12
) -> Drawing:
    """Draw the graph that computed a tensor.

    A white box is an op, with the shape of its result, and the op that made the output is green. A blue box is a leaf that
    requires grad. An input that does not is a grey box; it is drawn if an op keeps it for its backward.

    Only a backward pass knows all shapes and gradients, so `draw` runs one. It changes no `.grad`, frees nothing and calls no
    hooks. Where the graph is already freed, shapes are missing: call `draw` before ``backward``, or pass it
    ``retain_graph=True``.

    Parameters
    ----------
    output : Tensor or sequence of Tensor
        A loss, for example.
    names : Module or mapping, optional
        The names of tensors: {"x": x}. A module's parameters get their names in it. Other values are ignored, so ``locals()``
        will do.
    values : bool
        Whether to write the values into the boxes, where the graph keeps them.
    gradients : bool
        Whether to write the gradients of the output into the boxes; of the sum of its elements if it is no scalar.
    largest : int
        How many elements a tensor may have for its values and its gradient to be written.

    Returns
    -------
    Drawing
        A notebook shows it as a picture if Graphviz is installed. `dot` is its text; `save` writes a file.

    Raises
    ------
    TypeError
        `output` is no Tensor, or `names` is neither a mapping nor a module.

    Examples
    --------
    >>> import tinynorm
    >>> x = tinynorm.tensor([1.0, 2.0], requires_grad=True)
    >>> print(tinynorm.draw((3 * x).sum(), {"x": x}, gradients=True).dot)
    digraph {
      node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11]
      edge [arrowsize=0.6, fontname="Helvetica", fontsize=9]
      n0 [label="x\\n(2,)\\ngradient [3., 3.]", fillcolor="#cfe2ff"]
      n1 [label="Mul\\n(2,)\\ngradient [1., 1.]", fillcolor="#ffffff"]
      n0 -> n1
      n2 [label="Sum\\n()\\ngradient 1.", fillcolor="#d1e7dd"]
      n1 -> n2
    }
    """
    outputs: Sequence[Any] = output if isinstance(output, (list, tuple)) else [output]
    for y in outputs:
        if not isinstance(y, Tensor):
            raise TypeError(f"draw: expected a Tensor or a sequence of Tensors, got {type(y).__name__}")
    return _Writer(outputs, names, values, gradients, largest).drawing()


class Drawing:
    """A graph in the language of Graphviz.

    Attributes
    ----------
    dot : str
        The text. Graphviz's program `dot` makes a picture of it.
    boxes : int
        The number of boxes.
    """

    def __init__(self, dot: str, boxes: int) -> None:
        self.dot, self.boxes = dot, boxes

    def __str__(self) -> str:
        return self.dot

    def __repr__(self) -> str:
        return f"<Drawing of {self.boxes} boxes: .dot is the text, .save('graph.svg') makes a picture>"

    def save(self, path: str | os.PathLike) -> None:
        """Write the text to a file that ends in .dot or .gv, or a picture to one that ends in .svg.

        Raises
        ------
        ValueError
            The name ends otherwise.
        RuntimeError
            Graphviz, which the picture needs, is not installed.
        """
        ending = Path(path).suffix
        if ending not in (".dot", ".gv", ".svg"):
            raise ValueError(f"draw: expected a path that ends in .dot, .gv or .svg, got {str(path)!r}")
        text = self._svg() if ending == ".svg" else self.dot
        with replacing(path) as file:
            file.write(f"{text.rstrip()}\n".encode())

    def _svg(self) -> str:
        program = shutil.which("dot")
        if program is None:
            raise RuntimeError(
                "draw: a picture needs Graphviz's program dot, which is not on the PATH. Install Graphviz "
                "(graphviz.org/download), or save a .dot file and open it elsewhere"
            )
        made = subprocess.run([program, "-Tsvg"], input=self.dot.encode(), capture_output=True, check=False)
        if made.returncode:
            raise RuntimeError(f"draw: {program} failed: {made.stderr.decode(errors='replace').strip()}")
        return made.stdout.decode()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the picture; the text if Graphviz is not installed; a summary if the graph is large."""
        if self.boxes > LARGE:
            return {"text/plain": repr(self)}
        if shutil.which("dot") is None:
            return {"text/plain": self.dot}
        return {"image/svg+xml": self._svg(), "text/plain": repr(self)}


class _Writer:
    """Writes one graph. A tensor's key is its node and its output number; for a leaf, its id."""

    def __init__(self, outputs: Sequence[Tensor], names: Any, values: bool, gradients: bool, largest: int) -> None:
        self.outputs, self.largest = outputs, largest
        self.nodes = nodes_behind(outputs)
        self.names: dict[Any, str] = {}
        for name, t in _named(names):
            self.names.setdefault(_key(t), name)
            self.names.setdefault(id(t._array), name)
        self.arrays: dict[Any, Any] = {_key(y): y._array for y in outputs}  # as far as the graph keeps them
        for node in self.nodes:
            self._find_arrays(node)
        self.shapes = {key: tuple(array.shape) for key, array in self.arrays.items()}
        self.values = self.arrays if values else {}
        self.gradients: dict[Any, Any] = {}
        self.with_gradients = gradients
        _go_backward(outputs, self.nodes, self._look)
        self.lines: list[str] = []
        self.boxes: dict[Any, str] = {}  # a node, a leaf's id or a constant's id -> its box

    def _find_arrays(self, node: Node) -> None:
        self.arrays |= {(node, nr): array for nr, array in enumerate(node.outputs or ())}
        for s in node.saved or ():
            if _is_unchanged(s) and s.origin is not None and not isinstance(s.origin, Tensor):
                self.arrays[s.origin if type(s.origin) is tuple else (node, s.origin)] = s.array

    def _look(self, key: Any, gradient: Tensor) -> None:
        """Take the shape from a gradient, and the gradient if it will be written: all of them would need much memory."""
        self.shapes[key] = tuple(gradient.shape)
        if self.with_gradients and gradient._array.size <= self.largest:
            self.gradients[key] = gradient._array

    def drawing(self) -> Drawing:
        last = {y.grad_fn for y in self.outputs}
        for node in self.nodes:
            arrows = [self._source(edge) for edge in node.edges if edge is not None]
            arrows += [
                (self._constant(s.array), "") for s in node.saved or () if _is_unchanged(s) and s.known and s.origin is None
            ]
            name = self._box(node, self._op(node), OUTPUT if node in last else OP)
            self.lines += [f"{source} -> {name}{label}" for source, label in arrows]
        for y in self.outputs:
            if y.grad_fn is None:
                self._leaf(y)
        return Drawing(HEAD + "".join(f"  {line}\n" for line in self.lines) + "}", len(self.boxes))

    def _source(self, edge: Any) -> tuple[str, str]:
        """The box that an edge of the graph comes from, and the arrow's label: the output number, if there are several."""
        if isinstance(edge, Tensor):
            return self._leaf(edge), ""
        node, nr = edge
        return self.boxes[node], f' [label="{nr}"]' if node.output_count > 1 else ""

    def _op(self, node: Node) -> list[str]:
        """What an op's box says."""
        text = [node.op_name]
        for nr in range(node.output_count):
            key = node, nr
            number = f"{nr}:" if node.output_count > 1 else ""
            text.append(" ".join(filter(None, [number, self.names.get(key, ""), str(self.shapes.get(key, ""))])))
            text += self._numbers(key)
        return text

    def _leaf(self, leaf: Tensor) -> str:
        key = id(leaf)
        if key not in self.boxes:
            self.arrays[key] = leaf._array
            name = self.names.get(key) or type(leaf).__name__
            self._box(key, [name, _facts(leaf._array), *self._numbers(key)], LEAF if leaf._requires_grad else CONSTANT)
        return self.boxes[key]

    def _constant(self, array: Any) -> str:
        """An input that does not require grad."""
        key = id(array)
        if key not in self.boxes:
            self.arrays[key] = array
            self._box(key, [self.names.get(key, "no gradient"), _facts(array), *self._numbers(key)], CONSTANT)
        return self.boxes[key]

    def _numbers(self, key: Any) -> list[str]:
        """A tensor's values and its gradient, if they are wanted, known and few."""
        found = []
        for word, known in (("", self.values), ("gradient", self.gradients)):
            array = known.get(key)
            if array is not None and array.size <= self.largest:
                numbers = np.array2string(backend.to_numpy(array), separator=", ", precision=4)
                between = " " if word and "\n" not in numbers else "\n" if word else ""
                found.append(word + between + numbers)
        return found

    def _box(self, key: Any, text: Sequence[str], colour: str) -> str:
        name = self.boxes[key] = f"n{len(self.boxes)}"
        label = "\n".join(filter(None, text)).replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
        self.lines.append(f'{name} [label="{label}", fillcolor="{colour}"]')
        return name


def _go_backward(outputs: Sequence[Tensor], nodes: Sequence[Node], look: Callable[[Any, Tensor], None]) -> None:
    """Call ``look(key, gradient)`` for each tensor in the graph. Meanwhile such hooks replace the users' hooks."""
    leaves = {id(edge): edge for node in nodes for edge in node.edges if isinstance(edge, Tensor) and edge._requires_grad}
    of_nodes, of_leaves = [node.hooks for node in nodes], [leaf._hooks for leaf in leaves.values()]
    try:
        for node in nodes:
            node.hooks = {nr: {0: partial(look, (node, nr))} for nr in range(node.output_count)}
        for key, leaf in leaves.items():
            leaf._hooks = {0: partial(look, key)}
        ys = [y for y in outputs if y.grad_fn is not None]
        # the graph is freed, or a user's backward has a mistake: what was seen before that stays
        with suppress(Exception):
            grad(ys, list(leaves.values()), [ones_like(y) for y in ys], retain_graph=True, allow_unused=True)
    finally:
        for node, hooks in zip(nodes, of_nodes, strict=True):
            node.hooks = hooks
        for leaf, own in zip(leaves.values(), of_leaves, strict=True):
            leaf._hooks = own


def _key(t: Tensor) -> Any:
    return id(t) if t.grad_fn is None else (t.grad_fn, t._output_nr)


def _is_unchanged(s: Any) -> bool:
    """Whether a saved object is a tensor that still has the values it was saved with."""
    return isinstance(s, Saved) and (s.version is None or s.version.count == s.count)


def _facts(array: Any) -> str:
    """The shape, and the dtype if it is not the usual one."""
    return str(tuple(array.shape)) + ("" if array.dtype == np.float32 else f" {array.dtype}")


def _named(names: Any) -> Iterator[tuple[str, Tensor]]:
    """(name, tensor) of all tensors that are named, or that modules have."""
    if hasattr(names, "named_parameters"):
        yield from names.named_parameters()
        yield from names.named_buffers()
    elif isinstance(names, Mapping):
        for name, value in names.items():
            if isinstance(value, Tensor):
                yield name, value
            elif hasattr(value, "named_parameters"):
                yield from ((f"{name}.{inner}", t) for inner, t in _named(value))
    elif names is not None:
        raise TypeError(f"draw: expected a module or a mapping of names to Tensors, got {type(names).__name__}")
