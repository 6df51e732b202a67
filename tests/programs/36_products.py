# All the products, and one notation for them.
import torch

torch.manual_seed(36)
a, b = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([4.0, 5.0, 6.0])
A, B = torch.arange(6.0).view(2, 3), torch.arange(12.0).view(3, 4)
print(torch.dot(a, b), a.dot(b), a @ b, (a * b).sum())
print(torch.mv(A, a), A.mv(a), A @ a, A.shape, torch.mv(A, a).shape)
print(torch.mm(A, B), torch.equal(A.mm(B), A @ B))
print(torch.outer(a, b), torch.multiply(a, b))
S, T = torch.randn(5, 2, 3), torch.randn(5, 3, 4)
P = torch.bmm(S, T)
print(P.shape, torch.allclose(P, S @ T), torch.allclose(P[2], S[2].mm(T[2])), torch.allclose(S.bmm(T), torch.matmul(S, T)))

print(torch.einsum("i,i->", a, b), torch.einsum("ij,j->i", A, a), torch.einsum("i,j->ij", a, b)[0])
print(torch.allclose(torch.einsum("bij,bjk->bik", S, T), P), torch.einsum("ij->ji", A).shape, torch.einsum("ij->", A))
print(torch.einsum("bij,bij->b", S, S).shape, torch.einsum("ii->i", B[:, :3]), torch.einsum("...ij->...ji", S).shape)

# gradients of a bilinear form
W = torch.randn(3, 4, requires_grad=True)
x, y = torch.randn(7, 3), torch.randn(7, 4)
score = torch.einsum("ni,ij,nj->n", x, W, y)
score.sum().backward()
print(score.shape, torch.allclose(W.grad, x.t() @ y, atol=1e-5))

# cosine similarity and norms
u = torch.nn.functional.normalize(torch.tensor([[3.0, 4.0], [1.0, 0.0]]), p=2, dim=1)
print(u, (u @ u.T)[0, 1], torch.allclose(u.norm(dim=1), torch.ones(2)))
print(torch.norm(b), b.norm(1), b.norm(float("inf")), torch.norm(A, dim=0), torch.norm(A, p="fro"))
print(torch.linspace(0, 1, 5)[:, None].mul(a).sum(0), (a.view(-1, 1) - b).square().sqrt())

# sums over axes
print(A.sum(axis=0), A.sum(axis=[0, 1]) == A.sum(), A.mean(), A.sum() / A.numel(), A.mean(axis=0))
print(A.cumsum(axis=0), A / A.sum(axis=1, keepdims=True))
print(torch.abs(a).sum(), torch.abs(torch.tensor([3.0, -4.0])).sum(), torch.norm(torch.ones((4, 9))))
print(torch.randn(2, 3).stride(), torch.zeros(2, 3, 4).transpose(1, 2).stride(), A.t().stride(), A.t().contiguous().stride())
X = A.clone()
Y = X
Y += 1
print(torch.equal(X, Y), X is Y, id(X) == id(Y), torch.allclose(A + 1, X))
