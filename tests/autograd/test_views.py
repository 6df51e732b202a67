"""Views and changes in place: as PyTorch, program by program, or refused."""

import copy
import gc
import json
import pickle
import weakref
from pathlib import Path

import numpy as np
import pytest
from view_programs import VIEWS, gradients, run, state

import tinynorm as tn
from tinynorm.tensor import version_of

PROGRAMS = json.loads(Path(__file__).with_name("view_programs.json").read_text())["programs"]
CHUNK = 50


# ---- against PyTorch -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", range(0, len(PROGRAMS), CHUNK))
def test_random_programs_give_what_pytorch_gives_or_are_refused(first):
    for recorded in PROGRAMS[first : first + CHUNK]:
        assert difference(recorded) == "", recorded["program"]


def difference(recorded):
    """What differs from PyTorch's; "" for nothing."""
    program, their_state, their_gradients = recorded["program"], recorded["state"], recorded["gradients"]
    constants = any(line.startswith("view") and line.endswith("0") for line in program)  # (to PyTorch a kind of leaf)
    try:
        tensors = run(tn, program)
    except RuntimeError as error:
        may = ["cannot be written to: it was expanded", *["retain_grad: this tensor does not require"] * constants]
        return "" if any(text in str(error) for text in may) else f"refused: {error}"
    ours = state(tensors)
    if constants:  # only whether they require grad differs
        ours, their_state = ([t and t[:3] for t in s] for s in (ours, their_state))
    if ours != their_state:
        return f"{ours} for {their_state}"
    try:
        found = gradients(tn, tn.autograd.grad, tensors)
    except RuntimeError as error:
        return "" if their_gradients == "refused" else f"backward refused: {error}"
    if their_gradients == "refused":
        return "" if constants else "not refused"
    if constants:  # those that were retained may be others
        found, their_gradients = found[:4], their_gradients[:4]
    return "" if found == their_gradients else f"{found} for {their_gradients}"


def test_the_programs_hold_what_they_are_for():
    lines = [line.split() for p in PROGRAMS for line in p["program"]]
    assert {name for kind, name, *_ in lines if kind == "view"} == set(VIEWS)
    assert sum(p["gradients"] != "refused" for p in PROGRAMS) > 350
    assert sum("Replaced" in nodes_of(p["program"]) for p in PROGRAMS[:100]) > 25


def nodes_of(program):
    try:
        tensors = run(tn, program)
    except RuntimeError:  # refused
        return set()
    names, stack = set(), [t.grad_fn for t in tensors if t is not None and t.grad_fn]
    while stack:
        node = stack.pop()
        names.add(node.op_name)
        stack += [edge[0] for edge in node.edges if type(edge) is tuple]
    return names


# ---- a base and its views --------------------------------------------------------------------------------------------


def leaf(*values):
    return tn.tensor(list(values), dtype="float64", requires_grad=True)


@pytest.mark.parametrize("name", [name for name in VIEWS if name not in ("detach", "squeeze")])
@pytest.mark.parametrize("change", ["mul_", "setitem", "copy_"])
def test_a_view_made_before_its_base_was_changed_has_the_new_history(name, change):
    w, b = leaf(2.0), tn.ones(4, 3, dtype="float64")
    v = VIEWS[name](b)
    {"mul_": lambda: b.mul_(w), "setitem": lambda: b.__setitem__(..., w), "copy_": lambda: b.copy_(w.expand(4, 3))}[change]()
    assert v.tolist() == (v.detach() * 0 + 2).tolist()
    (v.sum() + w.sum()).backward()
    assert w.grad.tolist() == [v.numel() + 1.0]


@pytest.mark.parametrize("name", [name for name in VIEWS if name not in ("detach", "squeeze", "expand")])
def test_a_change_of_a_view_reaches_its_base_and_the_other_views(name):
    w, b = leaf(2.0), tn.ones(4, 3, dtype="float64")
    others = [b.T, b[1:], b.view(-1)[::2]]
    v = VIEWS[name](b)
    v *= w
    changed = (b == 2.0).double()
    for t, where in zip((b, *others), (changed, changed.T, changed[1:], changed.view(-1)[::2]), strict=True):
        assert tn.autograd.grad(t.sum(), w, retain_graph=True, allow_unused=True)[0].tolist() == [where.sum().item()]


def test_a_view_of_a_base_in_an_order_of_its_own_is_found_in_the_gradient():
    """Where the base lies in memory column by column, so that its gradient has no such views."""
    x, w = leaf(1.0), leaf(3.0)
    b = tn.from_numpy(np.asfortranarray(np.ones((2, 3))))
    b += x
    v = b.T.reshape(-1)
    assert np.shares_memory(v.array, b.array)
    v[1:3] = w
    b.sum().backward()
    assert (x.grad.tolist(), w.grad.tolist()) == ([4.0], [2.0])


