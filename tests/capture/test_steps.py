"""What a captured step sees from call to call, what it refuses, and that it is the step as it is in every case."""

import contextlib
import copy
import warnings

import numpy as np
import pytest
from test_zoo import batches, bits, compare, model_of, plain_step

import tinynorm as tn
from tinynorm import nn, optim
from tinynorm.nn import functional as F

RELU = nn.ReLU


def mse(y, t, c):
    return F.mse_loss(y, t)


def parts(*layers, make=lambda p: optim.SGD(p, 0.1, momentum=0.9)):
    model = model_of(*layers)
    return model, make(model.parameters())


# ---- ways to write a step ----------------------------------------------------------------------------------------------


def zero_at_the_end(model, optimizer):
    def step(x, t, c):
        loss = F.mse_loss(model(x), t)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return {"loss": loss, "n": len(x), "both": (loss, [loss * 2])}["loss"]

    return step


def zeros_in_place(model, optimizer):
    def step(x, t, c):
        optimizer.zero_grad(set_to_none=False)
        loss = F.mse_loss(model(x), t)
        loss.backward()
        optimizer.step()
        return loss

    return step


def clipped(model, optimizer):
    def step(x, t, c):
        model.zero_grad()
        loss = 100 * F.mse_loss(model(x), t)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        nn.utils.clip_grad_value_(model.parameters(), 0.1)
        optimizer.step()
        return loss + norm

    return step


def by_hand(model, optimizer):
    def step(x, t, c):
        loss = F.mse_loss(model(x), t) + sum((p**2).sum() + p.abs().sum() for p in model.parameters()) * 0.01
        loss.backward()
        with tn.no_grad():
            for p in model.parameters():
                p -= 0.1 * p.grad
                p.grad = None
        return loss

    return step


def two_passes(model, optimizer):
    """Gradients of two losses are added up."""

    def step(x, t, c):
        optimizer.zero_grad()
        first = F.mse_loss(model(x), t)
        first.backward()
        second = F.cross_entropy(model(x), c)
        second.backward()
        optimizer.step()
        return first + second.detach()

    return step


def penalty(model, optimizer):
    """Through the gradient with respect to the input."""

    def step(x, t, c):
        optimizer.zero_grad()
        z = x.clone().requires_grad_()
        y = model(z)
        (g,) = tn.autograd.grad(y.sum(), z, create_graph=True)
        loss = F.mse_loss(y, t) + (g.norm(dim=1) - 1).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    return step


def with_noise(model, optimizer):
    def step(x, t, c):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x + 0.1 * tn.randn_like(x)) * tn.rand(len(x), 1), t)
        loss.backward()
        optimizer.step()
        return loss

    return step


def with_schedule(model, optimizer):
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=7)

    def step(x, t, c):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), t)
        loss.backward()
        optimizer.step()
        schedule.step()
        return loss

    return step


def against_each_other(model, optimizer):
    """As in a GAN: the second half sees what the first half's optimiser did."""
    other = optim.Adam(model[0].parameters(), 0.01)

    def step(x, t, c):
        optimizer.zero_grad()
        first = F.mse_loss(model(x), t)
        first.backward()
        optimizer.step()
        other.zero_grad()
        second = -F.mse_loss(model(x), t)
        second.backward()
        other.step()
        return first + second

    return step


def moving_average(model, optimizer):
    average = [p.detach().clone() for p in model.parameters()]

    def step(x, t, c):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), t)
        loss.backward()
        optimizer.step()
        with tn.no_grad():
            for a, p in zip(average, model.parameters(), strict=True):
                a.mul_(0.9).add_(p, alpha=0.1)
        return loss + sum(a.sum() for a in average)

    return step


def picks(model, optimizer):
    def step(x, t, c):
        optimizer.zero_grad()
        y = model(x)
        loss = -y.log_softmax(1)[tn.arange(len(c)), c].mean() + y.gather(1, c[:, None]).mean() + y[:, 1:3].max(1)[0].sum()
        loss = loss + tn.where(y > 0, y, 0.1 * y).sum() + tn.cat([y, t], 1).std() + tn.stack([y, t]).mean()
        loss.backward()
        optimizer.step()
        return loss

    return step


WAYS = [zero_at_the_end, zeros_in_place, clipped, by_hand, two_passes, penalty, with_noise, with_schedule, against_each_other]
WAYS += [moving_average, picks]


