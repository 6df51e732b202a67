"""Sequential, ModuleList, ModuleDict, ParameterList and ParameterDict."""

import pytest

import tinynorm
from tinynorm import nn


class Add(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.n = n

    def forward(self, x):
        return 10 * x + self.n


def test_sequential_runs_in_order():
    assert nn.Sequential(Add(1), Add(2), Add(3))(0) == 123
    assert nn.Sequential()(5) == 5


def test_sequential_takes_names():
    net = nn.Sequential({"first": Add(1), "second": Add(2)})
    assert net(0) == 12
    assert net.second.n == 2
    assert [name for name, _ in net.named_children()] == ["first", "second"]
    assert [name for name, _ in net[1:].named_children()] == ["second"]


def test_a_repeated_module_runs_each_time():
    same = Add(1)
    net = nn.Sequential(same, same)
    assert net(0) == 11
    assert len(net) == 2


@pytest.mark.parametrize("kind", [lambda *m: nn.Sequential(*m), lambda *m: nn.ModuleList(m)])
def test_both_are_lists_of_modules(kind):
    a, b, c, d = (Add(i) for i in range(4))
    net = kind(a, b)
    assert net.append(c) is net
    net.extend([d])
    assert list(net) == [a, b, c, d]
    assert (net[0], net[-1], net[2]) == (a, d, c)
    assert type(net[1:3]) is type(net)
    assert list(net[1:3]) == [b, c]
    assert b in net
    assert Add(1) not in net
    del net[1]
    assert list(net) == [a, c, d]
    assert [name for name, _ in net.named_children()] == ["0", "1", "2"]
    net.insert(1, b)
    assert list(net) == [a, b, c, d]
    del net[2:]
    net[-1] = d
    assert list(net) == [a, d]
    assert len(net) == 2


def test_parameters_in_a_module_list_are_found():
    layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    assert [name for name, _ in layers.named_parameters()][:3] == ["0.weight", "0.bias", "1.weight"]
    assert len(nn.ModuleList()) == 0


@pytest.mark.parametrize("kind", [lambda *m: nn.Sequential(*m), lambda *m: nn.ModuleList(m)])
def test_errors_change_nothing(kind):
    net = kind(Add(0), Add(1))
    before = list(net)
    for change, error in (
        (lambda: net.append(max), TypeError),
        (lambda: net.insert(0, max), TypeError),
        (lambda: net.__setitem__(0, 3), TypeError),
        (lambda: net.__setitem__(2, Add(3)), IndexError),
        (lambda: net.__delitem__(5), IndexError),
        (lambda: net[2], IndexError),
    ):
        with pytest.raises(error):
            change()
    assert list(net) == before


def test_a_function_is_no_module():
    with pytest.raises(TypeError, match="Sequential: expected modules, got function as '1'"):
        nn.Sequential(nn.ReLU(), nn.functional.relu)
    with pytest.raises(TypeError, match="expected '0' to be a Module or None, got int"):
        nn.ModuleList([3])


def test_a_list_has_no_forward():
    with pytest.raises(NotImplementedError, match="ModuleList: it is a list and has no forward"):
        nn.ModuleList()(tinynorm.zeros(1))


def test_extending_by_what_is_no_module_adds_nothing():
    layers = nn.ModuleList([nn.ReLU()])
    with pytest.raises(TypeError, match="expected '2' to be a Module or None, got int"):
        layers.extend([nn.Tanh(), 3])
    assert len(layers) == 1


def test_none_keeps_its_place_among_the_modules():
    """As in PyTorch, where the modules after it have the names that its place leaves them."""
    layers = nn.ModuleList([None, nn.Linear(1, 1, bias=False)])
    layers.append(nn.Linear(2, 1, bias=False)).extend([None, nn.Linear(3, 1, bias=False)])
    assert list(layers.state_dict()) == ["1.weight", "2.weight", "4.weight"]
    assert (len(layers), layers[0], layers[2].in_features, layers[-1].in_features) == (5, None, 2, 3)
    del layers[1]
    layers.insert(1, None)
    assert [module and module.in_features for module in layers] == [None, None, 2, None, 3]
    assert [module and module.in_features for module in layers[2:]] == [2, None, 3]
    chain = nn.Sequential(nn.ReLU(), nn.Tanh())
    chain[0] = None
    assert list(chain[:]) == [None, chain[1]]
    assert chain[:1](3.0) == 3.0


@pytest.mark.parametrize("make", [lambda *m: nn.Sequential(*m), lambda *m: nn.ModuleList(m)])
@pytest.mark.parametrize("index", [2, 7, -3])
def test_deleting_beyond_the_end_is_an_error_and_deletes_nothing(make, index):
    layers = make(nn.ReLU(), nn.Tanh())
    with pytest.raises(IndexError, match=rf"index {index} is out of range: it holds 2 modules"):
        del layers[index]
    assert [type(m).__name__ for m in layers] == ["ReLU", "Tanh"]


@pytest.mark.parametrize("index", [0, 1, 2, -1, -3, slice(0, 2), slice(5, 9), slice(None, None, 2)])
def test_deleting_is_a_lists(index):
    layers, names = nn.ModuleList([nn.ReLU(), nn.Tanh(), nn.Sigmoid()]), ["ReLU", "Tanh", "Sigmoid"]
    del layers[index]
    del names[index]
    assert [type(m).__name__ for m in layers] == names
    assert [name for name, _ in layers.named_children()] == [str(i) for i in range(len(names))]


def test_a_list_shows_equal_modules_once():
    """As PyTorch prints it."""
    block = [nn.Sequential(nn.Linear(2, 2), nn.ReLU()) for _ in range(2)]
    assert repr(nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Tanh(), None, *block])) == (
        "ModuleList(\n"
        "  (0-1): 2 x ReLU()\n"
        "  (2): Tanh()\n"
        "  (3): None\n"
        "  (4-5): 2 x Sequential(\n"
        "    (0): Linear(in_features=2, out_features=2, bias=True)\n"
        "    (1): ReLU()\n"
        "  )\n"
        ")"
    )
    assert repr(nn.Sequential(nn.ReLU(), nn.ReLU())) == "Sequential(\n  (0): ReLU()\n  (1): ReLU()\n)"
    assert (repr(nn.ModuleList()), repr(nn.ModuleDict()), repr(nn.ParameterList())) == (
        "ModuleList()", "ModuleDict()", "ParameterList()",
    )  # fmt: skip


