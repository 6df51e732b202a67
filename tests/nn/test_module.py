"""Modules: what they hold, how they are named, moved, saved, loaded and shown, and how they say what went wrong."""

import collections
import copy

import numpy as np
import pytest

import tinynorm
from tinynorm import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)
        self.last = nn.Linear(4, 2, bias=False)
        self.scale = nn.Parameter(tinynorm.ones(1))
        self.register_buffer("shift", tinynorm.zeros(2))
        self.register_buffer("cache", tinynorm.zeros(2), persistent=False)

    def forward(self, x):
        return self.last(self.norm(self.first(x))) * self.scale + self.shift


NAMES = ["scale", "first.weight", "first.bias", "norm.weight", "norm.bias", "last.weight"]
BUFFERS = ["norm.running_mean", "norm.running_var", "norm.num_batches_tracked"]


def numbers(module):
    return {name: np.array(t.array) for name, t in module.state_dict().items()}


# ---- what it holds ---------------------------------------------------------------------------------------------------


def test_names_and_order_are_pytorchs():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [name for name, _ in net.named_buffers()] == ["shift", "cache", *BUFFERS]
    assert [name for name, _ in net.named_modules()] == ["", "first", "norm", "last"]
    assert [name for name, _ in net.named_children()] == ["first", "norm", "last"]
    assert list(net.children()) == [net.first, net.norm, net.last]
    assert list(net.state_dict()) == [
        "scale", "shift", "first.weight", "first.bias", "norm.weight", "norm.bias", *BUFFERS, "last.weight",
    ]  # fmt: skip


def test_prefix_and_recurse_narrow_what_is_named():
    net = Net()
    assert [name for name, _ in net.named_parameters(prefix="net", recurse=False)] == ["net.scale"]
    assert [name for name, _ in net.first.named_parameters("a.b")] == ["a.b.weight", "a.b.bias"]
    assert [name for name, _ in net.named_buffers(recurse=False)] == ["shift", "cache"]


def test_shared_parameters_and_modules_are_listed_once_and_saved_under_each_name():
    net = nn.Module()
    net.a, net.b = nn.Linear(2, 2), nn.Linear(2, 2)
    net.b.weight = net.a.weight
    net.c = net.a
    assert [name for name, _ in net.named_parameters()] == ["a.weight", "a.bias", "b.bias"]
    assert len(list(net.named_parameters(remove_duplicate=False))) == 6
    assert len(list(net.modules())) == 3
    assert [name for name, _ in net.named_children()] == ["a", "b"]
    assert {"a.weight", "b.weight", "c.weight"} <= set(net.state_dict())


def test_parts_are_found_by_dotted_name():
    net = Net()
    assert net.get_submodule("") is net
    assert net.get_submodule("norm") is net.norm
    assert net.get_parameter("first.weight") is net.first.weight
    assert net.get_buffer("norm.running_var") is net.norm.running_var
    for get, name in ((net.get_parameter, "first.wait"), (net.get_parameter, "norm.running_var"), (net.get_submodule, "scale")):
        with pytest.raises(AttributeError, match=f"Net: no .*{name}"):
            get(name)


def test_apply_meets_children_before_parents():
    seen = []
    Net().apply(lambda module: seen.append(type(module).__name__))
    assert seen == ["Linear", "BatchNorm1d", "Linear", "Net"]


def test_train_and_eval_reach_all_modules():
    net = Net()
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    net.train()
    assert all(module.training for module in net.modules())
    with pytest.raises(ValueError, match="train: expected mode to be True or False, got 'yes'"):
        net.train("yes")


