"""The drawing of a graph: what stands in the boxes, which arrows there are, and what becomes of the tensors."""

import os
import re
import shutil
import stat

import pytest

import tinynorm as tn
import tinynorm.nn.functional as F
from tinynorm import nn
from tinynorm.autograd import Function

HAS_DOT = shutil.which("dot") is not None


def boxes(drawing):
    """name -> (label, colour)"""
    return {
        name: (text, colour) for name, text, colour in re.findall(r'(n\d+) \[label="(.*)", fillcolor="(.*)"\]', drawing.dot)
    }


def arrows(drawing):
    """(label, label) of each arrow's ends: what stands in their first lines."""
    first = {name: text.split(r"\n")[0] for name, (text, _) in boxes(drawing).items()}
    return [(first[a], first[b]) for a, b in re.findall(r"(n\d+) -> (n\d+)", drawing.dot)]


@pytest.fixture
def network():
    tn.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    x, t = tn.randn(5, 3), tn.tensor([0, 1, 0, 1, 1])
    hidden = model[1](model[0](x))
    return model, x, hidden, F.cross_entropy(model[2](hidden), t)


def test_every_op_and_every_leaf_has_a_box_with_its_shape(network):
    model, x, hidden, loss = network
    drawing = tn.draw(loss, {"model": model, "x": x, "h": hidden, "t": 3})
    assert [text for text, _ in boxes(drawing).values()] == [
        r"model.0.weight\n(4, 3)",
        r"model.0.bias\n(4,)",
        r"x\n(5, 3)",
        r"Linear\n(5, 4)",
        r"ReLU\nh (5, 4)",
        r"model.2.weight\n(2, 4)",
        r"model.2.bias\n(2,)",
        r"Linear\n(5, 2)",
        r"CrossEntropy\n()",
    ]
    assert arrows(drawing) == [
        ("model.0.weight", "Linear"),
        ("model.0.bias", "Linear"),
        ("x", "Linear"),
        ("Linear", "ReLU"),
        ("ReLU", "Linear"),
        ("model.2.weight", "Linear"),
        ("model.2.bias", "Linear"),
        ("Linear", "CrossEntropy"),
    ]
    assert drawing.boxes == 9


def test_the_colours_say_what_a_box_is(network):
    model, _, _, loss = network
    colours = {text.split(r"\n")[0]: colour for text, colour in boxes(tn.draw(loss, model)).values()}
    assert len({colours["0.weight"], colours["no gradient"], colours["ReLU"], colours["CrossEntropy"]}) == 4
    assert colours["0.weight"] == colours["2.bias"]


def test_without_names_a_leaf_has_the_name_of_its_class():
    x, w = tn.tensor([1.0], requires_grad=True), nn.Parameter(tn.tensor([2.0]))
    assert {text for text, _ in boxes(tn.draw(x + w)).values()} == {r"Tensor\n(1,)", r"Parameter\n(1,)", r"Add\n(1,)"}


def test_values_and_gradients_are_written_where_there_are_few():
    x = tn.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=tn.float64, requires_grad=True)
    y = x.sum(1)
    texts = [text for text, _ in boxes(tn.draw(y * y, {"x": x, "y": y}, values=True, gradients=True)).values()]
    assert texts == [
        r"x\n(2, 2) float64\n[[1., 2.],\n [3., 4.]]\ngradient\n[[ 6.,  6.],\n [14., 14.]]",
        r"Sum\ny (2,)\n[3., 7.]\ngradient [ 6., 14.]",
        r"Mul\n(2,)\n[ 9., 49.]\ngradient [1., 1.]",
    ]
    texts = [text for text, _ in boxes(tn.draw(y * y, {"x": x}, values=True, gradients=True, largest=2)).values()]
    assert texts[0] == r"x\n(2, 2) float64"


def test_a_value_that_was_changed_since_is_not_written():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    z = y.exp() * y
    y.add_(1)
    texts = [text for text, _ in boxes(tn.draw(z.sum(), values=True)).values()]
    assert not any(r"\n[1., 2.]" in text for text in texts if text.startswith("Mul"))


def test_an_op_with_several_outputs_numbers_them():
    class Both(Function):
        @staticmethod
        def forward(ctx, x):
            return x + 0, x.sum()

        @staticmethod
        def backward(ctx, da, db):
            return da + db

    a, b = Both.apply(tn.tensor([1.0, 2.0], requires_grad=True))
    drawing = tn.draw([a * 2, b], {"b": b})
    assert r"Both\n0: (2,)\n1: b ()" in {text for text, _ in boxes(drawing).values()}
    assert 'n1 -> n2 [label="0"]' in drawing.dot


def test_it_leaves_everything_as_it_was(network):
    model, _, hidden, loss = network
    calls = []
    hidden.register_hook(lambda g: calls.append("hidden"))
    model[0].weight.register_hook(lambda g: calls.append("weight"))
    hidden.retain_grad()
    tn.draw(loss, gradients=True)
    assert calls == []
    assert all(t.grad is None for t in [hidden, *model.parameters()])
    loss.backward()
    assert calls == ["hidden", "weight"]
    assert all(t.grad is not None for t in [hidden, *model.parameters()])


