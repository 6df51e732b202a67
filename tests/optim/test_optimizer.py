"""What all optimisers share: groups, the step in place, state saved and loaded, and the errors."""

import copy
import gc
import tracemalloc
import warnings
import weakref

import numpy as np
import pytest

import tinynorm
from tinynorm import optim
from tinynorm.optim.in_place import InPlaceOptimizer
from tinynorm.tensor import tensor_of, version_of

MAKERS = {
    "SGD": lambda params: optim.SGD(params, lr=0.1),
    "SGD-momentum": lambda params: optim.SGD(params, lr=0.1, momentum=0.9, dampening=0.1, weight_decay=0.01),
    "SGD-nesterov": lambda params: optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True, maximize=True),
    "Adam": lambda params: optim.Adam(params, lr=0.1, weight_decay=0.01),
    "Adam-amsgrad": lambda params: optim.Adam(params, lr=0.1, amsgrad=True, maximize=True),
    "AdamW": lambda params: optim.AdamW(params, lr=0.1),
    "RMSprop": lambda params: optim.RMSprop(params, lr=0.1),
    "RMSprop-centered": lambda params: optim.RMSprop(params, lr=0.1, momentum=0.9, centered=True, weight_decay=0.01),
    "Adagrad": lambda params: optim.Adagrad(params, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.1),
    "Adadelta": lambda params: optim.Adadelta(params, lr=0.1, eps=0.01, weight_decay=0.01, maximize=True),
    "Adamax": lambda params: optim.Adamax(params, lr=0.1, weight_decay=0.01),
    "RAdam": lambda params: optim.RAdam(params, lr=0.1, betas=(0.9, 0.9), weight_decay=0.01, decoupled_weight_decay=True),
}
SHAPES = [(300, 70), (7,), (4, 5), ()]  # cut into blocks; the rest put together


@pytest.fixture(params=list(MAKERS))
def make(request):
    return MAKERS[request.param]


def parameters(dtype="float32", device="cpu", seed=0):
    rng = np.random.default_rng(seed)
    return [tinynorm.tensor(rng.standard_normal(s), dtype=dtype, device=device, requires_grad=True) for s in SHAPES]


def give_gradients(params, seed):
    rng = np.random.default_rng(seed)
    for p in params:
        p.grad = tinynorm.tensor(rng.standard_normal(p.shape), dtype=p.dtype, device=p.device)


def train(optimizer, params, steps):
    for seed in steps:
        give_gradients(params, seed)
        optimizer.step()


def bits(params):
    return [p.detach().cpu().numpy().tobytes() for p in params]


def w(*values, **kwargs):
    return tinynorm.tensor(list(values) or [1.0], requires_grad=True, **kwargs)


# ---- the step ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_step_writes_into_the_parameters_own_array(make, dtype, device):
    params = parameters(dtype, device)
    optimizer, arrays, before = make(params), [p.array for p in params], bits(params)
    train(optimizer, params, range(2))
    for p, array, old, new in zip(params, arrays, before, bits(params), strict=True):
        assert p.array is array
        assert p.dtype == dtype
        assert old != new
    for state in optimizer.state.values():  # float16's averages are kept in float32
        kept = "float32" if dtype == "float16" else dtype
        assert all(v.dtype == kept for k, v in state.items() if k != "step")


def test_gradients_are_only_read(make, device):
    params = parameters(device=device)
    optimizer = make(params)
    for seed in range(2):
        give_gradients(params, seed)
        grads = bits([p.grad for p in params])
        optimizer.step()
        assert bits([p.grad for p in params]) == grads


def test_two_runs_from_one_seed_are_bit_identical(make, device):
    runs = []
    for _ in range(2):
        params = parameters(device=device)
        train(make(params), params, range(5))
        runs.append(bits(params))
    assert runs[0] == runs[1]


def test_a_parameter_without_gradient_is_left_alone(make):
    params = parameters()
    optimizer, before = make(params), bits(params)
    give_gradients(params, 0)
    params[1].grad = None
    optimizer.step()
    assert [a == b for a, b in zip(before, bits(params), strict=True)] == [False, True, False, False]
    assert not optimizer.state[params[1]]


