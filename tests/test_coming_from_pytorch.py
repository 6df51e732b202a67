"""What the README's "Coming from PyTorch" says is different on purpose: each line of its list is tried here."""

from pathlib import Path

import numpy as np
import pytest

import tinynorm as tn
from tinynorm import nn
from tinynorm.nn import functional as F

SECTION = (Path(__file__).parents[1] / "README.md").read_text().partition("## Coming from PyTorch")[2].partition("\n## ")[0]
ITEMS = [" ".join(item.split()) for item in SECTION.partition("What is different:")[2].split("\n- ")[1:]]
TRIED = {}


def tries(beginning):
    """Decorator: this test tries the item of the list that begins so."""

    def note(test):
        TRIED[beginning] = test
        return test

    return note


def test_every_item_of_the_list_is_tried():
    assert [[b for b in TRIED if item.startswith(b)] for item in ITEMS] == [[b] for b in TRIED]


@tries("The raw NumPy or CuPy array is `Tensor.array`")
def test_array_and_data():
    x = tn.ones(2)
    assert type(x.array) is np.ndarray
    assert type(x.data) is tn.Tensor
    assert tn.autograd.from_arrays(lambda a: (a * 2, None), lambda dout, cache: dout * 2)(x).tolist() == [2.0, 2.0]


@tries("The losses of pairs")
def test_losses_of_pairs_do_not_broadcast_and_softmax_wants_its_dim():
    for loss in (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss):
        with pytest.raises(RuntimeError, match="shape"):
            loss(tn.ones(3, 1), tn.ones(3))
    with pytest.raises(TypeError, match="dim"):
        F.softmax(tn.ones(2, 3))


@tries("A seed gives other random numbers")
def test_a_seed_gives_numpys_random_numbers():
    tn.manual_seed(0)
    assert tn.rand(1).item() != pytest.approx(0.4963, abs=1e-4)  # PyTorch's


@tries("A Function must not write into its inputs")
def test_a_function_must_not_write_into_its_inputs():
    writes = type("Writes", (tn.autograd.Function,), {"forward": staticmethod(lambda ctx, x: x.mul_(2))})
    with pytest.raises(RuntimeError, match=r"Writes.forward writes into its input.*mark_dirty"):
        writes.apply(tn.ones(2))


@tries("`DataLoader(num_workers=...)`")
def test_workers_are_none():
    loader = tn.utils.data.DataLoader([1, 2], num_workers=2, worker_init_fn=lambda k: pytest.fail("called"))
    assert [batch.tolist() for batch in loader] == [[1], [2]]


@tries("`sort` is always stable")
def test_sort_is_stable_and_norm_does_not_overflow():
    assert tn.sort(tn.tensor([1.0, 0.0, 1.0, 0.0]), descending=True).indices.tolist() == [0, 2, 1, 3]
    assert tn.topk(tn.tensor([1.0, 2.0, 2.0]), 1).indices.tolist() == [1]
    assert tn.tensor([3e30, 4e30]).norm().item() == pytest.approx(5e30)
    assert F.normalize(tn.tensor([3e30, 4e30]), dim=0).tolist() == pytest.approx([0.6, 0.8])


@tries("No pickle")
def test_whole_modules_are_not_saved(tmp_path):
    with pytest.raises(TypeError, match="state_dict"):
        tn.save(nn.Linear(1, 1), tmp_path / "model.pt")


@tries("Left out")
def test_what_is_left_out_says_so():
    with pytest.raises(AttributeError, match="left out"):
        nn.Conv3d  # noqa: B018
