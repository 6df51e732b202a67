"""The backward loop. It is the only one in the package.

A node is always younger than the nodes that made its inputs. The loop always takes the youngest waiting node, so it reaches a
node after all nodes that use its outputs. Each node therefore runs once, with its complete gradient, and the loop needs no
recursion. Leaves get their gradients at the very end, so an error in the backward pass leaves every `.grad` unchanged.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend
from ..kernels.buffers import empty
from ..recording import state as recorded
from ..tensor import Tensor, method, version_of, wrap
from .anomaly import detection, refuse_nan
from .mode import mode
from .node import Node

Edge = Any  # where a gradient goes: a leaf Tensor, or (node, output number)


def _edge_of(t: Tensor) -> Edge:
    return t if t.grad_fn is None else (t.grad_fn, t._output_nr)


def _key(edge: Edge) -> Any:
    return edge if type(edge) is tuple else id(edge)  # the tensor itself cannot be a key: its == compares elements


class Run:
    """One backward pass: from the gradients of the outputs to the `.grad` of the leaves, or to the gradients of the targets."""

    def __init__(self, create_graph: bool, retain_graph: bool, targets: Sequence[Tensor] | None = None) -> None:
        self.create_graph, self.retain_graph = create_graph, retain_graph
        self.finds_nan = detection.on and detection.check_nan
        self.targets = targets
        self.captured = {_key(_edge_of(t)) for t in targets} if targets else set()
        self.useful: set[Node] | None = None  # the nodes that lead to a target; None: run all nodes
        self.found: dict[Any, Any] = {}  # a target's key -> its gradient
        self.fresh: set[Any] = set()  # the keys of those whose arrays nobody else has
        self.complete: list[tuple[Tensor, Any, bool]] = []  # for `.grad`: (tensor, its gradient, may we keep the array?)
        self.waiting: dict[Node, list[Any]] = {}  # node -> for each output, its gradient so far or None
        self.youngest: list[tuple[int, Node, list[Any]]] = []  # heap of (-age, node, what is waiting there), ages are unique
        self.leaves: dict[int, tuple[Tensor, Any, bool]] = {}  # id -> (leaf, gradient so far, may we keep the array?)

    def __call__(self, outputs: Sequence[Tensor], grads: Sequence[Any]) -> list:
        """Run the backward pass. Returns the gradient of each target, or None if no path leads to it."""
        before, mode.enabled, token = mode.enabled, self.create_graph, backend.hush()
        try:
            if self.targets is not None:
                self._find_useful(outputs)
            edges = [y if y.grad_fn is None else (y.grad_fn, y._output_nr) for y in outputs]
            self._deliver(edges, grads, fresh=False)
            while self.youngest:
                _, node, grads_out = heapq.heappop(self.youngest)
                del self.waiting[node]
                if node.hooks or node.retained or self.captured or len(grads_out) > 1:
                    self._complete(node, grads_out)
                if self.useful is None or node in self.useful:
                    grads_in = node.gradients(grads_out, self.create_graph)
                    if self.finds_nan:
                        refuse_nan(node, grads_in)
                    if not self.retain_graph:
                        node.free()
                    self._deliver(node.edges, grads_in, node.fresh)
            self._finish()
            accumulate(self.complete)
        finally:
            backend.unhush(token)
            mode.enabled = before
        return [self.found.get(_key(_edge_of(t))) for t in self.targets] if self.targets else []

    def _is_useful(self, edge: Edge) -> bool:
        """Whether the edge is a target or leads to one."""
        return _key(edge) in self.captured or (type(edge) is tuple and edge[0] in (self.useful or ()))

    def _deliver(self, edges: Sequence[Edge | None], grads: Sequence[Any], fresh: bool) -> None:
        """Add each gradient to the sum at its edge so far. The sum is a new array, because others may hold the old one."""
        useful, waiting, leaves, i = self.useful, self.waiting, self.leaves, 0  # (zip would take twice the time of this loop)
        for edge in edges:
            g = grads[i]
            i += 1
            if edge is None or g is None or (useful is not None and not self._is_useful(edge)):
                continue
            if type(edge) is not tuple:
                before = leaves.get(id(edge))
                leaves[id(edge)] = (edge, g, fresh) if before is None else (edge, before[1] + g, True)
                continue
            node, nr = edge
            arrived = waiting.get(node)
            if arrived is None:
                arrived = waiting[node] = [None] * node.output_count
                heapq.heappush(self.youngest, (-node.age, node, arrived))
            arrived[nr] = g if arrived[nr] is None else arrived[nr] + g

    def _complete(self, node: Node, grads: list) -> None:
        """Complete the gradients of the node's outputs: zeros where none arrived, and what the hooks make of the others."""
        for nr, g in enumerate(grads):
            if g is None:
                g = self._wrap(node.zeros(nr))
            elif node.hooks or self.captured:
                g = self._run_hooks(node.hooks.get(nr), g) if node.hooks else g
                if (node, nr) in self.captured:
                    self.found[node, nr] = g
            output = node.retained[nr]() if node.retained and nr in node.retained else None
            if output is not None and self.targets is None:
                self.complete.append((output, g, False))
            grads[nr] = g

    def _wrap(self, array: Any) -> Any:
        return wrap(array) if self.create_graph else array

    def _run_hooks(self, hooks: dict | None, g: Any) -> Any:
        if not hooks:
            return g
        g = g.clone() if isinstance(g, Tensor) else backend.copy(g)  # a hook may write into it
        for hook in list(hooks.values()):
            seen = g if isinstance(g, Tensor) else wrap(g)
            changed = hook(seen)
            if changed is not None:
                _check_gradient("register_hook: the hook's result", changed, seen)
                g = changed if self.create_graph else changed._array
        return g

    def _finish(self) -> None:
        """Store the complete gradients of the leaves: as results of targets, or in the list of gradients for `.grad`."""
        for complete in self.leaves.values():
            leaf = complete[0]
            if leaf._hooks:
                complete = leaf, self._run_hooks(leaf._hooks, complete[1]), False
            if self.targets is not None:
                self.found[id(leaf)] = complete[1]
                if complete[2]:
                    self.fresh.add(id(leaf))
            elif leaf._requires_grad:  # False if the user froze the leaf after the forward pass
                self.complete.append(complete)

    def handed_out(self, target: Tensor, g: Any) -> Tensor:
        """The gradient of a target as a tensor: as a copy, unless its array is fresh and was not handed out before."""
        key = _key(_edge_of(target))
        if isinstance(g, Tensor) or key in self.fresh:
            self.fresh.discard(key)
            return g if isinstance(g, Tensor) else wrap(g)
        return wrap(backend.copy(g))

    def _find_useful(self, outputs: Sequence[Tensor]) -> None:
        """Collect the nodes that lead to a target. Only the backward of these nodes runs."""
        self.useful = set()
        for node in nodes_behind(outputs):
            if any(edge is not None and self._is_useful(edge) for edge in node.edges):
                self.useful.add(node)