def test_nan_gradient_reaches_its_element_and_no_other(make):
    params = parameters()
    optimizer = make(params)
    give_gradients(params, 0)
    params[1].grad.array[3] = np.nan
    optimizer.step()
    assert np.isnan(params[1].array).tolist() == [i == 3 for i in range(7)]
    assert not any(np.isnan(p.array).any() for p in (params[0], params[2], params[3]))


def test_nan_stays_in_amsgrads_maximum():
    p = w(1.0)
    optimizer = optim.Adam([p], amsgrad=True)
    for g in (np.nan, 1.0):
        p.grad = tinynorm.tensor([g])
        optimizer.step()
    assert np.isnan(p.array).all()


def test_strided_parameters_and_gradients(make):
    results = []
    for order in ("C", "F"):
        rng = np.random.default_rng(0)
        p = tensor_of(np.asarray(rng.standard_normal((300, 70)), order=order), requires_grad=True)
        optimizer = make([p])
        for _ in range(3):
            p.grad = tensor_of(np.asarray(rng.standard_normal((300, 70)), order="C" if order == "F" else "F"))
            optimizer.step()
        results.append(np.ascontiguousarray(p.array).tobytes())
    assert results[0] == results[1]


def test_empty_parameter(make):
    p = tinynorm.zeros(0, 3, requires_grad=True)
    p.grad = tinynorm.zeros(0, 3)
    make([p, w(1.0)]).step()
    assert p.shape == (0, 3)


def test_step_is_seen_by_the_graph():
    p = w(2.0)
    optimizer = optim.Adam([p])
    y = (p * p).sum()
    p.grad = tinynorm.ones(1)
    optimizer.step()
    with pytest.raises(RuntimeError, match=r"Adam\.step then changed it in place"):
        y.backward()
    assert version_of(p).count == 1


def test_step_allocates_no_array_once_it_runs(make):
    params = parameters()
    optimizer = make(params)
    train(optimizer, params, range(3))
    gc.collect()
    tracemalloc.start()
    optimizer.step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16_000  # the largest parameter has 84,000 bytes, a block of it 65,536


def test_closure_runs_with_gradients_recorded_and_its_loss_is_returned(make):
    p = w(3.0)
    optimizer = make([p])

    def closure():
        assert tinynorm.is_grad_enabled()
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with tinynorm.no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert p.item() != 3.0
    assert optimizer.step() is None


def test_zero_grad():
    p = w(1.0)
    optimizer = optim.SGD([p])
    p.grad = tinynorm.ones(1)
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0]
    optimizer.zero_grad()
    assert p.grad is None


def test_options_that_are_numpy_float64_do_not_change_the_dtype(make):
    params = parameters()
    optimizer = make(params)
    optimizer.param_groups[0]["lr"] = np.float64(0.1)
    expected = parameters()
    train(make(expected), expected, range(3))
    train(optimizer, params, range(3))
    assert bits(params) == bits(expected)


def test_unfinished_subclass_says_what_to_write():
    p = w(1.0)
    p.grad = tinynorm.ones(1)
    with pytest.raises(NotImplementedError, match=r"Optimizer: write step\(self, closure=None\)"):
        optim.Optimizer([p], {}).step()
    with pytest.raises(NotImplementedError, match="_begin"):
        InPlaceOptimizer([p], {}).step()

    class Half(InPlaceOptimizer):
        def _begin(self, group, state, theta):
            return (1,)

    with pytest.raises(NotImplementedError, match="_formula"):
        Half([p], {}).step()


def test_parameter_converted_after_the_first_step_is_an_error_before_any_change(make):
    params = parameters()
    optimizer = make(params)
    train(optimizer, params, range(1))
    if "momentum_buffer" not in (state := optimizer.state[params[2]]) and "step" not in state:
        pytest.skip("nothing is remembered")
    params[2].array, params[2].grad = params[2].array.astype("float64"), None
    give_gradients(params, 1)
    before = bits(params)
    with pytest.raises(RuntimeError, match=r"step: expected .*'float32', 'cpu'\), .* got .*'float64'.* before its optimiser"):
        optimizer.step()
    assert bits(params) == before


# ---- groups ------------------------------------------------------------------------------------------------------------


