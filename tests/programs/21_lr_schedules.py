import math

import torch
from torch import nn, optim
from torch.optim import lr_scheduler


def rates(make, steps=10):
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    scheduler = make(optimizer)
    seen = []
    for _ in range(steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return seen, scheduler


def show(name, make, steps=10):
    seen, scheduler = rates(make, steps)
    print(f"{name:20s}", " ".join(f"{lr:.4f}" for lr in seen), "| last", [round(lr, 4) for lr in scheduler.get_last_lr()])


show("StepLR", lambda o: lr_scheduler.StepLR(o, step_size=3, gamma=0.1))
show("MultiStepLR", lambda o: lr_scheduler.MultiStepLR(o, milestones=[2, 5], gamma=0.5))
show("ExponentialLR", lambda o: lr_scheduler.ExponentialLR(o, gamma=0.9))
show("CosineAnnealingLR", lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=10, eta_min=0.1))
show("LambdaLR", lambda o: lr_scheduler.LambdaLR(o, lr_lambda=lambda epoch: 1 / (1 + epoch)))
show("LinearLR", lambda o: lr_scheduler.LinearLR(o, start_factor=0.25, total_iters=4))
show("OneCycleLR", lambda o: lr_scheduler.OneCycleLR(o, max_lr=0.5, total_steps=10))
show("Restarts", lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=3, T_mult=2))
show(
    "SequentialLR",
    lambda o: lr_scheduler.SequentialLR(
        o,
        schedulers=[lr_scheduler.LinearLR(o, start_factor=0.1, total_iters=3), lr_scheduler.ExponentialLR(o, gamma=0.8)],
        milestones=[3],
    ),
)

# one of my own, warmup and cosine
warmup, total = 3, 12


def factor(step):
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))


show("warmup + cosine", lambda o: lr_scheduler.LambdaLR(o, factor), total)

# the plateau: it is told the loss
weight = torch.zeros(1, requires_grad=True)
optimizer = optim.SGD([weight], lr=0.1)
plateau = lr_scheduler.ReduceLROnPlateau(optimizer, mode="min", factor=0.5, patience=1, threshold=0.01)
for epoch, loss in enumerate([1.0, 0.8, 0.79999, 0.8, 0.81, 0.5, 0.6, 0.7, 0.8, 0.9]):
    plateau.step(loss)
    print(epoch, loss, optimizer.param_groups[0]["lr"])
