"""The backward loop: right gradients once each, PyTorch's rules for leaves, and no memory left behind."""

import gc
import sys
import threading
import weakref

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.autograd import Node, engine, grad
from tinynorm.tensor import Tensor, version_of


def leaf(*values, dtype="float64"):
    return tn.tensor(list(values), dtype=dtype, requires_grad=True)


@pytest.fixture
def without_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# ---- the order, and how often ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("gradients", [(), (1.0, 1.0)])
def test_a_node_that_returns_too_few_or_too_many_gradients_is_named(gradients):
    class Same(Node):
        def forward(self, x):
            return x + 0

        def backward(self, g):
            return gradients

    x = leaf(1.0)
    with pytest.raises(RuntimeError, match=rf"expected Same.backward to return 1 gradients.*got {len(gradients)}"):
        Same()(x).backward()
    assert x.grad is None


def test_a_chain_of_200_000_ops_goes_forward_backward_and_away(without_collector):
    x = leaf(1.0)
    y = x
    for _ in range(200_000):
        y = y + 1.0
    node = weakref.ref(y.grad_fn)
    y.sum().backward()
    assert x.grad.tolist() == [1.0]
    del y
    assert node() is None


def test_a_long_chain_is_freed_without_a_backward(without_collector):
    y = x = leaf(1.0)
    for _ in range(100_000):
        y = y * 1.0  # saves its input and so holds tensors too
    first = weakref.ref(y.grad_fn)
    del y
    assert first() is None
    assert x.grad is None


class Counting(Node):
    calls = 0

    def forward(self, x):
        return x * 2

    def backward(self, g):
        Counting.calls += 1
        return (g * 2,)


def test_each_node_runs_once_with_its_gradient_complete():
    Counting.calls = 0
    x = leaf(3.0)
    y = Counting()(x)
    (y * y + y + y * 5.0).sum().backward()  # y reaches the end on four ways
    assert Counting.calls == 1
    assert x.grad.tolist() == [2 * (2 * 6.0 + 1 + 5)]


def test_shared_subgraphs_accumulate():
    x, w = leaf(1.0, 2.0), leaf(3.0, -1.0)
    h = x * w
    for _ in range(10):
        h = h + h  # 2^10 paths
    h.sum().backward()
    assert x.grad.tolist() == [1024 * 3.0, -1024.0]
    assert w.grad.tolist() == [1024.0, 2048.0]


def test_gradients_add_up_over_calls_until_they_are_reset():
    x = leaf(2.0)
    (x * x).backward()
    (x * x).backward()
    assert x.grad.tolist() == [8.0]
    x.grad = None
    (x * 3.0).backward()
    assert x.grad.tolist() == [3.0]


# ---- errors ----------------------------------------------------------------------------------------------------------


def test_a_second_backward_explains_itself_and_retain_graph_allows_it():
    x = leaf(2.0)
    y = x.exp()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == pytest.approx([2 * np.exp(2.0)])
    with pytest.raises(RuntimeError, match=r"Exp has already been differentiated.*retain_graph=True"):
        y.backward()


def test_a_non_scalar_needs_a_gradient_and_a_scalar_none():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"expected a scalar, got shape \(2,\).*sum\(\)"):
        (x * 2.0).backward()
    (x * 2.0).backward(tn.tensor([1.0, -1.0], dtype="float64"))
    assert x.grad.tolist() == [2.0, -2.0]


@pytest.mark.parametrize(
    ("gradient", "error", "match"),
    [
        (tn.ones(3, dtype="float64"), RuntimeError, r"\(2,\).*\(3,\)"),
        (tn.ones(2), RuntimeError, "float64.*float32"),
        ([1.0, 1.0], TypeError, "expected a Tensor, got list"),
    ],
)
def test_a_gradient_that_does_not_fit_is_refused(gradient, error, match):
    x = leaf(1.0, 2.0)
    with pytest.raises(error, match=match):
        (x * 2.0).backward(gradient)
    assert x.grad is None


