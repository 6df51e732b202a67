"""Records what the programs print: python tests/programs/record.py [NAME ...], where PyTorch is installed.

Each program runs under PyTorch as it stands, in a process of its own. Only PyTorch's random numbers are replaced by those that
tinynorm draws for the same seed and in the same order, because the generators of the two differ. What a program prints goes to
recorded/NAME.txt; `test_programs.py` holds that `tinynorm run` prints the same.
"""

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent


def draw_as_tinynorm() -> None:
    """Replace what draws random numbers in PyTorch."""
    import torch
    from torch.utils.data import dataset, sampler

    import tinynorm
    from tinynorm.utils import data as ours

    class Generator(torch.Generator):
        """PyTorch's, to pass where its type is asked for, with the numbers of tinynorm's."""

        def __init__(self, device="cpu"):
            self.ours = tinynorm.Generator()

        def manual_seed(self, seed):
            self.ours.manual_seed(seed)
            return self

    def to_ours(x):
        if isinstance(x, torch.Tensor):
            return tinynorm.tensor(x.detach().numpy())
        if isinstance(x, torch.dtype):
            return str(x).removeprefix("torch.")
        if isinstance(x, torch.Size):
            return tuple(x)
        return x.ours if isinstance(x, Generator) else x

    def drawn(draw):
        """A function of PyTorch's that draws by this one of tinynorm's."""

        def function(*args, out=None, requires_grad=False, device=None, **kwargs):
            array = draw(*map(to_ours, args), **{name: to_ours(x) for name, x in kwargs.items()}).array
            made = torch.from_numpy(np.array(array))
            return (made if out is None else out.copy_(made)).requires_grad_(requires_grad)

        return function

    def filled(draw):
        """A function of PyTorch's that fills a tensor by this one of tinynorm's."""

        @torch.no_grad()
        def function(tensor, *args, **kwargs):
            empty = tinynorm.empty(tuple(tensor.shape), dtype=to_ours(tensor.dtype))
            array = draw(empty, *args, **{name: to_ours(x) for name, x in kwargs.items()}).array
            return tensor.copy_(torch.from_numpy(array))

        return function

    torch.Generator = Generator
    torch.manual_seed = tinynorm.manual_seed
    set_default_dtype = torch.set_default_dtype
    torch.set_default_dtype = lambda d: (set_default_dtype(d), tinynorm.set_default_dtype(to_ours(d)))[0]
    for name in ("rand", "randn", "randint", "randperm", "normal", "multinomial", "rand_like", "randn_like", "randint_like"):
        setattr(torch, name, drawn(getattr(tinynorm, name)))
    torch.bernoulli = torch.Tensor.bernoulli = drawn(tinynorm.bernoulli)
    torch.Tensor.multinomial = torch.multinomial
    theirs = torch.Tensor.random_
    for name in ("bernoulli_", "normal_", "random_", "uniform_"):
        setattr(torch.Tensor, name, filled(getattr(tinynorm.Tensor, name)))
    ours_random = torch.Tensor.random_

    def random_(tensor, *args, **kwargs):
        seed = not args and list(kwargs) == ["generator"]  # which a DataLoader draws for its workers, and tinynorm's does not
        return theirs(tensor) if seed else ours_random(tensor, *args, **kwargs)

    torch.Tensor.random_ = random_
    for name in ("trunc_normal_", "orthogonal_"):
        setattr(torch.nn.init, name, filled(getattr(tinynorm.nn.init, name)))
        getattr(torch.nn.init, name).__name__ = name

    def dropout(input, p=0.5, training=True, inplace=False):
        if not training or p == 0:
            return input
        kept = tinynorm.nn.functional.dropout(tinynorm.ones(tuple(input.shape)), p).array != 0
        out = torch.where(torch.from_numpy(kept), input / (1 - p), 0.0)
        return input.copy_(out) if inplace else out

    torch.nn.functional.dropout = dropout

    def order(self):
        n = range(len(self.data_source))
        return iter(list(ours.RandomSampler(n, self.replacement, self.num_samples, to_ours(self.generator))))

    def subset(self):
        return iter(list(ours.SubsetRandomSampler(self.indices, to_ours(self.generator))))

    def weighted(self):
        w = to_ours(self.weights)
        return iter(list(ours.WeightedRandomSampler(w, self.num_samples, self.replacement, to_ours(self.generator))))

    def split(data, lengths, generator=None):
        parts = ours.random_split(range(len(data)), lengths, to_ours(generator))
        return [dataset.Subset(data, [int(i) for i in part.indices]) for part in parts]

    sampler.RandomSampler.__iter__ = order
    sampler.SubsetRandomSampler.__iter__ = subset
    sampler.WeightedRandomSampler.__iter__ = weighted
    torch.utils.data.random_split = split


def run(path: str) -> None:
    draw_as_tinynorm()
    sys.argv = [path]
    runpy.run_path(path, run_name="__main__")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        run(sys.argv[2])
    else:
        names = sys.argv[1:] or [path.stem for path in sorted(HERE.glob("[0-9]*.py"))]
        for name in names:
            command = [sys.executable, "-W", "ignore", __file__, "--run", str(HERE / f"{name}.py")]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                print(f"{name}: {done.stderr}")
            else:
                (HERE / "recorded" / f"{name}.txt").write_text(done.stdout)
                print(f"{name}: {len(done.stdout.splitlines())} lines")
