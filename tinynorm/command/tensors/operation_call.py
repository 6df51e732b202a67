"""The call of an operation of a file's own tensors, with its other modes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

from ..functions.call_pair import Call, shown
from ..functions.pair import Pair
from .operation import Operation

WAITING = "a result that several operations use passes on the sum of their gradients, once: in reverse topological order"
PARENTS = "no gradient reaches what is behind its tensors: are all of them parents of the result, and gone through?"
ADDED = "a tensor that several operations use gets the sum of their gradients: add to self.{0} (+=), do not set it (=)"


class OperationCall(Call):
    """An operation with its inputs; it knows its outputs and the order of its gradients itself."""

    @property
    def operation(self) -> Operation:
        return cast(Operation, self.pair.forward)

    def forward(self, *inputs: Any) -> tuple[Any, Any]:
        return self.operation(*inputs)

    def gradients(self, dout: Any, cache: Any) -> tuple:
        return self.operation.backward(dout, cache)

    def __str__(self) -> str:
        known, own = self.operation.arguments, self.operation.own
        held = {name: own.array(x).astype(int) for name, x in known.items() if isinstance(x, own.cls)}  # places to take
        given = known | held | dict(zip(self.names, self.inputs, strict=True))
        return shown(given | ({"*": self.operation.rest} if self.operation.rest else {}))

    def switched(self) -> Iterator[tuple[str, Call]]:
        """Yield (what is other, the call) for other arguments, and for tensors that are used twice."""
        for says, other in self.operation.variants():
            if other.works(moves=False):
                call = operation_call(replace(self.pair, forward=other, backward=other.backward))
                added = ADDED.format(other.own.gradient)
                reasons = {(False, False): "", (True, False): added, (False, True): PARENTS, (True, True): WAITING}
                call.why = WAITING if other.whole and not other.behind else reasons[other.twice, other.behind]
                yield says, call

    def constant(self, name: str) -> bool:
        return False


def operation_call(pair: Pair) -> OperationCall:
    operation = cast(Operation, pair.forward)
    return OperationCall(pair, operation.names, operation.inputs, shape=operation(*operation.inputs)[0].shape)