def test_a_list_grows_by_plus():
    layers = nn.ModuleList([nn.ReLU()])
    layers += [nn.Tanh()]
    assert [type(m).__name__ for m in layers] == ["ReLU", "Tanh"]


def kinds(layers):
    return [type(m).__name__ for m in layers]


@pytest.mark.parametrize("make", [lambda *layers: nn.Sequential(*layers), lambda *layers: nn.ModuleList(layers)])
def test_lists_are_joined_and_give_entries_away(make):
    first, second = make(nn.ReLU(), nn.Linear(2, 3)), make(nn.Tanh())
    joined = first + second
    assert type(joined) is type(first)
    assert kinds(joined) == ["ReLU", "Linear", "Tanh"]
    assert joined[1] is first[1]
    assert [name for name, _ in joined.named_children()] == ["0", "1", "2"]
    assert (len(first), len(second)) == (2, 1)
    assert type(joined.pop(1)) is nn.Linear
    assert (kinds(joined), [name for name, _ in joined.named_children()]) == (["ReLU", "Tanh"], ["0", "1"])
    assert kinds(joined.insert(0, nn.SiLU()).extend([nn.GELU()])) == ["SiLU", "ReLU", "Tanh", "GELU"]
    with pytest.raises(IndexError, match="index 9 is out of range"):
        joined.pop(9)


def test_sequentials_of_names_are_joined_by_numbers():
    named = nn.Sequential({"a": nn.ReLU()}) + nn.Sequential({"a": nn.Tanh()})
    assert list(named.state_dict()) == []
    assert [name for name, _ in named.named_children()] == ["0", "1"]
    with pytest.raises(ValueError, match=r"Sequential: expected a Sequential beside \+, got list; use extend"):
        named.__add__([nn.ReLU()])


def test_the_name_in_a_repr_is_get_name():
    class Layer(nn.Linear):
        def _get_name(self):
            return "Dense"

    assert repr(nn.Sequential(Layer(1, 2))) == "Sequential(\n  (0): Dense(in_features=1, out_features=2, bias=True)\n)"


