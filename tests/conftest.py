"""Every test that takes `device` runs on each device there is; TINYNORM_REQUIRE_CUDA=1 turns a missing GPU into a failure."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the test workers share the cores; this must come before NumPy

import pytest

import tinynorm


@pytest.fixture(params=["cpu", "cuda"])
def device(request):
    if request.param == "cuda" and not tinynorm.cuda.is_available():
        reason = f"no CUDA device: {tinynorm.cuda.why_not()}"
        if os.environ.get("TINYNORM_REQUIRE_CUDA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return request.param


@pytest.fixture(autouse=True)
def seeded():
    """Each test begins with the same random numbers, alone or in company."""
    tinynorm.manual_seed(0)
