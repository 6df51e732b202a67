"""Tensor: an array, its gradient, and the node that made it.

The mathematics is in `ops/`, which adds its functions to the class with `method`. This file holds the state of a tensor:
its array, the node that made it, and the version counter that counts in-place operations.
"""

from __future__ import annotations

import itertools
import math
import operator
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeVar

import numpy as np

from . import backend, printing
from .backend import Array
from .dtypes import OF_NUMPYS, strided
from .recording import Recorded
from .recording import state as recorded

if TYPE_CHECKING:
    from ._methods import Methods  # the methods that ops/ and autograd/ add to the class, declared for type checkers
else:
    Methods = object

F = TypeVar("F", bound=Callable)


_part = tuple.__getitem__


class Size(tuple):
    """The shape of a tensor: a tuple, printed as PyTorch prints it.

    >>> Size((2, 3)), Size((2, 3))[1:], Size((2, 3)).numel()
    (torch.Size([2, 3]), torch.Size([3]), 6)
    """

    __slots__ = ()

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def __getitem__(self, index: Any) -> Any:
        part = _part(self, index)
        return part if type(part) is int else Size(part)

    def __add__(self, other: tuple) -> Size:  # type: ignore[override]
        return Size(tuple.__add__(self, other))

    def __radd__(self, other: tuple) -> Size:
        return Size(other + tuple(self))

    def __mul__(self, times: SupportsIndex) -> Size:
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__


class Version:
    """A version counter: how often the array was changed in place, and the last op that did it.

    All tensors that share the memory share one counter.
    """

    __slots__ = ("_room", "_views", "count", "op")
    _room: int

    def __init__(self) -> None:
        self.count, self.op = 0, ""
        self._views: list[weakref.ref[Tensor]] | None = None  # the list is created with the first view

    def bump(self, op: str) -> None:
        self.count += 1
        self.op = op
        if recorded.tape is not None:
            recorded.tape.bumps.append((self, op))

    def add_view(self, y: Tensor) -> None:
        """Register a view of the memory. The reference is weak, so it does not keep the view alive."""
        views = self._views
        if views is None or len(views) >= self._room:
            views = self._views = [r for r in views or () if r() is not None]
            self._room = 2 * len(views) + 32  # the list is cleared of dead views again at this length
        views.append(weakref.ref(y))

    def add_views(self, ys: list[Tensor]) -> None:
        """Register many views at once."""
        views = self._views
        if views is None or len(views) >= self._room:
            views = [r for r in views or () if r() is not None]
            self._room = 2 * (len(views) + len(ys)) + 32
        self._views = views + list(map(weakref.ref, ys))

    def replace_view(self, x: Tensor, y: Tensor) -> None:
        """Put `y` in the place of the view `x`."""
        if self._views is not None:
            self._views = [weakref.ref(y) if r() is x else r for r in self._views]

    def views(self) -> list[Tensor]:
        """The live views that still share this memory. Each view comes after the tensor it is a view of."""
        return [y for r in self._views or () if (y := r()) is not None and y._version_ is self]


