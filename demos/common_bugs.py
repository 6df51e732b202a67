"""Eight mistakes of published BatchNorm and LayerNorm listings: the faulty lines, what they do, the repair, what that does.

    python demos/common_bugs.py
    python demos/common_bugs.py --only graph --only bias

Each mistake is a pair of listings, `Wrong...` and `Right...`. One function measures both, so that the figures can be compared.
"""

# The listings are as people write them, so some of them do not pass a type checker.
# mypy: disable-error-code="assignment, has-type, method-assign"

from __future__ import annotations

import argparse
import contextlib
import difflib
import gc
import inspect
import io
import textwrap
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import tinynorm as tn
import tinynorm.nn.functional as F
from tinynorm import nn, optim
from tinynorm.autograd import grad
from tinynorm.utils.data import DataLoader, TensorDataset

Found = dict[str, Any]  # what was measured: a name, and a number, a text or numbers


@dataclass
class Bug:
    """A mistake: its two listings, how they are measured, and what tells the faulty one by its figures."""

    name: str
    title: str
    why: str  # what is wrong
    repair: str
    wrong: Any
    right: Any
    measure: Callable[[Any], Found]
    seen: Callable[[Found], bool]  # whether these figures are those of the mistake
    called: str  # what both listings are called where they are shown


# ---- 1. the unbiased variance normalises -----------------------------------------------------------------------------


def wrong_normalize(x):
    mean = x.mean(0)
    var = x.var(0)  # divided by N - 1, which is the default of var
    return (x - mean) / (var + 1e-5).sqrt()


def right_normalize(x):
    mean = x.mean(0)
    var = x.var(0, unbiased=False)  # divided by N
    return (x - mean) / (var + 1e-5).sqrt()


def measure_variance(normalize: Any) -> Found:
    found: Found = {}
    for N in (2, 4, 32):
        x = _standard_normal(N, 64)
        found[f"spread of the output, N = {N}"] = _spread(normalize(x))
    x = _standard_normal(4, 64)
    found["largest difference from nn.BatchNorm1d, N = 4"] = (normalize(x) - nn.BatchNorm1d(64)(x)).abs().max().item()
    return found


def _standard_normal(*shape: int) -> tn.Tensor:
    return tn.tensor(np.random.default_rng(0).normal(size=shape), dtype=tn.float32)


def _spread(y: tn.Tensor) -> float:
    """The square root of the mean square: 1 for a standardised y."""
    return float(np.sqrt(y.square().mean().item()))


# ---- 2. eps outside the square root ----------------------------------------------------------------------------------


def wrong_eps(x):
    mean, var = x.mean(0), x.var(0, unbiased=False)
    std = var.sqrt()  # the derivative of sqrt is infinite at 0
    return (x - mean) / (std + 1e-5)  # another scale, where std is small


def right_eps(x):
    mean, var = x.mean(0), x.var(0, unbiased=False)
    return (x - mean) / (var + 1e-5).sqrt()  # sqrt never sees 0


