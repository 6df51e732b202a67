import torch
import torch.nn.functional as F

torch.manual_seed(35)
logits = torch.tensor([[0.1, 2.0, -1.0, 0.5], [1.5, 0.2, 0.3, 0.0], [-0.5, 0.0, 3.0, 1.0]])
target = torch.tensor([1, 3, 2])

logp = F.log_softmax(logits, dim=1)
print(logp.gather(1, target.view(-1, 1)).squeeze(1))
print(-torch.gather(logp, dim=1, index=target[:, None]).mean(), F.nll_loss(logp, target))

one_hot = torch.zeros(3, 4).scatter_(1, target.unsqueeze(1), 1)
print(one_hot, torch.equal(one_hot.long(), F.one_hot(target, 4)))
smooth = torch.full((3, 4), 0.1 / 4).scatter_(1, target.unsqueeze(1), 1 - 0.1 + 0.1 / 4)
print(f"{-(smooth * logp).sum(1).mean():.4f}", f"{F.cross_entropy(logits, target, label_smoothing=0.1):.4f}")

# top-k accuracy
maxk = 2
_, pred = logits.topk(maxk, 1, True, True)
correct = pred.t().eq(target.view(1, -1).expand_as(pred.t()))
for k in (1, 2):
    print(f"top-{k}:", correct[:k].reshape(-1).float().sum(0, keepdim=True).mul_(100.0 / 3))

# keep the k largest, forget the rest: sampling from the top
values, _ = torch.topk(logits, 2)
kept = logits.clone()
kept[kept < values[:, [-1]]] = -float("Inf")
print(kept, F.softmax(kept, dim=-1))

# nucleus: the smallest set with more than 0.8 of the probability
probs, order = torch.sort(F.softmax(logits, -1), descending=True)
inside = torch.cumsum(probs, dim=-1) - probs < 0.8
print(inside, order, inside.sum(1))

scores = torch.tensor([3.0, 1.0, 2.0, 5.0])
print(torch.argsort(scores), scores.argsort(descending=True), torch.sort(scores)[0], scores[scores.argsort()])
print(torch.topk(scores, k=2), scores.topk(1, largest=False).indices)
print(torch.index_select(logits, 1, torch.tensor([3, 0])), logits.index_select(0, torch.LongTensor([2])))

# the segment sums of a graph: messages to nodes
edges = torch.tensor([[0, 1, 2, 2], [1, 2, 0, 1]])
x = torch.arange(6.0).view(3, 2).requires_grad_()
out = torch.zeros(3, 2).scatter_add(0, edges[1].unsqueeze(1).expand(-1, 2), x[edges[0]])
degree = torch.bincount(edges[1], minlength=3)
print(out.detach(), degree)
(out * torch.tensor([[1.0], [2.0], [3.0]])).sum().backward()
print(x.grad)
sums = torch.zeros(3).scatter_add_(0, edges[1], torch.ones(4))
print(sums, sums.type(torch.LongTensor).equal(degree))

grid = torch.arange(12).view(3, 4)
print(grid[[0, 2]][:, [1, 3]], grid[:, -1], grid[1:, ::2], grid[..., 0], grid[grid % 2 == 0])
print(torch.cat([grid, grid.flip(1)], dim=1)[0], grid.flip([0, 1])[0], torch.chunk(grid, 2, dim=1)[1])
print([s.tolist() for s in grid.split([1, 2])], [r.sum().item() for r in grid.unbind(1)])
print(grid.repeat(1, 2).shape, torch.tile(grid, (2, 1)).shape, grid[0].repeat(2), grid.unsqueeze(0).expand(2, -1, -1).shape)