def test_groups_have_their_own_options():
    a, b = w(1.0), w(1.0)
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.25}], lr=0.5)
    a.grad = b.grad = tinynorm.ones(1)
    optimizer.step()
    assert (a.item(), b.item()) == (0.5, 0.75)


def test_groups_options_may_change_between_steps():
    a = w(1.0)
    optimizer = optim.SGD([a], lr=0.5)
    optimizer.param_groups[0]["lr"] = 0.25
    a.grad = tinynorm.ones(1)
    optimizer.step()
    assert a.item() == 0.75


def test_added_group_is_stepped_and_counts_its_own_steps():
    a, b = w(1.0), w(1.0)
    optimizer = optim.Adam(iter([a]), lr=0.1)
    a.grad = tinynorm.ones(1)
    optimizer.step()
    optimizer.add_param_group({"params": (p for p in [b]), "lr": 0.2})
    b.grad = tinynorm.ones(1)
    optimizer.step()
    assert [optimizer.state[p]["step"].item() for p in (a, b)] == [2.0, 1.0]
    assert b.item() == pytest.approx(0.8)


def test_callers_group_is_not_changed():
    group = {"params": [w(1.0)], "lr": 0.5}
    optim.SGD([group])
    assert list(group) == ["params", "lr"]


def test_repr_lists_the_options_as_pytorch_does():
    options = """
    dampening: 0
    differentiable: False
    foreach: None
    fused: None
    lr: {}
    maximize: False
    momentum: 0
    nesterov: False
    weight_decay: 0
"""
    first, second = (f"\nParameter Group {i}{options.format(lr)}" for i, lr in enumerate((0.5, 0.1)))
    assert repr(optim.SGD([{"params": w(1.0)}, {"params": w(1.0), "lr": 0.1}], lr=0.5)) == f"SGD ({first}{second})"


# ---- errors at construction ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        (lambda: [], ValueError, "expected parameters, got none"),
        (lambda: w(1.0), TypeError, "got one Tensor; put it in a list"),
        (lambda: {"params": [w(1.0)]}, TypeError, "got one dict; put it in a list"),
        (lambda: {w(1.0)}, TypeError, "a set has no order"),
        (lambda: 3, TypeError, "expected an iterable of Tensors, got int"),
        (lambda: tinynorm.nn.Linear(1, 1), TypeError, r"got Linear; pass its \.parameters"),
        (lambda: [np.ones(2)], TypeError, r"params\[0\]: expected a Tensor, got ndarray"),
        (lambda: [("weight", w(1.0)), w(2.0)], ValueError, r"a name for each of 2 parameters or for none, got \['weight'\]"),
        (lambda: [(w(1.0), w(2.0), w(3.0))], TypeError, r"expected a Tensor, got tuple; pass model.parameters\(\)"),
        (
            lambda: [w(1.0), w(1.0) * 2],
            ValueError,
            r"params\[1\]: expected a leaf tensor, got the result of Mul, of shape \(1,\)",
        ),
        (lambda: [w(1.0)] * 1 + [x := w(2.0), x], ValueError, r"params\[2\] of shape \(1,\) is there twice"),
        (lambda: [tinynorm.ones(1).expand(3).requires_grad_()], ValueError, r"of shape \(3,\) that was expanded or made of a"),
        (lambda: [{"lr": 0.1}], TypeError, r"group 0: expected a dict with 'params', got one with \['lr'\]"),
        (lambda: [{"params": w(1.0)}, w(1.0)], TypeError, "group 1: expected a dict with 'params', got Tensor"),
    ],
)
def test_bad_parameters(params, error, message):
    with pytest.raises(error, match=message):
        optim.SGD(params())


