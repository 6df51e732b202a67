# The same table of pairs, but learnt: one-hot letters, one matrix, softmax, gradient descent.
import torch
import torch.nn.functional as F

names = "alma bela cilla dela elma fabel galda hedda ilma jella kalle lambda mabel nella odalla paella".split()
chars = sorted(list(set("".join(names))))
stoi = {s: i + 1 for i, s in enumerate(chars)}
stoi["."] = 0
itos = {i: s for s, i in stoi.items()}
V = len(itos)

xs, ys = [], []
for w in names:
    chs = ["."] + list(w) + ["."]
    for ch1, ch2 in zip(chs, chs[1:]):
        xs.append(stoi[ch1])
        ys.append(stoi[ch2])
xs = torch.tensor(xs)
ys = torch.tensor(ys)
num = xs.nelement()
print("number of examples:", num)

xenc = F.one_hot(xs, num_classes=V).float()
print(xenc.shape, xenc.dtype, F.one_hot(xs[:2], V))

g = torch.Generator().manual_seed(23)
W = torch.randn((V, V), generator=g, requires_grad=True)

for k in range(60):
    logits = xenc @ W
    counts = logits.exp()
    probs = counts / counts.sum(1, keepdims=True)
    loss = -probs[torch.arange(num), ys].log().mean() + 0.01 * (W ** 2).mean()
    if k % 15 == 0:
        print(k, f"{loss.item():.4f}")
    W.grad = None
    loss.backward()
    W.data += -20 * W.grad
print(f"{loss.item():.3f}")

# a row of W is the log counts: x_enc @ W is W[x]
print(torch.allclose(xenc @ W, W[xs]))

for i in range(4):
    out, ix = [], 0
    for _ in range(10):
        xenc = F.one_hot(torch.tensor([ix]), num_classes=V).float()
        p = (xenc @ W).softmax(dim=1)
        ix = torch.multinomial(p, num_samples=1, replacement=True, generator=g).item()
        if ix == 0:
            break
        out.append(itos[ix])
    print("".join(out))
