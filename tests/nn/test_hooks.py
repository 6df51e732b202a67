"""Hooks before and after the forward pass, and on the gradients."""

import copy

import pytest

import tinynorm as tn
from tinynorm import nn


class Two(nn.Module):
    """Two inputs, one of integers in between, and two outputs."""

    def forward(self, a, index, b):
        return a[index] * b, 3 * b


def test_a_pre_hook_sees_and_replaces_the_arguments():
    layer, seen = nn.Identity(), []
    first = layer.register_forward_pre_hook(lambda module, args: seen.append((module, args)))
    second = layer.register_forward_pre_hook(lambda module, args: args[0] + 1)
    third = layer.register_forward_pre_hook(lambda module, args: (args[0] * 10,))
    x = tn.zeros(1)
    assert layer(x).item() == 10
    assert seen == [(layer, (x,))]
    for handle in (first, second, third):
        handle.remove()
    assert layer(x) is x
    assert len(seen) == 1


def test_a_copy_has_hooks_of_its_own():
    layer = nn.Identity()
    layer.register_forward_pre_hook(lambda module, args: args[0] + 1)
    twin = copy.copy(layer)
    twin.register_forward_pre_hook(lambda module, args: args[0] + 1)
    assert (layer(tn.zeros(1)).item(), twin(tn.zeros(1)).item()) == (1, 2)


def test_a_backward_hook_sees_the_gradients_of_this_module_only():
    layer, seen = nn.ReLU(), []
    handle = layer.register_full_backward_hook(lambda module, dx, dy: seen.append((module, dx, dy)))
    x = tn.tensor([-1.0, 2.0], requires_grad=True)
    y = layer(x)
    (y * 3 + y + x * 10).sum().backward()
    ((module, dx, dy),) = seen
    assert module is layer
    assert [g.tolist() for g in dx] == [[0.0, 4.0]]
    assert [g.tolist() for g in dy] == [[4.0, 4.0]]
    assert x.grad.tolist() == [10.0, 14.0]
    handle.remove()
    layer(x).sum().backward()
    assert len(seen) == 1


def test_a_backward_hook_replaces_the_gradients_and_the_next_one_sees_that():
    layer, seen = nn.Linear(1, 1), []
    layer.register_full_backward_hook(lambda module, dx, dy: tuple(5 * g for g in dx))
    layer.register_full_backward_hook(lambda module, dx, dy: seen.append(dx[0].item()))
    x = tn.ones(1, 1, requires_grad=True)
    layer(x).backward()
    assert x.grad.item() == seen[0] == pytest.approx(5 * layer.weight.item(), rel=1e-6)
    assert layer.weight.grad.item() == 1


def test_arguments_and_outputs_keep_their_places():
    module, seen = Two(), []
    module.register_full_backward_hook(lambda module, dx, dy: seen.append((dx, dy)))
    a, b = tn.tensor([1.0, 2.0], requires_grad=True), tn.tensor([4.0], requires_grad=True)
    y, z = module(a, tn.tensor([1]), b)
    (y + 100 * z).sum().backward()
    (((da, zero, db), (dy, dz)),) = seen
    assert (zero.tolist(), zero.dtype) == ([0], tn.int64)  # of the argument that needs no gradient, as in PyTorch
    assert [g.tolist() for g in (da, db, dy, dz)] == [[0.0, 4.0], [302.0], [1.0], [100.0]]
    assert (a.grad.tolist(), b.grad.tolist()) == (da.tolist(), db.tolist())


def test_without_a_gradient_of_the_inputs_the_hook_still_runs():
    layer, seen = nn.Linear(2, 1), []
    layer.register_full_backward_hook(lambda module, dx, dy: seen.append((dx, dy[0].tolist())))
    layer(tn.ones(3, 2)).sum().backward()
    assert seen == [((None,), [[1.0]] * 3)]
    with tn.no_grad():
        layer(tn.ones(3, 2))
    assert len(seen) == 1


def test_a_second_derivative_goes_through_the_hook():
    layer = nn.Tanh()
    layer.register_full_backward_hook(lambda module, dx, dy: (2 * dx[0],))
    x = tn.tensor([0.3], dtype="float64", requires_grad=True)
    (g,) = tn.autograd.grad(layer(x).sum(), x, create_graph=True)
    (gg,) = tn.autograd.grad(g.sum(), x)
    t = tn.tanh(x.detach())
    assert g.item() == pytest.approx(2 * (1 - t * t).item())
    assert gg.item() == pytest.approx(2 * (-2 * t * (1 - t * t)).item())


def test_writing_into_a_gradient_of_a_hook_changes_no_other():
    layer = nn.Identity()
    layer.register_full_backward_hook(lambda module, dx, dy: [g.zero_() for g in dy] and None)
    x = tn.ones(2, requires_grad=True)
    y = layer(x)
    y.retain_grad()
    (2 * y).sum().backward()
    assert y.grad.tolist() == [2.0, 2.0]


def test_a_change_in_place_behind_the_hooks_is_noticed():
    layer = nn.ReLU(inplace=True)
    layer.register_full_backward_hook(lambda module, dx, dy: None)
    w = tn.ones(2, requires_grad=True)
    x = w.exp()  # its backward needs its output, which relu overwrites
    y = layer(x)
    with pytest.raises(RuntimeError, match="changed it in place"):
        y.sum().backward()


def test_the_old_backward_hook_says_which_to_use():
    with pytest.raises(AttributeError, match="no attribute 'register_backward_hook'; use register_full_backward_hook"):
        nn.Linear(1, 1).register_backward_hook(print)


def test_too_few_gradients_are_an_error():
    layer = nn.Identity()
    layer.register_full_backward_hook(lambda module, dx, dy: ())
    with pytest.raises(RuntimeError, match=r"expected the hook to return None or 1 gradients, .* got 0"):
        layer(tn.ones(2, requires_grad=True)).sum().backward()
