"""PyTorch programs as people write them run by `tinynorm run`, not one line changed, and print what they print under PyTorch.

What they print under PyTorch is recorded by `record.py`. A number is printed to so few digits that the rounding of float32,
which differs with the order of a sum, does not show.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import some

HERE = Path(__file__).parent
PROGRAMS = sorted(HERE.glob("[0-9]*.py"))

# What a program of PyTorch's must find, because two or more of 192 public programs use it: each as a pattern.
NAMES = r"""
\.data\b  \.data\.numpy\(\)  \.data\.zero_\(\)  \.data\.norm\(  \w\.data\ [-+*]?=  init\.zeros_\(\w+\.bias\.data\)
\.data\.max\(1\)\[1\]  torch\.save\(  torch\.load\(  set_printoptions  LazyLinear  LazyBatchNorm1d  FloatTensor  LongTensor
torch\.Tensor\(2,\ 3\)  torch\.Tensor\(\[  torch\.normal\(  DataLoader\(  worker_init_fn=  num_workers=  pin_memory=
collate_fn=  [^_]sampler=  batch_sampler=  timeout=  persistent_workers=  torch\.mm\(  torch\.mv\(  torch\.dot\(  torch\.bmm\(
\.mm\(  \.mv\(  \.dot\(  \.bmm\(  multinomial  randn\(.*size=  rand\(.*size=  zeros\(.*size=  ones\(.*size=  \.zeros\(.*out=
out=  \.nelement\(\)  torch\.sin\(  torch\.cos\(  torch\.norm\(  \.norm\(  log10  accelerator  inference_mode  BCELoss
one_hot  square  add_\(.*alpha=  addcmul_  addcdiv_  scatter_\(  \.stride\(\)  einsum  nn\.Embedding\(  L1Loss  LeakyReLU
randn_like  rand_like  randint_like  Adadelta  torch\.Size  Variable  cumsum  clamp_min  multiply  F\.binary_cross_entropy\(
binary_cross_entropy_with_logits  F\.leaky_relu  optim\.RMSprop  RandomSampler  WeightedRandomSampler  SubsetRandomSampler
is_sparse  size_average=  is_tensor  chunk\(  \.split\(  unbind\(  \.repeat\(  \.tile\(  flip\(  \.prod\(  sort\(  argsort\(
topk\(  nonzero\(  torch\.where\([^,]*\)  isclose\(  isinf\(  tril\(  triu\(  outer\(  log1p\(  masked_fill\(  index_select\(
bincount\(  meshgrid\(  F\.normalize\(  F\.softplus\(  F\.silu\(  F\.elu\(  F\.l1_loss\(  F\.smooth_l1_loss\(  F\.huber_loss\(
F\.kl_div\(  torch\.pi  torch\.inf  torch\.nan  torch\.e\b  finfo\(  set_default_dtype  new_zeros  new_ones  nn\.SiLU  nn\.ELU
nn\.Softplus  nn\.ModuleDict  nn\.ParameterList  nn\.Unflatten  nn\.BCEWithLogitsLoss  nn\.SmoothL1Loss  nn\.HuberLoss
nn\.KLDivLoss  register_forward_pre_hook  register_full_backward_hook  \(Optimizer\)  self\.state\[p\]  self\.param_groups
step\(self,\ closure  optim\.Adagrad  ReduceLROnPlateau  SequentialLR  CosineAnnealingWarmRestarts  clip_grad_value_
parameters_to_vector  \(Dataset\)  \(IterableDataset\)  Subset\(  ConcatDataset\(  default_collate\(  \._parameters
\._buffers  \._modules  OrderedDict  \.type\(\)  sum\(input=  matmul\(input=.*other=  pow\(input=.*exponent=  permute\(dims=
reshape\(shape=  view\(size=  flatten\(input=  zeros_like\(input=  mode="  foreach=  fused=  capturable=  differentiable=
memory_format=  non_blocking=  named_parameters\(\),\ lr  torch\.tensor\(\[\]\)  torch\.add\(.*alpha=  torch\.sub\(.*alpha=
rounding_mode=  decimals=  2\ \*\*\ torch\.tensor\(\[-1,\ 3\]\)  F\.cross_entropy\(out,\ y,\ None,\ False\)  \*\ np\.sqrt
torch\.Tensor\(np\.array\(\[1,\ 2\]\)\)  np\.stack\(\[torch  np\.concatenate\(\[torch  \[0\]\ \*\ torch\.tensor\(3\)
==\ \[1,\ 2\]  np\.float64\(1\)  np\.float32\(2\)  autograd\.Function\)  ctx\.needs_input_grad  __main__  argparse
random_split  torch\.optim\.lr_scheduler  torch\.device\(  deepcopy  state_dict\(\)  retain_grad\(\)  gradcheck\(
"""
NAMES = re.findall(r"(?:\\ |\S)+", NAMES)


@pytest.fixture(scope="module")
def run():
    """Run a program and return [exit code, what it printed, the errors]."""
    command = [sys.executable, str(HERE / "run_each.py")]
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}  # as when recorded: what is deprecated warns in PyTorch too
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True) as runner:

        def run(*arguments):
            runner.stdin.write(json.dumps([str(argument) for argument in arguments]) + "\n")
            runner.stdin.flush()
            return json.loads(runner.stdout.readline())

        yield run
        runner.stdin.close()


def recorded(path):
    return (HERE / "recorded" / f"{path.stem}.txt").read_text()


@pytest.mark.parametrize("path", some(PROGRAMS, 2), ids=lambda path: path.stem)
def test_it_prints_what_it_prints_under_pytorch(path, run):
    code, printed, errors = run(path)
    assert (code, errors) == (0, "")
    assert printed.splitlines() == recorded(path).splitlines()


def test_the_command_itself_runs_one():
    command = [sys.executable, "-m", "tinynorm", "run", str(PROGRAMS[0])]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == recorded(PROGRAMS[0])


def test_each_program_is_recorded_and_there_are_enough():
    assert {path.stem for path in PROGRAMS} == {path.stem for path in (HERE / "recorded").glob("*.txt")}
    assert len(PROGRAMS) >= 40


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_it_is_a_pytorch_program_and_knows_nothing_of_tinynorm(path):
    text = path.read_text()
    assert re.search(r"^import torch\b|^from torch\b", text, re.MULTILINE)
    assert "tinynorm" not in text


def test_every_name_that_programs_use_is_used():
    text = "\n".join(path.read_text() for path in PROGRAMS)
    assert [name for name in NAMES if not re.search(name, text)] == []


@pytest.mark.parametrize("path", some(PROGRAMS, 8), ids=lambda path: path.stem)
def test_nothing_of_what_it_uses_is_called_missing(run, path):
    code, printed, _ = run("--missing", path)
    assert not code, printed
