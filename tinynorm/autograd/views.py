"""How an in-place operation changes the graph. A tensor, its views and its base follow PyTorch's rules.

A view that is made while ops are recorded stores its parent (the tensor it is a view of) and the node that made it. So a chain
of nodes leads from every view to its base. A recorded in-place operation gives the base a new history. If the op changed the
base, its node is the new grad_fn of the base. If the op changed a view, the new grad_fn of the base is a `Replaced` node: the
old base with the elements of the view replaced by the result of the op. Each live view then gets a new node on the new history:
its memory is the same, its gradient is different.
"""

from __future__ import annotations

from typing import Any

from .. import backend
from ..tensor import Tensor, base_of, raw, version_of, wrap
from .mode import enable_grad, mode
from .node import Node, next_age


class NotWriteable(RuntimeError):
    """The memory of a tensor cannot be written to."""


def is_recorded(x: Tensor, *others: Any) -> bool:
    """Whether an in-place operation on `x` with these operands is recorded."""
    if not mode.enabled:
        return False
    for t in others:
        if isinstance(t, Tensor) and t._requires_grad:
            return True
    return x._requires_grad or base_of(x)._requires_grad


def refuse_if_unsafe(op: str, x: Tensor, recorded: bool) -> None:
    """Check that `x` may be changed in place; call this before the change.

    Raises
    ------
    RuntimeError
        The memory cannot be written to; or the gradient after the change would be wrong.
    """
    if not backend.is_writeable(x._array):
        raise NotWriteable(
            f"{op}: the tensor's memory cannot be written to: it was expanded, so that one number stands in many places, or "
            "made of a read-only array. Use the out-of-place op, or .clone() first"
        )
    if not recorded:
        return
    base = base_of(x)
    for t in (x, base, *_views_of(base)):
        if t._requires_grad and t.grad_fn is None:
            what = "a leaf that requires grad" if t is x else "the memory of a leaf that requires grad, shared by a view,"
            raise RuntimeError(
                f"{op}: {what} cannot be changed in place where ops are recorded: its history would begin after the change. "
                "Wrap the update in no_grad(), or use the out-of-place op"
            )
    if base._view is not None and base._view() is not None:
        raise RuntimeError(
            f"{op}: the tensor is a view that was made under no_grad() or by a Function, so what it is a view of would not "
            "learn of the change. Use the out-of-place op, or .clone() first"
        )


def become(x: Tensor, y: Tensor, op: str) -> Tensor:
    """Give `x` the place of `y` in the graph, after `op` wrote to the memory of `x`. Update its base and all views too."""
    base = base_of(x)
    if base is not x:
        y = Replaced(_way(base, x))(base, y)
    _take_over(base, y.grad_fn, y._output_nr, y._requires_grad)
    for view in _views_of(base):
        if type(view._view) is tuple:
            _renew(view, *view._view)
        elif base._requires_grad:
            _take_over(view, Lost(base, op), 0, True)
    return x


def change_shape(x: Tensor, op: str, change: Any) -> Tensor:
    """Give `x` the shape that ``change(x)``, a view, has: `x` becomes a view of its former self, whose place that takes.

    Raises
    ------
    RuntimeError
        `x` is a leaf that requires grad, and ops are recorded; or it shares its memory with a view.
    """
    leaf, alone = x._requires_grad and x.grad_fn is None, x._view is None and not _views_of(x)
    array = change(wrap(x._array))._array
    if leaf and (mode.enabled or not alone):
        raise RuntimeError(
            f"{op}: a leaf that requires grad cannot be given another shape in place where ops are recorded, or where it has "
            f"views; use x = x.{op[:-1]}(...)"
        )
    if leaf or array is x._array or (alone and not x._requires_grad):
        x._array = array
        return x
    former = Tensor.__new__(Tensor)
    former._array, former._version_, former._view = x._array, version_of(x), x._view
    former.grad_fn, former._output_nr, former._requires_grad = x.grad_fn, x._output_nr, x._requires_grad
    former._version_.replace_view(x, former)
    for view in former._version_.views():
        if type(view._view) is tuple and view._view[0] is x:
            view._view = former, view._view[1]
    with enable_grad():
        y = change(former)
    _take_over(x, y.grad_fn, y._output_nr, y._requires_grad)
    x._array, x._view = y._array, y._view
    former._version_.add_view(x)
    return x


def _renew(view: Tensor, parent: Tensor, node: Node | tuple) -> None:
    """Give the view a new node on the new history of its parent. (Its forward need not run: the memory is the same.)"""
    again, wanted = _made(node).again(), parent._requires_grad
    again.needs, again.edges, again.age = [wanted], [(parent.grad_fn, parent._output_nr) if wanted else None], next_age()
    view._view = parent, again
    _take_over(view, again if wanted else None, 0, wanted)


def _way(base: Tensor, view: Tensor) -> list[Node]:
    """The nodes that lead from the base to the view."""
    nodes = []
    while view is not base:
        view, node = view._view
        nodes.append(_made(node))
    return nodes[::-1]


def _made(node: Node | tuple) -> Node:
    """The node of a view. Indexing does not make it before it is needed: it leaves (a function, its arguments)."""
    return node[0](*node[1:]) if isinstance(node, tuple) else node


def _views_of(base: Tensor) -> list[Tensor]:
    """The live views of `base`. Each view comes after its parent.

    A tensor from `detach` shares the memory but has its own history, so its views are not included.
    """
    if base._version_ is None or base._version_._views is None:
        return []
    found, known = [], {id(base)}
    for view in base._version_.views():
        of = view._view[0] if type(view._view) is tuple else view._view()
        if view is not base and (of is None or id(of) in known):
            found.append(view)
            known.add(id(view))
    return found


def _take_over(x: Tensor, node: Any, nr: int, requires_grad: bool) -> None:
    """Make `x` output number `nr` of the node. If `x` retains its gradient, it now retains the gradient of the new value."""
    retained = x.grad_fn is not None and x.grad_fn.retained and x.grad_fn.release(x)
    x.grad_fn, x._output_nr, x._requires_grad = node, nr, requires_grad
    if retained and node is not None:
        node.retain(x)


class Replaced(Node):
    """y = x, with a view of x replaced by v;  dx = g with zeros at that view,  dv = the same view of g."""

    def __init__(self, way: list[Node]) -> None:
        self.way = [node.again() for node in way]  # from x to the view

    def forward(self, x: Any, v: Any) -> Any:
        return x  # x already contains v

    def backward(self, g: Any) -> Any:
        dv = g
        for node in self.way:
            dv = node.again()(dv)
        place = backend.namespace(raw(dv)).ones_like(raw(dv))
        for node in reversed(self.way):
            (place,) = node.backward(place)
        outside = wrap(place == 0) if isinstance(g, Tensor) else place == 0
        return backend.namespace(g).where(outside, g, 0.0), dv


class Lost(Node):
    """The node of a view that has no node leading to its base, after `op` changed the base.

    Its backward raises an error, because the gradient would be lost.
    """

    def __init__(self, base: Tensor, op: str) -> None:
        self.op, self.age = op, next_age()
        self.needs, self.edges = [True], [base if base.grad_fn is None else (base.grad_fn, base._output_nr)]

    def backward(self, g: Any) -> Any:
        raise RuntimeError(
            f"backward: a view was made under no_grad() or by a Function, {self.op} then changed in place what it is a view "
            "of, and the view was used after that: nobody can say what its gradient is. Make the view where ops are recorded, "
            "or .clone() it"
        )
