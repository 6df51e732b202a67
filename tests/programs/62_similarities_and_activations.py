"""A siamese network with a triplet loss, similarities, the losses of counts and variances, and rows of activations."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(1)
torch.set_printoptions(precision=3)

# ---- activations ----------------------------------------------------------------

x = torch.tensor([-4.0, -1.0, -0.25, 0.5, 2.0, 7.0])
activations = nn.ModuleDict(
    {
        "relu6": nn.ReLU6(),
        "hardtanh": nn.Hardtanh(-2, 2),
        "selu": nn.SELU(),
        "prelu": nn.PReLU(),
        "logsigmoid": nn.LogSigmoid(),
        "softsign": nn.Softsign(),
        "mish": nn.Mish(),
        "hardswish": nn.Hardswish(),
        "hardsigmoid": nn.Hardsigmoid(),
        "tanhshrink": nn.Tanhshrink(),
        "threshold": nn.Threshold(0.1, 20),
        "glu": nn.GLU(dim=0),
        "softmin": nn.Softmin(dim=0),
    }
)
print(activations)
for name, activation in activations.items():
    xs = x.clone().requires_grad_()
    y = activation(xs)
    y.square().sum().backward()
    print(f"{name:12}", y.detach(), xs.grad)
print(F.relu6(x), F.hardtanh(x, -1.0, 1.0), F.selu(x), F.softmin(x, dim=0))

# ---- embeddings -------------------------------------------------------------------


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.scales = nn.ParameterDict({"in": torch.ones(4), "out": nn.Parameter(torch.tensor(2.0))})
        head = nn.Sequential(nn.Linear(4, 8), nn.PReLU(8))
        self.net = head + nn.Sequential(nn.Linear(8, 3))

    def forward(self, x):
        return self.scales["out"] * self.net(x * self.scales["in"])


model = Siamese()
print(model)
print([name for name, _ in model.named_parameters()])
anchor, positive, negative = torch.randn(3, 6, 4)
criterion = nn.TripletMarginLoss(margin=1.0, p=2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for step in range(4):
    optimizer.zero_grad()
    loss = criterion(model(anchor), model(positive), model(negative))
    loss.backward()
    optimizer.step()
    print(step, f"{loss.item():.4f}")
with torch.no_grad():
    a, p = model(anchor), model(positive)
    print(F.cosine_similarity(a, p), nn.CosineSimilarity(dim=1)(a, p).shape)
    print(F.pairwise_distance(a, p), nn.PairwiseDistance(p=1)(a, p))
    print(torch.cdist(a, p).argmin(dim=1), torch.cdist(a, p, p=1).shape)
    print(torch.cosine_similarity(a[0], p[0], dim=0))

# ---- losses -------------------------------------------------------------------------

a, b = torch.randn(5, 3), torch.randn(5, 3)
sign = torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0])
print(nn.CosineEmbeddingLoss(margin=0.1)(a, b, sign))
print(nn.MarginRankingLoss(margin=0.5)(a[:, 0], b[:, 0], sign))
print(nn.HingeEmbeddingLoss()(a.norm(dim=1), sign))
print(nn.SoftMarginLoss()(a[:, 0], sign))
print(nn.MultiLabelSoftMarginLoss()(a, (b > 0).float()))
counts = torch.tensor([[0.0, 1.0, 2.0], [3.0, 0.0, 5.0], [1.0, 1.0, 1.0], [2.0, 4.0, 0.0], [0.0, 0.0, 9.0]])
print(nn.PoissonNLLLoss()(a, counts), nn.PoissonNLLLoss(full=True, reduction="sum")(a, counts))
print(nn.GaussianNLLLoss()(a, b, torch.exp(a * b)), F.gaussian_nll_loss(a, b, torch.ones(5, 1), full=True))
bilinear = nn.Bilinear(3, 3, 2)
print(bilinear, bilinear(a, b).shape, F.cosine_embedding_loss(a, b, sign, reduction="none").shape)
print(nn.init._calculate_fan_in_and_fan_out(bilinear.weight), bilinear._get_name())
print(F.gumbel_softmax(a, tau=0.5, hard=True).sum(dim=1))