def measure_eps(normalize: Any) -> Found:
    tn.manual_seed(0)
    layer, x, target = nn.Linear(8, 4), tn.randn(16, 8), tn.randn(16, 4)
    with tn.no_grad():
        layer.weight[0] = 0.0  # so the first output is the same in all rows
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    losses = []
    for _ in range(3):
        loss = (normalize(layer(x)) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    small = 1e-3 * _standard_normal(64, 8)
    return {
        "the loss in three steps, one feature constant": losses,
        "weights that are NaN then": int(np.isnan(layer.weight.detach().numpy()).sum()),
        "spread of the output for an input of spread 0.001": _spread(normalize(small)),
        "the same of nn.BatchNorm1d": _spread(nn.BatchNorm1d(8)(small)),
    }


# ---- 3. running statistics of the wrong shape, which hold the graph --------------------------------------------------


class WrongRunning(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.register_buffer("running_mean", tn.zeros(features))
        self.register_buffer("running_var", tn.ones(features))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(0, keepdim=True)
            var = x.var(0, unbiased=False, keepdim=True)
            self.running_mean = 0.9 * self.running_mean + 0.1 * mean  # (1, C), with the graph of all steps behind it
            self.running_var = 0.9 * self.running_var + 0.1 * var  # in the same way
        return (x - mean) / (var + 1e-5).sqrt()


class RightRunning(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.register_buffer("running_mean", tn.zeros(features))
        self.register_buffer("running_var", tn.ones(features))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(0, keepdim=True)
            var = x.var(0, unbiased=False, keepdim=True)
            with tn.no_grad():  # statistics are no part of the graph
                self.running_mean.lerp_(x.mean(0), 0.1)  # in place, so the shape stays (C)
                self.running_var.lerp_(x.var(0), 0.1)  # here the unbiased variance is right
        return (x - mean) / (var + 1e-5).sqrt()


STEPS = 100


def measure_running(layer: Any) -> Found:
    tn.manual_seed(0)
    model = nn.Sequential(nn.Linear(32, 32), layer(32))
    x = tn.randn(64, 32)
    _steps(model, x, STEPS // 5)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    _steps(model, x, STEPS)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return {
        "shape of running_mean": tuple(model[1].running_mean.shape),
        "nodes of the graph that running_mean holds": _nodes(model[1].running_mean),
        "bytes that each step adds": round(grown / STEPS),
        "loaded into a new nn.BatchNorm1d": _outcome(
            lambda: nn.BatchNorm1d(32, affine=False).load_state_dict(model[1].state_dict(), strict=False)
        ),
        "a backward pass in eval mode": _outcome(lambda: model.eval()(x).square().mean().backward()),
    }


def _steps(model: nn.Module, x: tn.Tensor, n: int) -> None:
    for _ in range(n):
        model(x).square().mean().backward()
        model.zero_grad()


def _nodes(t: tn.Tensor) -> int:
    """How many nodes of a graph a tensor keeps alive."""
    seen: set[int] = set()
    waiting = [t.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and id(node) not in seen:
            seen.add(id(node))
            waiting += [before for before, _ in node.next_functions]
    return len(seen)


def _outcome(run: Callable[[], Any]) -> str:
    """ "works", or the error."""
    try:
        run()
    except Exception as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())}"
    return "works"


# ---- 4. no gamma and no beta -----------------------------------------------------------------------------------------


class WrongAffine(nn.Module):
    def __init__(self, features):
        super().__init__()

    def forward(self, x):
        mean, var = x.mean(0), x.var(0, unbiased=False)
        return (x - mean) / (var + 1e-5).sqrt()  # this is x_hat, and not the layer's output


class RightAffine(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.gamma = nn.Parameter(tn.ones(features))  # learned, and 1 in the beginning
        self.beta = nn.Parameter(tn.zeros(features))  # learned, and 0 in the beginning

    def forward(self, x):
        mean, var = x.mean(0), x.var(0, unbiased=False)
        x_hat = (x - mean) / (var + 1e-5).sqrt()
        return self.gamma * x_hat + self.beta


def measure_affine(layer: Any) -> Found:
    tn.manual_seed(0)
    classes = tn.tensor(np.arange(100) % 10)
    logits = nn.Parameter(tn.randn(100, 10))  # as good as any network could make them
    norm = layer(10)
    optimizer = optim.Adam([logits, *norm.parameters()], lr=0.1)
    for _ in range(300):
        loss = F.cross_entropy(norm(logits), classes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {
        "learned parameters": sum(p.numel() for p in norm.parameters()),
        "spread of the output": _spread(norm(logits)),
        "loss of 10 balanced classes with this layer on free logits": loss.item(),
    }


# ---- 5. a flag that hides a method -----------------------------------------------------------------------------------


class WrongSwitch:
    def __init__(self):
        self.train = True  # now layer.train is this flag, and no method

    def train(self):
        self.train = True

    def eval(self):
        self.train = False


class RightSwitch:
    def __init__(self):
        self.training = True  # a name of its own

    def train(self):
        self.training = True

    def eval(self):
        self.training = False


def measure_switch(layer: Any) -> Found:
    made = layer()
    made.eval()
    found = {"layer.eval()": "works", "layer.train() after it": _outcome(lambda: made.train())}
    flags = [value for value in vars(made).values() if isinstance(value, bool)]
    return {**found, "in training mode again": flags == [True]}


# ---- 6. a batch of one -----------------------------------------------------------------------------------------------


def wrong_epoch(model, data):
    return [model(x) for (x,) in DataLoader(data, batch_size=32)]  # 97 rows: 32, 32, 32 and 1


def right_epoch(model, data):
    return [model(x) for (x,) in DataLoader(data, batch_size=32, drop_last=True)]  # (or layers that need no batch: LayerNorm)


def measure_batch_of_one(epoch: Any) -> Found:
    tn.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 4), RightRunning(4))
    last = epoch(model, TensorDataset(tn.randn(97, 8)))[-1]
    (dW,) = grad((last * tn.randn(*last.shape)).sum(), model[0].weight)
    running_var = model[1].running_var.numpy()
    return {
        "rows in the last batch": len(last),
        "largest output in it": last.abs().max().item(),
        "largest gradient of a weight from it": dW.abs().max().item(),
        "running_var after it": [float(v) for v in running_var],
        "outputs in eval mode that are NaN": int(np.isnan(model.eval()(tn.randn(10, 8)).detach().numpy()).sum()),
    }


# ---- 7. an evaluation that averages batch means, and drops its result ------------------------------------------------


def wrong_evaluate(model, batches):
    model.eval()
    accuracies = []
    with tn.no_grad():
        for x, y in batches:
            accuracies.append((model(x).argmax(1) == y).float().mean().item())  # a batch of 1 counts as one of 32
    print(f"accuracy {np.mean(accuracies):.4f}")  # printed, and gone


def right_evaluate(model, batches):
    model.eval()
    right = rows = 0
    with tn.no_grad():
        for x, y in batches:
            right += (model(x).argmax(1) == y).sum().item()  # count, and divide in the end
            rows += len(y)
    return right / rows


def measure_evaluation(evaluate: Any) -> Found:
    classes = np.arange(97) % 10
    logits = np.eye(10, dtype="float32")[np.where(np.arange(97) < 96, classes, classes + 1)]  # the last row is misclassified
    data = TensorDataset(tn.tensor(logits), tn.tensor(classes))
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        returned = evaluate(nn.Identity(), DataLoader(data, batch_size=32))
    return {
        "rows that are right": "96 of 97, which is 0.9897",
        "it prints": said.getvalue().strip() or "nothing",
        "it returns": returned,
    }


# ---- 8. a bias before BatchNorm --------------------------------------------------------------------------------------


def wrong_network():
    return nn.Sequential(
        nn.Linear(64, 32),  # BatchNorm subtracts the mean, and this bias with it
        nn.BatchNorm1d(32),
        nn.ReLU(),
        nn.Linear(32, 10),
    )


def right_network():
    return nn.Sequential(
        nn.Linear(64, 32, bias=False),  # beta of BatchNorm is the bias
        nn.BatchNorm1d(32),
        nn.ReLU(),
        nn.Linear(32, 10),
    )


def measure_bias(network: Any) -> Found:
    tn.manual_seed(0)
    model = network()
    x, classes = tn.randn(256, 64), tn.tensor(np.arange(256) % 10)
    first, steps = model[0], 100
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    start = None if first.bias is None else first.bias.detach().clone()
    found: Found = {"parameters": sum(p.numel() for p in model.parameters())}
    for k in range(steps):
        F.cross_entropy(model(x), classes).backward()
        if k == 0:
            found["largest gradient of a weight"] = first.weight.grad.abs().max().item()
            found["largest gradient of the bias"] = "no bias" if start is None else first.bias.grad.abs().max().item()
        optimizer.step()
        optimizer.zero_grad()
    moved = "no bias" if start is None else (first.bias - start).abs().mean().item()
    found[f"how far {steps} steps of Adam moved it, on average"] = moved
    found["change of the output if 1 is added to it"] = "no bias" if start is None else _change(model, x)
    return found


def _change(model: Any, x: tn.Tensor) -> float:
    with tn.no_grad():
        before = model(x)
        model[0].bias += 1
        return (model(x) - before).abs().max().item()


# ---- all of them -----------------------------------------------------------------------------------------------------


def _number(found: Found, begin: str) -> Any:
    """The figure whose name begins so."""
    return next(value for name, value in found.items() if name.startswith(begin))


BUGS = [
    Bug(
        "variance", "the unbiased variance normalises",
        "var divides by N - 1 by default, in tinynorm as in PyTorch. BatchNorm and LayerNorm divide by N. With N - 1 the "
        "output's spread is √((N - 1) / N) and not 1, and it depends on the size of the batch.",
        "Ask for the biased variance. (The running variance of BatchNorm is the unbiased one.)",
        wrong_normalize, right_normalize, measure_variance,
        lambda found: _number(found, "spread of the output, N = 2") < 0.99, "normalize",
    ),
    Bug(
        "eps", "std + eps in place of sqrt(var + eps)",
        "If a feature is constant, its variance is 0, and the derivative of √v there is infinite. Times 0 it is NaN, and one "
        "step later so are the weights. (x.std() has the derivative 0 there, and no NaN.) Where the spread is small, the "
        "output differs from BatchNorm's: trained weights do not carry over.",
        "Add eps to the variance, before the square root.",
        wrong_eps, right_eps, measure_eps,
        lambda found: _number(found, "weights that are NaN") > 0, "normalize",
    ),
    Bug(
        "graph", "running statistics that are bound anew: another shape, and the graph of all steps",
        "With keepdim the statistics become (1, C). And each is computed from the one before and from x, so it keeps the nodes "
        "of all steps: memory grows, and a backward pass in eval mode runs into the graphs of training.",
        "Write into the buffers, without a graph.",
        WrongRunning, RightRunning, measure_running,
        lambda found: _number(found, "nodes") > STEPS, "BatchNorm",
    ),
    Bug(
        "affine", "gamma and beta are missing",
        "Without them each feature has mean 0 and spread 1 whatever the network needs. On the logits of 10 balanced classes "
        "the best is 3 for the right class and -1/3 for the others, in each column. So the loss cannot fall below "
        "log(1 + 9 exp(-10/3)) = 0.278.",
        "Learn a scale and a shift for each feature.",
        WrongAffine, RightAffine, measure_affine,
        lambda found: _number(found, "loss") > 0.27, "BatchNorm",
    ),
    Bug(
        "switch", "self.train = True over a method",
        "An attribute of the object hides the method of the class. The mode can be left, but not entered again. (An nn.Module "
        "of tinynorm refuses the assignment, and a type checker reports it.)",
        "Give the flag another name: nn.Module has self.training.",
        WrongSwitch, RightSwitch, measure_switch,
        lambda found: not found["in training mode again"], "BatchNorm",
    ),
    Bug(
        "one", "a batch of one",
        "x minus its mean is 0 if the mean is over one row: the output is 0 (or beta) whatever x is, and no gradient comes "
        "back. The unbiased variance is 0 / 0, so running_var is NaN from there on. (nn.BatchNorm1d refuses such a batch.)",
        "Leave the incomplete batch out.",
        wrong_epoch, right_epoch, measure_batch_of_one,
        lambda found: _number(found, "outputs in eval mode") > 0, "epoch",
    ),
    Bug(
        "evaluation", "an evaluation that averages batch means, and drops its result",
        "The last batch is smaller, but its mean counts as much as the others. And whoever calls the function gets None.",
        "Count over all rows, divide once, and return it.",
        wrong_evaluate, right_evaluate, measure_evaluation,
        lambda found: found["it returns"] is None, "evaluate",
    ),
    Bug(
        "bias", "a bias before BatchNorm",
        "BatchNorm subtracts the mean, and with it whatever was added to all rows. So the bias has no effect, and its gradient "
        "is rounding. Adam divides it by its own size, and makes steps of it.",
        "Leave the bias out: beta does its work.",
        wrong_network, right_network, measure_bias,
        lambda found: (change := _number(found, "change of the output")) != "no bias" and change < 1e-4, "network",
    ),
]  # fmt: skip


def listing(bug: Bug, which: Any) -> list[str]:
    """The source of a listing, under the name that it has where it is shown."""
    return inspect.getsource(which).replace(which.__name__, bug.called).splitlines()


def marked(bug: Bug) -> tuple[list[str], list[str]]:
    """Both listings; the lines that are in one of them alone begin with - or +."""
    lines = [line.rstrip() for line in difflib.ndiff(listing(bug, bug.wrong), listing(bug, bug.right))]
    faulty, repaired = ([line for line in lines if line[:1] in ("", " ", sign)] for sign in "-+")
    return faulty, repaired


def shown(value: Any) -> str:
    """A measured value as text."""
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def figures(found: Found) -> str:
    """What was measured: a line for each."""
    lines = (f"{name}: {shown(value)}" for name, value in found.items())
    return "\n".join(textwrap.fill(line, 118, initial_indent=" " * 4, subsequent_indent=" " * 8) for line in lines)


def tell(bug: Bug, number: int) -> None:
    """Print a mistake, its symptom, its repair and what the repair does."""
    faulty, repaired = marked(bug)
    print(f"{number}. {bug.title}  (--only {bug.name})\n\n{textwrap.fill(bug.why, 118)}\n")
    print("\n".join(faulty), f"\n\n  symptom:\n{figures(bug.measure(bug.wrong))}\n", sep="")
    print(f"Repair. {bug.repair}\n")
    print("\n".join(repaired), f"\n\n  then:\n{figures(bug.measure(bug.right))}\n\n", sep="")


def main() -> None:
    parser = argparse.ArgumentParser(description="mistakes of published BatchNorm and LayerNorm listings, and their repair")
    parser.add_argument("--only", action="append", choices=[bug.name for bug in BUGS], help="this mistake only")
    only = parser.parse_args().only
    with np.errstate(all="ignore"):  # some of them divide 0 by 0
        for number, bug in enumerate(BUGS, 1):
            if not only or bug.name in only:
                tell(bug, number)


if __name__ == "__main__":
    main()