def test_requires_grad_and_zero_grad_reach_all_parameters():
    net = Net()
    net(tinynorm.randn(5, 3)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert all((p.grad == 0).all() for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.requires_grad_(False)
    assert not net(tinynorm.randn(5, 3)).requires_grad


def test_forward_hooks_see_and_replace_the_output():
    layer, seen = nn.Identity(), []
    handle = layer.register_forward_hook(lambda module, args, y: seen.append((module, args, y)))
    other = layer.register_forward_hook(lambda module, args, y: y + 1)
    x = tinynorm.zeros(1)
    assert layer(x).item() == 1
    assert seen == [(layer, (x,), x)]
    handle.remove()
    other.remove()
    assert layer(x) is x
    assert len(seen) == 1
    assert nn.Identity()._forward_hooks is None  # the hooks are that one module's


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match=r"Module: define forward\(self, \.\.\.\)"):
        nn.Module()(1)


# ---- attributes ------------------------------------------------------------------------------------------------------


def test_assigning_parameters_and_modules_registers_them_and_plain_tensors_not():
    net = nn.Module()
    net.w, net.layer, net.plain, net.number = nn.Parameter(tinynorm.zeros(1)), nn.ReLU(), tinynorm.zeros(1), 3
    assert [name for name, _ in net.named_parameters()] == ["w"]
    assert [name for name, _ in net.named_children()] == ["layer"]
    assert list(net.buffers()) == []
    assert {"w", "layer", "plain", "number", "parameters"} <= set(dir(net))


def test_a_tensor_assigned_to_a_buffer_stays_a_buffer():
    net = Net()
    net.shift = net.cache = tinynorm.ones(2)
    assert dict(net.named_buffers())["shift"] is net.shift
    assert "cache" not in net.state_dict()
    net.register_buffer("cache", tinynorm.ones(2))
    assert "cache" in net.state_dict()


def test_a_parameter_takes_the_place_of_a_buffer_or_a_plain_attribute():
    net = Net()
    net.note = 1
    net.note, net.cache = nn.Parameter(tinynorm.zeros(1)), nn.Parameter(tinynorm.zeros(1))
    assert {"note", "cache"} <= {name for name, _ in net.named_parameters()}
    assert "cache" in net.state_dict()


def test_none_keeps_a_name_registered():
    net = Net()
    net.scale = None
    net.register_parameter("bias", None)
    net.norm = None
    assert net.bias is None
    assert "scale" not in dict(net.named_parameters())
    assert "norm" not in dict(net.named_modules())
    net.bias = nn.Parameter(tinynorm.zeros(1))
    assert "bias" in dict(net.named_parameters())


def test_deleting_takes_out_of_the_lists():
    net = Net()
    del net.scale, net.norm, net.shift
    assert [name for name, _ in net.named_parameters()] == ["first.weight", "first.bias", "last.weight"]
    assert [name for name, _ in net.named_buffers()] == ["cache"]
    with pytest.raises(AttributeError):
        del net.scale


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("scale", tinynorm.zeros(1), r"Tensor to 'scale', which is registered as a parameter: .* wrap it: nn\.Parameter"),
        ("scale", 3.0, "float to 'scale', which is registered as a parameter: expected a Parameter or None"),
        ("first", 3, "int to 'first', which is registered as a module: expected a Module or None"),
        ("shift", [1], "list to 'shift', which is registered as a buffer: expected a Tensor or None"),
    ],
)
def test_a_registered_name_refuses_what_is_of_another_kind(name, value, expected):
    net = Net()
    before = getattr(net, name)
    with pytest.raises(TypeError, match=f"cannot assign {expected}"):
        setattr(net, name, value)
    assert getattr(net, name) is before


def test_a_methods_name_is_refused_with_advice():
    net = Net()
    with pytest.raises(AttributeError, match=r"cannot assign bool to 'train': it is a method .* call module\.train\(\)"):
        net.train = True
    with pytest.raises(AttributeError, match="cannot assign Linear to 'forward': it is a method"):
        net.forward = nn.Linear(1, 1)
    with pytest.raises(AttributeError, match=r"'half': it is a method .* Take another name, e\.g\. half_"):
        net.register_parameter("half", None)
    with pytest.raises(AttributeError, match="'apply': it is a method"):
        net.register_buffer("apply", tinynorm.zeros(1))
    with pytest.raises(AttributeError, match="'float': it is a method"):
        net.add_module("float", nn.ReLU())
    assert net.train() is net
    net.forward = lambda x: x  # a function may replace a method
    assert net(3) == 3


