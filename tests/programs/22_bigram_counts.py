# Which letter follows which? Count the pairs, turn the counts into probabilities, draw new names.
import torch

names = """anneli bertil carina dagmar edvin fredrika gustaf hedda ingrid jorunn kasper linnea mattis
nanna oskar pernilla ragnar saga torvald ulrika valter ylva zelda amund birk dorotea elof frida
gerda henrik isolde jesper karin lovisa magnus nils ottilie petrus runa sigrid tove urban vera""".split()

chars = sorted(set("".join(names)))
stoi = {s: i + 1 for i, s in enumerate(chars)}
stoi["."] = 0
itos = {i: s for s, i in stoi.items()}
V = len(stoi)
print(len(names), "names", V, "symbols", "".join(chars))

N = torch.zeros((V, V), dtype=torch.int32)
for w in names:
    chs = ["."] + list(w) + ["."]
    for ch1, ch2 in zip(chs, chs[1:]):
        N[stoi[ch1], stoi[ch2]] += 1

print(N[0])
print("most common:", [(itos[int(i) // V] + itos[int(i) % V]) for i in torch.sort(N.view(-1), descending=True, stable=True)[1][:3]])
print(N.sum().item(), N[stoi["n"]].sum(), N.dtype)

p = N[0].float()
p = p / p.sum()
g = torch.Generator().manual_seed(2147483647)
ix = torch.multinomial(p, num_samples=1, replacement=True, generator=g).item()
print("first letter:", itos[ix])

P = (N + 1).float()
P /= P.sum(1, keepdim=True)
print(P.shape, P[0].sum())

g = torch.Generator().manual_seed(2147483647)
for i in range(6):
    out = []
    ix = 0
    while True:
        p = P[ix]
        ix = torch.multinomial(p, num_samples=1, replacement=True, generator=g).item()
        out.append(itos[ix])
        if ix == 0 or len(out) > 12:
            break
    print("".join(out))

log_likelihood = 0.0
n = 0
for w in names[:3]:
    chs = ["."] + list(w) + ["."]
    for ch1, ch2 in zip(chs, chs[1:]):
        prob = P[stoi[ch1], stoi[ch2]]
        logprob = torch.log(prob)
        log_likelihood += logprob
        n += 1
        if n < 5:
            print(f"{ch1}{ch2}: {prob:.4f} {logprob:.4f}")
print(f"{log_likelihood=}")
nll = -log_likelihood
print(f"{nll/n:.4f}")
