"""A user's own op: its values, its gradients, and errors that name the gradient at fault."""

import gc
import weakref

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.autograd import Function, grad
from tinynorm.tensor import version_of


class Scale(Function):
    """y = x w + shift, and how many elements were positive."""

    @staticmethod
    def forward(ctx, x, w, shift=0.0):
        ctx.save_for_backward(x, w)
        ctx.seen = ctx.needs_input_grad
        return x * w + shift

    @staticmethod
    def backward(ctx, dy):
        x, w = ctx.saved_tensors
        return dy * w, dy * x, None


def leaves():
    make = [tn.tensor(v, dtype="float64", requires_grad=True) for v in ([1.0, -2.0], [3.0, 0.5])]
    return make[0], make[1]


def test_values_and_gradients():
    x, w = leaves()
    y = Scale.apply(x, w, 10.0)
    assert y.tolist() == [13.0, 9.0]
    assert y.grad_fn.op_name == "Scale"
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 0.5]
    assert w.grad.tolist() == [1.0, -2.0]


def test_its_node_is_printed_as_pytorch_prints_it():
    node = Scale.apply(tn.ones(2, requires_grad=True), 2.0).grad_fn
    assert (str(node).partition(" object at 0x")[0], node.name()) == ("<torch.autograd.function.ScaleBackward", "ScaleBackward")


def test_on_arrays_alone_and_without_grad_nothing_is_recorded():
    assert Scale.apply(np.ones(2), np.full(2, 3.0), 1.0).tolist() == [4.0, 4.0]
    x, w = leaves()
    with tn.no_grad():
        assert not Scale.apply(x, w).requires_grad


def test_needs_input_grad_tells_which_gradients_are_wanted():
    x, w = leaves()
    assert Scale.apply(x, w.detach(), 1.0).grad_fn.seen == (True, False, False)


def test_a_gradient_may_be_none():
    class Ignoring(Scale):
        @staticmethod
        def backward(ctx, dy):
            return dy, None, None

    x, w = leaves()
    Ignoring.apply(x, w, 1.0).sum().backward()
    assert w.grad is None