def test_assigning_before_init_is_a_clear_error():
    class Early(nn.Module):
        def __init__(self, value):
            self.number = 3  # plain values may come first, as in PyTorch
            self.part = value

    for value, kind in ((nn.Linear(1, 1), "module"), (nn.Parameter(tinynorm.zeros(1)), "parameter")):
        with pytest.raises(AttributeError, match=rf"Early: cannot assign {kind} 'part' before .* super\(\).__init__\(\) first"):
            Early(value)
    forgetful = Early(3)
    with pytest.raises(AttributeError, match=r"super\(\).__init__\(\)"):
        list(forgetful.parameters())
    with pytest.raises(AttributeError, match=r"super\(\).__init__\(\)"):
        forgetful.register_buffer("b", None)
    with pytest.raises(AttributeError, match=r"super\(\).__init__\(\)"):
        _ = forgetful.missing


def test_a_wrong_attribute_names_the_right_ones():
    with pytest.raises(AttributeError, match="Linear has no attribute 'wieght'; registered are: weight, bias"):
        _ = nn.Linear(1, 1).wieght


@pytest.mark.parametrize("name", ["", "a.b", "number"])
def test_registering_refuses_bad_and_taken_names(name):
    net = nn.Module()
    net.number = 3
    for register, value in (
        (net.register_parameter, nn.Parameter(tinynorm.zeros(1))),
        (net.register_buffer, tinynorm.zeros(1)),
        (net.add_module, nn.ReLU()),
    ):
        with pytest.raises(KeyError, match="name"):
            register(name, value)


def test_registering_refuses_wrong_types():
    net = nn.Module()
    with pytest.raises(TypeError, match="register_parameter: expected 'w' to be a Parameter or None, got Tensor"):
        net.register_parameter("w", tinynorm.zeros(1))
    with pytest.raises(TypeError, match="register_buffer: expected 'b' to be a Tensor or None, got ndarray"):
        net.register_buffer("b", np.zeros(1))
    with pytest.raises(TypeError, match="register_module: expected 'm' to be a Module or None, got function"):
        net.register_module("m", lambda x: x)
    with pytest.raises(TypeError, match="expected a name, got int"):
        net.add_module(0, nn.ReLU())


# ---- dtype and device ------------------------------------------------------------------------------------------------


def test_to_moves_parameters_gradients_and_buffers_and_keeps_the_parameters(device):
    net = Net()
    net(tinynorm.randn(5, 3)).sum().backward()
    before, buffer = list(net.parameters()), net.shift
    assert net.to(device, tinynorm.float64) is net
    assert all(p is q for p, q in zip(before, net.parameters(), strict=True))
    for p in net.parameters():
        assert p.dtype == p.grad.dtype == tinynorm.float64
        assert p.device.type == p.grad.device.type == device
    assert net.norm.running_mean.dtype == tinynorm.float64
    assert net.norm.num_batches_tracked.dtype == tinynorm.int64
    assert all(b.device.type == device for b in net.buffers())
    assert buffer.dtype == tinynorm.float32  # the tensor that was registered is not changed
    net(tinynorm.randn(5, 3, dtype=tinynorm.float64, device=device)).sum().backward()  # and it goes on


def test_dtype_methods():
    net = Net()
    assert net.half().scale.dtype == tinynorm.float16
    assert net.double().scale.dtype == tinynorm.float64
    assert net.float().scale.dtype == tinynorm.float32
    assert net.to(tinynorm.zeros(1, dtype=tinynorm.float64)).scale.dtype == tinynorm.float64
    assert net.cpu().scale.device.type == "cpu"
    with pytest.raises(TypeError, match=r"Net\.to: expected a floating-point dtype, got torch.int64"):
        net.to(tinynorm.int64)


def test_a_move_that_fails_moves_nothing():
    net, dtypes = Net(), []

    def move(t):
        dtypes.append(t.dtype)
        if len(dtypes) == 4:
            raise MemoryError
        return t.double()

    with pytest.raises(MemoryError):
        net._apply(move)
    assert {t.dtype for t in net.parameters()} == {tinynorm.float32}


@pytest.mark.skipif(tinynorm.cuda.is_available(), reason="there is a GPU")
def test_cuda_without_a_gpu_says_why():
    with pytest.raises(RuntimeError, match="device 'cuda' is not available"):
        Net().cuda()


def test_moving_between_forward_and_backward_is_noticed():
    net = nn.Linear(2, 1)
    x = tinynorm.randn(3, 2, requires_grad=True)
    loss = net(x).sum()
    net.double()
    with pytest.raises(RuntimeError, match=r"Linear saved its input .* Module\.to then changed it"):
        loss.backward()