def test_parameter_in_two_groups_is_refused_and_nothing_is_added():
    a = w(1.0)
    optimizer = optim.SGD([a])
    with pytest.raises(ValueError, match=r"group 1: params\[1\] of shape \(1,\) is there twice"):
        optimizer.add_param_group({"params": [w(2.0), a]})
    assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("SGD", {"lr": -1}, ValueError, "SGD: parameter group 0: expected lr >= 0, got -1"),
        ("SGD", {"lr": float("nan")}, ValueError, "expected lr >= 0, got nan"),
        ("SGD", {"lr": "fast"}, TypeError, "expected lr to be a number, got str"),
        ("SGD", {"lr": True}, TypeError, "expected lr to be a number, got bool"),
        ("SGD", {"momentum": -0.1}, ValueError, "expected momentum >= 0"),
        ("SGD", {"weight_decay": -0.1}, ValueError, "expected weight_decay >= 0"),
        ("SGD", {"dampening": None}, TypeError, "expected dampening to be a number"),
        ("SGD", {"nesterov": True}, ValueError, "nesterov needs momentum > 0 and dampening = 0, got momentum=0, dampening=0"),
        ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, ValueError, "nesterov needs"),
        ("Adam", {"lr": -1}, ValueError, "Adam: parameter group 0: expected lr >= 0"),
        ("Adam", {"eps": -1}, ValueError, "expected eps >= 0"),
        ("Adam", {"betas": (1.0, 0.9)}, ValueError, r"expected 0 <= betas\[0\] < 1, got 1.0"),
        ("Adam", {"betas": (0.9, -0.1)}, ValueError, r"expected 0 <= betas\[1\] < 1, got -0.1"),
        ("Adam", {"betas": 0.9}, ValueError, "expected betas to be two numbers, got 0.9"),
        ("AdamW", {"weight_decay": -1}, ValueError, "AdamW: parameter group 0: expected weight_decay >= 0"),
        ("RMSprop", {"alpha": 1.5}, ValueError, "RMSprop: parameter group 0: expected 0 <= alpha <= 1, got 1.5"),
        ("RMSprop", {"momentum": -1}, ValueError, "expected momentum >= 0, got -1"),
        ("Adagrad", {"lr_decay": -1}, ValueError, "expected lr_decay >= 0"),
        ("Adagrad", {"initial_accumulator_value": -1}, ValueError, "expected initial_accumulator_value >= 0"),
        ("Adadelta", {"rho": 1.5}, ValueError, "expected 0 <= rho <= 1, got 1.5"),
        ("Adadelta", {"eps": -1}, ValueError, "expected eps >= 0"),
        ("Adamax", {"betas": (0.9, 1.0)}, ValueError, r"Adamax: parameter group 0: expected 0 <= betas\[1\] < 1, got 1.0"),
        ("RAdam", {"eps": -1}, ValueError, "expected eps >= 0"),
        ("NAdam", {"momentum_decay": -1}, ValueError, "NAdam: parameter group 0: expected momentum_decay >= 0, got -1"),
        ("ASGD", {"lr": -1}, ValueError, "ASGD: parameter group 0: expected lr >= 0, got -1"),
        ("Rprop", {"etas": (0.5, 0.9)}, ValueError, r"expected 0 < etas\[0\] < 1 < etas\[1\], got \(0.5, 0.9\)"),
        *((name, {"differentiable": True}, ValueError, "differentiable=True is not supported, a step is not recorded")
          for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "RAdam", "NAdam", "ASGD", "Rprop")),
    ],
)
def test_bad_options(name, options, error, message):
    with pytest.raises(error, match=message):
        getattr(optim, name)([w(1.0)], **options)
    optimizer = getattr(optim, name)([w(1.0)])
    with pytest.raises(error, match=message.replace("group 0", "group 1")):
        optimizer.add_param_group({"params": [w(1.0)], **options})
    assert len(optimizer.param_groups) == 1


# ---- saving ------------------------------------------------------------------------------------------------------------


def test_resuming_is_bit_exact(make, device):
    straight = parameters(device=device)
    train(make(straight), straight, range(6))

    params = parameters(device=device)
    optimizer = make(params)
    train(optimizer, params, range(3))
    saved = copy.deepcopy(optimizer.state_dict())
    again = [p.detach().clone().requires_grad_() for p in params]
    resumed = make(again)
    resumed.load_state_dict(saved)
    train(resumed, again, range(3, 6))
    assert bits(again) == bits(straight)