@pytest.mark.parametrize("norm", [nn.Identity, lambda: nn.BatchNorm1d(6), lambda: nn.Dropout(0.4)], ids=["", "bn", "dropout"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_ways_to_write_a_step(way, norm):
    data = list(batches(15))

    def make():
        model, optimizer = parts(norm, nn.Tanh)
        return model, optimizer, way(model, optimizer)

    compare(make, data, 12)


def test_a_training_loop_with_all_that_happens_between_steps(tmp_path):
    """Learning rates, eval, frozen and replaced parameters, loading, other batches, gradients from elsewhere, seeds."""

    def run(capture, between):
        tn.manual_seed(0)
        model = model_of(lambda: nn.BatchNorm1d(6), RELU, lambda: nn.Dropout(0.2))
        optimizer = optim.Adam(model.parameters(), 0.01)
        step = plain_step(model, optimizer, mse)
        step = tn.capture(step) if capture else step
        losses = []
        r = np.random.default_rng(1)
        saved = None
        for i in range(60):
            rows = 5 if i % 7 == 6 else 8
            x, t = (tn.tensor(r.normal(size=(rows, k)).astype("f")) for k in (5, 6))
            losses.append(float(step(x, t, None)))
            if i == 10:
                optimizer.param_groups[0]["lr"] = 0.1
            if i == 14:
                model.eval()
            if i == 20:
                model.train()
                model[3].p = 0.5
            if i == 24:
                saved = model.state_dict(), optimizer.state_dict()
                tn.save(saved, tmp_path / "saved")
            if i == 30:
                model[0].weight.requires_grad_(False)
            if i == 34:
                model[0].weight.requires_grad_(True)
                model[0].weight.data = model[0].weight.data * 2
            if i == 40:
                weights, state = tn.load(tmp_path / "saved")
                model.load_state_dict(weights)
                optimizer.load_state_dict(state)
            if i == 44:
                tn.manual_seed(9)
                model[1].momentum = 0.3
            if i == 48:
                model[0].bias = nn.Parameter(tn.zeros(6))
            if i == 52:
                tn.rand(3)
                F.mse_loss(model(x), t).backward()
            if i == 55:
                model.zero_grad()
        return losses, bits(model, optimizer), step

    eager, captured = run(False, None), run(True, None)
    assert eager[0] == captured[0]
    assert eager[1] == captured[1]
    assert captured[2].reason == ""
    assert captured[2].replays > 15


def test_gradients_that_are_added_up_over_calls():
    data = list(batches(30))

    def make():
        model, optimizer = parts(RELU)

        def step(x, t, c):
            loss = F.mse_loss(model(x), t)
            loss.backward()
            return loss

        return model, optimizer, step

    (m1, o1, s1), (m2, o2, s2) = make(), make()
    s2 = tn.capture(s2)
    found = []
    for model, optimizer, step in ((m1, o1, s1), (m2, o2, s2)):
        losses = []
        for k, batch in enumerate(data):
            losses.append(float(step(*batch)))
            if k % 3 == 2:
                optimizer.step()
                optimizer.zero_grad()
        found.append((losses, bits(model, optimizer)))
    assert found[0] == found[1]


def test_the_memory_of_a_gradient_that_is_replaced_between_steps():
    data, found = list(batches(30)), []
    for make in (lambda step: step, tn.capture):
        model, optimizer = parts(RELU)

        def step(x, t, c, model=model, optimizer=optimizer):
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), t)
            loss.backward()
            optimizer.step()
            return loss

        step, grads = make(step), []
        for k, batch in enumerate(data):
            step(*batch)
            if k in (5, 6, 15):
                model[0].weight.grad.data = tn.zeros_like(model[0].weight)
            grads += [p.grad.tolist() for p in model.parameters()]
        found.append((grads, bits(model, optimizer)))
    assert found[0] == found[1]
    assert step.replays > 10