# ---- state -----------------------------------------------------------------------------------------------------------


def test_loading_memory_of_the_module_itself_takes_the_numbers_of_before():
    """The two halves of what the module's tensors hold, exchanged: the first is written to before the second is read."""
    net = nn.Module()
    for name in ("a", "b"):
        net.register_buffer(name, tinynorm.tensor([1.0, 2.0] if name == "a" else [3.0, 4.0]))
    net.load_state_dict({"a": net.b.array[::-1], "b": net.a.array[::-1]})
    assert (net.a.tolist(), net.b.tolist()) == ([4.0, 3.0], [2.0, 1.0])


def test_state_dict_shares_memory_and_needs_no_grad():
    net = Net()
    state = net.state_dict()
    assert not any(t.requires_grad for t in state.values())
    with tinynorm.no_grad():
        net.scale.fill_(7)
    assert state["scale"].item() == 7
    assert net.state_dict(keep_vars=True)["scale"] is net.scale
    assert all(name.startswith("net.") for name in net.state_dict(prefix="net."))


def test_a_state_goes_round(device):
    a, b = Net().to(device), Net()
    a(tinynorm.randn(5, 3, device=device))
    keys = b.load_state_dict(a.state_dict())
    assert keys == ([], [])
    assert keys.missing_keys == keys.unexpected_keys == []
    expected = {name: t.cpu().numpy() for name, t in a.state_dict().items()}
    got = numbers(b)
    assert list(got) == list(expected)
    for name in expected:
        np.testing.assert_array_equal(got[name], expected[name])


def test_loading_keeps_identity_dtype_and_bumps_the_version():
    net = nn.Linear(2, 1)
    weight, array = net.weight, net.weight.array
    x = tinynorm.randn(3, 2, requires_grad=True)
    loss = net(x).sum()
    net.load_state_dict({"weight": np.ones((1, 2)), "bias": tinynorm.zeros(1, dtype=tinynorm.float64)})
    assert net.weight is weight
    assert weight.array is array
    assert weight.dtype == tinynorm.float32
    assert weight.tolist() == [[1.0, 1.0]]
    with pytest.raises(RuntimeError, match="load_state_dict then changed it in place"):
        loss.backward()


def test_a_misfit_state_lists_everything_and_changes_nothing():
    net = Net()
    before = numbers(net)
    state = {name: t + 1 for name, t in net.state_dict().items()}
    del state["scale"], state["norm.bias"]
    state |= {"extra": tinynorm.zeros(1), "first.weight": tinynorm.zeros(4, 9), "last.weight": "text"}
    with pytest.raises(RuntimeError) as error:
        net.load_state_dict(state)
    for part in (
        "missing: scale, norm.bias",
        "unexpected: extra",
        "first.weight: expected shape (4, 3), got (4, 9)",
        "last.weight: expected a tensor, got str",
    ):
        assert part in str(error.value)
    for name, array in numbers(net).items():
        np.testing.assert_array_equal(array, before[name])


def test_strict_false_passes_over_names_but_not_shapes():
    net = nn.Linear(2, 1)
    keys = net.load_state_dict({"weight": tinynorm.ones(1, 2), "other": tinynorm.ones(1)}, strict=False)
    assert keys == (["bias"], ["other"])
    assert net.weight.tolist() == [[1.0, 1.0]]
    with pytest.raises(RuntimeError, match=r"weight: expected shape \(1, 2\), got \(2, 1\)"):
        net.load_state_dict({"weight": tinynorm.ones(2, 1)}, strict=False)
    with pytest.raises(TypeError, match="expected a mapping from names to tensors, got list"):
        net.load_state_dict([])


def test_deepcopy_is_independent_and_keeps_what_is_shared():
    net = Net()
    net.twin = net.first
    net(tinynorm.randn(5, 3)).sum().backward()
    other = copy.deepcopy(net)
    assert all(p.grad is None for p in other.parameters())
    assert all(p.grad is not None for p in net.parameters())
    assert [name for name, _ in other.named_parameters()] == NAMES
    assert other.twin is other.first
    assert all(type(p) is nn.Parameter and p.requires_grad for p in other.parameters())
    with tinynorm.no_grad():
        other.scale.fill_(5)
    assert net.scale.item() == 1
    assert other(tinynorm.randn(5, 3)).shape == (5, 2)
    other.extra = nn.ReLU()
    assert "extra" not in dict(net.named_modules())