def test_a_tensor_outside_the_graph_has_no_backward():
    with pytest.raises(RuntimeError, match="does not require grad"):
        tn.tensor(1.0).backward()
    with tn.no_grad():
        y = leaf(1.0) * 2
    with pytest.raises(RuntimeError, match="no_grad"):
        y.backward()


class Failing(Node):
    def forward(self, x):
        return x + 0

    def backward(self, g):
        raise ZeroDivisionError


@pytest.mark.parametrize("op", [lambda x: x.__setitem__(0, 300), lambda x: x.clamp(max=300)])
def test_a_number_that_the_dtype_cannot_hold_is_refused_by_the_op(op):
    x = tn.tensor([1, 2], dtype="uint8")
    with pytest.raises(RuntimeError, match=r"(setitem|clamp): expected a number that fits into uint8, from 0 to 255, got 300"):
        op(x)
    assert (x.tolist(), version_of(x).count) == ([1, 2], 0)


def test_an_error_on_the_way_leaves_every_grad_as_it_was():
    x, w = leaf(1.0), leaf(2.0)
    x.grad = tn.tensor([7.0], dtype="float64")
    h = Failing()(x)
    z = h * w
    z.retain_grad()
    with pytest.raises(ZeroDivisionError):
        z.backward()
    assert x.grad.tolist() == [7.0]
    assert w.grad is None
    assert z.grad is None


