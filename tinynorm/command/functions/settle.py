"""Choose how a pair is read where its names leave it open: the convention, or the loss behind it, with which it is right."""

from __future__ import annotations

from itertools import product

import numpy as np

from ...gradcheck.problem.problem import fresh
from ..read.read_code import titles_of
from ..run_code import UserError, attempt
from ..unfinished import blame
from .call_pair import Call
from .composed import Composed
from .try_call import agreement, ranked, try_once

SMALLER = 0.3  # times as large inputs, with which no probability is so small that the 1e-8 of log(p + 1e-8) counts
MOST = 0.5  # of the gradients must be right for a loss that the file does not have; then the others are wrong


def settled(call: Call) -> Call:
    """Return the call with the convention that makes the gradients right, where the names leave several open; else as it is."""
    if isinstance(call.pair.forward, Composed):
        return _with_loss(call, call.pair.forward)
    ran, error = attempt(call.run, *[fresh(x) for x in call.inputs])
    several = call.conventions(*ran) if error is None else []
    if len(several) < 2:
        return call
    for convention in several:
        tried = call.with_convention(convention)
        if ranked(tried) is None and tried.rank[1] and attempt(agreement, tried)[0] == 1:
            if convention.outputs != several[0].outputs:
                title = titles_of(call.pair.forward, len(ran[0]))[convention.outputs[0][0]]
                tried.told[
                    f"{call.pair.backward_name} begins with the gradient of {title}, which {call.pair.forward_name} returns too"
                ] = None
            return tried
    if not call.rank[1] and several[0].guess:
        raise call.missing_cache(ran[0])
    return call


def _with_loss(call: Call, forward: Composed) -> Call:
    """Return the call with the loss and the targets that make the gradients right, or most of them."""
    found: dict[tuple, float] = {}
    unfinished: UserError | None = None
    ran = [(forward.state, call.rank) for _ in forward.variants(list(forward.losses)[:1]) if try_once(call) is None]
    taken = [state for state, rank in ran if all(rank)] or [state for state, rank in ran if rank[0]]
    small = [np.asarray(SMALLER * x) if i in call.floats else x for i, x in enumerate(call.inputs)]
    for tried, loss, (_, *rest) in product((call, call.with_inputs(small)), forward.losses, taken):
        forward.state = (loss, *rest)
        share, error = attempt(agreement, tried)
        unfinished = unfinished or (blame(error, call.pair.path) if error else None)
        found[forward.state] = max(found.get(forward.state, 0.0), share or 0.0)
        if found[forward.state] == 1:
            call = tried
            break
    best = max(found, key=lambda state: found[state], default=forward.state)
    if unfinished and not found[best]:
        raise unfinished
    share = found.get(best, 0)
    if not forward.of_file and share < MOST and share * len(call.floats) < 2:  # those of the last layer are two
        raise UserError(
            f"{call.pair.backward_name} takes {forward.target}, the targets of a loss that the file does not have, and it is "
            f"the gradient of no common one; put a function NAME_loss(output, {forward.target}) beside it"
        )
    forward.state = best
    call.told[str(forward)] = None
    return call
