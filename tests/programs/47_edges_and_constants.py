import math

import torch

print(torch.pi, torch.e, torch.inf, torch.nan, torch.inf == math.inf)
x = torch.tensor([1.0, float("nan"), float("inf"), -float("inf")])
print(torch.isnan(x), torch.isinf(x), torch.isfinite(x), x != x, torch.isclose(x, x), torch.isclose(x, x, equal_nan=True))
print(torch.isclose(torch.tensor([1.0, 1.1]), torch.tensor([1.0 + 1e-7, 1.0])), torch.allclose(torch.tensor(1.0), torch.tensor(1.0 + 1e-9)))

# the idiom: begin with nothing, add to it
rows = torch.tensor([])
for i in range(3):
    rows = torch.cat((rows, torch.full((2,), float(i))))
print(rows, torch.cat([torch.tensor([]), torch.ones(1, 2).flatten()]).shape)
collected = torch.empty(0, 3)
for i in range(2):
    collected = torch.cat([collected, i * torch.ones(1, 3)], dim=0)
print(collected, torch.empty(0).sum(), torch.empty(0, 4).mean(0).shape, len(torch.tensor([])))

print(torch.tensor(5) // 2, torch.tensor(-5) // 2, torch.tensor(-5) % 3, torch.tensor(-5.0).remainder(3), 2 ** torch.arange(4), 2 ** torch.tensor([-1, 3]))
print(2.0 ** torch.tensor([-1, 3]), torch.tensor([2.0, 3.0]) ** torch.tensor([2.0, -1.0]), 10 - torch.arange(3), 1 / torch.tensor([2.0, 4.0]))
print(torch.div(torch.tensor([7.0, -7.0]), 2, rounding_mode="floor"), torch.div(torch.tensor([7, -7]), 2, rounding_mode="trunc"))
print(torch.round(torch.tensor([0.5, 1.5, 2.5])), torch.tensor([1.23456]).round(decimals=3), torch.tensor(1234.0).round(decimals=-2))
print([0] * torch.tensor(3), torch.tensor([1, 2]) == [1, 2], torch.equal(torch.tensor([1, 2]), torch.tensor([1, 2])))

s = torch.tensor(3.0, requires_grad=True)
print(s.softmax(0).item(), s.max(), s.view(1).shape, s.reshape(-1), s.dim(), s.unsqueeze(0).shape, torch.max(torch.tensor(2.0), 0))
p = torch.nn.Parameter(torch.tensor(1.0))
p.data = torch.tensor(4.0)
(p * p).backward()
print(p, p.grad, p.item(), p.shape)

print(torch.full((2,), 3).dtype, torch.full((2,), 3.0).dtype, torch.full((2,), True).dtype, torch.arange(0, 1, 0.25), torch.arange(3, 0, -1))
print(torch.linspace(-1, 1, 5), torch.log10(torch.tensor([1.0, 10.0, 1000.0])), torch.log(torch.tensor(0.0)), torch.sqrt(torch.tensor(-1.0)))
print(torch.tensor(1.0) / 0, torch.tensor([1, 2, 3]).float().mean(), torch.tensor([[1, 2], [3, 4]]).max(), torch.tensor([3, 1]).min(0))
print(torch.sin(torch.tensor([0.0, torch.pi / 2])), torch.cos(torch.tensor([0.0, math.pi])), torch.tanh(torch.tensor(0.5)), torch.sigmoid(torch.tensor(0.0)))
print(torch.any(x > 0), torch.all(torch.tensor([True, True])), (torch.tensor([1, 2, 3]) > 1).any(), not torch.tensor([0.0]))

for mistake in (lambda: torch.ones(2, 3) @ torch.ones(2, 3), lambda: torch.ones(3).view(2, 2), lambda: torch.ones(2) + torch.ones(3),
                lambda: torch.ones(2, requires_grad=True).numpy(), lambda: torch.tensor([1, 2]).item(), lambda: torch.zeros(2)[5],
                lambda: torch.tensor([1, 2], requires_grad=True), lambda: bool(torch.ones(2))):
    try:
        mistake()
    except (RuntimeError, ValueError, IndexError) as e:
        print("an error, as it should be")
w = torch.ones(2, requires_grad=True)
y = (w * 2).sum()
y.backward()
try:
    y.backward()
    y.backward()
except RuntimeError:
    print("the graph is gone")
a = torch.tensor([1.0, 2.0])
a.add_(1).mul_(2).sub_(torch.ones(2), alpha=3).clamp_(max=2)
print(a)
print(a.mul_(-2).pow_(2).div_(3))
print(a.clone().fill_(3), a.clone().zero_(), a.copy_(torch.arange(2)))
