# Three letters in, the next letter out: an embedding table C, a hidden layer, minibatches, train and dev loss.
import random

import torch
import torch.nn.functional as F

syllables = ["ka", "lo", "mi", "ne", "ru", "ta", "vi", "so"]
random.seed(24)
words = sorted({"".join(random.choice(syllables) for _ in range(random.randint(2, 3))) for _ in range(120)})
random.shuffle(words)
chars = sorted(list(set("".join(words))))
stoi = {s: i + 1 for i, s in enumerate(chars)}
stoi["."] = 0
itos = {i: s for s, i in stoi.items()}
vocab_size = len(itos)
block_size = 3


def build_dataset(words):
    X, Y = [], []
    for w in words:
        context = [0] * block_size
        for ch in w + ".":
            ix = stoi[ch]
            X.append(context)
            Y.append(ix)
            context = context[1:] + [ix]
    X = torch.tensor(X)
    Y = torch.tensor(Y)
    print(X.shape, Y.shape, X.dtype)
    return X, Y


n1 = int(0.8 * len(words))
Xtr, Ytr = build_dataset(words[:n1])
Xdev, Ydev = build_dataset(words[n1:])

g = torch.Generator().manual_seed(24)
C = torch.randn((vocab_size, 4), generator=g)
W1 = torch.randn((block_size * 4, 32), generator=g) * 0.3
b1 = torch.randn(32, generator=g) * 0.1
W2 = torch.randn((32, vocab_size), generator=g) * 0.1
b2 = torch.zeros(vocab_size)
parameters = [C, W1, b1, W2, b2]
print(sum(p.nelement() for p in parameters))
for p in parameters:
    p.requires_grad = True

lri, lossi = [], []
for i in range(400):
    ix = torch.randint(0, Xtr.shape[0], (32,), generator=g)
    emb = C[Xtr[ix]]
    h = torch.tanh(emb.view(-1, block_size * 4) @ W1 + b1)
    logits = h @ W2 + b2
    loss = F.cross_entropy(logits, Ytr[ix])
    for p in parameters:
        p.grad = None
    loss.backward()
    lr = 0.3 if i < 300 else 0.05
    for p in parameters:
        p.data += -lr * p.grad
    lossi.append(loss.log10().item())

print([round(v, 2) for v in torch.tensor(lossi).view(-1, 100).mean(1).tolist()])


@torch.no_grad()
def split_loss(name, x, y):
    emb = C[x]
    h = torch.tanh(emb.flatten(1) @ W1 + b1)
    print(name, f"{F.cross_entropy(h @ W2 + b2, y).item():.2f}")


split_loss("train", Xtr, Ytr)
split_loss("dev", Xdev, Ydev)

for _ in range(5):
    out, context = [], [0] * block_size
    while len(out) < 10:
        emb = C[torch.tensor([context])]
        h = torch.tanh(emb.view(1, -1) @ W1 + b1)
        probs = F.softmax(h @ W2 + b2, dim=1)
        ix = torch.multinomial(probs, num_samples=1, generator=g).item()
        context = context[1:] + [ix]
        if ix == 0:
            break
        out.append(ix)
    print("".join(itos[i] for i in out))