def test_forward_and_backward_get_tensors_and_nothing_is_recorded():
    """On arrays std divides by n, max gives no places, and transpose(0, 1) does nothing: other numbers, without a word."""

    class Standardised(Function):
        @staticmethod
        def forward(ctx, x):
            assert type(x) is tn.Tensor
            assert not (x * weight).requires_grad
            ctx.save_for_backward(x)
            return x.transpose(0, 1) / x.std() + x.max(1)[0]

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            assert type(x) is type(g) is tn.Tensor
            assert not (x * weight + g).requires_grad
            return g.transpose(0, 1), None, None  # more None than arguments: ignored

    weight = tn.ones(1, requires_grad=True)
    x = tn.tensor([[1.0, 2.0], [3.0, 6.0]], requires_grad=True)
    y = Standardised.apply(x)
    d = x.detach()
    assert y.tolist() == (d.T / d.std() + d.max(1)[0]).tolist()
    y.backward(tn.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert x.grad.tolist() == [[1.0, 3.0], [2.0, 4.0]]


def test_backward_is_recorded_where_create_graph_asks():
    x, w = leaves()
    recorded = []

    def backward(ctx, g):
        recorded.append((tn.is_grad_enabled(), ctx.saved_tensors[0].requires_grad))
        return Scale.backward(ctx, g)

    op = type("Asking", (Scale,), {"backward": staticmethod(backward)})
    grad(op.apply(x, w, 0.0).sum(), x)
    grad(op.apply(x, w, 0.0).sum(), x, create_graph=True)
    assert recorded == [(False, False), (True, True)]


def test_the_context_may_be_set_up_in_a_function_of_its_own():
    class Square(Function):
        @staticmethod
        def forward(x, power):
            return x**power

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, ctx.power = inputs
            ctx.save_for_backward(x, output)

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return g * ctx.power * y / x, None

    x, _ = leaves()
    assert grad(Square.apply(x, 3).sum(), x)[0].tolist() == [3.0, 12.0]


def with_backward(backward):
    return type("Mine", (Function,), {"forward": staticmethod(lambda ctx, x, w: x * w), "backward": staticmethod(backward)})


@pytest.mark.parametrize(
    ("backward", "error", "match"),
    [
        (lambda ctx, g: g, RuntimeError, r"Mine.backward: expected 2 gradients.*got 1"),
        (lambda ctx, g: (g, g, g), RuntimeError, r"expected 2 gradients.*got 3"),
        (lambda ctx, g: (g, g[:1]), RuntimeError, r"gradient 1 of 2: expected shape \(2,\).*got \(1,\).*broadcast"),
        (lambda ctx, g: (g.float(), g), RuntimeError, r"gradient 0 of 2: expected dtype float64.*float32.*\.to\('float64'\)"),
        (lambda ctx, g: (g, 1.0), TypeError, r"gradient 1 of 2: expected a Tensor of shape \(2,\), got float"),
        (lambda ctx, g: (g, [1.0, 2.0]), TypeError, r"gradient 1 of 2.*got list"),
    ],
)
def test_wrong_gradients_are_named(backward, error, match):
    x, w = leaves()
    y = with_backward(backward).apply(x, w)
    with pytest.raises(error, match=match):
        y.sum().backward()
    assert x.grad is None
    assert w.grad is None


class ByTensors(Function):
    """y = x² by tensors of its own: what they record is forgotten, as in PyTorch."""

    @staticmethod
    def forward(ctx, x, others):
        y = tn.tensor(x, requires_grad=True) * others[0]
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        return g * y / x * 2, None


@pytest.mark.parametrize("requires_grad", [False, True])
def test_a_forward_may_return_and_save_a_tensor(requires_grad):
    x = tn.tensor([2.0, 3.0], dtype="float64", requires_grad=True)
    y = ByTensors.apply(x, [tn.tensor([2.0, 3.0], dtype="float64", requires_grad=requires_grad)])
    assert type(y.array) is np.ndarray
    (dx,) = grad((y * y).sum(), x, create_graph=True)
    assert (y.tolist(), dx.tolist()) == ([4.0, 9.0], [32.0, 108.0])
    assert grad(dx.sum(), x)[0].tolist() == [16.0 + 2 * 16.0, 36.0 + 2 * 36.0]


def test_a_forward_that_returns_no_array_and_a_missing_forward_are_named():
    listing = type("Listing", (Function,), {"forward": staticmethod(lambda ctx, x: [1.0])})
    with pytest.raises(TypeError, match=r"Listing.forward: expected a Tensor for output 0, got list"):
        listing.apply(tn.ones(1))
    with pytest.raises(TypeError, match="define a static method forward"):
        Function.apply(tn.ones(1))


def test_the_users_own_error_comes_through_as_it_is():
    def forward(ctx, x):
        raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$"):
        type("Raising", (Function,), {"forward": staticmethod(forward)}).apply(tn.ones(1))


class Split(Function):
    """(x², x³, where x > 0)."""

    @staticmethod
    def forward(ctx, x):
        square, cube, positive = x * x, x * x * x, x > 0
        ctx.save_for_backward(x)
        return square, cube, positive

    @staticmethod
    def backward(ctx, ds, dc, dp):
        (x,) = ctx.saved_tensors
        return 2 * x * ds + 3 * x * x * dc


def test_several_outputs_an_unused_one_has_gradient_zero_and_a_boolean_one_none():
    x, _ = leaves()
    square, cube, positive = Split.apply(x)
    assert positive.tolist() == [True, False]
    assert not positive.requires_grad
    (square.sum() + (cube * 2.0).sum()).backward(retain_graph=True)
    assert x.grad.tolist() == [2.0 + 6.0, -4.0 + 24.0]
    assert grad(cube.sum(), x)[0].tolist() == [3.0, 12.0]


def test_marked_outputs_have_no_gradient():
    class Marked(Split):
        @staticmethod
        def forward(ctx, x):
            square, cube, positive = Split.forward(ctx, x)
            ctx.mark_non_differentiable(cube)
            return square, cube, positive

    x, _ = leaves()
    square, cube, _ = Marked.apply(x)
    assert (square.requires_grad, cube.requires_grad) == (True, False)


def test_a_single_integer_output_has_no_gradient():
    rank = type("Rank", (Function,), {"forward": staticmethod(lambda ctx, x: np.argsort(x))})
    assert not rank.apply(leaves()[0]).requires_grad


def test_second_derivatives_go_through_the_users_backward():
    x, w = leaves()
    dx, dw = grad((Scale.apply(x, w, 0.0) ** 2).sum(), [x, w], create_graph=True)
    assert dx.requires_grad
    (dxx,) = grad(dx.sum(), x, retain_graph=True)  # d/dx of 2 x w²
    assert dxx.tolist() == [18.0, 0.5]
    (dxw,) = grad(dw.sum(), x)  # d/dx of 2 x² w
    assert dxw.tolist() == [12.0, -4.0]


class Exp(Function):
    @staticmethod
    def forward(ctx, x):
        y = np.exp(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        return g * y


@pytest.mark.parametrize("shape", [(), (2,)])
def test_a_saved_output_has_its_history_in_second_derivatives(shape):
    x = tn.full(shape, 0.5, dtype="float64", requires_grad=True)
    (d,) = grad(Exp.apply(x).sum(), x, create_graph=True)
    (dd,) = grad(d.sum(), x)
    np.testing.assert_allclose(dd.array, np.exp(0.5))


class Intermediate(Function):
    @staticmethod
    def forward(ctx, x):
        half = x * 0.5
        ctx.save_for_backward(half)
        return half * half

    @staticmethod
    def backward(ctx, g):
        (half,) = ctx.saved_tensors
        return g * half


def test_a_saved_intermediate_serves_the_first_derivative_and_is_refused_for_the_second():
    x, _ = leaves()
    assert grad(Intermediate.apply(x).sum(), x)[0].tolist() == [0.5, -1.0]
    with pytest.raises(RuntimeError, match=r"Intermediate.*only inputs and outputs.*shape \(2,\)"):
        grad(Intermediate.apply(x).sum(), x, create_graph=True)


def test_constant_inputs_may_be_saved_for_the_second_derivative():
    x, w = leaves()
    for constant in (w.detach(), w.detach().numpy()):
        (d,) = grad((Scale.apply(x, constant, 0.0) ** 2).sum(), x, create_graph=True)
        assert grad(d.sum(), x)[0].tolist() == [18.0, 0.5]


def test_a_backward_that_leaves_tensors_is_told_so_under_create_graph():
    x, w = leaves()
    mine = with_backward(lambda ctx, g: (g.array if hasattr(g, "backward") else g, None))
    with pytest.raises(TypeError, match=r"gradient 0 of 2.*must return Tensors"):
        grad(mine.apply(x, w).sum(), x, create_graph=True)


def test_a_changed_saved_tensor_is_detected():
    x, w = leaves()
    y = Scale.apply(x, w, 0.0)
    with tn.no_grad():
        w.add_(1.0)
    with pytest.raises(RuntimeError, match=r"Scale saved its input.*add_"):
        y.sum().backward()


def test_no_reference_cycle_is_made():
    gc.collect()
    gc.disable()
    try:
        x, _ = leaves()
        for create_graph in (False, True):
            y = Exp.apply(x)
            node = weakref.ref(y.grad_fn)
            y.sum().backward(create_graph=create_graph)
            x.grad = None
            del y
            assert node() is None
    finally:
        gc.enable()


# ---- in the memory of an input -----------------------------------------------------------------------------------------


def with_forward(forward, backward=lambda ctx, g: g):
    return type("Mine", (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})


SHARING = {
    "the input": lambda ctx, x: x,
    "a part of it": lambda ctx, x: x[:],
    "its transpose": lambda ctx, x: x.T,
}


@pytest.mark.parametrize("forward", SHARING.values(), ids=SHARING)
def test_an_output_in_an_inputs_memory_is_a_view_of_it(forward):
    x, _ = leaves()
    h = x * 1.0
    y = with_forward(forward).apply(h)
    z = h * h
    with pytest.raises(RuntimeError, match=r"mul_.*(Function|cannot be written)"):
        y.mul_(2.0)
    with tn.no_grad():
        y.detach().array.flags.writeable = True
        y.mul_(2.0)
    assert h.tolist() == [2.0, -4.0]
    with pytest.raises(RuntimeError, match=r"Mul saved its input.*mul_"):
        z.sum().backward()


def test_an_output_in_an_inputs_memory_has_no_gradient_after_a_change_of_the_input():
    x, _ = leaves()
    h = x * 1.0
    y = with_forward(SHARING["the input"], lambda ctx, g: 10.0 * g).apply(h)
    early = y * 3.0
    h.mul_(2.0)
    early.sum().backward(retain_graph=True)
    assert x.grad.tolist() == [30.0, 30.0]
    with pytest.raises(RuntimeError, match=r"by a Function, mul_ then changed.*clone"):
        y.sum().backward()


def test_two_outputs_in_one_memory_have_one_version():
    def forward(ctx, x):
        y = x * 2.0
        ctx.save_for_backward(y)
        return y, y[:1]

    x, _ = leaves()
    y, part = with_forward(forward, lambda ctx, g, h: g * ctx.saved_tensors[0]).apply(x)
    with tn.no_grad():
        part.zero_()
    with pytest.raises(RuntimeError, match=r"Mine saved its output.*zero_"):
        y.sum().backward()


def test_an_output_in_the_memory_of_what_was_saved_is_watched():
    def forward(ctx, x):
        e = np.exp(x)
        ctx.save_for_backward(e)
        return e.reshape(2, 1)

    x, _ = leaves()
    y = with_forward(forward, lambda ctx, g: g.reshape(2) * ctx.saved_tensors[0]).apply(x)
    y.mul_(2.0)
    with pytest.raises(RuntimeError, match=r"Mine saved.*mul_"):
        y.sum().backward()


def test_a_forward_that_writes_into_its_input_is_refused():
    def forward(ctx, x):
        x += 1.0
        return x * 1.0

    x, _ = leaves()
    with pytest.raises(RuntimeError, match=r"Mine.forward.*read-only.*mark_dirty"):
        with_forward(forward).apply(x)
    assert x.tolist() == [1.0, -2.0]


class AddOne(Function):
    """x += 1, with ten times the gradient, to be told from others."""

    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        x += 1.0
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 10.0 * g * x


def test_a_forward_that_marks_its_input_dirty_works_in_place():
    x, _ = leaves()
    h = x * 1.0
    before, view = h * h, h[:1]
    assert AddOne.apply(h) is h
    assert (h.tolist(), view.tolist(), version_of(h).count) == ([2.0, -1.0], [2.0], 1)
    (dx,) = grad(h.sum() + view.sum(), x, create_graph=True)  # retains the graph
    assert dx.tolist() == [40.0, -10.0]
    assert grad(dx.sum(), x, retain_graph=True)[0].tolist() == [400.0, -100.0]  # of 10 g h, where dh/dx is 10 h and g is (2, 1)
    with pytest.raises(RuntimeError, match=r"Mul saved its input.*AddOne"):
        before.sum().backward()


def test_a_view_marked_dirty_reaches_its_base():
    x, _ = leaves()
    h = x * 1.0
    view = h[:1]
    assert AddOne.apply(view) is view
    h.sum().backward()
    assert (h.tolist(), x.grad.tolist()) == ([2.0, -2.0], [20.0, 1.0])


def test_what_cannot_be_marked_dirty():
    x, _ = leaves()
    with pytest.raises(RuntimeError, match="AddOne: a leaf that requires grad"):
        AddOne.apply(x)
    with pytest.raises(RuntimeError, match=r"mark_dirty takes tensors"):
        with_forward(lambda ctx, x: ctx.mark_dirty(x * 1.0)).apply(x)

    def forgetting(ctx, x):
        ctx.mark_dirty(x)
        return x * 1.0

    with pytest.raises(RuntimeError, match=r"Mine.forward.*marked dirty, is not returned"):
        with_forward(forgetting).apply(x * 1.0)
    assert x.tolist() == [1.0, -2.0]
    with tn.no_grad():
        assert AddOne.apply(x) is x
    assert (x.tolist(), x.is_leaf) == ([2.0, -1.0], True)


# ---- what users' code can and cannot harm ------------------------------------------------------------------------------


def test_a_backward_that_writes_into_its_gradient_harms_nobody():
    def backward(ctx, g):
        g *= 100.0
        return g

    for create_graph in (False, True):
        x, _ = leaves()
        h = x * 1.0
        y = with_forward(lambda ctx, x: x * 1.0, backward).apply(h)
        (dx,) = grad((y + h).sum(), x, create_graph=create_graph)
        assert dx.tolist() == [101.0, 101.0]


def test_a_backward_that_writes_into_what_was_saved_is_refused():
    def backward(ctx, dy):
        x, w = ctx.saved_tensors
        x *= w
        return x, dy

    x, w = leaves()
    y = type("Writing", (Scale,), {"backward": staticmethod(backward)}).apply(x * 1.0, w)
    with pytest.raises(RuntimeError, match="cannot be written to"):
        y.sum().backward()


def test_a_differentiable_backward_that_changes_what_was_saved_is_seen():
    def backward(ctx, g):
        (h,) = ctx.saved_tensors
        h.detach().zero_()
        return g

    def forward(ctx, h):
        ctx.save_for_backward(h)
        return h * 1.0

    x, _ = leaves()
    h = x * 1.0
    other = h * h
    y = with_forward(forward, backward).apply(h)
    with pytest.raises(RuntimeError, match=r"Mul saved its input.*zero_"):
        grad((y + other).sum(), x, create_graph=True)


def test_two_inputs_in_one_memory_are_told_apart():
    x = tn.tensor([2.0, 3.0], dtype="float64", requires_grad=True)
    for y in (Scale.apply(x, x.detach(), 0.0), Scale.apply(x.detach(), x, 0.0)):
        (dx,) = grad((y + x**3).sum(), x, create_graph=True)
        assert grad(dx.sum(), x)[0].tolist() == [12.0, 18.0]
    h = x * 1.0
    d = h.detach()
    assert Doubled.apply(h, d) is d
    assert (d.tolist(), h.tolist()) == ([4.0, 6.0], [4.0, 6.0])


class Doubled(Function):
    """The second input, doubled in place."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.mark_dirty(y)
        y *= 2
        return y

    @staticmethod
    def backward(ctx, g):
        return None, 2 * g
