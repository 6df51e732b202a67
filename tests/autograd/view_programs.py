"""Small random programs of views and changes in place, run alike on tinynorm and on PyTorch.

A program is a list of steps on a list of tensors, each a line: what, its name, on which tensor, with which other tensor or
number ("-": none), and whether it is recorded (1) or under no_grad (0). `make_view_programs.py` draws programs and records what
PyTorch makes of them; `test_views.py` runs them on tinynorm.
"""

import contextlib

START = 4  # x, w and two tensors that are no leaves with gradients: a product, and a plain buffer

VIEWS = {
    "head": lambda t: t[:1],
    "tail": lambda t: t[1:],
    "first": lambda t: t[0],
    "last": lambda t: t[-1],
    "column": lambda t: t[..., 0],
    "every-other": lambda t: t[..., ::2],
    "new-axis": lambda t: t[None],
    "permute": lambda t: t.permute(tuple(range(t.ndim))[::-1]),
    "transpose": lambda t: t.transpose(0, -1),
    "mT": lambda t: t.mT,
    "reshape": lambda t: t.reshape(-1),
    "flatten": lambda t: t.flatten(),
    "unsqueeze": lambda t: t.unsqueeze(1),
    "squeeze": lambda t: t.squeeze(),
    "expand": lambda t: t.expand(2, *t.shape),
    "view": lambda t: t.view(*t.shape, 1),
    "detach": lambda t: t.detach(),
}
CHANGES = {
    "add_": lambda t, v: t.add_(v),
    "sub_": lambda t, v: t.sub_(v),
    "mul_": lambda t, v: t.mul_(v),
    "div_": lambda t, v: t.div_(v * v + 1.0),
    "copy_": lambda t, v: t.copy_(v) if hasattr(v, "shape") else t.fill_(v),
    "set-first": lambda t, v: t.__setitem__(0, v),
    "set-column": lambda t, v: t.__setitem__((..., 0), v),
    "set-list": lambda t, v: t.__setitem__([0, -1], v),
    "zero_": lambda t, v: t.zero_(),
    "clamp_": lambda t, v: t.clamp_(-1.0, 1.5),
    "clamp-below_": lambda t, v: t.clamp_(min=0.0),
}
RESULTS = {
    "mul": lambda a, b: a * b,
    "add": lambda a, b: a + b,
    "tanh": lambda a, b: a.tanh(),
    "clone": lambda a, b: a.clone(),
}


def start(lib):
    x = lib.tensor([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]], dtype=lib.float64, requires_grad=True)
    w = lib.tensor([1.5, -0.5, 0.75], dtype=lib.float64, requires_grad=True)
    return [x, w, x * 1.0, lib.ones(2, 3, dtype=lib.float64)]


def step(lib, tensors, line):
    """One step; what it makes is put at the end of the list."""
    kind, name, at, other, recorded = line.split()
    at, value = int(at), tensors[int(other)] if other.isdigit() else None if other == "-" else float(other)
    with contextlib.nullcontext() if recorded == "1" else lib.no_grad():
        if kind == "view":
            tensors.append(VIEWS[name](tensors[at]))
        elif kind == "change":
            CHANGES[name](tensors[at], value)
        elif kind == "result":
            tensors.append(RESULTS[name](tensors[at], value))
        elif kind == "retain":
            tensors[at].retain_grad()
        else:
            tensors[at] = None  # forgotten


def run(lib, program):
    tensors = start(lib)
    for line in program:
        step(lib, tensors, line)
        state(tensors)  # PyTorch renews the history of some views when they are looked at
    return tensors


def weights(lib, t, seed):
    """Numbers for a weighted sum, all different."""
    n = 1
    for size in t.shape:
        n *= size
    return lib.tensor([((7 * i + 3 * seed) % 11 - 4) / 4 for i in range(n)], dtype=lib.float64).reshape(tuple(t.shape))


def total(lib, tensors):
    return sum((t * weights(lib, t, i)).sum() for i, t in enumerate(tensors) if t is not None)


def numbers(t):
    """The sum and the first and last number: enough to tell results apart."""
    flat = t.detach().reshape(-1).tolist()
    return [round(v, 6) + 0.0 for v in (sum(flat), flat[0], flat[-1])]


def state(tensors):
    """What can be seen of each tensor before the backward."""
    return [None if t is None else [*numbers(t), int(t.requires_grad), int(t.is_leaf)] for t in tensors]


def gradients(lib, grad, tensors):
    """First and second derivatives of a weighted sum of everything, and the gradients that were retained."""
    x, w = tensors[:2]
    loss = total(lib, tensors)
    first = grad(loss, [x, w], create_graph=True, allow_unused=True)
    again = total(lib, first) if any(g is not None and g.requires_grad for g in first) else None
    second = [None, None] if again is None else grad(again, [x, w], allow_unused=True, retain_graph=True)
    for t in tensors:
        if t is not None:
            t.grad = None  # PyTorch retains gradients in `grad` too
    loss.backward()
    retained = {i: t.grad for i, t in enumerate(tensors) if i >= 2 and t is not None and not t.is_leaf and t.grad is not None}
    found = [x.grad, w.grad, *second, *(retained[i] for i in sorted(retained))]
    assert [numbers(g) for g in (x.grad, w.grad) if g is not None] == [numbers(g) for g in first if g is not None]
    rounded = [[] if g is None else [round(v, 6) + 0.0 for v in g.detach().reshape(-1).tolist()] for g in found]
    return [g if any(g) else [] for g in rounded]  # no gradient is zeros
