import torch
from torch.utils.data import ConcatDataset, DataLoader, Dataset, IterableDataset, Subset, TensorDataset, random_split
from torch.utils.data import default_collate


class Parity(Dataset):
    """The numbers below n and whether they are odd."""

    def __init__(self, n, transform=None):
        self.n = n
        self.transform = transform

    def __len__(self):
        return self.n

    def __getitem__(self, idx):
        if torch.is_tensor(idx):
            idx = idx.tolist()
        sample = {"x": torch.tensor([idx, idx ** 2], dtype=torch.float32), "odd": idx % 2}
        if self.transform:
            sample = self.transform(sample)
        return sample


class ToUnit:
    def __init__(self, largest):
        self.largest = largest

    def __call__(self, sample):
        return {"x": sample["x"] / self.largest, "odd": sample["odd"]}


torch.manual_seed(31)
data = Parity(10, transform=ToUnit(10))
print(len(data), data[3])
for batch in DataLoader(data, batch_size=4, shuffle=False, num_workers=0):
    print(batch["x"].shape, batch["odd"])

train, val = random_split(data, [7, 3], generator=torch.Generator().manual_seed(42))
print(len(train), len(val), sorted(list(train.indices) + list(val.indices)))
loader = DataLoader(train, batch_size=3, shuffle=True, drop_last=True, pin_memory=False)
print(len(loader), [b["odd"].tolist() for b in loader])


class Words(Dataset):
    words = ["a", "tensor", "has", "a", "shape"]

    def __len__(self):
        return len(self.words)

    def __getitem__(self, i):
        return [ord(c) - ord("a") + 1 for c in self.words[i]], i % 2


def pad(batch):
    codes, labels = zip(*batch)
    lengths = torch.tensor([len(c) for c in codes])
    padded = torch.zeros(len(codes), int(lengths.max()), dtype=torch.long)
    for row, c in zip(padded, codes):
        row[:len(c)] = torch.tensor(c)
    return padded, lengths, torch.LongTensor(labels)


for padded, lengths, labels in DataLoader(Words(), batch_size=3, collate_fn=pad):
    print(padded, lengths, labels)


class CountDown(IterableDataset):
    def __init__(self, start):
        self.start = start

    def __iter__(self):
        yield from range(self.start, 0, -1)


print([b.tolist() for b in DataLoader(CountDown(5), batch_size=2)])

both = ConcatDataset([TensorDataset(torch.arange(3)), TensorDataset(torch.arange(10, 12))])
print(len(both), [int(both[i][0]) for i in range(5)], both[-1])
some = Subset(both, [4, 0])
print(len(some), some[0], next(iter(DataLoader(some, batch_size=2))))
print(default_collate([(1, 2.5, "a"), (3, 4.5, "b")]))
print(default_collate([torch.zeros(2), torch.ones(2)]), default_collate([{"k": [1, 2]}, {"k": [3, 4]}]))


def seed_worker(worker_id):
    raise RuntimeError("there is no worker when num_workers is 0")


loader = DataLoader(TensorDataset(torch.arange(4)), batch_size=2, num_workers=0, worker_init_fn=seed_worker, timeout=0,
                    persistent_workers=False, pin_memory=False, collate_fn=None)
for i, (x,) in enumerate(loader, start=1):
    print(f"[{i}/{len(loader)}]", x, loader.batch_size, len(loader.dataset))
