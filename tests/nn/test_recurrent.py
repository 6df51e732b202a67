"""Recurrent layers: a layer is its cell in a loop; states, directions, dropout; and what they refuse."""

import numpy as np
import pytest

import tinynorm as tn
from tinynorm import nn

KINDS = ("RNN", "LSTM", "GRU")


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def numbers(t):
    return t.detach().cpu().numpy()


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_its_cell_in_a_loop(kind, device):
    layer, cell = getattr(nn, kind)(3, 2).to(device), getattr(nn, f"{kind}Cell")(3, 2).to(device)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    x = tn.randn(5, 4, 3).to(device)
    output, last = layer(x)
    state = None
    for t in range(5):
        state = cell(x[t], state)
        np.testing.assert_allclose(numbers(output[t]), numbers(parts(state)[0]), rtol=1e-6, atol=1e-6)
    for ours, expected in zip(parts(last), parts(state), strict=True):
        np.testing.assert_allclose(numbers(ours[0]), numbers(expected), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_way_back_reads_the_sequence_from_its_end(kind):
    both = getattr(nn, kind)(3, 2, bidirectional=True)
    there = getattr(nn, kind)(3, 2)
    back = {name: value for name, value in both.state_dict().items() if name.endswith("_reverse")}
    there.load_state_dict({name.removesuffix("_reverse"): value for name, value in back.items()})
    x = tn.randn(5, 4, 3)
    np.testing.assert_allclose(numbers(both(x)[0][..., 2:]), numbers(there(x.flip(0))[0].flip(0)), rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_stands_between_the_layers_in_training_only(kind):
    layer, x = getattr(nn, kind)(3, 8, num_layers=2, dropout=0.5), tn.randn(5, 4, 3)
    assert not np.array_equal(layer(x)[0].detach().numpy(), layer(x)[0].detach().numpy())
    layer.eval()
    np.testing.assert_array_equal(layer(x)[0].detach().numpy(), layer(x)[0].detach().numpy())


@pytest.mark.parametrize("kind", KINDS)
def test_a_saturated_gate_has_no_nan(kind):
    layer = getattr(nn, kind)(3, 2)
    x = tn.full((4, 2, 3), 1e30, requires_grad=True)
    output, _ = layer(x)
    output.sum().backward()
    assert tn.isfinite(output).all()
    assert tn.isfinite(x.grad).all()


def test_names_shapes_and_text_are_pytorchs():
    lstm = nn.LSTM(3, 2, 2, batch_first=True, bidirectional=True)
    assert list(lstm.state_dict())[:4] == ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
    assert lstm.weight_ih_l1_reverse.shape == (8, 4)
    assert lstm.flatten_parameters() is None  # called by many programs
    assert repr(lstm) == "LSTM(3, 2, num_layers=2, batch_first=True, bidirectional=True)"
    assert repr(nn.GRUCell(3, 2, bias=False)) == "GRUCell(3, 2, bias=False)"
    assert repr(nn.RNNCell(3, 2, nonlinearity="relu")) == "RNNCell(3, 2, nonlinearity=relu)"


def test_a_captured_step_goes_through_a_recurrent_layer():
    def run(capture):
        tn.manual_seed(0)
        net = nn.LSTM(3, 4)
        optimizer = tn.optim.SGD(net.parameters(), lr=0.1)

        def step(x):
            optimizer.zero_grad()
            loss = net(x)[0].square().sum()
            loss.backward()
            optimizer.step()
            return loss

        step = tn.capture(step) if capture else step
        xs = [tn.randn(5, 2, 3) for _ in range(6)]
        losses = [step(x).item() for x in xs]
        assert not capture or (step.replays > 0 and not step.reason)
        return losses

    assert run(True) == run(False)


@pytest.mark.parametrize("kind", KINDS)
def test_the_work_grows_with_the_number_of_steps_not_with_its_square(kind):
    """If each step took its part of the products with an index, each would make a gradient as large as the sequence."""
    seen, stack = {}, [getattr(nn, kind)(3, 2)(tn.randn(5, 4, 3))[0].grad_fn]
    while stack:
        node = stack.pop()
        seen[node] = node.op_name
        stack += [edge[0] for edge in node.edges if isinstance(edge, tuple) and edge[0] not in seen]
    names = list(seen.values())
    assert names.count("Steps") == 1
    assert "GetItem" not in names


def test_dropout_in_one_layer_is_told_to_do_nothing():
    with pytest.warns(UserWarning, match="GRU: dropout=0.5 does nothing in one layer"):
        nn.GRU(3, 2, dropout=0.5)


H = tn.zeros(1, 4, 2)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: nn.GRU(3, 2, 1, "relu"), TypeError, "GRU: expected bias to be True or False, got 'relu'"),
        (lambda: nn.LSTM(3, 2, 2, True, 0.5), TypeError, "LSTM: expected batch_first to be True or False, got 0.5"),
        (lambda: nn.LSTM(3, 2, 2, True, True, True), ValueError, "LSTM: expected dropout from 0 to 1, got True"),
        (lambda: nn.LSTM(3, 2, dropout="a"), ValueError, "LSTM: expected dropout from 0 to 1, got 'a'"),
        (lambda: nn.RNN(3, 2, nonlinearity=["tanh"]), ValueError, "expected nonlinearity 'tanh' or 'relu', got .'tanh'."),
        (lambda: nn.LSTM(3, 2, 0), ValueError, "LSTM: expected num_layers to be at least 1, got 0"),
        (lambda: nn.GRU(3, -2), ValueError, "GRU: expected hidden_size to be an int >= 0, got -2"),
        (lambda: nn.RNN(3, 2, nonlinearity="elu"), ValueError, "RNN: expected nonlinearity 'tanh' or 'relu', got 'elu'"),
        (lambda: nn.LSTM(3, 2, dropout=1.5), ValueError, "LSTM: expected dropout from 0 to 1, got 1.5"),
        (lambda: nn.LSTM(3, 2)(tn.zeros(5, 4, 2)), RuntimeError, r"expected input \(L, N, input_size=3\).*got \(5, 4, 2\)"),
        (lambda: nn.LSTM(3, 2)(tn.zeros(0, 4, 3)), RuntimeError, r"at least one step, got input \(0, 4, 3\)"),
        (lambda: nn.LSTM(3, 2)([1.0]), TypeError, "expected a Tensor .packed sequences are left out., got list"),
        (lambda: nn.GRU(3, 2)(tn.zeros(5, 4, 3), tn.zeros(1, 3, 2)), RuntimeError, r"N, H\) = \(1, 4, 2\) .*, got \(1, 3, 2\)"),
        (lambda: nn.GRU(3, 2)(tn.zeros(5, 3), tn.zeros(1, 1, 2)), RuntimeError, r"\(layers, H\) = \(1, 2\) .*, got \(1, 1"),
        (lambda: nn.LSTM(3, 2)(tn.zeros(1, 4, 3), (H, H.double())), RuntimeError, "the input's dtype, got .* of torch.float64"),
        (lambda: nn.LSTM(3, 2, 2)(tn.zeros(5, 4, 3), tn.zeros(2, 2, 4, 2)), TypeError, r"hx to be two Tensors \(h, c\), got T"),
        (lambda: nn.LSTM(3, 2)(tn.zeros(5, 4, 3), (H, H, H)), TypeError, "got tuple of Tensor, Tensor, Tensor"),
        (lambda: nn.LSTM(3, 2)(tn.zeros(5, 4, 3), [H, None]), TypeError, "got list of Tensor, NoneType"),
        (lambda: nn.GRU(3, 2)(tn.zeros(5, 4, 3), (H,)), TypeError, "GRU: expected hx to be a Tensor h, got tuple of Tensor"),
        (lambda: nn.LSTMCell(3, 2)(tn.zeros(4, 3), ()), TypeError, "LSTMCell: expected hx to be two .*, got tuple of nothing"),
        (lambda: nn.LSTMCell(3, 2)(tn.zeros(4, 3), H[0]), TypeError, "LSTMCell: expected hx to be two .*, got Tensor"),
        (lambda: nn.GRUCell(3, 2)([1.0, 2.0, 3.0]), TypeError, "GRUCell: expected input to be a Tensor, got list"),
        (lambda: nn.GRUCell(3, 2)(tn.zeros(4, 2)), RuntimeError, r"input \(N, input_size=3\) or \(3\), got \(4, 2\)"),
        (lambda: nn.GRUCell(3, 2)(tn.zeros(4, 3), tn.zeros(4, 3)), RuntimeError, r"\(N, H\) = \(4, 2\) .*, got \(4, 3\)"),
    ],
)
def test_what_does_not_fit_is_told(call, error, said):
    with pytest.raises(error, match=said):
        call()
