import math
from collections import namedtuple

import torch
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import DataLoader, Dataset
from torch.utils.data.sampler import Sampler


class WarmupCosine(LRScheduler):
    def __init__(self, optimizer, warmup, total, last_epoch=-1):
        self.warmup, self.total = warmup, total
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        t = self.last_epoch
        if t < self.warmup:
            return [base * (t + 1) / self.warmup for base in self.base_lrs]
        part = (t - self.warmup) / max(1, self.total - self.warmup)
        return [base * 0.5 * (1 + math.cos(math.pi * part)) for base in self.base_lrs]


class ByLength(Sampler):
    """Sentences of like length come together."""

    def __init__(self, data_source):
        self.data_source = data_source

    def __len__(self):
        return len(self.data_source)

    def __iter__(self):
        return iter(sorted(range(len(self.data_source)), key=lambda i: len(self.data_source.texts[i])))


Sample = namedtuple("Sample", ["length", "vowels"])


class Texts(Dataset):
    texts = ["norm", "a", "gradient", "layer", "ox", "batch", "epsilon", "momentum"]

    def __len__(self):
        return len(self.texts)

    def __getitem__(self, i):
        t = self.texts[i]
        return Sample(torch.tensor([float(len(t))]), sum(c in "aeiou" for c in t))


data = Texts()
loader = DataLoader(data, batch_size=3, sampler=ByLength(data))
for batch in loader:
    print(type(batch).__name__, batch.length.flatten(), batch.vowels)

torch.manual_seed(55)
model = torch.nn.Linear(1, 1)
optimizer = torch.optim.SGD([{"params": [model.weight]}, {"params": [model.bias], "lr": 0.2}], lr=0.02, momentum=0.5)
scheduler = WarmupCosine(optimizer, warmup=2, total=10)
for epoch in range(10):
    total = 0.0
    for batch in loader:
        optimizer.zero_grad()
        loss = (model(batch.length).squeeze(1) - batch.vowels).abs().mean()
        loss.backward()
        optimizer.step()
        total += loss.item()
    rates = scheduler.get_last_lr()
    scheduler.step()
    if epoch % 3 == 0:
        print(epoch, [f"{r:.4f}" for r in rates], f"{total:.2f}")

state = scheduler.state_dict()
print(state["last_epoch"], state["base_lrs"], "optimizer" in state)
again = WarmupCosine(torch.optim.SGD([{"params": [p]} for p in model.parameters()], lr=0.02), 2, 10)
again.load_state_dict(state)
print(again.last_epoch, again.warmup)
