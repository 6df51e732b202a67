# %% [markdown]
# # Tensors: a first notebook
# %%
import torch
x = torch.arange(12)
x

# %%
print(x.shape, x.numel(), x.nelement(), x.size(), len(x))
X = x.reshape(3, 4)
print(X, X.reshape(-1, 2).shape, x.view(2, -1).shape)

# %%
print(torch.zeros((2, 3, 4)).shape, torch.ones(2, 3), torch.tensor([[2, 1, 4, 3], [1, 2, 3, 4]]))
torch.manual_seed(50)
print(torch.randn(3, 4).shape, torch.randint_like(x, 5).shape, torch.randn_like(X.float()).shape, torch.rand_like(X.double()).dtype)

# %%
x = torch.tensor([1.0, 2, 4, 8])
y = torch.tensor([2, 2, 2, 2])
print(x + y, x - y, x * y, x / y, x ** y)
print(torch.exp(x))

# %%
X = torch.arange(12, dtype=torch.float32).reshape((3, 4))
Y = torch.tensor([[2.0, 1, 4, 3], [1, 2, 3, 4], [4, 3, 2, 1]])
print(torch.cat((X, Y), dim=0), torch.cat((X, Y), dim=1))
print(X == Y, X.sum(), X < Y)

# %%
a = torch.arange(3).reshape((3, 1))
b = torch.arange(2).reshape((1, 2))
print(a + b)
X[1, 2] = 17
X[0:2, :] = 12
print(X[-1], X[1:3], X)

# %%
before = id(Y)
Y = Y + X
print(id(Y) == before)
Z = torch.zeros_like(Y)
address = id(Z)
Z[:] = X + Y
print(id(Z) == address)
before = id(X)
X += Y
print(id(X) == before)

# %% autograd
x = torch.arange(4.0)
x.requires_grad_(True)
print(x.grad)
y = 2 * torch.dot(x, x)
print(y)
y.backward()
print(x.grad, x.grad == 4 * x)
x.grad.zero_()
y = x.sum()
y.backward()
print(x.grad)
x.grad.zero_()
y = x * x
y.backward(gradient=torch.ones(len(y)))
print(x.grad)
x.grad.zero_()
y = x * x
u = y.detach()
z = u * x
z.sum().backward()
print(x.grad == u)


# %% control flow
def f(a):
    b = a * 2
    while b.norm() < 1000:
        b = b * 2
    if b.sum() > 0:
        c = b
    else:
        c = 100 * b
    return c


a = torch.randn(size=(), requires_grad=True)
d = f(a)
d.backward()
print(a.grad == d / a)

# %% sums and norms
A = torch.arange(6, dtype=torch.float32).reshape(2, 3)
print(A.T, A * A, A.sum(axis=0), A.mean(), A.cumsum(axis=0), A.stride(), A.T.stride())
print(torch.norm(torch.tensor([3.0, -4.0])), A @ torch.ones(3), (A.T == A.t()).all())

# %% probability
fair = torch.ones(6) / 6
draws = torch.multinomial(fair, 600, replacement=True)
counts = torch.bincount(draws, minlength=6)
print(counts.sum(), (counts / 600 - fair).abs().max() < 0.06, counts.shape)
tosses = torch.rand(500) < 0.5
running = tosses.float().cumsum(0) / torch.arange(1, 501)
print(abs(running[-1] - 0.5) < 0.08, running.shape)
