"""Devices: what is said where CUDA does not work, moving, and random numbers. A stand-in for CuPy plays the GPU's part."""

import contextvars
import copy
import importlib.util
import pickle
import sys
import threading

import numpy as np
import pytest
from stand_in_cupy import module as stand_in
from stand_in_cupy import ndarray as OnGpu

import tinynorm as tn
from tinynorm import backend


@pytest.mark.parametrize(
    ("cupy", "reason", "fix"),
    [
        (None, "CuPy does not import", r"pip install 'cupy-cuda12x>=14'"),
        (stand_in(devices=0), "shows no GPU", "CUDA_VISIBLE_DEVICES"),
        (stand_in(error=OSError("driver too old")), "driver too old", "nvidia-smi"),
        (stand_in(compiles=False), "NVRTC is not found", r"cupy-cuda12x\[ctk\]"),
        (stand_in(product=0.0), "product came out as 126.0, not 56", r"cupy-cuda12x\[ctk\]"),
    ],
)
def test_where_cuda_does_not_work_it_says_why_and_what_to_do(with_cupy, cupy, reason, fix):
    with_cupy(cupy)
    assert not tn.cuda.is_available()
    assert tn.cuda.device_count() == 0
    assert not tn.accelerator.is_available()
    assert tn.accelerator.current_accelerator() is None
    tn.cuda.synchronize()  # nothing to wait for
    tn.cuda.empty_cache()  # nothing to free
    for ask in (lambda: tn.zeros(2, device="cuda"), lambda: tn.zeros(2).to("cuda"), lambda: tn.zeros(2).cuda()):
        with pytest.raises(RuntimeError, match=f"'cuda' is not available: .*{reason}.*{fix}"):
            ask()
    assert reason.split()[-1] in tn.cuda.why_not()


def test_where_cuda_works_tensors_move_there_and_back(with_cupy):
    cupy = stand_in()
    with_cupy(cupy)
    pool = cupy.get_default_memory_pool()
    assert tn.cuda.is_available()
    assert tn.cuda.why_not() == ""
    assert tn.cuda.device_count() == 1
    assert tn.accelerator.is_available()
    assert tn.accelerator.current_accelerator() == tn.device("cuda")
    tn.cuda.synchronize()
    tn.cuda.empty_cache()
    assert pool.freed == 1
    x = tn.tensor([1.0, 2.0])
    y = x.to("cuda")
    assert isinstance(y.array, OnGpu)
    assert y.device == tn.device("cuda:0")
    assert y.is_cuda
    assert "device='cuda:0'" in repr(y)
    assert y.to("cuda") is y
    assert y.to("cuda:0") is y
    assert isinstance(tn.zeros(3, device="cuda").array, OnGpu)
    back = y.cpu()
    assert type(back.array) is np.ndarray
    assert back.tolist() == [1.0, 2.0]
    with pytest.raises(RuntimeError, match=r"\.cpu\(\)"):
        y.numpy()


def test_mixed_devices_raise_and_name_both(with_cupy):
    with_cupy(stand_in())
    x, y = tn.ones(2), tn.ones(1, 2).to("cuda")
    with pytest.raises(RuntimeError, match="Add: expected all tensors on one device, got cpu and cuda:0"):
        x + y
    with pytest.raises(RuntimeError, match="got cuda:0 and cpu"):
        tn.nn.functional.layer_norm(y, 2, x)


def test_two_gpus_are_two_devices(with_cupy):
    with_cupy(stand_in(devices=2))
    first, second = tn.ones(2, device="cuda:0"), tn.ones(2, device="cuda:1")
    assert [t.device for t in (first, second)] == [tn.device("cuda:0"), tn.device("cuda:1")]
    for op in (lambda: first + second, lambda: tn.ops.cat([first, second]), lambda: first @ second):
        with pytest.raises(RuntimeError, match=r"got cuda:0 and cuda:1; move one with \.to\('cuda:0'\) or \.to\('cuda:1'\)"):
            op()
    with pytest.raises(RuntimeError, match="got cuda:1 and cuda:0"):
        second * first
    moved = second.to("cuda:0")
    assert moved is not second
    assert (first + moved).tolist() == [2.0, 2.0]
    assert second.to("cuda:1") is second
    assert second[:1].device == tn.device("cuda:1")
    with pytest.raises(RuntimeError, match=r"grad: expected .*'cuda:0'.*'cuda:1'"):
        first.grad = second
    module = tn.nn.Linear(2, 2).to("cuda:1")
    assert {str(p.device) for p in module.parameters()} == {"cuda:1"}
    module.weight.grad = tn.ones(2, 2, device="cuda:1")
    first.requires_grad_().grad = tn.ones(2, device="cuda:0")
    with pytest.raises(RuntimeError, match="clip_grad_norm_: expected all tensors on one device, got cuda:1 and cuda:0"):
        tn.nn.utils.clip_grad_norm_([module.weight, first], 1.0)