def test_state_dict_has_pytorchs_layout():
    a, b, c = w(1.0), w(1.0), w(1.0)
    optimizer = optim.AdamW([{"params": [a, b]}, {"params": [c], "lr": 0.5}])
    c.grad = tinynorm.ones(1)
    optimizer.step()
    saved = optimizer.state_dict()
    assert list(saved) == ["state", "param_groups"]
    assert list(saved["state"]) == [2]
    assert list(saved["state"][2]) == ["step", "exp_avg", "exp_avg_sq"]
    assert saved["state"][2]["step"].shape == ()
    assert saved["state"][2]["step"].dtype == "float32"
    assert [group["params"] for group in saved["param_groups"]] == [[0, 1], [2]]
    assert saved["param_groups"][1]["lr"] == 0.5
    assert saved["param_groups"][0]["betas"] == (0.9, 0.999)


def test_loaded_state_is_a_copy_in_the_parameters_dtype():
    a, b = w(1.0), w(1.0, dtype="float64")
    first, second = optim.Adam([a]), optim.Adam([b])
    a.grad = tinynorm.ones(1)
    first.step()
    saved = first.state_dict()
    second.load_state_dict(saved)
    assert second.state[b]["exp_avg"].dtype == "float64"
    b.grad = tinynorm.ones(1, dtype="float64")
    second.step()
    assert saved["state"][0]["step"].item() == 1.0
    assert saved["state"][0]["exp_avg"].item() == pytest.approx(0.1)


def test_load_keeps_the_group_dicts_and_makes_tuples_of_lists():
    optimizer = optim.Adam([w(1.0)])
    group, saved = optimizer.param_groups[0], optim.Adam([w(1.0)], lr=0.5).state_dict()
    saved["param_groups"][0]["betas"] = [0.5, 0.6]  # as JSON has it
    optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0] is group
    assert (group["lr"], group["betas"]) == (0.5, (0.5, 0.6))


def test_momentum_buffer_of_none_is_a_first_step():
    a = w(1.0)
    optimizer = optim.SGD([a], lr=1.0, momentum=0.5, dampening=0.5)
    saved = optimizer.state_dict()
    saved["state"] = {0: {"momentum_buffer": None}}  # as PyTorch may save it
    optimizer.load_state_dict(saved)
    a.grad = tinynorm.ones(1)
    optimizer.step()
    assert a.item() == 0.0


def broken(change):
    """A saved Adam of two parameters, with something wrong in it."""
    params = [w(1.0), w(1.0, 2.0)]
    optimizer = optim.Adam(params)
    for p in params:
        p.grad = tinynorm.ones(*p.shape)
    optimizer.step()
    saved = copy.deepcopy(optimizer.state_dict())
    changed = change(saved)
    return optimizer, saved if changed is None else changed


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda s: [1], TypeError, "expected a dict, got list"),
        (lambda s: s.pop("state") and None, KeyError, r"missing \['state'\]"),
        (lambda s: s["param_groups"].append({"params": [2]}), ValueError, r"param_groups of \[2\] parameters, got \[2, 1\]"),
        (lambda s: s["param_groups"][0]["params"].pop() and None, ValueError, r"of \[2\] parameters, got \[1\]"),
        (lambda s: s["param_groups"][0].pop("eps") and None, KeyError, r"param_groups\[0\]: missing \['eps'\]"),
        (lambda s: s["param_groups"][0].update(lr=-1), ValueError, r"param_groups\[0\]: expected lr >= 0, got -1"),
        (lambda s: s["param_groups"][0].pop("params") and None, KeyError, "missing .'params'"),
        (lambda s: s.update(param_groups=3), TypeError, "expected param_groups to be a list, got int"),
        (lambda s: s["state"].update({7: {}}), ValueError, r"state of the parameters \[0, 1\], got some of 7"),
        (
            lambda s: s["state"][1].update(exp_avg=s["state"][1].pop("exp_avg_sq")),
            KeyError,
            r"state\[1\]: missing \['exp_avg_sq'\]",
        ),
        (
            lambda s: s["state"][1].update(exp_avg=tinynorm.ones(3)),
            ValueError,
            r"state\[1\]\['exp_avg'\]: expected the parameter's shape \(2,\), got \(3,\)",
        ),
        (lambda s: s["state"][1].update(step="x"), ValueError, r"state\[1\]\['step'\]: expected a number, got 'x'"),
        (
            lambda s: s["param_groups"][0].update(params=5),
            TypeError,
            r"param_groups\[0\]: expected 'params' to be a list .* got 5",
        ),
        (lambda s: s["param_groups"][0].update(params=[[0], [1]]), TypeError, r"expected 'params' to be a list of the"),
        (lambda s: s["param_groups"][0].update(lr=10**400), ValueError, r"param_groups\[0\]: expected lr to be one number"),
        (lambda s: s["param_groups"][0].update(lr=tinynorm.ones(2)), ValueError, "expected lr to be one number"),
        (lambda s: s["state"][1].update(step=10**400), ValueError, r"state\[1\]\['step'\]: expected a number of steps"),
        (lambda s: s["state"][1].update(step=tinynorm.ones(2)), ValueError, r"\['step'\]: expected a number of steps"),
        (lambda s: s["state"][1].update(step=np.array(1j)), ValueError, r"\['step'\]: expected a number of steps"),
        (lambda s: s["state"][1].update(exp_avg=np.ones(2, complex)), TypeError, "expected real numbers, got complex128"),
        (lambda s: s["state"][1].update(exp_avg=np.array([None, None])), TypeError, "expected real numbers, got object"),
        (lambda s: s["state"][1].update(exp_avg=np.array(["1", "2"])), TypeError, "expected real numbers, got <U1"),
        (lambda s: s["state"][1].update(exp_avg=np.ma.ones(2)), TypeError, r"state\[1\]\['exp_avg'\]: .* without a mask"),
        (lambda s: s["state"][1].update(exp_avg=None), ValueError, r"\['exp_avg'\]: expected .* \(2,\), got None"),
    ],
)
def test_bad_state_dict_is_refused_and_nothing_is_changed(change, error, message):
    optimizer, saved = broken(change)
    before = repr(optimizer.state_dict())
    with pytest.raises(error, match=message):
        optimizer.load_state_dict(saved)
    assert repr(optimizer.state_dict()) == before