def nodes_behind(outputs: Sequence[Tensor]) -> list[Node]:
    """The nodes that the outputs were computed by, the oldest first: a node comes after the nodes that made its inputs."""
    seen = {y.grad_fn for y in outputs if y.grad_fn is not None}
    stack = list(seen)
    while stack:
        for edge in stack.pop().edges:
            if type(edge) is tuple and edge[0] not in seen:
                seen.add(edge[0])
                stack.append(edge[0])
    return sorted(seen, key=lambda node: node.age)


def accumulate(complete: Sequence[tuple[Tensor, Any, bool]]) -> None:
    """Add each gradient to its tensor's `.grad`. If one shape does not fit, add none.

    If a tensor has no `.grad`, the gradient becomes it: as a copy, unless the array is fresh.
    """
    for t, g, _ in complete:
        if t._grad is not None and t._grad._array.shape != g.shape:
            raise RuntimeError(
                f"backward: .grad has shape {tuple(t._grad.shape)}, and a gradient of shape {tuple(g.shape)} cannot be added "
                "to it: the tensor's .data was replaced by one of another shape. Set .grad to None first"
            )
    tape = recorded.tape
    if tape is not None:
        tape.goes_backward(complete)
    for t, g, fresh in complete:
        if isinstance(g, Tensor):
            t._grad = (g.clone() if t._grad is None else t._grad + g).to(t.dtype)
            if t._grad.grad_fn is not None and t._grad.grad_fn.op_name == "Clone":
                t._grad.grad_fn.printed = "CopyBackwards"
        elif t._grad is None:
            if g.dtype != t._array.dtype:  # the leaf does not have the machine's byte order
                g, fresh = backend.astype(g, t._array.dtype), True
            grad = wrap(g if fresh else backend.copy(g))
            if tape is not None:
                tape.sets_grad(t, grad, depends=True)
            t._grad = grad
        else:
            try:
                t._grad._array += g
            except ValueError:  # the array of .grad is read-only
                t._grad = wrap(t._grad._array + g)
            version_of(t._grad).bump("backward")


def _check_gradient(what: str, g: Any, y: Tensor) -> None:
    if not isinstance(g, Tensor):
        raise TypeError(f"{what}: expected a Tensor, got {type(g).__name__}")
    a, b = g._array, y._array
    if a.shape == b.shape and a.dtype == b.dtype and (type(a) is type(b) is np.ndarray or g.device == y.device):
        return
    expected, got = [(tuple(t.shape), str(t._array.dtype), str(t.device)) for t in (y, g)]
    raise RuntimeError(f"{what}: expected (shape, dtype, device) = {expected}, as of the tensor it belongs to, got {got}")