def test_a_parameter_dict_makes_parameters_of_tensors():
    p = nn.Parameter(tinynorm.ones(2, 3))
    weights = nn.ParameterDict({"a": p, "b": tinynorm.zeros((), dtype="float64")})
    assert weights["a"] is p
    assert type(weights["b"]) is nn.Parameter
    weights["c"] = tinynorm.zeros(4)
    weights.update({"b": tinynorm.zeros(5)})
    weights.update(nn.ParameterDict([("d", tinynorm.zeros(6))]))
    assert {name: tuple(w.shape) for name, w in weights.items()} == {"a": (2, 3), "b": (5,), "c": (4,), "d": (6,)}
    assert (list(weights), len(weights), "a" in weights, "z" in weights) == (["a", "b", "c", "d"], 4, True, False)
    assert (weights.get("a") is p, weights.get("z"), weights.get("z", 1)) == (True, None, 1)
    assert weights.pop("d").shape == (6,)
    del weights["c"]
    net = nn.Module()
    net.weights = weights
    assert [name for name, _ in net.named_parameters()] == ["weights.a", "weights.b"]
    assert list(net.state_dict()) == ["weights.a", "weights.b"]
    assert repr(net) == (
        "Module(\n"
        "  (weights): ParameterDict(\n"
        "      (a): Parameter containing: [torch.FloatTensor of size 2x3]\n"
        "      (b): Parameter containing: [torch.FloatTensor of size 5]\n"
        "  )\n"
        ")"
    )
    with pytest.raises(TypeError, match="ParameterDict: expected 'x' to be a Tensor, got int"):
        weights["x"] = 3
    with pytest.raises(KeyError, match="z"):
        weights["z"]
    weights.clear()
    assert repr(weights) == "ParameterDict()"


def test_a_module_dict_is_a_dict_of_modules():
    layers = nn.ModuleDict({"relu": nn.ReLU(), "linear": nn.Linear(2, 1)})
    assert layers["linear"].out_features == 1
    assert (list(layers), len(layers), "relu" in layers, "tanh" in layers) == (["relu", "linear"], 2, True, False)
    assert [*layers.keys()] == ["relu", "linear"]
    assert [*layers.values()] == [layers["relu"], layers["linear"]]
    assert [*layers.items()] == [("relu", layers["relu"]), ("linear", layers["linear"])]
    assert [name for name, _ in layers.named_parameters()] == ["linear.weight", "linear.bias"]
    layers["tanh"] = nn.Tanh()
    layers.update([("relu", nn.GELU())])
    assert [type(m).__name__ for m in layers.values()] == ["GELU", "Linear", "Tanh"]
    assert type(layers.pop("linear")) is nn.Linear
    del layers["tanh"]
    assert repr(layers) == "ModuleDict(\n  (relu): GELU(approximate='none')\n)"
    layers.clear()
    assert len(layers) == 0
    with pytest.raises(KeyError, match="relu"):
        layers["relu"]
    with pytest.raises(TypeError, match="expected 'f' to be a Module or None, got function"):
        nn.ModuleDict({"f": lambda x: x})
    with pytest.raises(AttributeError, match="'keys': it is a method"):
        layers["keys"] = nn.ReLU()
    with pytest.raises(NotImplementedError, match="ModuleDict: define forward"):
        layers(1)


def test_a_parameter_list_makes_parameters_of_tensors():
    p = nn.Parameter(tinynorm.ones(2, 3))
    weights = nn.ParameterList([p, tinynorm.zeros(())])
    assert weights[0] is p
    assert type(weights[1]) is nn.Parameter
    weights.append(tinynorm.zeros(1))
    weights.extend([tinynorm.zeros(4)])
    weights[2] = tinynorm.ones(5, dtype="float64")
    assert [tuple(w.shape) for w in weights] == [(2, 3), (), (5,), (4,)]
    assert [name for name, _ in weights.named_parameters()] == ["0", "1", "2", "3"]
    assert list(weights[1:3]) == [weights[1], weights[2]]
    net = nn.Module()
    net.weights = weights
    assert repr(net) == (
        "Module(\n"
        "  (weights): ParameterList(\n"
        "      (0): Parameter containing: [torch.float32 of size 2x3]\n"
        "      (1): Parameter containing: [torch.float32 of size ]\n"
        "      (2): Parameter containing: [torch.float64 of size 5]\n"
        "      (3): Parameter containing: [torch.float32 of size 4]\n"
        "  )\n"
        ")"
    )
    for wrong in (lambda: weights.append(3), lambda: weights.extend([tinynorm.zeros(1), None])):
        with pytest.raises(TypeError, match=r"ParameterList: expected '[45]' to be a Tensor, got"):
            wrong()
    assert len(weights) == 4
    with pytest.raises(IndexError, match="index 4 is out of range: it holds 4 parameters"):
        weights[4]