def test_where_an_infinite_gradient_is_cut_off_nothing_is_left_of_it():
    x = leaf(1.0, 2.0)
    h = x * 1.0
    h[:1].zero_()
    (h / tn.zeros(2, dtype="float64")).sum().backward()
    assert x.grad.tolist() == [0.0, np.inf]


def test_what_was_computed_before_the_change_keeps_its_gradient():
    x, w = leaf(1.0, 2.0), leaf(5.0)
    h = x * 3.0
    v = h[:1]
    y = v * 7.0
    h.mul_(w)
    (y.sum() + v.sum()).backward()
    assert x.grad.tolist() == [3.0 * 7 + 3.0 * 5, 0.0]
    assert w.grad.tolist() == [3.0]


def test_dead_views_do_not_count_and_are_forgotten():
    x = leaf(1.0, -2.0)
    h = x * 1.0
    for _ in range(1000):
        h[0].item()
    assert len(version_of(h)._views) < 50
    h.relu_()
    h.sum().backward()
    assert x.grad.tolist() == [1.0, 0.0]


def test_rows_one_by_one_and_all_kept():
    w, x = tn.tensor(2.0, dtype="float64", requires_grad=True), leaf(1.0, 1.0, 1.0)
    h = x * 1.0
    for row in h:
        row.mul_(w)
    rows = list(h)
    for i, row in enumerate(rows):
        row *= w + float(i)
    sum(rows).backward()
    assert x.grad.tolist() == [4.0, 6.0, 8.0]
    assert w.grad.tolist() == 2 * 2 + 2 * 2 + 1 + 2 * 2 + 2


def test_views_close_no_cycle():
    gc.collect()
    gc.disable()
    try:
        w, b = leaf(2.0), tn.ones(2, 3, dtype="float64")
        v = b.T[0]
        v *= v.clone() * w
        b.mul_(v.sum())
        alive = [weakref.ref(t) for t in (b, v, b.grad_fn, v.grad_fn)]
        (b.sum() + v.sum()).backward()
        del b, v
        assert [r() for r in alive] == [None] * 4
    finally:
        gc.enable()


def test_a_leaf_that_shares_the_memory_is_not_changed_where_ops_are_recorded():
    w, b = leaf(2.0), tn.ones(3, dtype="float64")
    v = b[:2].requires_grad_()
    with pytest.raises(RuntimeError, match=r"mul_: the memory of a leaf.*view.*no_grad"):
        b.mul_(w)
    late = b[1:]
    b.requires_grad_()
    for change in (lambda: late.mul_(2.0), lambda: late.mul_(w), lambda: v.zero_()):
        with pytest.raises(RuntimeError, match="leaf"):
            change()
    assert b.tolist() == [1.0, 1.0, 1.0]
    with tn.no_grad():
        late.mul_(2.0)
    assert b.tolist() == [1.0, 2.0, 2.0]


# ---- views without a way back ----------------------------------------------------------------------------------------


def test_a_view_made_under_no_grad_is_not_changed_where_ops_are_recorded_while_its_base_lives():
    w, b = leaf(2.0), tn.zeros(2, 3, dtype="float64")
    with tn.no_grad():
        v = b.view(6)
    with pytest.raises(RuntimeError, match=r"mul_.*view that was made under no_grad.*clone"):
        v.mul_(w)
    del b
    v.add_(w)
    v.sum().backward()
    assert w.grad.tolist() == [6.0]


def test_a_view_of_a_view_made_under_no_grad_is_one_of_the_base():
    w, b = leaf(2.0), tn.zeros(2, 3, dtype="float64")
    with tn.no_grad():
        v = b.view(6)
        u = v[:2]
    del v
    with pytest.raises(RuntimeError, match=r"mul_.*view that was made under no_grad.*clone"):
        u.mul_(w)


def test_a_view_made_under_no_grad_has_no_gradient_after_its_base_was_changed():
    w, b = leaf(2.0), tn.ones(3, dtype="float64")
    with tn.no_grad():
        v = b[:2]
        constant = b[:1].detach()
    b.mul_(w)
    assert v.tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match=r"made under no_grad\(\).*mul_.*clone"):
        (v.sum() + w.sum()).backward()
    with pytest.raises(RuntimeError, match=r"made under no_grad\(\)"):
        tn.autograd.grad(v[:1].sum(), w)
    assert w.grad is None
    (constant.sum() * w).sum().backward()
    assert w.grad.tolist() == [2.0]