def test_steps_raise_no_warning_at_zero_over_zero():
    p = w(1.0)
    p.grad = tinynorm.zeros(1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optim.Adam([p], eps=0.0).step()
    assert np.isnan(p.array).all()  # as in PyTorch


def test_a_parameter_that_cannot_be_written_to_any_more_changes_nothing(make):
    params = parameters()
    optimizer = make(params)
    train(optimizer, params, range(2))
    before = [p.detach().clone() for p in params]
    params[-1].array.flags.writeable = False
    with pytest.raises(RuntimeError, match=r"expected parameters whose memory can be written to.*Nothing was changed"):
        optimizer.step()
    assert all(tinynorm.equal(a, b) for a, b in zip(params, before, strict=True))


def test_gradients_are_not_kept_after_the_step(make):
    params = parameters()
    optimizer = make(params)
    train(optimizer, params, range(2))
    grads = [weakref.ref(p.grad.array) for p in params]
    optimizer.zero_grad()
    gc.collect()
    assert [grad() for grad in grads] == [None] * len(grads)


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (lambda p: optim.SGD(p, 0.1), {"momentum": 0.9}),
        (lambda p: optim.SGD(p, 0.1, momentum=0.9), {"momentum": 0}),
        (lambda p: optim.Adam(p), {"amsgrad": True}),
        (lambda p: optim.Adam(p, amsgrad=True), {"amsgrad": False}),
        (lambda p: optim.RMSprop(p, centered=True, momentum=0.9), {"centered": False}),
        (lambda p: optim.RMSprop(p, centered=True, momentum=0.9), {"momentum": 0}),
        (lambda p: optim.RMSprop(p), {"centered": True}),
    ],
)
def test_an_option_that_decides_on_the_state_may_change(make, change):
    """As if the optimiser had not kept anything of its last step."""

    def trained(forgets):
        x = np.random.default_rng(0).normal(size=(30, 40))
        p = tinynorm.tensor(x, dtype=tinynorm.float32, requires_grad=True)
        optimizer = make([p])
        for step in range(6):
            p.grad = p.detach() ** 2 - step
            if step == 3:
                optimizer.param_groups[0].update(change)
            if forgets:
                optimizer._plan = type(optimizer._plan)()
            optimizer.step()
        return p.detach().numpy().tobytes()

    assert trained(False) == trained(True)
