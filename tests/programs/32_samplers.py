# In which order? Samplers decide.
import torch
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.sampler import RandomSampler, SubsetRandomSampler, WeightedRandomSampler

torch.manual_seed(32)
target = torch.cat((torch.zeros(18), torch.ones(2))).long()
data = TensorDataset(torch.arange(20.0), target)

# the rare class is drawn as often as the other
counts = torch.bincount(target)
weights = 1.0 / counts.float()
sample_weights = weights[target]
sampler = WeightedRandomSampler(weights=sample_weights, num_samples=200, replacement=True)
loader = DataLoader(data, batch_size=50, sampler=sampler)
ones = sum(int(y.sum()) for _, y in loader)
print(counts, len(sampler), len(loader), "rare:", ones, 60 < ones < 140)

indices = torch.randperm(20).tolist()
split = int(0.25 * 20)
train_sampler, valid_sampler = SubsetRandomSampler(indices[split:]), SubsetRandomSampler(indices[:split])
train = DataLoader(data, batch_size=5, sampler=train_sampler)
valid = DataLoader(data, batch_size=5, sampler=valid_sampler)
seen = torch.cat([x for x, _ in train])
held = torch.cat([x for x, _ in valid])
print(len(train), len(valid), seen.int().tolist(), held.int().tolist())
print(torch.equal(torch.cat((seen, held)).sort().values, torch.arange(20.0)))

order = list(RandomSampler(data))
print(order, sorted(order) == list(range(20)))
print(len(list(RandomSampler(data, replacement=True, num_samples=30))))

blocks = [[0, 1], [5, 6, 7], [19]]
for x, y in DataLoader(data, batch_sampler=blocks):
    print(x, y)


class Longest:
    """A batch sampler of one's own: sorted by length, in groups."""

    def __init__(self, lengths, batch_size):
        self.order = torch.argsort(torch.tensor(lengths), descending=True).tolist()
        self.batch_size = batch_size

    def __iter__(self):
        for i in range(0, len(self.order), self.batch_size):
            yield self.order[i:i + self.batch_size]

    def __len__(self):
        return -(-len(self.order) // self.batch_size)


words = ["to", "normalise", "a", "batch", "well", "mean"]
lengths = [9 * len(w) + i for i, w in enumerate(words)]
loader = DataLoader(words, batch_sampler=Longest(lengths, 4), collate_fn=lambda ws: " ".join(ws))
print(len(loader), list(loader))

g = torch.Generator()
g.manual_seed(7)
a = [x.tolist() for x, _ in DataLoader(data, batch_size=10, shuffle=True, generator=g)]
g.manual_seed(7)
b = [x.tolist() for x, _ in DataLoader(data, batch_size=10, shuffle=True, generator=g)]
print(a == b, a[0])