def _starting_gradient(op: str, y: Tensor, gradient: Tensor | None, create_graph: bool) -> Any:
    """The gradient at an output: the one that the caller passed, or 1 for a scalar."""
    if not y._requires_grad:
        raise RuntimeError(
            f"{op}: this tensor does not require grad: nothing it was computed from has requires_grad=True, "
            "or it was computed under no_grad() or from a detached tensor"
        )
    if gradient is None:
        if y._array.size != 1:
            raise RuntimeError(
                f"{op}: expected a scalar, got shape {tuple(y.shape)}, and a gradient can be started without being told only "
                "at a scalar. Reduce it first, e.g. with .sum() or .mean(), or pass the gradient of your loss with respect to "
                f"it: {'backward(gradient=...)' if op == 'backward' else 'grad_outputs=...'}"
            )
        if type(y._array) in backend.NUMPYS:  # np.ones_like takes four times as long
            one = empty(y._array.shape, y._array.dtype)
            one.fill(1)
        else:
            one = backend.namespace(y._array).ones_like(y._array)
        return wrap(one) if create_graph else one
    _check_gradient(f"{op}: gradient", gradient, y)
    return gradient if create_graph else gradient._array


@method()
def backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Sequence[Tensor] | None = None,
) -> None:
    """Accumulate the gradient of this tensor into the `.grad` of the leaves it was computed from.

    Parameters
    ----------
    gradient : Tensor, optional
        The upstream gradient, with the shape, dtype and device of this tensor. Default: 1, for a scalar only.
    retain_graph : bool, optional
        Keep the saved tensors, so that another backward can run through the graph. Default: `create_graph`.
    create_graph : bool
        Record the backward pass as well, so that the gradients can be differentiated.
    inputs : sequence of Tensor, optional
        Accumulate only into the `.grad` of these tensors.

    Raises
    ------
    RuntimeError
        The tensor does not require grad; it is not a scalar and `gradient` is missing; `gradient` does not fit the tensor;
        an earlier backward freed the graph; or a saved tensor was changed in place. An error leaves every `.grad` unchanged.

    Examples
    --------
    >>> import tinynorm
    >>> x = tinynorm.tensor([3.0], requires_grad=True)
    >>> (x * x).backward()
    >>> x.grad
    tensor([6.])
    """
    start = _starting_gradient("backward", self, gradient, create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        Run(create_graph, keep)([self], [start])
        return
    targets = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    _check_targets("backward", targets)
    found = Run(create_graph, keep, targets)([self], [start])
    once = {id(t): (t, g, False) for t, g in zip(targets, found, strict=True) if g is not None}
    accumulate(list(once.values()))


def _check_targets(op: str, targets: Sequence[Tensor]) -> None:
    if not targets:
        raise RuntimeError(f"{op}: expected at least one tensor in inputs, got none")
    for i, x in enumerate(targets):
        if not x._requires_grad:
            raise RuntimeError(
                f"{op}: inputs[{i}] of shape {tuple(x.shape)} does not require grad; "
                "call .requires_grad_() on it before the forward"
            )


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    *,
    only_inputs: bool = True,
) -> tuple[Any, ...]:  # Tensors; None only with allow_unused=True
    """Return the gradients of `outputs` with respect to `inputs`, without accumulating them in `.grad`.

    Parameters
    ----------
    outputs, inputs : Tensor or sequence of Tensor
        The tensors to differentiate, and the tensors to differentiate with respect to. An input need not be a leaf.
    grad_outputs : Tensor or sequence of (Tensor or None), optional
        The upstream gradient for each output. None means 1, for a scalar only.
    retain_graph, create_graph : bool
        As in `Tensor.backward`.
    allow_unused : bool, optional
        Return None for an input that the outputs do not depend on, instead of raising an error.
    only_inputs : bool
        Must be True. Programs written for PyTorch pass it; this function never changes `.grad`.

    Returns
    -------
    tuple of (Tensor or None)
        One for each input.

    Raises
    ------
    RuntimeError
        As for `Tensor.backward`; or an input does not require grad; or an input is not used and `allow_unused` is not True.

    Examples
    --------
    >>> import tinynorm
    >>> x = tinynorm.tensor(2.0, requires_grad=True)
    >>> (dx,) = grad(x**3, x, create_graph=True)
    >>> grad(dx, x)
    (tensor(12.),)
    """
    if not only_inputs:
        raise ValueError("grad: only_inputs=False is not supported; Tensor.backward accumulates in all leaves")
    ys: list[Tensor] = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    xs: list[Tensor] = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    given = [grad_outputs] * len(ys) if grad_outputs is None or isinstance(grad_outputs, Tensor) else list(grad_outputs)
    if len(given) != len(ys):
        raise RuntimeError(f"grad: expected one of grad_outputs for each of {len(ys)} outputs, got {len(given)}")
    _check_targets("grad", xs)
    starts = [_starting_gradient("grad", y, g, create_graph) for y, g in zip(ys, given, strict=True)]
    run = Run(create_graph, create_graph if retain_graph is None else retain_graph, xs)
    found = run(ys, starts)
    for i, g in enumerate(found):
        if g is None and not allow_unused:
            raise RuntimeError(
                f"grad: inputs[{i}] of shape {tuple(xs[i].shape)} was not used to compute the outputs; "
                "pass allow_unused=True to have None for it"
            )
    return tuple(None if g is None else run.handed_out(x, g).to(x.dtype) for x, g in zip(xs, found, strict=True))