# ---- how it looks ----------------------------------------------------------------------------------------------------


def test_repr_is_an_indented_tree():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.1))
            self.act = nn.GELU()

        def extra_repr(self):
            return "depth=2"

    assert repr(Block()) == (
        "Block(\n"
        "  depth=2\n"
        "  (body): Sequential(\n"
        "    (0): Linear(in_features=2, out_features=3, bias=True)\n"
        "    (1): Dropout(p=0.1, inplace=False)\n"
        "  )\n"
        "  (act): GELU(approximate='none')\n"
        ")"
    )
    assert repr(nn.Module()) == "Module()"


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (nn.Linear(2, 3, bias=False), "Linear(in_features=2, out_features=3, bias=False)"),
        (nn.BatchNorm1d(3), "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"),
        (
            nn.InstanceNorm1d(3),
            "InstanceNorm1d(3, eps=1e-05, momentum=0.1, affine=False, bias=False, track_running_stats=False)",
        ),
        (nn.LayerNorm(3), "LayerNorm((3,), eps=1e-05, elementwise_affine=True, bias=True)"),
        (nn.RMSNorm((2, 3)), "RMSNorm((2, 3), eps=None, elementwise_affine=True)"),
        (nn.GroupNorm(2, 4), "GroupNorm(2, 4, eps=1e-05, affine=True, bias=True)"),
        (nn.GroupNorm(2, 4, bias=False), "GroupNorm(2, 4, eps=1e-05, affine=True, bias=False)"),
        (nn.Embedding(3, 4), "Embedding(3, 4)"),
        (nn.Embedding(3, 4, padding_idx=-2), "Embedding(3, 4, padding_idx=1)"),
        (nn.Unflatten(1, (2, 3)), "Unflatten(dim=1, unflattened_size=(2, 3))"),
        (nn.LeakyReLU(), "LeakyReLU(negative_slope=0.01)"),
        (nn.LeakyReLU(0.1, inplace=True), "LeakyReLU(negative_slope=0.1, inplace=True)"),
        (nn.ELU(0.5), "ELU(alpha=0.5)"),
        (nn.SiLU(), "SiLU()"),
        (nn.Softplus(2), "Softplus(beta=2, threshold=20.0)"),
        (nn.SmoothL1Loss(beta=2.0), "SmoothL1Loss()"),
        (nn.PReLU(3), "PReLU(num_parameters=3)"),
        (nn.Hardtanh(-2, 2.0, inplace=True), "Hardtanh(min_val=-2, max_val=2.0, inplace=True)"),
        (nn.Hardtanh(), "Hardtanh(min_val=-1.0, max_val=1.0)"),
        (nn.ReLU6(), "ReLU6()"),
        (nn.ReLU6(inplace=True), "ReLU6(inplace=True)"),
        (nn.SELU(True), "SELU(inplace=True)"),
        (nn.Mish(), "Mish()"),
        (nn.Hardswish(True), "Hardswish()"),
        (nn.Threshold(1.0, 2.0), "Threshold(threshold=1.0, value=2.0)"),
        (nn.Softmin(1), "Softmin(dim=1)"),
        (nn.GLU(0), "GLU(dim=0)"),
        (nn.Bilinear(2, 3, 4, False), "Bilinear(in1_features=2, in2_features=3, out_features=4, bias=False)"),
        (nn.CosineSimilarity(), "CosineSimilarity()"),
        (nn.TripletMarginLoss(), "TripletMarginLoss()"),
        (nn.Flatten(), "Flatten(start_dim=1, end_dim=-1)"),
        (nn.ReLU(inplace=True), "ReLU(inplace=True)"),
        (nn.Softmax(dim=1), "Softmax(dim=1)"),
        (nn.MSELoss(), "MSELoss()"),
    ],
)
def test_layers_show_their_settings(module, text):
    assert repr(module) == text


