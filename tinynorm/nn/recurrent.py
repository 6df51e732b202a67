"""RNN, LSTM and GRU: their cells, and the layers that go through sequences."""

from __future__ import annotations

import math
import warnings
from typing import Any

from ..creation import empty, zeros
from ..ops import concat, stack
from ..ops.normalization import check_tensor
from ..ops.recurrent import Steps, gru_gates, lstm_gates
from ..tensor import Tensor
from . import functional as F
from . import init
from .linear import check_sizes
from .module import Module
from .parameter import Parameter

ACTIVATIONS = {"tanh": F.tanh, "relu": F.relu}


def _check_activation(op: str, nonlinearity: str) -> None:
    if nonlinearity not in tuple(ACTIVATIONS):
        raise ValueError(f"{op}: expected nonlinearity 'tanh' or 'relu', got {nonlinearity!r}")


class _Recurrent(Module):
    """The base class of the cells and the layers: the parameters of `gates` gates, and the checks of a state."""

    gates: int
    parts = 1  # of a state: h; and c in an LSTM
    hidden_size: int

    def _add_parameters(self, input_size: int, end: str, bias: bool, device: Any, dtype: Any) -> None:
        """W, W', b and b', under names with this end. Without `bias` there are no b and b'."""
        H, rows = self.hidden_size, self.gates * self.hidden_size
        shapes = {"weight_ih": (rows, input_size), "weight_hh": (rows, H), "bias_ih": (rows,), "bias_hh": (rows,)}
        for name, shape in shapes.items():
            given = bias or name.startswith("weight")
            self.register_parameter(name + end, Parameter(empty(*shape, dtype=dtype, device=device)) if given else None)

    def reset_parameters(self) -> None:
        """Draw new initial values: uniform within ±1/√hidden_size."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size else 0.0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _state(self, hx: Any, input: Any, symbols: str, shape: tuple[int, ...]) -> tuple:
        """The parts of the state `hx`, each of this shape; zeros if none is given."""
        name = type(self).__name__
        if hx is None:
            return (zeros(*shape, dtype=input.dtype, device=input.device),) * self.parts
        parts = (hx,) if self.parts == 1 else hx if isinstance(hx, (tuple, list)) else ()
        if len(parts) != self.parts or not all(isinstance(s, Tensor) for s in parts):
            expected = "a Tensor h" if self.parts == 1 else "two Tensors (h, c)"
            kinds = f" of {', '.join(type(s).__name__ for s in hx) or 'nothing'}" if isinstance(hx, (tuple, list)) else ""
            raise TypeError(f"{name}: expected hx to be {expected}, got {type(hx).__name__}{kinds}")
        for s in parts:
            if tuple(s.shape) != shape or s.dtype != input.dtype:
                got = f"got {tuple(s.shape)} of {s.dtype} beside input {tuple(input.shape)} of {input.dtype}"
                raise RuntimeError(f"{name}: expected a state {symbols} = {shape} of the input's dtype, {got}")
        return tuple(parts)


class _Cell(_Recurrent):
    """The base class of the cells."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        check_sizes(type(self).__name__, input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.hidden_size, self.bias = int(input_size), int(hidden_size), bool(bias)
        self._add_parameters(self.input_size, "", self.bias, device, dtype)
        self.reset_parameters()

    def _products(self, input: Any, hx: Any) -> tuple[Any, Any, tuple]:
        """W x + b, W' h + b', and the parts of the state before."""
        name = type(self).__name__
        check_tensor(name, input, "input")
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            expected = f"(N, input_size={self.input_size}) or ({self.input_size})"
            raise RuntimeError(f"{name}: expected input {expected}, got {tuple(input.shape)}")
        state = self._state(hx, input, "(N, H)" if input.ndim == 2 else "(H)", (*input.shape[:-1], self.hidden_size))
        u, v = F.linear(input, self.weight_ih, self.bias_ih), F.linear(state[0], self.weight_hh, self.bias_hh)
        return u, v, state

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
    TypeError, RuntimeError
        When the cell is called: the input or the state is no Tensor (two for an LSTM), or shapes or dtypes do not fit.

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
        u, v, _ = self._products(input, hx)
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
    ValueError, TypeError, RuntimeError
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

    gates, parts = 4, 2

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        u, v, (_, c) = self._products(input, hx)
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
    ValueError, TypeError, RuntimeError
        As for `RNNCell`.

    Examples
    --------
    >>> import tinynorm
    >>> GRUCell(3, 2)(tinynorm.ones(5, 3), tinynorm.zeros(5, 2)).shape
    torch.Size([5, 2])
    """

    gates = 3

    def forward(self, input: Any, hx: Any = None) -> Any:
        u, v, (h,) = self._products(input, hx)
        return gru_gates(u, v, h)


class _Layers(_Recurrent):
    """The base class of the layers that go through sequences."""

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
        for option, value in (("bias", bias), ("batch_first", batch_first)):
            if not isinstance(value, bool):  # as in a call with RNN's arguments: there `nonlinearity` stands before `bias`
                raise TypeError(f"{name}: expected {option} to be True or False, got {value!r}")
        if not isinstance(dropout, (int, float)) or isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise ValueError(f"{name}: expected dropout from 0 to 1, got {dropout!r}")
        if dropout and num_layers == 1:
            warnings.warn(f"{name}: dropout={dropout} does nothing in one layer: it stands between the layers", stacklevel=2)
        self.input_size, self.hidden_size, self.num_layers = int(input_size), int(hidden_size), int(num_layers)
        self.bias, self.batch_first, self.bidirectional = bias, batch_first, bool(bidirectional)
        self.dropout = float(dropout)
        for layer in range(num_layers):
            size = self.input_size if layer == 0 else self.hidden_size * (1 + self.bidirectional)
            for end in self._ends(layer):
                self._add_parameters(size, end, self.bias, device, dtype)
        self.reset_parameters()

    def _ends(self, layer: int) -> list[str]:
        """How the names of a layer's parameters end, for each direction."""
        return [f"_l{layer}{direction}" for direction in ("", "_reverse")[: 1 + self.bidirectional]]

    def flatten_parameters(self) -> None:
        """Do nothing: in PyTorch this arranges the parameters for cuDNN."""

    def _step(self, u: Any, v: Any, state: tuple) -> tuple:
        """The state after a step, h first, from u = W x + b and v = W' h + b'."""
        raise NotImplementedError

    def _through(self, x: Any, end: str, state: tuple) -> tuple[list, tuple]:
        """All h of a layer in one direction, and the last state. x is (L, N, size)."""
        W, W_h = getattr(self, "weight_ih" + end), getattr(self, "weight_hh" + end)
        b, b_h = getattr(self, "bias_ih" + end), getattr(self, "bias_hh" + end)
        u = Steps()(F.linear(x, W, b))  # of all steps in one product: (L, N, gates H)
        outputs: list = [None] * x.shape[0]
        for t in reversed(range(len(outputs))) if end.endswith("_reverse") else range(len(outputs)):
            state = self._step(u[t], F.linear(state[0], W_h, b_h), state)
            outputs[t] = state[0]
        return outputs, state

    def _through_all(self, x: Any, states: tuple) -> tuple[Any, tuple]:
        """The h of the last layer at all steps, and each part of the last states, (layers, N, H). x is (L, N, input_size)."""
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
        return x, tuple(stack(list(part)) for part in zip(*last, strict=True))

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
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
        rows = self.num_layers * (1 + self.bidirectional)
        if batched:
            states = self._state(hx, input, "(layers, N, H)", (rows, x.shape[1], self.hidden_size))
            y, last = self._through_all(x, states)
            y = y.transpose(0, 1) if self.batch_first else y
        else:
            states = self._state(hx, input, "(layers, H)", (rows, self.hidden_size))
            y, last = self._through_all(x, tuple(s.unsqueeze(1) for s in states))
            y, last = y.squeeze(1), tuple(s.squeeze(1) for s in last)
        return y, last if self.parts > 1 else last[0]

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
    TypeError
        `bias` or `batch_first` is no bool. When the layer is called: the input or the state is no Tensor (two for an LSTM).
    RuntimeError
        When the layer is called: shapes or dtypes do not fit.

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


class LSTM(_Layers):
    """Long short-term memory; the equations are in `ops/recurrent.py`. (PyTorch's `proj_size` is left out.)

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
