"""Lines with a mistake each: mypy must report every one that says so, by that error's code, and no others. Never run."""
# ruff: noqa: B018

import tinynorm as tn
from tinynorm import Tensor, nn
from tinynorm.nn import functional as F


def names(x: Tensor, model: nn.Module, labels: Tensor) -> None:
    x.shpae  # error: attr-defined
    x.sun()  # error: attr-defined
    x.add__(1)  # error: attr-defined
    (x + 1).shpae  # error: attr-defined
    x.exp().sum(0).shpae  # error: attr-defined
    x[0].shpae  # error: attr-defined
    x.T.shpae  # error: attr-defined
    x.grad.shape  # error: union-attr
    tn.exp(x).shpae  # error: attr-defined
    tn.randn(3).shpae  # error: attr-defined
    F.cross_entropy(model(x), labels).bakward()  # error: attr-defined
    tn.expp(x)  # error: attr-defined
    tn.shpae  # error: attr-defined
    tn.gradchek  # error: attr-defined
    F.sofmax(x, 1)  # error: attr-defined
    nn.Liner(3, 4)  # error: attr-defined
    x.max(1).vlaues  # error: attr-defined
    nn.Linear(3, 4).weight.shpae  # error: attr-defined
    tn.optim.SGD(model.parameters(), lr=0.1).stpe()  # error: attr-defined
    tn.utils.dta  # error: attr-defined


def arguments(x: Tensor, model: nn.Module) -> None:
    x.sum("0")  # error: arg-type
    x.sum(dims=0)  # error: call-arg
    x.mean(dim="rows")  # error: arg-type
    x.reshape("3")  # error: arg-type
    x.view(2.5)  # error: arg-type
    x.permute(None)  # error: arg-type
    x.transpose(0)  # error: call-arg
    x.softmax()  # error: call-overload
    x.add("3")  # error: arg-type
    x.add_(None)  # error: arg-type
    x.clamp(min="0")  # error: arg-type
    x.to(3)  # error: arg-type
    x + "3"  # error: operator
    x @ None  # error: operator
    x["a"]  # error: index
    tn.exp("3")  # error: arg-type
    tn.exp()  # error: call-arg
    tn.softmax(x)  # error: call-overload
    tn.matmul(x, "3")  # error: call-overload
    tn.cat(x)  # error: arg-type
    tn.where(x, x)  # error: call-overload
    F.layer_norm(x, "3")  # error: arg-type
    F.linear(x)  # error: call-arg
    F.dropout(x, p="0.1")  # error: arg-type
    F.cross_entropy(x, [0, 1])  # error: arg-type
    nn.Linear("3")  # error: arg-type
    nn.Linear("3", 4)  # error: arg-type
    nn.Linear(3, 4, bais=False)  # error: call-arg
    nn.LayerNorm([3.5])  # error: list-item
    nn.Dropout("0.5")  # error: arg-type
    nn.Sequential(3)  # error: arg-type
    tn.optim.SGD(model.parameters(), lr="0.1")  # error: arg-type
    tn.randn("3")  # error: arg-type
    tn.zeros(2.5)  # error: arg-type


def results(x: Tensor) -> None:
    n: int = x.sum()  # error: assignment
    y: Tensor = x.equal(x)  # error: assignment
    z: Tensor = x.max(1)  # error: assignment
    w: float = x.max()  # error: assignment
    x.backward().sum()  # error: attr-defined
    print(n, y, z, w)
