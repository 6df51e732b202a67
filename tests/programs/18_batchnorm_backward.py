"""Batch normalisation: forward, backward step by step along the graph, and backward in one line."""
import torch


def batchnorm_forward(x, gamma, beta, bn_param):
    mode = bn_param["mode"]
    eps = bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    N, D = x.shape
    running_mean = bn_param.get("running_mean", torch.zeros(D, dtype=x.dtype, device=x.device))
    running_var = bn_param.get("running_var", torch.zeros(D, dtype=x.dtype, device=x.device))
    cache = None
    if mode == "train":
        mu = 1.0 / N * torch.sum(x, axis=0)
        xmu = x - mu
        var = 1.0 / N * torch.sum(xmu ** 2, axis=0)
        std = torch.sqrt(var + eps)
        xhat = xmu / std
        out = gamma * xhat + beta
        cache = (mode, x, gamma, xmu, std, xhat)
        running_mean = momentum * running_mean + (1 - momentum) * mu
        running_var = momentum * running_var + (1 - momentum) * var
    elif mode == "test":
        out = gamma * (x - running_mean) / torch.sqrt(running_var + eps) + beta
    else:
        raise ValueError('Invalid forward batchnorm mode "%s"' % mode)
    bn_param["running_mean"] = running_mean.detach()
    bn_param["running_var"] = running_var.detach()
    return out, cache


def batchnorm_backward(dout, cache):
    mode, x, gamma, xmu, std, xhat = cache
    N, D = x.shape
    dbeta = dout.sum(dim=0)
    dgamma = (dout * xhat).sum(0)
    dxhat = dout * gamma
    divar = (dxhat * xmu).sum(0)
    dxmu1 = dxhat / std
    dstd = -divar / std ** 2
    dvar = 0.5 * dstd / std
    dxmu2 = 2 * xmu * dvar.expand(N, D) / N
    dx1 = dxmu1 + dxmu2
    dmu = -dx1.sum(0)
    return dx1 + torch.ones(N, D, dtype=x.dtype) * dmu / N, dgamma, dbeta


def batchnorm_backward_alt(dout, cache):
    mode, x, gamma, xmu, std, xhat = cache
    N = x.shape[0]
    dgamma = (dout * xhat).sum(dim=0)
    dbeta = dout.sum(dim=0)
    dx = gamma / (N * std) * (N * dout - dbeta - xhat * dgamma)
    return dx, dgamma, dbeta


torch.manual_seed(18)
kw = dict(dtype=torch.float64)
x = 5 * torch.randn(50, 4, **kw) + 12
gamma, beta = torch.tensor([1.0, 2.0, 0.5, 3.0], **kw), torch.tensor([0.0, 1.0, -1.0, 2.0], **kw)
dout = torch.randn(50, 4, **kw)
bn_param = {"mode": "train"}
out, cache = batchnorm_forward(x, gamma, beta, bn_param)
print("mean is beta:", torch.allclose(out.mean(dim=0), beta), "\nstd ", out.std(dim=0, unbiased=False))

steps, closed = batchnorm_backward(dout, cache), batchnorm_backward_alt(dout, cache)
print("steps and closed form agree:", [torch.allclose(a, b) for a, b in zip(steps, closed)])

leaves = [t.clone().requires_grad_(True) for t in (x, gamma, beta)]
y = torch.nn.functional.batch_norm(leaves[0], None, None, leaves[1], leaves[2], training=True)
y.backward(dout)
print("autograd agrees:", [torch.allclose(a, p.grad) for a, p in zip(closed, leaves)])

for _ in range(50):
    batchnorm_forward(5 * torch.randn(200, 4, **kw) + 12, gamma, beta, bn_param)
bn_param["mode"] = "test"
out, _ = batchnorm_forward(5 * torch.randn(2000, 4, **kw) + 12, torch.ones(4, **kw), torch.zeros(4, **kw), bn_param)
print("test time:", out.mean(0).abs().max() < 0.1, out.std(0))
try:
    batchnorm_forward(x, gamma, beta, {"mode": "mix"})
except ValueError as e:
    print(e)
