# Layers without nn.Module: plain classes with __call__ and parameters(), stacked by hand; statistics of each layer.
import torch
import torch.nn.functional as F

g = torch.Generator().manual_seed(26)


class Linear:
    def __init__(self, fan_in, fan_out, bias=True):
        self.weight = torch.randn((fan_in, fan_out), generator=g) / fan_in ** 0.5
        self.bias = torch.zeros(fan_out) if bias else None

    def __call__(self, x):
        self.out = x @ self.weight
        if self.bias is not None:
            self.out += self.bias
        return self.out

    def parameters(self):
        return [self.weight] + ([] if self.bias is None else [self.bias])


class BatchNorm1d:
    def __init__(self, dim, eps=1e-5, momentum=0.1):
        self.eps, self.momentum, self.training = eps, momentum, True
        self.gamma, self.beta = torch.ones(dim), torch.zeros(dim)
        self.running_mean, self.running_var = torch.zeros(dim), torch.ones(dim)

    def __call__(self, x):
        if self.training:
            dim = 0 if x.ndim == 2 else (0, 1)
            xmean = x.mean(dim, keepdim=True)
            xvar = x.var(dim, keepdim=True)
        else:
            xmean, xvar = self.running_mean, self.running_var
        xhat = (x - xmean) / torch.sqrt(xvar + self.eps)
        self.out = self.gamma * xhat + self.beta
        if self.training:
            with torch.no_grad():
                self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * xmean
                self.running_var = (1 - self.momentum) * self.running_var + self.momentum * xvar
        return self.out

    def parameters(self):
        return [self.gamma, self.beta]


class Tanh:
    def __call__(self, x):
        self.out = torch.tanh(x)
        return self.out

    def parameters(self):
        return []


class Embedding(Tanh):
    def __init__(self, num, dim):
        self.weight = torch.randn((num, dim), generator=g)

    def __call__(self, IX):
        self.out = self.weight[IX]
        return self.out

    def parameters(self):
        return [self.weight]


class FlattenConsecutive(Tanh):
    def __init__(self, n):
        self.n = n

    def __call__(self, x):
        B, T, C = x.shape
        x = x.view(B, T // self.n, C * self.n)
        if x.shape[1] == 1:
            x = x.squeeze(1)
        self.out = x
        return self.out


vocab = 8
X = torch.randint(0, vocab, (200, 4), generator=g)
Y = (X[:, 0] + X[:, 3]) % vocab
layers = [Embedding(vocab, 6),
          FlattenConsecutive(2), Linear(12, 24, bias=False), BatchNorm1d(24), Tanh(),
          FlattenConsecutive(2), Linear(48, 24, bias=False), BatchNorm1d(24), Tanh(),
          Linear(24, vocab)]
with torch.no_grad():
    layers[-1].weight *= 0.1
parameters = [p for layer in layers for p in layer.parameters()]
print(sum(p.nelement() for p in parameters))
for p in parameters:
    p.requires_grad = True

ud = []
for i in range(150):
    ix = torch.randint(0, X.shape[0], (50,), generator=g)
    x = X[ix]
    for layer in layers:
        x = layer(x)
    loss = F.cross_entropy(x, Y[ix])
    for layer in layers:
        layer.out.retain_grad()
    for p in parameters:
        p.grad = None
    loss.backward()
    for p in parameters:
        p.data += -0.2 * p.grad
    with torch.no_grad():
        ud.append([((0.2 * p.grad).std() / p.data.std()).log10().item() for p in parameters])
    if i % 50 == 0:
        print(f"{i:4d} {loss.item():.3f}")

for i, layer in enumerate(layers[:-1]):
    if isinstance(layer, Tanh) and type(layer) is Tanh:
        t = layer.out
        print(f"layer {i} ({layer.__class__.__name__:>6s}): mean {t.mean():+.1f}, std {t.std():.1f}, "
              f"saturated: {(t.abs() > 0.97).float().mean() < 0.5}, grad {t.grad.shape}")
print(len(ud), "updates about 1e-3:", -4 < sum(ud[-1]) / len(ud[-1]) < -1)
for layer in layers:
    layer.training = False
x = X
for layer in layers:
    x = layer(x)
print("loss with running statistics below 1.5:", (F.cross_entropy(x, Y) < 1.5).item(), tuple(x.shape))