class Tensor(Methods):
    """An n-dimensional array that can record how it was computed, so that it can be differentiated.

    Create one with `tinynorm.tensor`. The arithmetic follows NumPy, the names follow PyTorch.

    Attributes
    ----------
    data : Tensor
        A tensor with the same memory, outside the graph. The graph does not notice when you write into it.
    array : numpy.ndarray or cupy.ndarray
        The raw array. The graph does not notice when you write into it.
    grad : Tensor or None
        The gradient that `backward` accumulates, of the same shape, dtype and device as the tensor.
    grad_fn : Node or None
        The op that made the tensor; None for a leaf.

    Examples
    --------
    >>> import tinynorm
    >>> x = tinynorm.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4., 6.])
    """

    _array: Array  # what `array` returns; the engine reads this attribute directly
    grad_fn: Any = None
    _requires_grad: bool = False
    _grad: Tensor | None = None
    _output_nr: int = 0  # which of grad_fn's outputs this is
    _version_: Version | None = None  # created on first use
    _view: Any = None  # for a view: (its parent, the node that made it), or a weak reference to its base
    _hooks: dict[int, Callable] | None = None
    is_sparse = False
    layout = strided
    __array_priority__ = 1000
    __hash__ = object.__hash__

    def __init__(self, *data: Any, device: Any = None) -> None:
        """``Tensor(2, 3)`` is uninitialised and of this size, ``Tensor([1, 2])`` has these numbers: float32, as in PyTorch."""
        from . import creation

        self._array = creation.old_constructor("Tensor", backend.default_dtype, data, device)

    @property
    def data(self) -> Tensor:
        return wrap(self._array)  # with a version counter of its own

    @data.setter
    def data(self, value: Tensor | Array) -> None:  # ``p.data = p.data - lr * p.grad``
        self._replace(raw(value), "data: expected a Tensor or an array")

    @property
    def array(self) -> Array:
        return self._array

    @array.setter
    def array(self, value: Array) -> None:
        self._replace(value, "array: expected an array")

    def _replace(self, array: Any, expected: str) -> None:
        """Hold another array from now on."""
        array = np.asarray(array) if isinstance(array, np.generic) else array  # NumPy makes numbers of 0-d arrays
        if not backend.is_array(array):
            raise TypeError(f"{expected}, got {type(array).__name__}; tinynorm.tensor(...) makes a Tensor")
        array = backend.plain(array)
        if array is not self._array:
            self._leave_memory()
        self._array = array

    def _leave_memory(self) -> None:
        """Stop sharing memory: this tensor is no longer a view.

        Its views become views of its base, without the nodes that lead back to the base.
        """
        base = base_of(self)
        for y in self._version_.views() if self._version_ else ():
            if type(y._view) is tuple and y._view[0] is self:
                y._view = weakref.ref(base) if base._view is None else base._view
        self._version_ = self._view = None

    # -- what it is ---------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        return Size(self._array.shape)

    @property
    def ndim(self) -> int:
        return self._array.ndim

    @property
    def dtype(self) -> Any:
        dtype = self._array.dtype  # as dtype_of, without the call
        return OF_NUMPYS.get(dtype, dtype) if isinstance(dtype, np.dtype) else dtype

    @property
    def device(self) -> Any:
        return backend.device_of(self._array)

    @property
    def is_leaf(self) -> bool:
        """True for a tensor that no recorded op made."""
        return self.grad_fn is None

    @property
    def is_cuda(self) -> bool:
        return getattr(self.device, "type", "") == "cuda"

    def size(self, dim: int | None = None) -> Any:
        """The shape, or its size along dimension `dim`."""
        return self.shape if dim is None else _along(self.shape, dim, "size")

    def dim(self) -> int:
        return self._array.ndim

    ndimension = dim

    def numel(self) -> int:
        return int(self._array.size)

    nelement = numel

    def stride(self, dim: int | None = None) -> Any:
        """How many elements further the next one is in memory: along each dimension, or along `dim`."""
        steps = tuple(step // self._array.itemsize for step in self._array.strides)
        return steps if dim is None else _along(steps, dim, "stride")

    def is_floating_point(self) -> bool:
        return backend.is_floating(self._array)

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether the elements are in row-major order in memory, without gaps."""
        return bool(self._array.flags.c_contiguous)

    def element_size(self) -> int:
        """The size of an element in bytes."""
        return int(self._array.dtype.itemsize)

    @property
    def itemsize(self) -> int:
        """The size of an element in bytes."""
        return self.element_size()

    @property
    def nbytes(self) -> int:
        """The size of all elements in bytes."""
        return self.element_size() * self.numel()

    def data_ptr(self) -> int:
        """The address of the first element in memory."""
        return backend.address(self._array)

    # -- the gradient --------------------------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether ops on this tensor are recorded."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if wanted and not backend.is_floating(self._array):
            dtype = self._array.dtype
            raise RuntimeError(f"requires_grad: only floating-point tensors have gradients, got {dtype}; use .float()")
        if not wanted and self.grad_fn is not None:
            raise RuntimeError("requires_grad: only a leaf's can be switched off; use y.detach() for a copy outside the graph")
        self._requires_grad = bool(wanted)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad`; returns the tensor."""
        self.requires_grad = requires_grad
        return self

    @property
    def grad(self) -> Tensor | None:
        if recorded.tape is not None:
            recorded.tape.depends_on(self)
        return self._grad

    @grad.setter
    def grad(self, grad: Tensor | None) -> None:
        if grad is not None:
            if not isinstance(grad, Tensor):
                raise TypeError(f"grad: expected a Tensor or None, got {type(grad).__name__}")
            expected, got = [(t._array.shape, str(t._array.dtype), str(t.device)) for t in (self, grad)]
            if expected != got:
                raise RuntimeError(f"grad: expected (shape, dtype, device) = {expected}, as of the tensor, got {got}")
            if not backend.is_writeable(grad._array):  # expanded or read-only: later gradients are added in place
                grad = grad.clone()
        set_grad(self, grad)

    @grad.deleter
    def grad(self) -> None:
        set_grad(self, None)

    def retain_grad(self) -> None:
        """Make `backward` set `.grad` on this tensor, even if it is not a leaf."""
        if not self._requires_grad:
            raise RuntimeError("retain_grad: this tensor does not require grad, so it will have none")
        if self.grad_fn is not None:
            self.grad_fn.retain(self)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> HookHandle:
        """Call `hook(grad)` whenever this tensor's gradient is computed. If it returns a Tensor, that replaces the gradient.

        Raises
        ------
        RuntimeError
            The tensor does not require grad.
        """
        if not self._requires_grad:
            raise RuntimeError("register_hook: this tensor does not require grad, so the hook would never run")
        if self.grad_fn is not None:
            return HookHandle(self.grad_fn.hooks_of(self._output_nr), hook)
        if self._hooks is None:
            self._hooks = {}
        return HookHandle(self._hooks, hook)

    def detach(self) -> Tensor:
        """A new tensor with the same array that is not part of the graph."""
        y = Tensor.__new__(Tensor)
        y._array = self._array
        y._version_ = version_of(self)  # both tensors share the memory, so they share the version counter
        return y

    def detach_(self) -> Tensor:
        """Take the tensor out of the graph: it becomes a leaf that does not require grad. Returns the tensor.

        Raises
        ------
        RuntimeError
            It is a view. Use `detach`.
        """
        if self._view is not None:
            raise RuntimeError("detach_: a view shares its base's place in the graph; use y = y.detach()")
        self.grad_fn, self._output_nr, self._requires_grad = None, 0, False
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradient to None, or fill it with zeros."""
        if set_to_none:
            set_grad(self, None)
        elif (grad := self.grad) is not None:
            grad._array[...] = 0
            version_of(grad).bump("zero_grad")

    # -- conversions ---------------------------------------------------------------------------------------------------

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """The NumPy array itself, not a copy. With `force`, also of a tensor that requires grad; from a GPU a copy.

        Raises
        ------
        RuntimeError
            The tensor requires grad (use ``.detach().numpy()``) or is not on the CPU (use ``.cpu()``).
        """
        if force:
            return backend.to_numpy(self._array)
        if self._requires_grad:
            raise RuntimeError("numpy: this tensor requires grad, and an array cannot record it; use .detach().numpy()")
        if not isinstance(self._array, np.ndarray):
            raise RuntimeError(f"numpy: expected a tensor on the CPU, got one on {self.device}; use .cpu().numpy()")
        if type(self._array) is Recorded and recorded.tape is not None:
            recorded.tape.refuse("values are handed to NumPy")
        return self._array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        from . import ops

        return ops

    def __dlpack__(self, **kwargs: Any) -> Any:
        if self._requires_grad:
            raise RuntimeError("__dlpack__: this tensor requires grad, and the receiver cannot record it; use .detach()")
        return self._array.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array.__dlpack_device__()

    def item(self) -> Any:
        """The only element of the tensor, as a Python number.

        Raises
        ------
        RuntimeError
            The tensor does not have exactly one element.
        """
        if self._array.size != 1:
            raise RuntimeError(f"item: expected a tensor with one element, got shape {self._array.shape}; use .tolist()")
        if hasattr(self._array, "item"):
            return self._array.item()
        one = backend.namespace(self._array).reshape(self._array, ())
        return float(one) if backend.is_floating(one) else bool(one) if str(one.dtype).endswith("bool") else int(one)

    def tolist(self) -> Any:
        """The elements as nested Python lists."""
        return backend.to_numpy(self._array).tolist()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        return operator.index(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self._array.ndim == 0 else object.__format__(self, spec)

    def __bool__(self) -> bool:
        if self._array.size != 1:
            shape = self._array.shape
            raise RuntimeError(f"bool: the truth of a tensor of shape {shape} is ambiguous; reduce it first, e.g. .all()")
        return bool(self.item())

    def __len__(self) -> int:
        if self._array.ndim == 0:
            raise TypeError("len: a 0-d tensor has no length")
        return self._array.shape[0]

    def __contains__(self, element: Any) -> bool:
        found = self == element
        if found is False:
            raise RuntimeError(f"in: expected a number or a Tensor, got {type(element).__name__}")
        return bool(found.any())

    def __repr__(self) -> str:
        array = backend.to_numpy(self._array)
        notes = [] if isinstance(self._array, np.ndarray) else [f"device={str(self.device)!r}"]
        notes += printing.notes_on(array)
        if self.grad_fn is not None:
            notes.append(f"grad_fn=<{printing.name_of(self.grad_fn)}>")
        elif self._requires_grad:
            notes.append("requires_grad=True")
        return printing.written("tensor", array, notes)

    def __getstate__(self) -> dict[str, Any]:
        """The attributes to pickle: array, gradient and `requires_grad`, without the graph and the version counter."""
        return {name: value for name, value in vars(self).items() if name not in _OF_THE_GRAPH}

    def __copy__(self) -> Tensor:
        """A new tensor with the same memory. Use `clone` or `copy.deepcopy` to copy the numbers."""
        copy = type(self).__new__(type(self))
        vars(copy).update(self.__getstate__())
        copy._array = self._array  # as an attribute: it may be recorded
        copy._version_ = version_of(self)
        return copy

    def __deepcopy__(self, memo: dict) -> Tensor:
        if self.grad_fn is not None:
            raise RuntimeError("deepcopy: only leaf tensors can be copied; use .detach() or .clone()")
        copy = type(self).__new__(type(self))
        copy._array, copy._requires_grad = backend.copy(self._array), self._requires_grad
        memo[id(self)] = copy
        copy._grad = None if self._grad is None else wrap(backend.copy(self._grad._array))
        return copy


_OF_THE_GRAPH = ("grad_fn", "_output_nr", "_version_", "_view", "_hooks")


class _AnyTensor(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_AnyTensor):
    """PyTorch's old name: ``Variable(x, requires_grad=True)`` is a tensor with the memory of x, outside its graph.

    >>> import tinynorm
    >>> tinynorm.autograd.Variable(tinynorm.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Tensor, requires_grad: bool = False, volatile: bool = False) -> Tensor:  # type: ignore[misc]
        return data.detach().requires_grad_(requires_grad)


class HookHandle:
    """The result of `register_hook`. Its `remove()` removes the hook."""

    _keys = itertools.count()  # each handle has its own key, so it removes only its own hook

    def __init__(self, hooks: dict[int, Callable], hook: Callable) -> None:
        self._hooks, self._key = hooks, next(HookHandle._keys)
        hooks[self._key] = hook

    def remove(self) -> None:
        self._hooks.pop(self._key, None)


def set_grad(t: Tensor, grad: Tensor | None) -> None:
    """Set `.grad`; a tape notes it."""
    if recorded.tape is not None:
        recorded.tape.sets_grad(t, grad)
    t._grad = grad


def wrap(array: Array) -> Tensor:
    """A Tensor that holds the array (or NumPy scalar), made without the constructor's checks."""
    t = _new(Tensor)
    t._array = array if type(array) is np.ndarray or not isinstance(array, np.generic) else np.asarray(array)
    return t


_new = Tensor.__new__


def is_tensor(obj: Any) -> bool:
    """Whether an object is a Tensor."""
    return isinstance(obj, Tensor)


def numel(input: Tensor) -> int:
    """The number of elements.

    >>> import tinynorm
    >>> tinynorm.numel(tinynorm.zeros(2, 3))
    6
    """
    return input.numel()


def is_floating_point(input: Tensor) -> bool:
    """Whether the elements are floating-point numbers.

    >>> import tinynorm
    >>> tinynorm.is_floating_point(tinynorm.arange(3))
    False
    """
    return input.is_floating_point()


def tensor_of(array: Array, requires_grad: bool = False) -> Tensor:
    """A Tensor that holds the array, after a check that a Tensor can.

    Raises
    ------
    TypeError
        It is no array of real numbers or booleans.
    """
    if not backend.is_array(array):
        raise TypeError(
            f"Tensor: expected a NumPy or CuPy array, got {type(array).__name__}; "
            "tinynorm.tensor(...) makes a Tensor of lists and numbers"
        )
    if isinstance(array.dtype, np.dtype) and array.dtype.kind not in "fiub":
        raise TypeError(f"Tensor: expected an array of real numbers or booleans, got {array.dtype}")
    t = wrap(backend.plain(array))
    if requires_grad:
        t.requires_grad = True
    return t


def _along(sizes: tuple[int, ...], dim: int, op: str) -> int:
    """The size along one dimension."""
    n = len(sizes)
    if not -n <= dim < n:
        raise IndexError(f"{op}: dim {dim} is out of range: a tensor of {n} dimensions has dims {-n} to {n - 1}")
    return sizes[dim]


def raw(x: Any) -> Any:
    """The array of a Tensor; any other object is returned unchanged."""
    return x._array if isinstance(x, Tensor) else x


def version_of(t: Tensor) -> Version:
    """The tensor's version counter, created on first use."""
    if t._version_ is None:
        t._version_ = Version()
    return t._version_


def base_of(t: Tensor) -> Tensor:
    """The base that the known nodes of a view lead back to; the tensor itself if it is not a view."""
    while type(t._view) is tuple:
        t = t._view[0]
    return t


def method(*names: str) -> Callable[[F], F]:
    """A decorator that adds a function to Tensor as a method, under its own name or under `names`."""

    def attach(f: F) -> F:
        if "<" in f.__qualname__ or f.__name__.startswith("_"):  # made by a function, a lambda …: errors name it as users do
            for named in (f, getattr(f, "__wrapped__", f)):
                named.__name__ = named.__qualname__ = names[0] if names else f.__name__
        for name in names or (f.__name__,):
            setattr(Tensor, name, f)
        return f

    return attach