def test_a_module_that_is_none_is_shown():
    net = nn.Module()
    net.add_module("a", None)
    net.b = nn.ReLU()
    assert repr(net) == "Module(\n  (a): None\n  (b): ReLU()\n)"


# ---- the dicts of PyTorch's ------------------------------------------------------------------------------------------


def test_what_a_module_holds_is_there_as_dicts():
    net = Net()
    net.register_parameter("nothing", None)
    assert list(net._modules) == ["first", "norm", "last"]
    assert net._modules["norm"] is net.norm
    assert net._parameters == {"scale": net.scale, "nothing": None}
    assert list(net._buffers.items()) == [("shift", net.shift), ("cache", net.cache)]
    assert list(net._modules.values()) == list(net.children())
    assert repr(net._modules.keys()) == "dict_keys(['first', 'norm', 'last'])"
    assert (len(net._modules), len(net._parameters), "shift" in net._buffers, "shift" in net._modules) == (3, 2, True, False)
    assert net._modules.get("scale") is None
    with pytest.raises(KeyError, match="scale"):
        net._modules["scale"]
    assert repr(net.first._parameters).startswith("{'weight': Parameter containing:")


def test_what_is_written_into_the_dicts_is_registered():
    class Chain(nn.Module):
        def __init__(self, *modules):
            super().__init__()
            for i, module in enumerate(modules):
                self._modules[str(i)] = module

        def forward(self, x):
            for module in self._modules.values():
                x = module(x)
            return x

    chain = Chain(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    assert chain(tinynorm.ones(4, 2)).shape == (4, 1)
    assert len(list(chain.parameters())) == 4
    chain._modules["1"] = nn.Tanh()
    assert type(chain.get_submodule("1")) is nn.Tanh
    del chain._modules["2"]
    assert [name for name, _ in chain.named_children()] == ["0", "1"]
    assert chain._modules.pop("1").training
    assert not hasattr(chain, "1")
    with pytest.raises(TypeError, match="int to '3', which is registered as a module"):
        chain._modules["3"] = 5
    with pytest.raises(KeyError):
        del chain._modules["7"]


def test_a_state_dict_is_an_ordered_dict_and_loading_says_what_did_not_match():
    layer = nn.Linear(1, 1)
    state = layer.state_dict()
    assert type(state) is collections.OrderedDict
    assert repr(layer.load_state_dict(state)) == "<All keys matched successfully>"
    told = layer.load_state_dict({"weight": state["weight"], "more": state["bias"]}, strict=False)
    assert repr(told) == "_IncompatibleKeys(missing_keys=['bias'], unexpected_keys=['more'])"


@pytest.mark.parametrize("name", ["type", "float", "half"])
def test_a_number_may_have_the_name_of_a_conversion(name):
    net = nn.Linear(1, 1)
    setattr(net, name, 3)
    assert getattr(net, name) == 3
    with pytest.raises(AttributeError, match=f"'{name}': it is a method"):
        setattr(nn.Module(), name, nn.ReLU())


def test_type_converts_integers_too():
    net = Net()
    assert net.type(tinynorm.float64) is net
    assert {t.dtype for t in [*net.parameters(), *net.buffers()]} == {tinynorm.float64}


def test_flags_that_change_nothing_here_are_taken():
    net = Net()
    assert net.to("cpu", non_blocking=True, memory_format=None) is net


# ---- Parameter -------------------------------------------------------------------------------------------------------


def test_parameter_is_a_leaf_that_requires_grad_and_shares_memory():
    x = tinynorm.zeros(2)
    p = nn.Parameter(x)
    assert p.requires_grad
    assert p.is_leaf
    assert p.array is x.array
    assert type(p * 2) is tinynorm.Tensor
    assert repr(p) == "Parameter containing:\ntensor([0., 0.], requires_grad=True)"
    assert type(copy.deepcopy(p)) is nn.Parameter
    y = (p * p).sum()
    x += 1  # the same memory
    with pytest.raises(RuntimeError, match="changed it in place"):
        y.backward()


def test_integers_can_only_be_frozen_parameters():
    assert nn.Parameter(tinynorm.arange(2), requires_grad=False).dtype == tinynorm.int64
    with pytest.raises(RuntimeError, match="only floating-point tensors have gradients"):
        nn.Parameter(tinynorm.arange(2))


class Described(nn.Module):
    """With settings of two lines."""

    def __init__(self, *children):
        super().__init__()
        for i, child in enumerate(children):
            self.add_module(f"child{i}", child)

    def extra_repr(self):
        return "a=1,\nb=2"


def test_settings_of_several_lines_are_shown_a_line_each():
    assert repr(Described()) == "Described(\n  a=1,\n  b=2\n)"
    inner = "(child0): Described(\n    a=1,\n    b=2\n  )"
    assert repr(Described(Described())) == f"Described(\n  a=1,\n  b=2\n  {inner}\n)"


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(tinynorm.ones(1), requires_grad=False)
        self.n = nn.Parameter(tinynorm.arange(2), requires_grad=False)


def test_what_cannot_all_be_learnt_is_left_frozen():
    module = Counting()
    with pytest.raises(RuntimeError, match="only floating-point tensors have gradients, 'n' is int64"):
        module.requires_grad_()
    assert not module.w.requires_grad


# ---- a state loads whole or not at all ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros(2, complex), "bias: expected real numbers or booleans, got complex128"),
        (np.array(["a", "b"]), "bias: expected real numbers or booleans, got <U1"),
        (np.ma.masked_array([1.0, 2.0], [True, False]), "bias: expected a tensor, got a masked array"),
        ([1.0, 2.0], "bias: expected a tensor, got list"),
        (np.zeros((1, 2)), r"bias: expected shape \(2,\), got \(1, 2\)"),
    ],
)
def test_a_value_that_is_no_tensor_loads_nothing(value, message):
    layer = nn.Linear(2, 2)
    before = layer.weight.tolist()
    with pytest.raises(RuntimeError, match=rf"(?s)nothing loaded:.*{message}"):
        layer.load_state_dict({"weight": np.zeros((2, 2)), "bias": value})
    assert layer.weight.tolist() == before


