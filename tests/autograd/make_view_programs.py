"""Draws random programs of views and changes in place and records what PyTorch makes of them: view_programs.json.

Needs torch (imported inside the functions, since pytest imports every file here); the tests do not.

    python tests/autograd/make_view_programs.py
"""

import json
import random
import warnings
from pathlib import Path

from view_programs import CHANGES, RESULTS, START, VIEWS, gradients, run, start, state, step

PROGRAMS, LENGTH, LARGEST = 500, 10, 24


def draw_step(rng, tensors):
    """A step that fits: its shapes do, and its numbers stay few."""
    alive = [i for i, t in enumerate(tensors) if t is not None]
    while True:
        kind = rng.choices(["view", "change", "result", "retain", "forget"], [6, 7, 2, 1, 1])[0]
        at = rng.choice([i for i in alive if i >= 2]) if rng.random() < 0.9 else rng.choice(alive)
        t, recorded = tensors[at], rng.random() < 0.9
        if kind == "view":
            name = rng.choice(list(VIEWS))
            if name == "mT" and t.ndim < 2:
                continue
            if fits(VIEWS[name], t.detach()):
                return f"{kind} {name} {at} - {recorded:d}"
        elif kind == "change":
            name, other = rng.choice(list(CHANGES)), rng.choice([*alive, 1, 1, 0.5, -2.0])
            if name == "set-list" and t.ndim and len(t) < 2:  # it would name one row twice
                continue
            value = tensors[other].detach() if isinstance(other, int) else other
            if isinstance(other, int) and other != at and value.untyped_storage().data_ptr() == t.untyped_storage().data_ptr():
                continue  # PyTorch reads what it has just written
            if fits(CHANGES[name], t.detach().clone(), value):
                return f"{kind} {name} {at} {other} {recorded:d}"
        elif kind == "result":
            name, other = rng.choice(list(RESULTS)), rng.choice(alive)
            if fits(RESULTS[name], t.detach(), tensors[other].detach()):
                return f"{kind} {name} {at} {other} {recorded:d}"
        elif (t.requires_grad and not t._is_view()) if kind == "retain" else at >= START:  # (views: in PyTorch by other ways)
            return f"{kind} it {at} - 1"


def fits(op, *args):
    try:
        y = op(*args)
    except (RuntimeError, IndexError):
        return False
    return y is None or (0 < y.numel() <= LARGEST and y.abs().max() < 1e3)


def record(seed):
    """A program of steps that PyTorch takes, and what comes out."""
    import torch

    rng, tensors, program = random.Random(seed), start(torch), []
    for _ in range(LENGTH):
        drawn = draw_step(rng, tensors)
        try:
            step(torch, tensors, drawn)
            state(tensors)  # that of some views PyTorch refuses to tell
            program.append(drawn)
        except (RuntimeError, NotImplementedError):  # it may have been done in part
            tensors = run(torch, program)
    seen = state(tensors)
    try:
        return {"program": program, "state": seen, "gradients": gradients(torch, torch.autograd.grad, tensors)}
    except RuntimeError:
        return {"program": program, "state": seen, "gradients": "refused"}


def main():
    import torch

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    programs = [record(seed) for seed in range(PROGRAMS)]
    lines = ",\n".join(json.dumps(p, separators=(",", ":")) for p in programs)
    file = Path(__file__).with_name("view_programs.json")
    file.write_text(f'{{"torch": "{torch.__version__}", "programs": [\n{lines}\n]}}\n')
    refused = sum(p["gradients"] == "refused" for p in programs)
    print(f"{file.name}: {len(programs)} programs, the backward of {refused} refused, {file.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