def test_a_closure_and_other_optimisers_of_the_whole_step_are_right():
    data = list(batches(10))

    def make(optimizer_of):
        model, optimizer = parts(RELU, make=optimizer_of)

        def step(x, t, c):
            def closure():
                optimizer.zero_grad()
                loss = F.mse_loss(model(x), t)
                loss.backward()
                return loss

            return optimizer.step(closure)

        return model, optimizer, step

    for optimizer_of in (lambda p: optim.SGD(p, 0.1), lambda p: optim.LBFGS(p, max_iter=3)):
        (m1, _, s1), (m2, _, s2) = make(optimizer_of), make(optimizer_of)
        s2 = tn.capture(s2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert [float(s1(*b)) for b in data] == [float(s2(*b)) for b in data]
        assert [p.tolist() for p in m1.parameters()] == [p.tolist() for p in m2.parameters()]


def test_an_optimiser_of_ones_own():
    data = list(batches(12))

    class SignSGD(optim.Optimizer):
        def __init__(self, params, lr=0.01):
            super().__init__(params, {"lr": lr})

        @tn.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    m = self.state[p].setdefault("m", tn.zeros_like(p))
                    m.mul_(0.9).add_(p.grad, alpha=0.1)
                    p -= group["lr"] * m.sign()

    def make():
        model, optimizer = parts(RELU, make=SignSGD)
        return model, optimizer, plain_step(model, optimizer, mse)

    compare(make, data, 9)


def test_a_thousand_steps_with_checkpoints_in_between(tmp_path):
    def run(capture):
        model = model_of(lambda: nn.BatchNorm1d(6), RELU)
        optimizer = optim.AdamW(model.parameters(), 0.01)
        step = plain_step(model, optimizer, lambda y, t, c: F.cross_entropy(y, c))
        step = tn.capture(step) if capture else step
        r, losses = np.random.default_rng(2), []
        for i in range(1000):
            batch = [tn.tensor(a) for a in (r.normal(size=(8, 5)).astype("f"), np.zeros(1, "f"), r.integers(0, 6, 8))]
            losses.append(step(*batch).item())
            if i % 250 == 100:
                tn.save_checkpoint(tmp_path / "c", model=model, optimizer=optimizer)
            if i % 250 == 150:
                tn.load_checkpoint(tmp_path / "c", model=model, optimizer=optimizer)
        return losses, bits(model, optimizer), getattr(step, "replays", None)

    eager, captured = run(False), run(True)
    assert eager[:2] == captured[:2]
    assert captured[2] > 980


# ---- refusals ----------------------------------------------------------------------------------------------------------


def refused(body, match, **hooks):
    """A step with `body` runs as it is, and says why."""
    model, optimizer = parts(RELU)
    other, theirs = parts(RELU)
    kept = []

    def make(model, optimizer):
        def step(x, t, c):
            optimizer.zero_grad()
            y = model(x)
            loss = F.mse_loss(y, t)
            extra = body(model, y, loss, kept)
            (loss if extra is None else loss * extra).backward()
            optimizer.step()
            return loss

        return step

    plain, captured = make(model, optimizer), tn.capture(make(other, theirs))
    data = list(batches(6))
    expected = [float(plain(*batch)) for batch in data]
    kept.clear()
    with pytest.warns(RuntimeWarning, match=match) as said:
        found = [float(captured(*batch)) for batch in data]
    assert repr(found) == repr(expected)  # some become NaN
    assert len(said) == 1
    assert captured.replays == 0
    return captured.reason


def test_values_that_python_sees():
    for body in (
        lambda model, y, loss, kept: None if loss > 1e-9 else 2.0,
        lambda model, y, loss, kept: loss.item(),
        lambda model, y, loss, kept: float(y.mean()),
        lambda model, y, loss, kept: kept.append(loss.tolist()),
        lambda model, y, loss, kept: kept.append(str(loss)),
        lambda model, y, loss, kept: kept.append(loss.detach().numpy()),
        lambda model, y, loss, kept: kept.append(np.asarray(y.detach()).sum()),
        lambda model, y, loss, kept: kept.append(y[y > 0].sum().item()),
        lambda model, y, loss, kept: y[y > 0].detach().sum(),
        lambda model, y, loss, kept: y.detach()[tn.nonzero(y > 0)[:, 0]].sum(),
    ):
        reason = refused(body, "step runs as it is")
        assert "test_steps.py, line" in reason


def test_tensors_that_are_kept():
    for body in (
        lambda model, y, loss, kept: kept.append(loss),
        lambda model, y, loss, kept: kept.append(loss.detach()),
        lambda model, y, loss, kept: kept.append(copy.copy(loss.detach())),
        lambda model, y, loss, kept: kept.append(copy.deepcopy(y.detach())),
        lambda model, y, loss, kept: kept.append(y.detach().clone()),
    ):
        assert "kept after its end" in refused(body, "kept after its end")


def test_numbers_that_change_by_themselves():
    for body in (
        lambda model, y, loss, kept: tn.tensor(np.random.default_rng(len(kept)).normal() + (kept.append(0) or 0)),
        lambda model, y, loss, kept: kept.append(0) or len(kept),
    ):
        refused(body, "other numbers|changes the length of kept")


def run(step, n):
    for batch in batches(n):
        step(*batch)


def test_hooks():
    model, optimizer = parts(RELU)
    seen = []
    model[1].register_forward_hook(lambda *_: seen.append(1))
    step = tn.capture(plain_step(model, optimizer, mse))
    with pytest.warns(RuntimeWarning, match="ReLU has a hook"):
        run(step, 6)
    assert len(seen) == 6
    model, optimizer = parts(RELU)
    step = tn.capture(plain_step(model, optimizer, mse))
    run(step, 6)
    model[0].weight.register_hook(lambda g: seen.append(g.sum()))
    seen.clear()
    with pytest.warns(RuntimeWarning, match="Parameter has a hook"):
        run(step, 2)
    assert len(seen) == 2


def test_inputs_of_other_kinds():
    for given, says in ((np.ones(2), "an input is a ndarray"), (tn.ones(2, requires_grad=True), "an input requires grad")):
        step = tn.capture(lambda x: x * 2)
        with pytest.warns(RuntimeWarning, match=says):
            assert list(step(given)) == [2.0, 2.0]
    with pytest.raises(TypeError, match="expected a function"):
        tn.capture(3)


def test_a_function_that_does_not_go_backward_itself_is_refused():
    model, _ = parts(RELU)
    step = tn.capture(lambda x: model(x).sum())
    x = tn.ones(2, 5)
    step(x)
    with pytest.warns(RuntimeWarning, match="does not go backward itself"):
        step(x).backward()
    assert model[0].weight.grad is not None
    with tn.no_grad():
        forward = tn.capture(lambda x: (model(x), {"sum": model(x).sum()}))
        found = [forward(tn.full((2, 5), float(k))) for k in range(6)]
    assert forward.replays == 3
    assert found[5][1]["sum"].item() == model(tn.full((2, 5), 5.0)).sum().item()


# ---- errors, and what follows them -------------------------------------------------------------------------------------


def test_an_error_leaves_all_as_the_step_itself_leaves_it():
    """A class that is out of range, after batch norm has counted the batch."""
    found = []
    for capture in (False, True):
        model, optimizer = parts(lambda: nn.BatchNorm1d(6), RELU)
        step = plain_step(model, optimizer, lambda y, t, c: F.cross_entropy(y, c))
        step = tn.capture(step) if capture else step
        r, losses = np.random.default_rng(0), []
        for k in range(12):
            c = r.integers(0, 6, 8)
            c[3] = 6 if k in (1, 2, 7, 9) else c[3]
            with contextlib.suppress(IndexError):
                losses.append(float(step(tn.tensor(r.normal(size=(8, 5)).astype("f")), None, tn.tensor(c))))
        found.append((losses, len(losses), bits(model, optimizer)))
    assert found[0] == found[1]
    assert found[0][1] == 8


def test_numbers_that_take_another_way():
    """A variance that overflows is computed in another way; the captured step does the same."""
    found = []
    for capture in (False, True):
        model, optimizer = parts(lambda: nn.BatchNorm1d(6), lambda: nn.LayerNorm(6))
        step = plain_step(model, optimizer, mse)
        step = tn.capture(step) if capture else step
        losses = []
        for k, (x, t, c) in enumerate(batches_again(10)):
            losses.append(float(step(x * (1e25 if k in (5, 7) else 1), t, c)))
        found.append((losses, bits(model, optimizer)))
    assert found[0] == found[1]
    assert step.replays == 5


def batches_again(n):
    r = np.random.default_rng(4)
    return [(*(tn.tensor(r.normal(size=(8, k)).astype("f")) for k in (5, 6)), None) for _ in range(n)]


def test_all_tensors_hold_plain_arrays_afterwards():
    model, optimizer = parts(lambda: nn.BatchNorm1d(6))
    step = tn.capture(plain_step(model, optimizer, mse))
    for batch in batches(5):
        step(*batch)
        for t in (*model.parameters(), *model.buffers(), *(p.grad for p in model.parameters())):
            assert type(t.array) is np.ndarray

    def fails(x):
        loss = model(x).sum()
        loss.backward()
        raise KeyError("here")

    fails = tn.capture(fails)
    for _ in range(4):
        with pytest.raises(KeyError, match="here"):
            fails(tn.ones(8, 5))
        for t in (*model.parameters(), *model.buffers(), *(p.grad for p in model.parameters())):
            assert type(t.array) is np.ndarray


def test_losses_can_be_kept():
    model, optimizer = parts(RELU)
    step = tn.capture(plain_step(model, optimizer, mse))
    losses = [step(*batch) for batch in batches(8)]
    assert len({loss.item() for loss in losses}) == 8
    assert not any(loss.requires_grad for loss in losses)


def test_a_method_can_be_decorated():
    class Trainer:
        scale = 1.0

        def __init__(self):
            self.model, self.optimizer = parts(RELU)
            self.factor = 2.0

        @tn.capture
        def step(self, x, t, c):
            self.optimizer.zero_grad()
            loss = F.mse_loss(self.model(x), t) * self.factor
            loss.backward()
            self.optimizer.step()
            return loss

    one, two = Trainer(), Trainer()
    data = list(batches(8))
    first = [one.step(*batch).item() for batch in data]
    assert first == [two.step(*batch).item() for batch in data]
    assert one.step.replays == two.step.replays == 5
    one.factor = two.factor = 3.0
    expected = F.mse_loss(one.model(data[0][0]), data[0][1]) * 3.0
    assert [t.step(*data[0]).item() for t in (one, two)] == [expected.item()] * 2
    three = copy.deepcopy(one)
    assert three.step is not one.step
    assert [one.step(*batch).item() for batch in data] == [three.step(*batch).item() for batch in data]
    assert three.step.replays == 5
