"""Optimisers as PyTorch programs write their own: a class with step, param_groups and state."""

import copy
import pickle

import numpy as np
import pytest

import tinynorm as torch
from tinynorm import nn
from tinynorm.optim import SGD as TheirSGD
from tinynorm.optim import Adam, Optimizer, lr_scheduler
from tinynorm.optim.optimizer import required


class SGD(Optimizer):
    """Written on .data, with a buffer in the state and a number of steps that is a plain int."""

    def __init__(self, params, lr=required, momentum=0.0):
        if lr is not required and lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        super().__init__(params, {"lr": lr, "momentum": momentum})

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("nesterov", False)

    def step(self, closure=None):
        loss = None
        if closure is not None:
            loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if len(state) == 0:
                    state["step"] = 0
                    state["buf"] = torch.zeros_like(p.data)
                state["step"] += 1
                buf = state["buf"]
                buf.mul_(group["momentum"]).add_(p.grad.data)
                p.data.add_(buf, alpha=-group["lr"])
        return loss


class OwnAdam(Optimizer):
    """Written under no_grad, with what it remembers in nested containers."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["step"], state["averages"] = 0, [torch.zeros_like(p), torch.zeros_like(p)]
                state["step"] += 1
                m, v = state["averages"]
                m.mul_(beta1).add_(p.grad * (1 - beta1))
                v.mul_(beta2).add_(p.grad * p.grad * (1 - beta2))
                m_hat, v_hat = m / (1 - beta1 ** state["step"]), v / (1 - beta2 ** state["step"])
                p -= group["lr"] * m_hat / (v_hat.sqrt() + group["eps"])


class Lookahead(Optimizer):
    """Wraps another; it does not call the constructor of its base."""

    def __init__(self, optimizer, k=2, alpha=0.5):
        self.optimizer, self.k, self.alpha, self.count = optimizer, k, alpha, 0
        self.param_groups, self.state, self.defaults = optimizer.param_groups, optimizer.state, optimizer.defaults
        self.slow = [p.detach().clone() for group in self.param_groups for p in group["params"]]

    def step(self, closure=None):
        loss = self.optimizer.step(closure)
        self.count += 1
        if self.count % self.k == 0:
            fast = [p for group in self.param_groups for p in group["params"]]
            for slow, p in zip(self.slow, fast, strict=True):
                slow += self.alpha * (p.data - slow)
                p.data.copy_(slow)
        return loss


class SAM(Optimizer):
    """Two steps, and a base optimiser that shares the groups."""

    def __init__(self, params, base, rho=0.05, **kwargs):
        super().__init__(params, {"rho": rho, **kwargs})
        self.base_optimizer = base(self.param_groups, **kwargs)
        self.param_groups = self.base_optimizer.param_groups
        self.defaults.update(self.base_optimizer.defaults)

    def _each(self):
        return [(group, p) for group in self.param_groups for p in group["params"] if p.grad is not None]

    @torch.no_grad()
    def first_step(self):
        norm = sum((p.grad**2).sum() for _, p in self._each()).sqrt()
        for group, p in self._each():
            self.state[p]["old"] = p.data.clone()
            p.add_(p.grad * (group["rho"] / norm))
        self.zero_grad()

    @torch.no_grad()
    def second_step(self):
        for _, p in self._each():
            p.data = self.state[p]["old"]
        self.base_optimizer.step()
        self.zero_grad()

    @torch.no_grad()
    def step(self, closure=None):
        closure = torch.enable_grad()(closure)
        self.first_step()
        closure()
        self.second_step()


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))


def loss_of(net):
    x = torch.tensor(np.random.default_rng(0).standard_normal((8, 3)), dtype=torch.float32)
    return ((net(x) - x.sum(dim=1, keepdim=True)) ** 2).mean()


def train(net, optimizer, steps, schedule=None):
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_of(net)
        loss.backward()
        optimizer.step()
        if schedule is not None:
            schedule.step()
        losses.append(loss.item())
    return losses


PAIRS = {
    "SGD": (lambda p: SGD(p, lr=0.1, momentum=0.9), lambda p: TheirSGD(p, lr=0.1, momentum=0.9)),
    "Adam": (lambda p: OwnAdam(p, lr=0.1), lambda p: Adam(p, lr=0.1)),
}


@pytest.mark.parametrize(("own", "theirs"), PAIRS.values(), ids=PAIRS)
def test_it_takes_the_steps_of_the_one_that_is_there(own, theirs):
    runs = []
    for make in (own, theirs):
        net = model()
        optimizer = make(net.parameters())
        runs.append(train(net, optimizer, 12, lr_scheduler.CosineAnnealingLR(optimizer, T_max=12)))
    np.testing.assert_allclose(*runs, rtol=2e-4)
    assert runs[0][-1] < runs[0][0] / 2


@pytest.mark.parametrize(("own", "_"), PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("through", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_its_state_is_saved_and_loaded(own, _, through):
    straight = model()
    losses = train(straight, own(straight.parameters()), 6)
    net = model()
    optimizer = own(net.parameters())
    train(net, optimizer, 3)
    saved = through(optimizer.state_dict())
    assert saved["state"][0]["step"] == 3
    assert type(saved["state"][0]["step"]) is int
    resumed = own(net.parameters())
    resumed.load_state_dict(saved)
    assert train(net, resumed, 3) == losses[3:]
    assert saved["state"][0]["step"] == 3  # the loaded state is a copy


def test_a_loaded_tensor_takes_the_parameters_dtype_and_an_older_state_what_setstate_adds():
    p = torch.ones(2, dtype=torch.float64, requires_grad=True)
    optimizer = SGD([p], lr=0.1)
    state = {0: {"step": 4, "buf": torch.ones(2)}, "global": {"best": 1.5}}
    optimizer.load_state_dict({"state": state, "param_groups": [{"lr": 0.5, "momentum": 0.0, "params": [0]}]})
    assert optimizer.state[p]["buf"].dtype == torch.float64
    assert optimizer.state["global"] == {"best": 1.5}
    assert optimizer.param_groups[0]["nesterov"] is False
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert list(optimizer.state_dict()["state"]) == [0, "global"]


def test_groups_closure_and_zero_grad_are_pytorchs():
    a, b = (torch.tensor([3.0], requires_grad=True) for _ in range(2))
    optimizer = SGD([a], lr=0.5)
    optimizer.add_param_group({"params": [b], "lr": 0.25})
    with pytest.raises(ValueError, match="group 0: expected the option 'lr', which has no default"):
        SGD([a])

    def closure():
        optimizer.zero_grad()
        loss = (a + b).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 6.0
    assert (a.item(), b.item()) == (2.5, 2.75)
    optimizer.zero_grad(set_to_none=False)
    assert (a.grad.item(), b.grad.item()) == (0.0, 0.0)


def test_an_optimizer_around_another():
    net = model()
    optimizer = Lookahead(TheirSGD(net.parameters(), lr=0.1))
    losses = train(net, optimizer, 30, lr_scheduler.StepLR(optimizer, 20))
    assert losses[-1] < losses[0] / 2
    assert optimizer.optimizer.param_groups[0]["lr"] == pytest.approx(0.01)
    assert "Lookahead" in repr(optimizer)


def test_two_steps_with_a_base_optimizer():
    net = model()
    optimizer = SAM(net.parameters(), TheirSGD, rho=0.05, lr=0.1, momentum=0.9)
    losses = []

    def closure():
        loss = loss_of(net)
        loss.backward()
        return loss

    for _ in range(20):
        losses.append(closure().item())
        optimizer.step(closure)
    assert losses[-1] < losses[0] / 2
    assert optimizer.param_groups[0]["lr"] == 0.1


def test_named_parameters_are_taken_and_their_names_kept():
    net = model()
    optimizer = TheirSGD(net.named_parameters(), lr=0.1)
    names = [name for name, _ in net.named_parameters()]
    assert optimizer.param_groups[0]["param_names"] == names
    again = model()
    assert train(net, optimizer, 2) == train(again, TheirSGD(again.parameters(), lr=0.1), 2)
    saved = optimizer.state_dict()
    assert saved["param_groups"][0]["param_names"] == names
    nameless = TheirSGD(model().parameters())
    nameless.load_state_dict(saved)
    optimizer.load_state_dict(nameless.state_dict())
    assert optimizer.param_groups[0]["param_names"] == names


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta"])
def test_flags_of_pytorchs_implementations_change_nothing(name):
    there = {"foreach": True, "fused": True, "capturable": True, "differentiable": False}
    w = torch.ones(1, requires_grad=True)
    make = getattr(torch.optim, name)
    mine = {k: v for k, v in there.items() if k in make([w]).defaults}
    assert len(mine) >= 2
    runs = []
    for flags in ({}, mine):
        net = model()
        runs.append(train(net, make(net.parameters(), **flags), 3))
    assert runs[0] == runs[1]
