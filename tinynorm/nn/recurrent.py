"""RNN, LSTM and GRU: their cells, and the layers that go through sequences."""

from __future__ import annotations

import math
from typing import Any

from ..creation import empty, zeros
from ..ops import concat, stack
from ..ops.recurrent import gru_gates, lstm_gates
from ..tensor import Tensor
from . import functional as F
from . import init
from .linear import check_sizes
from .module import Module
from .parameter import Parameter

ACTIVATIONS = {"tanh": F.tanh, "relu": F.relu}


def _check_activation(op: str, nonlinearity: str) -> None:
    if nonlinearity not in ACTIVATIONS:
        raise ValueError(f"{op}: expected nonlinearity 'tanh' or 'relu', got {nonlinearity!r}")


def _draw(module: Module, hidden_size: int) -> None:
    """Uniform random numbers within ±1/√H in all parameters."""
    bound = 1 / math.sqrt(hidden_size) if hidden_size else 0.0
    for parameter in module.parameters():
        init.uniform_(parameter, -bound, bound)


class _Cell(Module):
    """The base class of the cells: the parameters of `gates` gates, and the checks of what comes in."""

    gates: int

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        check_sizes(type(self).__name__, input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.hidden_size, self.bias = int(input_size), int(hidden_size), bool(bias)
        rows = self.gates * self.hidden_size
        shapes = {"weight_ih": (rows, input_size), "weight_hh": (rows, hidden_size), "bias_ih": (rows,), "bias_hh": (rows,)}
        for name, shape in shapes.items():
            given = bias or name.startswith("weight")
            self.register_parameter(name, Parameter(empty(*shape, dtype=dtype, device=device)) if given else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values: uniform within ±1/√hidden_size."""
        _draw(self, self.hidden_size)

    def _products(self, input: Any, h: Any) -> tuple[Any, Any]:
        """W x + b and W' h + b'."""
        return F.linear(input, self.weight_ih, self.bias_ih), F.linear(h, self.weight_hh, self.bias_hh)

    def _state(self, input: Any, state: Any) -> Any:
        """The state before: zeros if none is given."""
        name = type(self).__name__
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            expected = f"(N, input_size={self.input_size}) or ({self.input_size})"
            raise RuntimeError(f"{name}: expected input {expected}, got {tuple(input.shape)}")
        shape = (*input.shape[:-1], self.hidden_size)
        if state is None:
            return zeros(*shape, dtype=input.dtype, device=input.device)
        if tuple(state.shape) != shape:
            got = f"got {tuple(state.shape)} beside input {tuple(input.shape)}"
            raise RuntimeError(f"{name}: expected a state {shape}, {got}")
        return state

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(_Cell):
    """One step of a recurrent net: h' = tanh(W x + b + W' h + b').

    Parameters
    ----------
    input_size, hidden_size : int
        The lengths of x and h.
    bias : bool
        Whether there are b and b'.
    nonlinearity : {"tanh", "relu"}
    device, dtype
        The device and the dtype of the parameters.

    Attributes
    ----------
    weight_ih, weight_hh : Parameter
        W, (hidden_size, input_size), and W', (hidden_size, hidden_size). The initial values of all parameters are uniform
        random numbers within ±1/√hidden_size.
    bias_ih, bias_hh : Parameter or None
        b and b', (hidden_size).

    Raises
    ------
    ValueError
        A size is not an int >= 0, or `nonlinearity` is another text.
    RuntimeError
        When the cell is called: the shapes do not fit.

    Examples
    --------
    >>> import tinynorm
    >>> cell = RNNCell(3, 2)
    >>> h = cell(tinynorm.ones(5, 3))  # the state before is 0
    >>> cell(tinynorm.ones(5, 3), h).shape
    torch.Size([5, 2])
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        _check_activation("RNNCell", nonlinearity)
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Any = None) -> Any:
        h = self._state(input, hx)
        u, v = self._products(input, h)
        return ACTIVATIONS[self.nonlinearity](u + v)

    def extra_repr(self) -> str:
        return super().extra_repr() + ("" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}")


class LSTMCell(_Cell):
    """One step of an LSTM; the equations are in `ops/recurrent.py`.

    Parameters
    ----------
    input_size, hidden_size, bias, device, dtype
        As for `RNNCell`.

    Attributes
    ----------
    weight_ih, weight_hh, bias_ih, bias_hh
        As in `RNNCell`, with 4 hidden_size rows: of the gates i, f, g and o.

    Raises
    ------
    ValueError, RuntimeError
        As for `RNNCell`.

    Examples
    --------
    >>> import tinynorm
    >>> cell = LSTMCell(3, 2)
    >>> h, c = cell(tinynorm.ones(5, 3))
    >>> h, c = cell(tinynorm.ones(5, 3), (h, c))
    >>> h.shape, c.shape
    (torch.Size([5, 2]), torch.Size([5, 2]))
    """

    gates = 4

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        h, c = (self._state(input, s) for s in (hx or (None, None)))
        u, v = self._products(input, h)
        return lstm_gates(u + v, c)


class GRUCell(_Cell):
    """One step of a GRU; the equations are in `ops/recurrent.py`.

    Parameters
    ----------
    input_size, hidden_size, bias, device, dtype
        As for `RNNCell`.

    Attributes
    ----------
    weight_ih, weight_hh, bias_ih, bias_hh
        As in `RNNCell`, with 3 hidden_size rows: of the gates r, z and n.

    Raises
    ------
    ValueError, RuntimeError
        As for `RNNCell`.

    Examples
    --------
    >>> import tinynorm
    >>> GRUCell(3, 2)(tinynorm.ones(5, 3), tinynorm.zeros(5, 2)).shape
    torch.Size([5, 2])
    """

    gates = 3

    def forward(self, input: Any, hx: Any = None) -> Any:
        h = self._state(input, hx)
        u, v = self._products(input, h)
        return gru_gates(u, v, h)


class _Layers(Module):
    """The base class of the layers that go through sequences."""

    gates: int

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        check_sizes(name, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        if num_layers < 1:
            raise ValueError(f"{name}: expected num_layers to be at least 1, got {num_layers}")
        if not 0 <= dropout <= 1:
            raise ValueError(f"{name}: expected dropout from 0 to 1, got {dropout!r}")
        self.input_size, self.hidden_size, self.num_layers = int(input_size), int(hidden_size), int(num_layers)
        self.bias, self.batch_first, self.dropout, self.bidirectional = bias, batch_first, float(dropout), bidirectional
        rows, directions = self.gates * hidden_size, 1 + bool(bidirectional)
        for layer in range(num_layers):
            size = input_size if layer == 0 else hidden_size * directions
            for end in self._ends(layer):
                shapes = {"weight_ih": (rows, size), "weight_hh": (rows, hidden_size), "bias_ih": (rows,), "bias_hh": (rows,)}
                for part, shape in list(shapes.items())[: 4 if bias else 2]:
                    self.register_parameter(part + end, Parameter(empty(*shape, dtype=dtype, device=device)))
        self.reset_parameters()

    def _ends(self, layer: int) -> list[str]:
        """How the names of a layer's parameters end, for each direction."""
        return [f"_l{layer}{direction}" for direction in ("", "_reverse")[: 1 + bool(self.bidirectional)]]

    def reset_parameters(self) -> None:
        """Draw new initial values: uniform within ±1/√hidden_size."""
        _draw(self, self.hidden_size)

    def _step(self, u: Any, v: Any, state: tuple) -> tuple:
        """The state after a step, h first, from u = W x + b and v = W' h + b'."""
        raise NotImplementedError

    def _through(self, x: Any, end: str, state: tuple) -> tuple[list, tuple]:
        """All h of a layer in one direction, and the last state. x is (L, N, size)."""
        W, W_h = getattr(self, "weight_ih" + end), getattr(self, "weight_hh" + end)
        b, b_h = (getattr(self, part + end) if self.bias else None for part in ("bias_ih", "bias_hh"))
        u = F.linear(x, W, b)  # of all steps in one product: (L, N, gates H)
        outputs: list = [None] * x.shape[0]
        for t in reversed(range(len(outputs))) if end.endswith("_reverse") else range(len(outputs)):
            state = self._step(u[t], F.linear(state[0], W_h, b_h), state)
            outputs[t] = state[0]
        return outputs, state

    def _run(self, input: Any, given: tuple | None) -> tuple[Any, tuple]:
        """The h of the last layer at all steps, and each part of the last states, (layers, N, H)."""
        name = type(self).__name__
        if not isinstance(input, Tensor):
            raise TypeError(f"{name}: expected a Tensor (packed sequences are left out), got {type(input).__name__}")
        if input.ndim not in (2, 3) or input.shape[-1] != self.input_size:
            order = "(N, L, input_size" if self.batch_first else "(L, N, input_size"
            expected = f"{order}={self.input_size}) or (L, input_size)"
            raise RuntimeError(f"{name}: expected input {expected}, got {tuple(input.shape)}")
        batched = input.ndim == 3
        x = (input.transpose(0, 1) if self.batch_first else input) if batched else input.unsqueeze(1)
        if not x.shape[0]:
            raise RuntimeError(f"{name}: expected at least one step, got input {tuple(input.shape)}")
        states = self._states(x, given, batched)
        last: list[tuple] = []
        for layer in range(self.num_layers):
            directions = []
            for end in self._ends(layer):
                outputs, state = self._through(x, end, tuple(s[len(last)] for s in states))
                directions.append(stack(outputs))
                last.append(state)
            x = directions[0] if len(directions) == 1 else concat(directions, -1)
            if self.dropout and layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout, self.training)
        ends = tuple(stack(list(part)) for part in zip(*last, strict=True))
        if not batched:
            return x.squeeze(1), tuple(s.squeeze(1) for s in ends)
        return x.transpose(0, 1) if self.batch_first else x, ends

    def _states(self, x: Any, given: tuple | None, batched: bool) -> tuple:
        """Each part of the first states, (layers, N, H); zeros if none are given."""
        rows = self.num_layers * (1 + bool(self.bidirectional))
        shape = (rows, x.shape[1], self.hidden_size)
        if given is None:
            return (zeros(*shape, dtype=x.dtype, device=x.device),) * self.parts
        expected = shape if batched else (rows, self.hidden_size)
        for s in given:
            if tuple(s.shape) != expected:
                name = type(self).__name__
                raise RuntimeError(f"{name}: expected a first state (layers, N, H) = {expected}, got {tuple(s.shape)}")
        return given if batched else tuple(s.unsqueeze(1) for s in given)

    parts = 1  # of a state

    def extra_repr(self) -> str:
        defaults = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        others = [f", {name}={getattr(self, name)}" for name, default in defaults.items() if getattr(self, name) != default]
        return f"{self.input_size}, {self.hidden_size}{''.join(others)}"


class RNN(_Layers):
    """A recurrent net: h' = tanh(W x + b + W' h + b') at each step of a sequence, in several layers.

    Parameters
    ----------
    input_size, hidden_size : int
        The lengths of x and h.
    num_layers : int
        Each layer reads the h of the one below it.
    nonlinearity : {"tanh", "relu"}
    bias : bool
        Whether there are b and b'.
    batch_first : bool
        Whether the first dimension of input and output is the batch, and the second the steps.
    dropout : float
        The probability with which each h is set to 0 on its way to the next layer, in training.
    bidirectional : bool
        Whether each layer also goes backwards; its outputs are then 2 hidden_size long.
    device, dtype
        The device and the dtype of the parameters.

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 : Parameter
        Those of `RNNCell`, for layer 0; of other layers with their numbers, of the way back with ``_reverse`` at the end.

    Raises
    ------
    ValueError
        A size, `dropout` or `nonlinearity` is out of range.
    TypeError, RuntimeError
        When the layer is called: the input is no Tensor, or the shapes do not fit.

    Examples
    --------
    >>> import tinynorm
    >>> output, h_n = RNN(3, 2, num_layers=2)(tinynorm.ones(7, 5, 3))  # 7 steps, a batch of 5
    >>> output.shape, h_n.shape
    (torch.Size([7, 5, 2]), torch.Size([2, 5, 2]))
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        _check_activation("RNN", nonlinearity)
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device, dtype)
        self.nonlinearity = nonlinearity

    def _step(self, u: Any, v: Any, state: tuple) -> tuple:
        return (ACTIVATIONS[self.nonlinearity](u + v),)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        output, (h,) = self._run(input, None if hx is None else (hx,))
        return output, h


class LSTM(_Layers):
    """Long short-term memory; the equations are in `ops/recurrent.py`.

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device, dtype
        As for `RNN`.

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 : Parameter
        As in `RNN`, with the rows of the gates i, f, g and o.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As for `RNN`.

    Examples
    --------
    >>> import tinynorm
    >>> output, (h_n, c_n) = LSTM(3, 2, batch_first=True)(tinynorm.ones(5, 7, 3))
    >>> output.shape, h_n.shape, c_n.shape
    (torch.Size([5, 7, 2]), torch.Size([1, 5, 2]), torch.Size([1, 5, 2]))
    """

    gates, parts = 4, 2

    def _step(self, u: Any, v: Any, state: tuple) -> tuple:
        return lstm_gates(u + v, state[1])

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, tuple[Any, Any]]:
        output, (h, c) = self._run(input, None if hx is None else tuple(hx))
        return output, (h, c)


class GRU(_Layers):
    """Gated recurrent units; the equations are in `ops/recurrent.py`.

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device, dtype
        As for `RNN`.

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 : Parameter
        As in `RNN`, with the rows of the gates r, z and n.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As for `RNN`.

    Examples
    --------
    >>> import tinynorm
    >>> output, h_n = GRU(3, 2, bidirectional=True)(tinynorm.ones(7, 5, 3))
    >>> output.shape, h_n.shape
    (torch.Size([7, 5, 4]), torch.Size([2, 5, 2]))
    """

    gates = 3

    def _step(self, u: Any, v: Any, state: tuple) -> tuple:
        return (gru_gates(u, v, state[0]),)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        output, (h,) = self._run(input, None if hx is None else (hx,))
        return output, h