def test_a_tensor_that_cannot_be_written_to_is_told_before_anything_is_loaded():
    layer = nn.Linear(2, 2)
    layer.bias.array = np.broadcast_to(np.float32(0), (2,))
    before = layer.weight.tolist()
    with pytest.raises(RuntimeError, match=r"(?s)nothing loaded:.*bias: the module's tensor of shape \(2,\) was expanded"):
        layer.load_state_dict({"weight": np.zeros((2, 2)), "bias": np.ones(2)})
    assert layer.weight.tolist() == before


def test_a_state_may_be_the_modules_own_memory_in_another_order():
    module = nn.ModuleList([nn.Linear(1, 2, bias=False), nn.Linear(1, 2, bias=False)])
    first, second = module[0].weight.tolist(), module[1].weight.tolist()
    state = module.state_dict()
    module.load_state_dict({"0.weight": state["1.weight"], "1.weight": state["0.weight"]})
    assert (module[0].weight.tolist(), module[1].weight.tolist()) == (second, first)


def test_a_copy_of_a_module_shares_its_parameters_and_nothing_else():
    layer = nn.Linear(1, 1)
    twin = copy.copy(layer)
    twin.extra = nn.Parameter(tinynorm.ones(1))
    del twin.bias
    twin.register_forward_hook(lambda module, args, y: y * 0)
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    assert [name for name, _ in twin.named_parameters()] == ["weight", "extra"]
    assert twin.weight is layer.weight
    assert "bias" in repr(layer)
    assert layer(tinynorm.ones(1)).item() == layer.weight.item() + layer.bias.item()


@pytest.mark.parametrize("kind", [*nn.__all__, *tinynorm.optim.lr_scheduler.__all__])
def test_the_error_of_a_wrong_call_names_the_class_that_was_called(kind):
    make = getattr(nn, kind, None) or getattr(tinynorm.optim.lr_scheduler, kind)
    if isinstance(make, type) and kind != "Identity":  # which takes anything
        with pytest.raises(TypeError, match=rf"^{kind}\.__(init|new)__\(\) .*'no_such'"):
            make(no_such=1)
    if kind in ("Softmax", "BatchNorm1d", "LambdaLR"):
        with pytest.raises(TypeError, match=rf"^{kind}\.__init__\(\) missing"):
            make()
