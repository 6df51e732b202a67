import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(37)
pred = torch.tensor([0.23, 1.61, -0.72, 3.04], requires_grad=True)
true = torch.tensor([0.0, 1.0, 0.0, 0.5])


def show(name, loss, wrt=pred):
    grad, = torch.autograd.grad(loss.sum(), wrt, retain_graph=True)
    print(f"{name:28s}", loss.detach(), grad.flatten()[:4])


show("MSELoss", nn.MSELoss()(pred, true))
show("L1Loss", nn.L1Loss()(pred, true))
show("L1Loss sum", nn.L1Loss(reduction="sum")(pred, true))
show("SmoothL1Loss", nn.SmoothL1Loss()(pred, true))
show("SmoothL1Loss beta=2", nn.SmoothL1Loss(beta=2.0)(pred, true))
show("HuberLoss delta=0.5", nn.HuberLoss(delta=0.5)(pred, true))
show("l1_loss none", F.l1_loss(pred, true, reduction="none"))
show("smooth_l1_loss", F.smooth_l1_loss(pred, true))
show("huber_loss", F.huber_loss(pred, true, delta=1.0))
show("mse_loss sum", F.mse_loss(pred, true, reduction="sum"))

label = torch.tensor([0.0, 1.0, 1.0, 0.0])
prob = torch.sigmoid(pred)
show("BCELoss", nn.BCELoss()(prob, label))
show("BCEWithLogitsLoss", nn.BCEWithLogitsLoss()(pred, label))
show("pos_weight", nn.BCEWithLogitsLoss(pos_weight=torch.tensor(3.0))(pred, label))
show("binary_cross_entropy", F.binary_cross_entropy(prob, label, reduction="sum"))
show("..._with_logits", F.binary_cross_entropy_with_logits(pred, label, reduction="none"))
print(F.binary_cross_entropy(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 1.0])))

logits = torch.randn(3, 5, requires_grad=True)
target = torch.tensor([1, 0, 4])
show("CrossEntropyLoss", nn.CrossEntropyLoss()(logits, target), logits)
show("weight", nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 1.0, 1.0, 0.5]))(logits, target), logits)
show("ignore_index", F.cross_entropy(logits, torch.tensor([1, -100, 4])), logits)
show("NLLLoss", nn.NLLLoss()(F.log_softmax(logits, dim=1), target), logits)
show("nll_loss none", F.nll_loss(logits.log_softmax(1), target, reduction="none"), logits)
soft = torch.softmax(torch.randn(3, 5), dim=1)
show("soft targets", F.cross_entropy(logits, soft), logits)
show("KLDivLoss", nn.KLDivLoss(reduction="batchmean")(F.log_softmax(logits, dim=1), soft), logits)
show("kl_div sum", F.kl_div(logits.log_softmax(1), soft, reduction="sum"), logits)
show("kl_div log_target", F.kl_div(logits.log_softmax(1), soft.log(), reduction="batchmean", log_target=True), logits)

# the two by hand
by_hand = torch.clamp_min(pred, 0) - pred * label + torch.log1p(torch.exp(-pred.abs()))
print(torch.allclose(by_hand, F.binary_cross_entropy_with_logits(pred, label, reduction="none")))
e = (pred - true).abs()
print(torch.allclose(torch.where(e < 1, 0.5 * e ** 2, e - 0.5), F.smooth_l1_loss(pred, true, reduction="none")))
print(nn.L1Loss(), nn.BCEWithLogitsLoss(), nn.CrossEntropyLoss(), nn.KLDivLoss(reduction="sum"), nn.SmoothL1Loss())