def test_an_error_in_a_leafs_hook_leaves_every_grad_as_it_was():
    a, b = leaf(1.0), leaf(2.0)
    for t in (a, b):
        t.register_hook(lambda g: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            (a * b).backward()
        t._hooks.clear()
    assert a.grad is None
    assert b.grad is None


# ---- leaves and others -----------------------------------------------------------------------------------------------


def test_only_leaves_keep_a_gradient_unless_asked():
    x = leaf(1.0)
    y = x * 2.0
    z = y * 3.0
    y.retain_grad()
    z.backward(retain_graph=True)
    assert (x.is_leaf, y.is_leaf, z.is_leaf) == (True, False, False)
    assert x.grad.tolist() == [6.0]
    assert y.grad.tolist() == [3.0]
    assert z.grad is None
    z.backward()
    assert y.grad.tolist() == [6.0]  # adds up, as a leaf's does


def test_no_two_gradients_share_memory_nor_with_the_gradient_given():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    g = tn.ones(2, dtype="float64")
    z = x + y
    z.retain_grad()
    z.backward(g)
    x.backward(g)
    arrays = [x.grad.array, y.grad.array, z.grad.array, g.array]
    for i, a in enumerate(arrays):
        assert not any(np.shares_memory(a, b) for b in arrays[i + 1 :])


def test_grad_hands_out_arrays_of_its_own_and_copies_those_only_that_others_have(monkeypatch):
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    g, copies = tn.ones(2, dtype="float64"), []
    monkeypatch.setattr(engine.backend, "copy", lambda a: copies.append(a) or a.copy())
    # ReLU's gradient is new, that of a sum is the one that comes in; and of an input named twice one is a copy.
    for z, xs, count in ((x + y, [x, y, x, y], 4), (tn.relu(x), [x, x], 1), (tn.relu(x) + y, [x, y], 1)):
        copies.clear()
        arrays = [d.array for d in grad(z, xs, g)] + [g.array]
        assert len(copies) == count
        for i, a in enumerate(arrays):
            assert not any(np.shares_memory(a, b) for b in arrays[i + 1 :])


@pytest.mark.parametrize("training", [True, False])
def test_the_gradient_of_one_rows_bias_is_no_view_of_the_gradient_given(training):
    b, g = tn.zeros(3, requires_grad=True), tn.ones(1, 3)
    if training:
        y = tn.ops.layer_norm(tn.rand(1, 3), 3, tn.ones(3), b)
    else:
        y = tn.ops.batch_norm(tn.rand(1, 3), tn.zeros(3), tn.ones(3), tn.ones(3), b)
    y.backward(g)
    g.fill_(5.0)
    assert b.grad.tolist() == [1.0, 1.0, 1.0]


def test_data_and_grad_of_0_d_tensors_are_arrays_not_numpy_scalars():
    x = tn.tensor(2.0, requires_grad=True)
    for y in (x + 1, x.exp(), x.sum(), x * x, x.max(), tn.tensor(np.float64(1.0)), tn.ones(2)[0], x.detach() > 1):
        assert type(y.array) is np.ndarray
    for _ in range(2):
        (x.exp() + x * x).backward()
        assert type(x.grad.array) is np.ndarray


# ---- hooks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inner", [False, True])
def test_hooks_see_and_replace_the_gradient_in_order_and_can_be_removed(inner):
    x = leaf(1.0, 2.0)
    t = x * 1.0 if inner else x
    seen = []
    first = t.register_hook(lambda g: seen.append(("first", g.tolist())) or g * 10.0)
    t.register_hook(lambda g: seen.append(("second", g.tolist())))
    (t * 3.0 + t).sum().backward(retain_graph=True)
    assert seen == [("first", [4.0, 4.0]), ("second", [40.0, 40.0])]
    assert x.grad.tolist() == [40.0, 40.0]
    first.remove()
    first.remove()  # again: nothing
    x.grad = None
    (t * 3.0).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_a_hook_must_return_a_gradient_that_fits():
    x = leaf(1.0, 2.0)
    x.register_hook(lambda g: tn.ones(3, dtype="float64"))
    with pytest.raises(RuntimeError, match=r"hook.*\(2,\).*\(3,\)"):
        x.sum().backward()
    with pytest.raises(RuntimeError, match="does not require grad"):
        tn.ones(2).register_hook(print)


# ---- memory ----------------------------------------------------------------------------------------------------------


def training_step(w, x):
    h = (x @ w).relu()
    h = tn.ops.layer_norm(h, h.shape[-1])
    h.retain_grad()
    h[0] = 0.5
    loss = tn.ops.cross_entropy(h * h.tanh(), tn.tensor([0, 1, 2, 0]))
    loss.backward()
    with tn.no_grad():
        w.sub_(0.1 * w.grad)
    w.grad = None
    return weakref.ref(loss.grad_fn)


def test_a_graph_is_freed_by_reference_counting_alone(without_collector):
    w, x = tn.randn(5, 3, requires_grad=True), tn.randn(4, 5)
    for _ in range(3):
        assert training_step(w, x)() is None


def test_memory_is_flat_over_1000_steps_with_the_collector_off(without_collector):
    w, x = tn.randn(5, 3, requires_grad=True), tn.randn(4, 5)
    training_step(w, x)

    def alive():
        return sum(issubclass(kind, Tensor | Node) for kind in map(type, gc.get_objects()))

    objects, growth = alive(), []
    for _ in range(10):
        blocks = sys.getallocatedblocks()
        for _ in range(1000):
            training_step(w, x)
        growth.append(sys.getallocatedblocks() - blocks)
        if growth[-1] < 50:
            break
    assert alive() == objects
    # Python keeps up to 2000 freed tuples of each length, so the first thousands of steps may grow; a leak never stops
    assert growth[-1] < 50, growth


def test_a_saved_tensor_changed_in_place_by_its_own_result_closes_no_cycle(without_collector):
    x = leaf(1.0)
    h = x * 2.0
    k = h * leaf(3.0)  # saves h
    h *= k  # h's new node stands on k, which holds h
    node = weakref.ref(h.grad_fn)
    del h, k
    assert node() is None


def test_create_graph_leaves_nothing_behind(without_collector):
    x = leaf(1.0, 2.0)
    (g,) = grad((x.exp() * x).sum(), x, create_graph=True)
    g.sum().backward()
    node = weakref.ref(g.grad_fn)
    del g
    assert node() is None


# ---- versions --------------------------------------------------------------------------------------------------------


def changed_input(x, h):
    y = h * x
    h += 1.0
    return y, "Mul.*input.*add_"


def changed_output(x, h):
    y = h.exp()
    with tn.no_grad():
        y.mul_(2.0)
    return y, "Exp.*output.*mul_"


def changed_through_detach(x, h):
    y = h * x
    h.detach().fill_(1.0)
    return y, "Mul.*fill_"


def changed_through_a_view(x, h):
    y = h * x
    with tn.no_grad():
        h[:1].zero_()
    return y, "Mul.*zero_"


def changed_through_reshape(x, h):
    y = h.log()
    with tn.no_grad():
        h.reshape(-1, 1).T[0] = 4.0
    return y, "Log.*setitem"


def changed_by_an_optimiser(x, h):
    y = h * x
    x.array -= 0.1
    version_of(x).bump("SGD.step")
    return y, "Mul.*SGD.step"


CHANGES = [
    changed_input,
    changed_output,
    changed_through_detach,
    changed_through_a_view,
    changed_through_reshape,
    changed_by_an_optimiser,
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_in_place_is_detected_and_the_error_names_both_ops(change):
    x = leaf(1.0, 2.0)
    y, names = change(x, x * 3.0)
    with pytest.raises(RuntimeError, match=names):
        y.sum().backward()
    assert x.grad is None


def test_a_change_of_what_nobody_saved_is_no_error():
    x = leaf(1.0, 2.0)
    h = x * 3.0
    y = h + 1.0
    with tn.no_grad():
        h.zero_()
        h.T.reshape(2, 1).clone().zero_()
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_a_gradient_that_was_used_and_then_added_to_is_detected():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (x * x).sum().backward()
    y = (w * x.grad).sum()
    (x * x).sum().backward()
    with pytest.raises(RuntimeError, match=r"Mul saved its input .* and backward then changed it in place"):
        y.backward()


def test_a_copy_made_by_reshape_is_not_taken_for_a_view():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    h = (x * 1.0).reshape(2, 2)
    y = h * h
    with tn.no_grad():
        h.T.reshape(-1).zero_()  # a copy: h is as it was
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 4.0, 6.0, 8.0]


@pytest.mark.parametrize("place", [lambda at: at, lambda at: (at, ...), lambda at: (None, at), lambda at: (..., None, at)])
def test_an_index_array_may_be_reused_after_the_forward(place):
    for read in (True, False):
        x, at = leaf(1.0, 2.0, 3.0), tn.tensor([0, 1])
        if read:
            y = x[place(at)] * 2.0
        else:
            y = x * 2.0
            y[place(at)] = 0.0
        at.fill_(2)
        y.sum().backward()
        assert x.grad.tolist() == ([2.0, 2.0, 0.0] if read else [0.0, 0.0, 2.0])


def test_changing_a_normalised_output_in_place_leaves_the_gradient_right():
    x = tn.randn(4, 3, dtype="float64", requires_grad=True)
    y = tn.ops.layer_norm(x, 3)
    y *= 2.0
    (got,) = grad((y * y).sum() + y.exp().sum(), x)
    z = tn.ops.layer_norm(x, 3) * 2.0
    (expected,) = grad((z * z).sum() + z.exp().sum(), x)
    np.testing.assert_allclose(got.array, expected.array, rtol=1e-12, atol=1e-12)


# ---- in place --------------------------------------------------------------------------------------------------------


def test_recorded_changes_in_place_have_the_gradients_of_their_out_of_place_twins():
    x, w = leaf(1.0, -2.0, 3.0), leaf(2.0, 0.5, -1.0)
    h = x * 1.0
    h += 1.0
    h *= w
    h -= x
    h /= 2.0
    h[0] = w[1] * 3.0
    h.clamp_(-1.0, 1.2)
    h.sum().backward()
    # h = clamp([3 w1, ((x1 + 1) w1 - x1) / 2, ((x2 + 1) w2 - x2) / 2]) = clamp([1.5, 0.75, -3.5]): only the middle moves
    assert x.grad.tolist() == [0.0, (0.5 - 1) / 2, 0.0]
    assert w.grad.tolist() == [0.0, -0.5, 0.0]


@pytest.mark.parametrize(
    "fill", [lambda h: h.zero_(), lambda h: h.fill_(2.0), lambda h: h.normal_(), lambda h: h.copy_(h.detach())]
)
def test_what_is_overwritten_passes_no_gradient_on(fill):
    x = leaf(1.0, 2.0)
    h = x * 3.0
    fill(h)
    (h + x).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_a_buffer_filled_in_place_carries_the_gradient():
    x = leaf(1.0, 2.0)
    buffer = tn.zeros(3, dtype="float64")
    buffer[1:] = x * 2.0
    assert buffer.requires_grad
    (buffer * buffer).sum().backward()
    assert x.grad.tolist() == [8.0, 16.0]


def test_leaves_and_views_of_them_are_not_changed_in_place_where_ops_are_recorded():
    x = leaf(1.0, 2.0)
    for change in (lambda: x.add_(1.0), lambda: x.zero_(), lambda: x.__setitem__(0, 1.0), lambda: x.relu_()):
        with pytest.raises(RuntimeError, match=r"leaf.*no_grad"):
            change()
    view = x[:1]
    for change in (lambda: view.mul_(2.0), lambda: view.T.zero_(), lambda: view.__setitem__(0, 1.0)):
        with pytest.raises(RuntimeError, match=r"leaf.*view.*no_grad"):
            change()
    assert x.tolist() == [1.0, 2.0]
    with tn.no_grad():
        x.add_(1.0)
    assert x.tolist() == [2.0, 3.0]


@pytest.mark.parametrize("change", [lambda t: t.add_(1), lambda t: t.zero_(), lambda t: t.__setitem__(0, 1.0)])
def test_expanded_and_read_only_memory_is_not_written_to(change):
    array = np.ones(3)
    array.flags.writeable = False
    for t in (tn.ones(1).expand(3), tn.from_numpy(array)):
        with pytest.raises(RuntimeError, match=r"cannot be written to.*clone"):
            change(t)


def test_a_result_that_does_not_fit_in_place_is_refused():
    for change, match in (
        (lambda: tn.ones(2).add_(tn.ones(3, 2)), r"\(3, 2\).*\(2,\)"),
        (lambda: tn.tensor([1, 2]).add_(1.5), "float32.*int64"),
        (lambda: tn.tensor([1, 2]).clamp_(0.5, 1.5), "float32.*int64"),
    ):
        with pytest.raises(RuntimeError, match=match):
            change()


def test_views_write_through():
    x = tn.zeros(2, 3)
    x[0][1] = 1.0
    x[1, 2].fill_(2.0)
    x.T[0] = 3.0
    x.view(6)[4:5].add_(4.0)
    assert x.tolist() == [[3.0, 1.0, 0.0], [3.0, 4.0, 2.0]]
    with pytest.raises(RuntimeError, match=r"view.*reshape"):
        x.T.view(6)


# ---- recording -------------------------------------------------------------------------------------------------------


def test_no_grad_holds_for_its_own_thread():
    inside, outside = threading.Event(), threading.Event()
    seen = {}

    def other():
        inside.wait()
        seen["other"] = tn.is_grad_enabled(), (leaf(1.0) * 2).requires_grad
        outside.set()

    thread = threading.Thread(target=other)
    thread.start()
    with tn.no_grad():
        inside.set()
        outside.wait()
        seen["mine"] = tn.is_grad_enabled()
    thread.join()
    assert seen == {"other": (True, True), "mine": False}


def test_no_grad_nests_decorates_and_ends_on_errors():
    @tn.no_grad()
    def with_call():
        return tn.is_grad_enabled()

    @tn.no_grad
    def without_call():
        with tn.enable_grad():
            return tn.is_grad_enabled()

    assert (with_call(), without_call(), tn.is_grad_enabled()) == (False, True, True)
    switch = tn.no_grad()
    with switch, tn.enable_grad(), switch:
        assert not tn.is_grad_enabled()
    with pytest.raises(ZeroDivisionError), tn.no_grad():
        _ = 1 / 0
    assert tn.is_grad_enabled()


def test_inference_mode_is_no_grad_and_takes_a_mode():
    @tn.inference_mode
    def without_call():
        return tn.is_grad_enabled()

    @tn.inference_mode(mode=False)
    def recording():
        return tn.is_grad_enabled()

    assert (without_call(), recording(), tn.is_grad_enabled()) == (False, True, True)
    with tn.inference_mode():
        assert (tn.is_grad_enabled(), recording()) == (False, True)
        with tn.inference_mode(False):
            assert tn.is_grad_enabled()
        assert not tn.is_grad_enabled()


def test_a_decorated_generator_is_switched_while_it_runs_only():
    log = []

    @tn.no_grad()
    def numbers():
        try:
            got = yield tn.is_grad_enabled()
            log.append(got)
            yield tn.is_grad_enabled()
        except KeyError:
            log.append(tn.is_grad_enabled())
            yield "caught"
        finally:
            log.append("closed")

    g = numbers()
    assert next(g) is False
    assert tn.is_grad_enabled()
    assert g.send("sent") is False
    assert g.throw(KeyError) == "caught"
    g.close()
    assert log == ["sent", False, "closed"]
    assert list(tn.no_grad()(lambda: iter([1]))()) == [1]


# ---- autograd.grad and backward(inputs=...) --------------------------------------------------------------------------


def test_grad_returns_what_backward_would_accumulate_and_touches_nothing():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    h = x * w
    dx, dh = grad((h * h).sum(), [x, h])
    assert dh.tolist() == [6.0, 16.0]
    assert dx.tolist() == [18.0, 64.0]
    assert x.grad is None
    assert w.grad is None
    assert not dx.requires_grad


def test_grad_of_several_outputs_with_their_gradients():
    x = leaf(1.0, 2.0)
    y, z = x * 2.0, (x * x).sum()
    (dx,) = grad([y, z], x, [tn.tensor([1.0, 10.0], dtype="float64"), None])
    assert dx.tolist() == [4.0, 24.0]
    with pytest.raises(RuntimeError, match="one of grad_outputs for each of 2"):
        grad([y, z], x, [None])


def test_grad_says_when_an_input_was_not_used():
    x, other = leaf(1.0), leaf(1.0)
    y = x * 2.0
    with pytest.raises(RuntimeError, match=r"inputs\[1\].*not used.*allow_unused=True"):
        grad(y, [x, other], retain_graph=True)
    assert grad(y, [x, other], allow_unused=True)[1] is None
    for inputs in (tn.ones(1), [x, tn.ones(1)]):
        with pytest.raises(RuntimeError, match="does not require grad"):
            grad(x * 2.0, inputs)


def test_grad_leaves_nodes_alone_that_lead_to_no_input():
    Counting.calls = 0
    x, other, beside = leaf(1.0), leaf(1.0), leaf(1.0)
    called = []
    for t in (other, beside):
        t.register_hook(lambda g: called.append(g))
    grad(x * Counting()(other) * beside, x)
    assert Counting.calls == 0
    assert not called


def test_grad_leaves_the_graph_of_an_output_alone_that_leads_to_no_input():
    x, w = leaf(1.0, 2.0), leaf(3.0)
    y, z = (x * x).sum(), w * w
    assert grad((y, z), x)[0].tolist() == [2.0, 4.0]
    z.backward()
    assert w.grad.tolist() == [6.0]


def test_backward_with_inputs_accumulates_into_those_only_once_each():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    h = x * w
    (h * h).sum().backward(inputs=[x, h, x], retain_graph=True)
    assert x.grad.tolist() == [18.0, 64.0]
    assert h.grad.tolist() == [6.0, 16.0]
    assert w.grad is None
    with pytest.raises(RuntimeError, match="at least one"):
        (h * h).sum().backward(inputs=[])


def test_create_graph_makes_gradients_that_can_be_differentiated_again_and_again():
    x = leaf(2.0)
    y = x**4
    expected = 16.0
    for n in (4, 3, 2, 1):
        assert y.item() == expected
        (y,) = grad(y, x, create_graph=True)
        expected = expected * n / 2.0
    x.grad = None
    (x * x * x).backward(create_graph=True)
    assert x.grad.requires_grad
    (d,) = grad(x.grad, x)
    assert d.item() == 12.0


def test_integers_have_no_gradient():
    x = leaf(1.5)
    for y in (x.long(), x.bool(), x > 1, x.argmax()):
        assert not y.requires_grad


def test_grad_takes_pytorchs_only_inputs():
    x = tn.tensor(2.0, requires_grad=True)
    assert tn.autograd.grad(x * x, x, only_inputs=True)[0].item() == 4
    with pytest.raises(ValueError, match="only_inputs=False is not supported"):
        tn.autograd.grad(x * x, x, only_inputs=False)


def test_set_grad_enabled_switches_from_now_on_for_a_block_and_for_a_function():
    @tn.set_grad_enabled(False)
    def inside():
        return tn.is_grad_enabled()

    assert tn.is_grad_enabled()
    assert not inside()
    assert tn.is_grad_enabled()
    with tn.no_grad():
        assert tn.set_grad_enabled(True)(tn.is_grad_enabled)()
        assert not tn.is_grad_enabled()
    switch = tn.set_grad_enabled(False)
    assert not tn.is_grad_enabled()
    for _ in range(2):
        with switch, tn.enable_grad(), switch:
            assert not tn.is_grad_enabled()
        assert tn.is_grad_enabled()

    @tn.set_grad_enabled(False)
    def steps():
        yield tn.is_grad_enabled()

    assert list(steps()) == [False]
    with pytest.raises(ZeroDivisionError), tn.set_grad_enabled(False):
        raise ZeroDivisionError
    assert tn.is_grad_enabled()


# ---- what the gradient is of, and whose memory it has ------------------------------------------------------------------


def test_a_retained_gradient_is_that_of_the_value_after_a_change():
    x = leaf(1.0)
    h = x * 1.0
    v = h[:1]
    h.retain_grad()
    v.retain_grad()
    h.mul_(5.0)
    v.mul_(2.0)
    (h * 60.0).sum().backward()
    assert h.grad.tolist() == [60.0]
    assert v.grad is None  # nothing was computed from it
    assert x.grad.tolist() == [600.0]


def test_a_hook_stays_with_the_value_it_was_registered_on():
    x, seen = leaf(1.0), []
    h = x * 1.0
    h.register_hook(lambda g: seen.append(g.tolist()))
    h.mul_(5.0)
    h.register_hook(lambda g: seen.append(g.tolist()))
    (h * 60.0).sum().backward()
    assert seen == [[60.0], [300.0]]


def test_a_handle_removes_its_own_hook_only():
    x, seen = leaf(1.0), []
    first = x.register_hook(lambda g: seen.append("first"))
    first.remove()
    x.register_hook(lambda g: seen.append("second"))
    first.remove()
    x.sum().backward()
    assert seen == ["second"]


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_hook_that_writes_into_its_gradient_changes_that_one_only(create_graph):
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    h = x * 1.0

    def times_5(g):
        g *= 5.0

    def zero(g):
        g.zero_()

    h.register_hook(times_5)
    w.register_hook(zero)
    (h + w).sum().backward(create_graph=create_graph)
    assert (x.grad.tolist(), w.grad.tolist()) == ([5.0, 5.0], [0.0, 0.0])


def test_a_leaf_frozen_after_the_forward_gets_no_gradient():
    x, w = leaf(1.0), leaf(2.0)
    seen = []
    x.register_hook(lambda g: seen.append(g.tolist()))
    y = (x * w).sum()
    x.requires_grad = False
    y.backward()
    assert (x.grad, w.grad.tolist(), seen) == (None, [1.0], [[2.0]])


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("expanded", [lambda g: g.expand(3), lambda g: tn.from_numpy(np.broadcast_to(g.numpy(), (3,)))])
def test_a_gradient_assigned_as_an_expanded_view_is_added_to(expanded, create_graph):
    a, x = leaf(1.0, 1.0, 1.0), leaf(1.0, 1.0, 1.0)
    x.grad = expanded(tn.ones(1, dtype="float64"))
    (a + x).sum().backward(create_graph=create_graph)
    assert (a.grad.tolist(), x.grad.tolist()) == ([1.0] * 3, [2.0] * 3)
    x.grad = expanded(tn.ones(1, dtype="float64"))
    x.zero_grad(set_to_none=False)
    assert x.grad.tolist() == [0.0] * 3


def test_a_gradient_that_cannot_be_added_to_leaves_the_others_as_they_were():
    a, x = leaf(1.0, 1.0), leaf(1.0, 1.0)
    a.grad, x.grad = tn.ones(2, dtype="float64"), tn.ones(2, dtype="float64")
    x.array = np.ones(3)
    for go in (lambda loss: loss.backward(), lambda loss: loss.backward(inputs=[a, x])):
        with pytest.raises(RuntimeError, match=r"\.grad has shape \(2,\).*\(3,\).*None first"):
            go(a.sum() + x.sum())
        assert (a.grad.tolist(), x.grad.tolist()) == ([1.0, 1.0], [1.0, 1.0])
    x.grad.array.flags.writeable = False
    x.array = np.ones(2)
    (a.sum() + x.sum()).backward()
    assert (a.grad.tolist(), x.grad.tolist()) == ([2.0, 2.0], [2.0, 2.0])


@pytest.mark.parametrize("dtype", [">f2", ">f4", ">f8"])
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_gradient_has_the_byte_order_of_its_leaf(dtype, create_graph):
    array = np.array([1.0, 2.0], dtype)
    x = tn.from_numpy(array)
    assert np.shares_memory(x.array, array)
    x.requires_grad_()
    h = x[:1]
    h.retain_grad()
    for _ in range(2):
        (h * 3.0 + x).sum().backward(create_graph=create_graph)
    (found,) = grad((x * x).sum(), x, create_graph=create_graph)
    assert [t.dtype for t in (x.grad, h.grad, found)] == [np.dtype(dtype)] * 3
    assert (x.grad.tolist(), h.grad.tolist(), found.tolist()) == ([14.0, 2.0], [12.0], [2.0, 4.0])
    assert tn.tensor(array).dtype == np.dtype(dtype).newbyteorder("=")  # a copy anyway


def test_second_derivatives_do_not_mistake_new_data_for_what_was_saved():
    x = leaf(2.0)
    y = (x**3).sum()
    x.array = np.array([5.0])
    with pytest.raises(RuntimeError, match=r"Pow saved a leaf.*\.data was replaced"):
        y.backward(create_graph=True)
    y.backward()
    assert x.grad.tolist() == [12.0]


@pytest.mark.parametrize("constant", [Tensor.detach, lambda h: h.data, lambda h: tn.as_tensor(h.array)])
@pytest.mark.parametrize("product", [lambda h, c: h * c, lambda h, c: c * h, lambda h, c: h * c * c])
def test_second_derivatives_tell_a_tensor_from_a_constant_in_its_memory(constant, product):
    for inner in (lambda x: x, lambda x: x * 1.0):
        x = leaf(2.0, 3.0)
        h = inner(x)
        (dx,) = grad((product(h, constant(h)) + x**3).sum(), x, create_graph=True)
        assert grad(dx.sum(), x)[0].tolist() == [12.0, 18.0]


def test_second_derivatives_tell_two_leaves_in_one_memory_apart():
    a = np.array([2.0, 3.0])
    p, q = tn.as_tensor(a).requires_grad_(), tn.as_tensor(a).requires_grad_()
    (dp,) = grad((p * p * q).sum(), p, create_graph=True)
    assert [g.tolist() for g in grad(dp.sum(), (p, q))] == [[4.0, 6.0], [4.0, 6.0]]