def test_what_detach_gives_is_a_constant_with_a_history_of_its_own():
    x, w = leaf(1.0, 2.0), leaf(3.0)
    h = x * 1.0
    d, v = h.detach(), h[:1]
    d.mul_(w)
    assert (h.tolist(), v.tolist()) == ([3.0, 6.0], [3.0])
    d.sum().backward(retain_graph=True)
    assert (x.grad, w.grad.tolist()) == (None, [3.0])
    (h.sum() + v.sum()).backward()
    assert x.grad.tolist() == [2.0, 1.0]


def test_new_data_is_new_memory():
    w, b = leaf(2.0), tn.ones(3, dtype="float64")
    v = b[:2]
    b.array = np.full(3, 5.0)
    with pytest.raises(RuntimeError, match="view"):
        v.mul_(w)
    b.mul_(w)
    assert (v.requires_grad, v.tolist(), b.tolist()) == (False, [1.0, 1.0], [10.0, 10.0, 10.0])


def test_new_data_of_one_view_leaves_the_others_where_they_were():
    w, b = leaf(2.0), tn.ones(3, dtype="float64")
    v, u = b[:2], b[1:]
    v.array = np.full(2, 5.0)
    u.mul_(w)
    assert (b.tolist(), b.requires_grad, v.requires_grad) == ([1.0, 2.0, 2.0], True, False)
    (b.sum() + u.sum()).backward()
    assert w.grad.tolist() == [4.0]


def test_a_view_of_a_view_with_new_data_is_still_in_the_old_memory():
    w, b = leaf(2.0), tn.ones(3, dtype="float64")
    v = b[:2]
    u = v[:1]
    v.array = np.full(2, 5.0)
    b.mul_(w)
    assert (u.tolist(), v.tolist()) == ([2.0], [5.0, 5.0])
    with pytest.raises(RuntimeError, match="mul_ then changed in place"):
        (u.sum() + b.sum()).backward()


def test_pickled_and_copied_views():
    w, b = leaf(2.0), tn.ones(3, dtype="float64")
    v = b[:2]
    b.mul_(w)
    back = pickle.loads(pickle.dumps(v))
    assert (back.tolist(), back.is_leaf, back.requires_grad) == ([2.0, 2.0], True, True)
    p = leaf(1.0, 2.0)
    y, other = p * p, copy.copy(p)
    with tn.no_grad():
        other.zero_()
    assert (p.tolist(), other.requires_grad) == ([0.0, 0.0], True)
    with pytest.raises(RuntimeError, match="zero_"):
        y.sum().backward()


# ---- operators that change, and what looks like a copy -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "value", "change", "expected"),
    [
        ("int64", 3, "//=", [2, 3, -3]),
        ("int64", 3, "%=", [1, 0, 2]),
        ("int64", 3, "&=", [3, 1, 1]),
        ("int64", 3, "|=", [7, 11, -5]),
        ("int64", 3, "^=", [4, 10, -6]),
        ("bool", True, "^=", [False, False, False]),
        ("float32", 3.0, "//=", [2.0, 3.0, -3.0]),
        ("float32", 3.0, "%=", [1.0, 0.0, 2.0]),
        ("float32", 2.0, "**=", [49.0, 81.0, 49.0]),
    ],
)
def test_an_operator_with_equals_changes_the_tensor_itself(dtype, value, change, expected):
    x = tn.tensor([7, 9, -7]).to(dtype)
    kept, view = x, x[1:]
    names = {"x": x, "value": value}
    exec(f"x {change} value", names)
    assert names["x"] is kept
    assert (kept.tolist(), view.tolist(), kept.dtype) == (expected, expected[1:], dtype)
    assert version_of(kept).count == 1


def test_the_gradient_of_a_remainder_and_a_floored_quotient_in_place():
    x = leaf(7.0, -7.0)
    h, k = x * 1.0, x * 1.0
    h %= 3.0
    k //= 3.0
    (h * 2.0 + x + k).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_a_result_that_a_boolean_tensor_cannot_hold_is_refused():
    for change in (lambda x: x.__iand__(tn.tensor([3])), lambda x: x.add_(1)):
        with pytest.raises(RuntimeError, match=r"int64.*bool"):
            change(tn.tensor([True]))


def test_clamping_in_place_by_what_requires_grad_is_recorded():
    h, low = tn.zeros(2, dtype="float64"), leaf(1.0, -1.0)
    h.clamp_(low)
    h.sum().backward()
    assert low.grad.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("name", ["floor", "ceil", "round", "abs", "sign", "clone", "double"])
