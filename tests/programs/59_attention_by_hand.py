import math

import torch
import torch.nn as nn
from torch.nn import functional as F

torch.manual_seed(59)
B, T, C = 2, 5, 8
x = torch.randn(B, T, C)

# version 1: a loop over what came before
bow = torch.zeros((B, T, C))
for b in range(B):
    for t in range(T):
        xprev = x[b, :t + 1]
        bow[b, t] = torch.mean(xprev, 0)
# version 2: a matrix product; version 3: softmax of a mask
wei = torch.tril(torch.ones(T, T))
wei = wei / wei.sum(1, keepdim=True)
tril = torch.tril(torch.ones(T, T))
soft = F.softmax(torch.zeros((T, T)).masked_fill(tril == 0, float("-inf")), dim=-1)
print(torch.allclose(bow, wei @ x, atol=1e-6), torch.allclose(bow, soft @ x, atol=1e-6))
print(wei)


class Head(nn.Module):
    def __init__(self, n_embd, head_size, block_size):
        super().__init__()
        self.key = nn.Linear(n_embd, head_size, bias=False)
        self.query = nn.Linear(n_embd, head_size, bias=False)
        self.value = nn.Linear(n_embd, head_size, bias=False)
        self.register_buffer("tril", torch.tril(torch.ones(block_size, block_size)))
        self.dropout = nn.Dropout(0.1)

    def forward(self, x):
        B, T, C = x.shape
        k, q = self.key(x), self.query(x)
        wei = q @ k.transpose(-2, -1) * k.shape[-1] ** -0.5
        wei = wei.masked_fill(self.tril[:T, :T] == 0, float("-inf"))
        wei = self.dropout(F.softmax(wei, dim=-1))
        return wei @ self.value(x)


class MultiHead(nn.Module):
    def __init__(self, n_embd, heads, block_size):
        super().__init__()
        self.heads = nn.ModuleList([Head(n_embd, n_embd // heads, block_size) for _ in range(heads)])
        self.proj = nn.Linear(n_embd, n_embd)

    def forward(self, x):
        return self.proj(torch.cat([h(x) for h in self.heads], dim=-1))


class Block(nn.Module):
    def __init__(self, n_embd, heads, block_size):
        super().__init__()
        self.sa = MultiHead(n_embd, heads, block_size)
        self.ffwd = nn.Sequential(nn.Linear(n_embd, 4 * n_embd), nn.GELU(), nn.Linear(4 * n_embd, n_embd))
        self.ln1, self.ln2 = nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)

    def forward(self, x):
        x = x + self.sa(self.ln1(x))
        return x + self.ffwd(self.ln2(x))


class TinyModel(nn.Module):
    def __init__(self, vocab, n_embd=16, block_size=8):
        super().__init__()
        self.block_size = block_size
        self.token = nn.Embedding(vocab, n_embd)
        self.register_buffer("position", self.sines(block_size, n_embd))
        self.blocks = nn.Sequential(*[Block(n_embd, 2, block_size) for _ in range(2)])
        self.ln_f, self.lm_head = nn.LayerNorm(n_embd), nn.Linear(n_embd, vocab)
        self.apply(self._init_weights)

    @staticmethod
    def sines(length, d):
        pos = torch.arange(length).unsqueeze(1)
        div = torch.exp(torch.arange(0, d, 2) * (-math.log(10000.0) / d))
        pe = torch.zeros(length, d)
        pe[:, 0::2] = torch.sin(pos * div)
        pe[:, 1::2] = torch.cos(pos * div)
        return pe

    def _init_weights(self, module):
        if isinstance(module, nn.Linear):
            torch.nn.init.normal_(module.weight, mean=0.0, std=0.2)
            if module.bias is not None:
                torch.nn.init.zeros_(module.bias)

    def forward(self, idx, targets=None):
        B, T = idx.shape
        x = self.token(idx) + self.position[:T]
        logits = self.lm_head(self.ln_f(self.blocks(x)))
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.view(B * T, -1), targets.view(B * T))

    @torch.no_grad()
    def generate(self, idx, n):
        self.eval()
        for _ in range(n):
            logits, _ = self(idx[:, -self.block_size:])
            idx = torch.cat((idx, logits[:, -1, :].argmax(-1, keepdim=True)), dim=1)
        return idx


data = (torch.arange(200) * 3) % 7
model = TinyModel(7)
print(sum(p.numel() for p in model.parameters()), "parameters", model.position.shape, len(model.state_dict()))
print(model.blocks[0].sa)
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
for step in range(61):
    ix = torch.randint(len(data) - 8, (16,))
    xb = torch.stack([data[i:i + 8] for i in ix])
    yb = torch.stack([data[i + 1:i + 9] for i in ix])
    logits, loss = model(xb, yb)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    if step % 30 == 0:
        print(step, f"{loss.item():.1f}")
print(model.generate(torch.zeros((1, 1), dtype=torch.long), 9)[0].tolist())
