# A recurrent network and its backward pass through time by hand, on a rhyme of my own; then the same with modules.
import torch
import torch.nn as nn
import torch.nn.functional as F

text = "one norm two norm, row norm blue norm; each norm has a mean, all norms are keen. "
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
data = torch.tensor([stoi[c] for c in text])
V, H, T = len(chars), 16, 12
print(len(text), "characters", V, "of them differ")

torch.manual_seed(58)
Wxh, Whh, Why = (torch.randn(s, dtype=torch.float64) * 0.1 for s in ((H, V), (H, H), (V, H)))
bh, by = torch.zeros(H, 1, dtype=torch.float64), torch.zeros(V, 1, dtype=torch.float64)


def loss_and_grads(inputs, targets, hprev):
    xs, hs, ps, loss = {}, {-1: hprev.clone()}, {}, 0.0
    for t in range(len(inputs)):
        xs[t] = torch.zeros(V, 1, dtype=torch.float64)
        xs[t][inputs[t]] = 1
        hs[t] = torch.tanh(Wxh @ xs[t] + Whh @ hs[t - 1] + bh)
        y = Why @ hs[t] + by
        ps[t] = torch.exp(y) / torch.sum(torch.exp(y))
        loss += -torch.log(ps[t][targets[t], 0])
    dWxh, dWhh, dWhy, dbh, dby = map(torch.zeros_like, (Wxh, Whh, Why, bh, by))
    dhnext = torch.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = ps[t].clone()
        dy[targets[t]] -= 1
        dWhy += dy @ hs[t].T
        dby += dy
        dh = Why.T @ dy + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh
        dbh += dhraw
        dWxh += dhraw @ xs[t].T
        dWhh += dhraw @ hs[t - 1].T
        dhnext = Whh.T @ dhraw
    for dparam in (dWxh, dWhh, dWhy, dbh, dby):
        dparam.clamp_(-5, 5)
    return loss, (dWxh, dWhh, dWhy, dbh, dby), hs[len(inputs) - 1]


params = (Wxh, Whh, Why, bh, by)
memory = [torch.zeros_like(p) for p in params]
hprev, pos, smooth = torch.zeros(H, 1, dtype=torch.float64), 0, None
for n in range(120):
    if pos + T + 1 >= len(data):
        hprev, pos = torch.zeros(H, 1, dtype=torch.float64), 0
    loss, grads, hprev = loss_and_grads(data[pos:pos + T].tolist(), data[pos + 1:pos + T + 1].tolist(), hprev)
    smooth = loss if smooth is None else 0.9 * smooth + 0.1 * loss
    for p, g, m in zip(params, grads, memory):
        m += g * g
        p += -0.1 * g / torch.sqrt(m + 1e-8)
    pos += T
    if n % 40 == 0:
        print(f"iteration {n:3d} loss per character {smooth.item() / T:.3f}")

inputs, targets = data[:5], data[1:6]
leaves = [p.clone().requires_grad_() for p in params]
h, total = torch.zeros(H, 1, dtype=torch.float64), 0
for i, t in zip(inputs, targets):
    h = torch.tanh(leaves[0][:, [i]] + leaves[1] @ h + leaves[3])
    total = total + F.cross_entropy((leaves[2] @ h + leaves[4]).T, t.view(1))
auto = torch.autograd.grad(total, leaves)
_, by_hand, _ = loss_and_grads(inputs.tolist(), targets.tolist(), torch.zeros(H, 1, dtype=torch.float64))
print("as autograd:", [torch.allclose(a, b) for a, b in zip(auto, by_hand)])


class Cell(nn.Module):
    def __init__(self, vocab, hidden):
        super().__init__()
        self.embed, self.i2h = nn.Embedding(vocab, hidden), nn.Linear(hidden * 2, hidden)
        self.h2o = nn.Linear(hidden, vocab)

    def forward(self, token, hidden):
        hidden = torch.tanh(self.i2h(torch.cat((self.embed(token), hidden), 1)))
        return self.h2o(hidden), hidden

    def init_hidden(self, batch):
        return torch.zeros(batch, self.i2h.out_features)


cell = Cell(V, H)
optimizer = torch.optim.Adam(cell.parameters(), lr=0.02)
starts = torch.arange(0, len(data) - T - 1, T)
batch = torch.stack([data[s:s + T + 1] for s in starts])
for epoch in range(30):
    hidden, loss = cell.init_hidden(len(batch)), 0
    for t in range(T):
        logits, hidden = cell(batch[:, t], hidden)
        loss += F.cross_entropy(logits, batch[:, t + 1])
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(cell.parameters(), 1.0)
    optimizer.step()
    if epoch % 10 == 0:
        print(epoch, f"{loss.item() / T:.2f}")