def test_a_freed_graph_is_drawn_with_the_shapes_that_are_left(network):
    model, _, _, loss = network
    before = tn.draw(loss, model)
    loss.backward()
    after = tn.draw(loss, model)
    assert [pair for pair in arrows(before) if pair[0] != "no gradient"] == arrows(after)
    assert "CrossEntropy\\n()" in after.dot
    assert "0.weight\\n(4, 3)" in after.dot


def test_a_backward_with_a_mistake_is_drawn():
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x):
            return x + 0

        @staticmethod
        def backward(ctx, dy):
            raise ArithmeticError("a mistake")

    y = Wrong.apply(tn.ones(3, requires_grad=True) * 2)
    assert [text for text, _ in boxes(tn.draw(y.sum())).values()] == [r"Tensor\n(3,)", "Mul", r"Wrong\n(3,)", r"Sum\n()"]


def test_a_tensor_without_a_graph_is_one_box():
    assert [text for text, _ in boxes(tn.draw(tn.zeros(2, 3))).values()] == [r"Tensor\n(2, 3)"]
    x = tn.zeros(2, requires_grad=True)
    assert tn.draw([x, x], {"x": x}).boxes == 1


def test_a_frozen_leaf_is_drawn():
    x = tn.ones(3, requires_grad=True)
    y = (x * 2).sum()
    x.requires_grad = False
    assert tn.draw(y).boxes == 3


@pytest.mark.long  # more than a second
def test_a_graph_of_10_000_ops_is_drawn_the_same_each_time():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    y = x
    for _ in range(5_000):
        y = y * 1.0 + x
    first = tn.draw(y)
    assert first.boxes == 10_001
    assert first.dot == tn.draw(y).dot
    assert first._repr_mimebundle_() == {"text/plain": repr(first)}


def test_quotes_and_backslashes_in_a_name_are_escaped():
    x = tn.ones(1, requires_grad=True)
    assert r'label="a\"b\\c\n(1,)"' in tn.draw(x, {'a"b\\c': x}).dot


@pytest.mark.parametrize(("given", "names"), [(1.0, None), ([1.0], None), (None, [])])
def test_what_it_cannot_draw_it_names(given, names):
    with pytest.raises(TypeError, match=r"draw: expected a (Tensor|module)"):
        tn.draw(tn.ones(1) if given is None else given, names)


def test_it_draws_what_is_on_any_device(device):
    x = tn.tensor([1.0, 2.0], device=device, requires_grad=True)
    assert r"x\n(2,)\n[1., 2.]\ngradient [2., 4.]" in tn.draw((x * x).sum(), {"x": x}, values=True, gradients=True).dot


# ---- files and notebooks ---------------------------------------------------------------------------------------------


@pytest.fixture
def drawing():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    return tn.draw((x * x).sum(), {"x": x})


def program(folder, script):
    """Put a program of the name `dot` there."""
    path = folder / "dot"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(folder)


@pytest.mark.parametrize("name", ["a.dot", "a.gv"])
def test_the_text_is_saved(drawing, tmp_path, name):
    drawing.save(tmp_path / name)
    assert (tmp_path / name).read_text() == f"{drawing.dot}\n"
    assert str(drawing) == drawing.dot


def test_graphviz_makes_the_picture(drawing, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", program(tmp_path, "echo '<svg>'; /bin/cat") + os.pathsep + os.environ["PATH"])
    drawing.save(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text() == f"<svg>\n{drawing.dot}\n"
    assert drawing._repr_mimebundle_() == {"image/svg+xml": f"<svg>\n{drawing.dot}", "text/plain": repr(drawing)}


def test_without_graphviz_there_is_the_text_and_a_clear_error(drawing, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert drawing._repr_mimebundle_() == {"text/plain": drawing.dot}
    with pytest.raises(RuntimeError, match=r"needs Graphviz's program dot, which is not on the PATH"):
        drawing.save(tmp_path / "a.svg")
    assert not (tmp_path / "a.svg").exists()


def test_an_error_of_graphviz_is_handed_on(drawing, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", program(tmp_path, "echo 'syntax error' >&2; exit 1"))
    with pytest.raises(RuntimeError, match="dot failed: syntax error"):
        drawing.save(tmp_path / "a.svg")


def test_another_ending_is_refused(drawing, tmp_path):
    with pytest.raises(ValueError, match=r"ends in .dot, .gv or .svg, got '.*a.txt'"):
        drawing.save(tmp_path / "a.txt")


@pytest.mark.skipif(not HAS_DOT, reason="Graphviz is not installed")
def test_graphviz_understands_the_text(network):
    model, x, _, loss = network
    picture = tn.draw(loss, {"model": model, "x": x}, values=True)._repr_mimebundle_()["image/svg+xml"]
    assert picture.count('class="node"') == 9
    assert "model.0.weight" in picture
