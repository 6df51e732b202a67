"""Small puzzles: each function in one line of broadcasting, indexing or cumulative sums."""
import torch


def ones(n):
    return torch.where(torch.arange(n) > -1, 1, 0)


def total(a):
    return ones(a.shape[0]) @ a


def outer(a, b):
    return a[:, None] * b[None, :]


def diagonal(a):
    return a[torch.arange(a.shape[0]), torch.arange(a.shape[0])]


def identity(n):
    return torch.where(torch.arange(n)[:, None] == torch.arange(n), 1, 0)


def upper(n):
    return (torch.arange(n)[:, None] <= torch.arange(n)) * 1


def running_sum(a):
    return a @ upper(a.shape[0])


def differences(a):
    i = torch.arange(a.shape[0])
    return a - torch.where(i > 0, a[i - 1], 0)


def stack_two(a, b):
    return torch.where((torch.arange(2) == 0)[:, None], a, b)


def rotate(a, k):
    return a[(torch.arange(len(a)) + k) % len(a)]


def reverse(a):
    return a[len(a) - 1 - torch.arange(len(a))]


def padded(a, n):
    i = torch.arange(n)
    return torch.where(i < len(a), a[i.clamp(max=len(a) - 1)], 0)


def sequence_mask(values, length):
    return torch.where(torch.arange(values.shape[1]) < length[:, None], values, 0)


def histogram(a, n):
    return (a[:, None] == torch.arange(n)).sum(0)


def scatter_sum(values, link, n):
    return values @ (link[:, None] == torch.arange(n)).long()


def compress(g, v):
    return torch.where(g, torch.cumsum(g * 1, 0) - 1, len(v)), v[g]


def rank(a):
    return (a[:, None] > a).sum(1)


a, b = torch.tensor([3, 1, 4, 1, 5]), torch.tensor([2, 7, 1, 8, 2])
print(ones(4), total(a), outer(a[:2], b[:3]))
print(diagonal(outer(a, b)), identity(3), upper(3))
print(running_sum(a), torch.equal(running_sum(a), a.cumsum(0)), differences(a))
print(stack_two(a, b), torch.equal(stack_two(a, b), torch.stack((a, b))))
print(rotate(a, 2), reverse(a), torch.equal(reverse(a), a.flip(0)), padded(a, 7))
print(sequence_mask(torch.arange(1, 9).view(2, 4), torch.tensor([2, 3])))
print(histogram(a, 6), torch.equal(histogram(a, 6), torch.bincount(a, minlength=6)))
print(scatter_sum(a, torch.tensor([0, 1, 0, 2, 1]), 3))
print(compress(torch.tensor([True, False, True, True, False]), a), rank(torch.tensor([30, 10, 20])))

causal = torch.tril(torch.ones(4, 4))
scores = torch.arange(16.0).view(4, 4) / 10
weights = scores.masked_fill(causal == 0, float("-inf")).softmax(dim=-1)
print(weights, torch.allclose(weights.sum(-1), torch.ones(4)))
print(torch.triu(torch.ones(3, 3), diagonal=1).bool(), causal.sum())
distance = (torch.arange(4)[:, None] - torch.arange(4)).abs()
print(distance, distance.float().masked_fill(distance.eq(0), torch.inf).min(dim=1).values)
print(torch.prod(torch.tensor([1, 2, 3, 4])), torch.arange(1, 5).float().prod(), torch.ones(2, 3).prod(dim=1))
print(a[a > 2], torch.nonzero(a == 1).squeeze(), torch.where(a == 1), (a == 1).nonzero(as_tuple=True)[0])