def test_what_is_no_view_is_new_memory(name):
    x = tn.tensor([1, 2], dtype="int32")
    y = getattr(x, name)()
    assert y is not x
    assert not np.shares_memory(x.array, y.array)


def test_a_change_of_what_was_detached_leaves_the_views_of_the_other_alone():
    w, b = leaf(2.0), tn.ones(3, dtype="float64")
    d = b.detach()
    with tn.no_grad():
        constant = b[:1]
    v = b[1:].requires_grad_()
    d.mul_(w)
    (constant.sum() + v.sum() + d.sum()).backward()
    assert (constant.requires_grad, v.grad.tolist(), w.grad.tolist()) == (False, [1.0, 1.0], [3.0])


def test_two_views_without_a_way_back_to_a_base_that_is_dead():
    w, b = leaf(2.0), tn.zeros(2, 3, dtype="float64")
    with tn.no_grad():
        v, u = b.view(6), b[0]
    del b
    v.add_(w)
    assert u.tolist() == [2.0, 2.0, 2.0]
    with pytest.raises(RuntimeError, match=r"made under no_grad\(\).*add_"):
        u.sum().backward()


# ---- another shape in place ------------------------------------------------------------------------------------------


def test_a_new_shape_in_place_is_seen_by_the_tensor_alone():
    x = tn.arange(6.0).reshape(2, 3)
    row, held = x[1], x.detach()
    assert x.t_() is x
    x.unsqueeze_(0)
    assert (x.shape, row.shape, held.shape) == ((1, 3, 2), (3,), (2, 3))
    x.mul_(2)
    row[0] = -1.0
    assert x.tolist() == [[[0.0, -1.0], [2.0, 8.0], [4.0, 10.0]]]
    assert held.tolist() == [[0.0, 2.0, 4.0], [-1.0, 8.0, 10.0]]
    assert x.squeeze_().shape == (3, 2)
    assert tn.ones(3).t_().shape == (3,)


def test_views_and_their_base_follow_a_change_after_a_new_shape():
    w = tn.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    y = w * 1
    column, y_again = y[:, 1], y.view(6)
    y.t_()
    y[0].mul_(10)  # the first column of w
    column.unsqueeze_(0).mul_(100)
    assert y_again.tolist() == [10.0, 200.0, 3.0, 40.0, 500.0, 6.0]
    (y * tn.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])).sum().backward(retain_graph=True)
    assert w.grad.tolist() == [[10.0, 300.0, 5.0], [20.0, 400.0, 6.0]]
    w.grad = None
    (y_again * tn.arange(6.0)).sum().backward()
    assert w.grad.tolist() == [[0.0, 100.0, 2.0], [30.0, 400.0, 5.0]]


def test_a_leaf_gets_no_new_shape_where_ops_are_recorded_or_where_it_has_views():
    w = tn.ones(2, 3, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"t_: a leaf that requires grad .* use x = x\.t\(\.\.\.\)"):
        w.t_()
    with tn.no_grad():
        assert w.t_().shape == (3, 2)
    (w * 2).sum().backward()
    assert w.grad.shape == (3, 2)
    row = w[0]
    with tn.no_grad(), pytest.raises(RuntimeError, match="or where it has views"):
        w.unsqueeze_(0)
    assert (w.shape, row.shape) == ((3, 2), (2,))


def test_a_new_shape_that_fails_changes_nothing():
    y = tn.ones(2, 3, requires_grad=True) * 1
    row = y[0]
    for change in (lambda: y.unsqueeze_(5), lambda: y.transpose_(0, 3), lambda: y[None].t_()):
        with pytest.raises((RuntimeError, IndexError)):
            change()
    y.mul_(2)
    assert (y.grad_fn.name(), row.tolist()) == ("MulBackward0", [2.0, 2.0, 2.0])


def test_where_the_shape_stays_the_op_keeps_its_name():
    y = tn.ones(3, requires_grad=True).addcmul(tn.ones(3), tn.ones(3))
    assert y.t_().grad_fn.name() == "AddcmulBackward0"


def test_a_retained_gradient_has_the_new_shape():
    y = tn.ones(2, 3, requires_grad=True) * 1
    y.retain_grad()
    y.t_()
    (y * tn.arange(6.0).reshape(3, 2)).sum().backward()
    assert y.grad.tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]


def test_a_diagonal_can_be_written_to(anywhere):
    x = tn.zeros(3, 3, device=anywhere)
    x.diagonal().fill_(7)
    x.diagonal(1)[0] = 5.0
    x.fill_diagonal_(2.0)
    assert x.tolist() == [[2.0, 5.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]]
