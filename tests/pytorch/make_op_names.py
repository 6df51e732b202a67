"""Records what PyTorch calls the op of each result, in op_names.json. It needs torch==2.13.0

A code is an expression, or a statement that changes x or y.
"""

import json
from pathlib import Path

RECORDED = Path(__file__).parent / "op_names.json"
EXPRESSIONS = """
    F.linear(a,b) F.linear(a,b,a[:2].detach()) F.linear(b,b,a[:2].detach()) nn.InstanceNorm1d(2)(b[None])
    a@b.T b[None]@a b[None]@b.T
    a.sum() a.sum(0) a.mean(0) b.sum(dim=(0,1)) b.mean(dim=1) b.mean((0,1)) a.var() a.var(0) a.std() b.std(1) a.max()
    b.max(1).values b.amax(1) a.norm() b.norm(dim=1) F.cross_entropy(b,torch.tensor([0,1]),label_smoothing=.1)
    F.cross_entropy(b,torch.tensor([0,1])) F.nll_loss(b,torch.tensor([0,1])) nn.Linear(3,2)(torch.ones(2,3))
    nn.Linear(3,2)(b) nn.Linear(3,2,bias=False)(b) nn.Linear(3,2)(a) nn.GroupNorm(2,4)(c) nn.LayerNorm(3)(b)
    nn.BatchNorm1d(3)(b) nn.RMSNorm(3)(b) b[0] b[0,1] b[0][1] b[:,1] b[[0,1]] b[b>0] a[0] a.clone() a.view(3,1)
    a.reshape(1,3) b.T b.t() b.permute(1,0) b.transpose(0,1) b.flatten() a.unsqueeze(0) a.squeeze() b@b.T a@a b@a
    torch.cat([a,a]) torch.stack([a,a]) a*2 a+2 2-a 2/a a/2 -a a**2 2**a a**a a.exp() a.log() a.sqrt() a.abs() a.tanh()
    torch.sigmoid(a) torch.relu(a) F.softmax(b,dim=1) F.log_softmax(b,1) F.gelu(b) F.softplus(b) F.silu(b) F.elu(b)
    F.leaky_relu(b) torch.where(b>0,b,b) b.expand(2,2,3) b.repeat(2,1) b.chunk(2)[0] b.split(1)[1] b.unbind()[0]
    torch.einsum('ij,kj->ik',b,b) F.mse_loss(b,b*2) F.l1_loss(b,b*2) F.binary_cross_entropy(torch.sigmoid(b),b.detach())
    F.binary_cross_entropy_with_logits(b,b.detach()) b.prod() b.prod(1) a.sort().values b.topk(2).values
    torch.outer(a,a) a.dot(a) b.logsumexp(1) a.clamp(min=0) a.clamp(0,1) torch.maximum(a,a*2) a.float() a.double()
    a.type(torch.float64) b.gather(1,torch.tensor([[0],[1]])) b.index_select(0,torch.tensor([0])) b.masked_fill(b>0,0.)
    F.dropout(b,.5) F.embedding(torch.tensor([0]),b) a.add(1) a.square() a.rsqrt() a.sin() b.tril() b.flip(0)
    b.sum(0,keepdim=True) F.normalize(b) F.huber_loss(b,b*2) F.smooth_l1_loss(b,b*2) F.kl_div(b,b.detach())
    a.contiguous() b.T.contiguous() torch.mm(b,b.T) torch.bmm(b[None],b[None].mT) a.view(-1) b.view(6) b.mean()
    torch.sum(b) b[...,None] b[None] b[:] b[::1,0] a.sign() a.round() a.floor() a.log2() a.log10() a.log1p() a.erf()
    a.cos() torch.square(a) a.std(unbiased=False) b.var(1,keepdim=True) torch.logsumexp(b,1) torch.softmax(b,1) a.mul(2)
    a.div(2) a.sub(1) a%1 torch.min(b) torch.max(a,a*2) a.to(torch.float64) b.mv(a) torch.dot(a,a) b.matmul(a)
    b.view_as(b) b.expand_as(b) torch.broadcast_to(a,(2,3)) torch.tile(a,(2,)) nn.Flatten()(b) nn.Identity()(b)
    nn.Dropout()(b) nn.Softmax(dim=1)(b) nn.CrossEntropyLoss()(b,torch.tensor([0,1])) nn.MSELoss()(b,b*2)
    nn.BCELoss()(b*.5,b.detach()) nn.NLLLoss()(b,torch.tensor([0,1])) nn.KLDivLoss()(b,b.detach())
    nn.Embedding(3,2)(torch.tensor([1]))
    F.prelu(b,a[:1]) F.relu6(b) F.hardtanh(b) F.selu(b) F.logsigmoid(b) F.softsign(b) F.mish(b) F.hardsigmoid(b)
    F.hardswish(b) F.tanhshrink(b) F.threshold(b,0,0) F.softmin(b,1) F.glu(c) F.gumbel_softmax(b) F.gumbel_softmax(b,hard=True)
    F.cosine_similarity(b,b*2) F.pairwise_distance(b,b*2) torch.cdist(b,b*2) F.bilinear(b,b,torch.ones(2,3,3))
    F.soft_margin_loss(b,b.detach()) F.poisson_nll_loss(b,b.detach()) F.triplet_margin_loss(b,b*2,b*3)
    F.gaussian_nll_loss(b,b.detach(),b) F.multilabel_soft_margin_loss(b,b.detach())
    a.tan() (a*.5).asin() (a*.5).acos() a.atan() a.sinh() a.cosh() a.expm1() torch.atan2(a,a) torch.hypot(a,a) a.reciprocal()
    a.fmod(2) a.fmod(a*2) a.frac() a.trunc() torch.lerp(a,a*2,.3) torch.lerp(a,a*2,a) a.nan_to_num() a.cumprod(0) b.cumsum(1)
    torch.var_mean(b,0)[0] torch.var_mean(b,0)[1] torch.std_mean(b)[0] torch.std_mean(b)[1] a.median() b.median(1).values
    torch.addmm(a,b,b.T@b) torch.tensordot(b,b) torch.tensordot(b,b.T,1) torch.kron(a,b) b.movedim(0,1)
    c[None].movedim(0,2) b.ravel()
    b.T.ravel() b.unflatten(1,(3,1)) torch.hstack([b,b]) torch.hstack([a,a]) torch.vstack([a,a]) b.narrow(1,0,2)
    b.masked_select(b>0) b.repeat_interleave(2) b.repeat_interleave(2,1) b.repeat_interleave(torch.tensor([1,2]),0) b.roll(1)
    b.roll(1,0) a.diff() b.fliplr() b.flipud() b.diagonal() b.diag() a.diag() b.trace() b.index_add(1,i,b[:,:1])
    b.index_fill(1,i,2.) b.index_fill(1,i,torch.tensor(2.)) torch.true_divide(a,2) a.masked_select(a>0)
"""
STATEMENTS = """
    x[0]=1. x[0,1]=5. x[[0]]=2. x[x>0]=0. x.zero_() x.fill_(2) x.add_(1) x.mul_(2) x.sub_(1) x.div_(2) x+=1 x*=2 x-=1
    x/=2 y[0]=x[0] y[:]=x y.copy_(x) y.add_(x) x.clamp_(0,1) x.relu_() x.pow_(2) x.normal_() x.uniform_()
    x.masked_fill_(x>0,1.) y[[0]]=x[[1]] x[:,0]+=1 x.scatter_(1,torch.tensor([[0]]),1.)
    x.addcmul_(x.detach(),x.detach()) x.clamp_(min=0) x[:]=1. x[...]=1. x[:]=torch.ones(3) x[:,[0]]=1.
    x[:,i]=torch.ones(1) x[0,[1]]=1. x[[0],1]=1. x[i,i]=1. x[0:1]=1. x[i,:2]=1. x[:,:]=1. x[None]=1. x[x>0]=1.
    x[x[:,0]>0]=1. x[:,0]=1. x[True]=1. x.abs_() x.neg_() x.exp_() x.log_() x.sqrt_() x.sin_() x.cos_() x.sigmoid_() x.tanh_()
    x.round_() x.floor_() x.ceil_() x.reciprocal_() x.square_() x.frac_() x.clamp_min_(0) x.clamp_max_(1) x.lerp_(y,.5)
    x.lerp_(y,torch.tensor(.5)) x.t_() x.transpose_(0,1) x.unsqueeze_(0) x.squeeze_() x.squeeze_(0)
    x.random_(3) x.random_() x.random_(0,3) x.bernoulli_() x.index_add_(1,i,y[:,:1]) x.index_fill_(1,i,2.) x.fmod_(2) x.expm1_()
    x.fill_diagonal_(2.) x.addmm_(y,y.T@y)
"""


def result(code: str, torch):
    """What the code computes."""
    nn, ones = torch.nn, torch.ones
    known = {"torch": torch, "nn": nn, "F": nn.functional, "i": torch.tensor([0]), "y": torch.zeros(2, 3)}
    a, b, c, x = (ones(shape, requires_grad=True) * 1 for shape in ((3,), (2, 3), (2, 4), (2, 3)))
    known |= {"a": a, "b": b, "c": c, "x": x}
    if code in EXPRESSIONS.split():
        return eval(code, known)
    exec(code, known)
    return known[code[0]]


def main() -> None:
    import torch

    names = {code: result(code, torch).grad_fn.name() for code in (EXPRESSIONS + STATEMENTS).split()}
    RECORDED.write_text(json.dumps(names, indent=0) + "\n")


if __name__ == "__main__":
    main()