def test_device_reads_its_name():
    assert (tn.device("cuda:1").type, tn.device("cuda:1").index) == ("cuda", 1)
    assert tn.device("cuda", 1) == tn.device("cuda:1") == tn.device(tn.device("cuda:1"))
    assert len({tn.device("cpu"), tn.device("cpu"), tn.device("cuda")}) == 2
    assert tn.device("cpu") != "cpu"
    assert str(tn.device("cuda")) == "cuda"
    assert repr(tn.device("cuda:1")) == "device(type='cuda', index=1)"
    for bad in ("gpu", "cuda:x", "cuda:", "cpu:-1"):
        with pytest.raises(RuntimeError, match=r"expected 'cpu', 'cuda' or 'cuda:INDEX'"):
            tn.device(bad)


@pytest.mark.parametrize("name", ["erf", "erfc"])
def test_special_functions_without_scipy_are_the_same(monkeypatch, name):
    x = np.linspace(-6, 6, 101)
    with_scipy = backend.special(name, x)
    monkeypatch.setitem(sys.modules, "scipy", None)
    backend._host_special.cache_clear()
    try:
        np.testing.assert_allclose(backend.special(name, x), with_scipy, rtol=1e-14, atol=1e-300)
        assert backend.special(name, np.float32([0.5])).dtype == np.float32
        assert backend.special(name, np.asarray(0.5)).shape == ()
    finally:
        backend._host_special.cache_clear()


def test_a_seed_repeats_and_a_state_goes_on(device):
    tn.manual_seed(3)
    first = tn.randn(4, device=device)
    tn.manual_seed(3)
    assert tn.equal(first, tn.randn(4, device=device))
    assert tn.equal(first.cpu(), tn.randn(4, generator=tn.Generator().manual_seed(3)))
    g = tn.Generator().manual_seed(5)
    g.rng.random(10)
    state = g.get_state()
    expected = g.rng.random(3)
    assert (tn.Generator().set_state(state).rng.random(3) == expected).all()


def test_copies_of_a_generator_without_a_seed_give_the_same_numbers():
    generator = tn.Generator()
    copies = copy.deepcopy(generator), pickle.loads(pickle.dumps(generator))
    assert len({int(g.rng.integers(2**63)) for g in (generator, *copies)}) == 1


def again_without_the_variable(monkeypatch):
    """The module as it is where NumPy keeps its settings in no context variable."""
    monkeypatch.setattr(contextvars, "copy_context", dict)
    spec = importlib.util.spec_from_file_location("tinynorm.backend_again", backend.__file__)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    assert module._variable is None
    return module


@pytest.mark.parametrize("known", [True, False], ids=["variable", "errstate"])
def test_no_warnings_inside_and_the_setting_of_the_program_outside(monkeypatch, known):
    module = backend if known else again_without_the_variable(monkeypatch)

    @module.silent
    def function(fails=False):
        seen.append(np.geterr())
        if fails:
            raise KeyError
        return module.silent(np.geterr)()

    ignored, seen = {"divide": "ignore", "over": "ignore", "invalid": "ignore"}, []
    before = np.geterr()
    assert function() == seen[-1] == before | ignored
    assert np.geterr() == before
    with np.errstate(under="raise", over="raise"):
        assert function() == seen[-1] == before | ignored | {"under": "raise"}
        with pytest.raises(KeyError):
            function(fails=True)
        assert np.geterr() == before | {"under": "raise", "over": "raise"}
        thread = threading.Thread(target=function)
        thread.start(), thread.join()
        assert seen[-1] == before | ignored
    assert np.geterr() == before
