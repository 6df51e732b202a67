"""`tinynorm run FILE.py`: as `python FILE.py`, with tinynorm in PyTorch's place. `--missing`: what is not there, by reading."""

import json
import re
import subprocess
import sys
from textwrap import dedent

import pytest
from helpers import some

from tinynorm.command.find_missing import is_there, uses
from tinynorm.command.main import main
from tinynorm.left_out import advice


def tinynorm(*arguments, cwd=None, code="from tinynorm.command.main import main; import sys; sys.exit(main())"):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, stdin=subprocess.DEVNULL)


def written(folder, name, code):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(dedent(code))
    return path


def as_python(path, *arguments, cwd=None):
    """What both print: `python FILE` and `tinynorm run FILE`, which must be the same."""
    python = subprocess.run(
        [sys.executable, path, *arguments], capture_output=True, text=True, cwd=cwd, stdin=subprocess.DEVNULL
    )
    ours = tinynorm("run", path, *arguments, cwd=cwd)
    assert (ours.stdout, ours.stderr, ours.returncode) == (python.stdout, python.stderr, python.returncode)
    return python


# ---- as python FILE --------------------------------------------------------------------------------------------------------


def test_the_surroundings_are_those_of_python(tmp_path):
    written(tmp_path, "beside.py", "number = 7")
    program = """
        import sys, os, beside
        print(__name__, __file__, sys.argv, sys.path[0], __package__, __spec__, __doc__, beside.number)
        print(sys.modules["__main__"].__dict__ is globals(), type(__loader__).__name__, __builtins__.__name__)
        print(os.getcwd(), input if False else sys.stdin.read())
    """
    path = written(tmp_path, "program.py", program)
    for arguments in ((), ("--missing", "-h", "a b", "--lr=0.1", "--")):
        assert "program.py" in as_python(path, *arguments).stdout
    assert str(tmp_path) in as_python("program.py", "1", cwd=tmp_path).stdout


def test_what_is_in_main_can_be_pickled(tmp_path):
    program = """
        import pickle
        class A: pass
        print(type(pickle.loads(pickle.dumps(A()))) is A)
    """
    assert as_python(written(tmp_path, "program.py", program)).stdout == "True\n"


@pytest.mark.parametrize("line", some(["sys.exit('a text')", "sys.exit()", "f()", "exit(3)", "os._exit(5)", "def"], 2))
def test_exit_codes_and_tracebacks_are_those_of_python(tmp_path, line):
    program = f"""
        import os, sys
        def f():
            try:
                return {{}}["missing"]
            except KeyError as error:
                raise ValueError("of f") from error

        print("before", flush=True)
        {line}
    """
    as_python(written(tmp_path, "program.py", program))


def test_a_traceback_points_into_the_program(tmp_path):
    program = """
        import torch
        x = torch.ones(2, 3)
        y = x.view(7)
    """
    ran = tinynorm("run", written(tmp_path, "program.py", program))
    lines = ran.stderr.splitlines()
    assert ran.returncode == 1
    assert lines[:3] == [
        "Traceback (most recent call last):",
        f'  File "{tmp_path}/program.py", line 4, in <module>',
        "    y = x.view(7)",
    ]
    assert "command" not in ran.stderr
    assert lines[-1].startswith("RuntimeError: ")


def test_a_method_that_is_missing_says_what_to_do(tmp_path):
    ran = tinynorm("run", written(tmp_path, "program.py", "import torch\ntorch.ones(2, 2).quantile()"))
    assert ran.stderr.splitlines()[-2:] == [
        "AttributeError: 'Tensor' object has no attribute 'quantile'",
        "(tinynorm: use numpy.quantile(x.detach().numpy(), q))",
    ]


def test_a_list_where_a_tensor_belongs_is_told(tmp_path):
    for call in ("mean([1.0, 2.0])", "exp_(2.0)", "cumsum((1, 2), 0)"):
        ran = tinynorm("run", written(tmp_path, "program.py", f"import torch\ntorch.{call}"))
        assert re.search(r"expected a Tensor.*, got (list|float|tuple)", ran.stderr.splitlines()[-1]), ran.stderr


def test_an_interruption_ends_it_as_the_shell_says(tmp_path):
    ran = tinynorm("run", written(tmp_path, "program.py", "raise KeyboardInterrupt"))
    assert ran.returncode == 130
    assert "program.py" in ran.stderr


# ---- PyTorch is tinynorm ---------------------------------------------------------------------------------------------------


def test_pytorchs_modules_are_tinynorms(tmp_path):
    program = """
        import torch
        import torch as t, torch.nn as nn
        import torch.nn.functional as F
        import torch.optim.lr_scheduler
        import torch.utils.data as data
        from torch.utils.data import DataLoader as DL, TensorDataset
        from torch.utils.data.dataset import Dataset
        from torch.utils.data.sampler import SubsetRandomSampler
        from torch.nn.parameter import Parameter
        from torch.nn.modules.module import Module
        from torch.optim.optimizer import Optimizer
        from torch.autograd import Function
        from torch.nn import init
        import torch.nn.utils, torch.cuda, torch.nn.modules.loss
        assert torch.nn.modules.loss.MSELoss is torch.nn.modules.MSELoss is nn.MSELoss
        assert torch.utils.data.dataset.Subset is data.Subset and isinstance(nn.Linear(1, 1), torch.nn.modules.module.Module)
        import tinynorm
        import tinynorm.nn.functional
        print(torch is t is tinynorm, torch.nn.functional is F is tinynorm.nn.functional, torch.utils.data is data)
        print(nn.Module is Module is tinynorm.nn.Module, Parameter is nn.Parameter, Optimizer is torch.optim.Optimizer)
        print(Dataset is data.Dataset, DL is data.DataLoader, Function is torch.autograd.Function, init is nn.init)
        print(torch.nn.utils.clip_grad_norm_.__name__, torch.cuda.is_available() in (True, False), torch.tensor([1.0]).shape)
    """
    ran = tinynorm("run", written(tmp_path, "program.py", program))
    assert ran.stderr == ""
    assert set(ran.stdout.replace("clip_grad_norm_", "True").replace("torch.Size([1])", "True").split()) == {"True"}


def test_a_whole_program_trains(tmp_path):
    program = """
        import torch
        from torch import nn, optim
        torch.manual_seed(0)
        x = torch.randn(64, 3)
        y = (x.sum(1, keepdim=True) > 0).float()
        net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
        opt = optim.Adam(net.parameters(), lr=0.05)
        for _ in range(50):
            opt.zero_grad()
            loss = nn.functional.mse_loss(net(x), y)
            loss.backward()
            opt.step()
        print(loss.item() < 0.1)
        print(loss)
    """
    ran = tinynorm("run", written(tmp_path, "program.py", program))
    assert ran.stdout.startswith("True\ntensor(0.0")
    assert ran.stdout.endswith(", grad_fn=<MseLossBackward0>)\n")


MISSING = {  # a line -> what the error says
    "torch.nn.Conv3d": "AttributeError: module 'tinynorm.nn' has no attribute 'Conv3d': other layers of images are left out",
    "from torch.nn import Fold": "ImportError: module 'tinynorm.nn' has no attribute 'Fold': other layers of images",
    "from torch import linalg": "ImportError: module 'tinynorm' has no attribute 'linalg': linear algebra is left out",
    "import torch.linalg": "ModuleNotFoundError: No module named 'torch.linalg' in tinynorm: linear algebra is left out",
    "from torch.utils.tensorboard import SummaryWriter": "in tinynorm: use from tensorboardX import SummaryWriter",
    "import torch.xyzzy": "ModuleNotFoundError: No module named 'torch.xyzzy' in tinynorm: no name is like it",
    "import torch.testing": "ModuleNotFoundError: No module named 'torch.testing' in tinynorm: tinynorm.testing is a module of",
    "import torchvision": "ModuleNotFoundError: torchvision needs PyTorch itself; tinynorm.utils.datasets reads MNIST",
}


def test_what_is_missing_says_what_to_do(tmp_path):
    program = f"""
import torch
for line in {list(MISSING)}:
    try:
        exec(line)
    except (AttributeError, ImportError) as error:
        print(f"{{type(error).__name__}}: {{error}}")
"""
    lines = tinynorm("run", written(tmp_path, "program.py", program)).stdout.splitlines()
    assert len(lines) == len(MISSING)
    assert [says for line, says in zip(lines, MISSING.values(), strict=True) if says not in line] == []


def test_an_import_that_fails_points_into_the_program(tmp_path):
    ran = tinynorm("run", written(tmp_path, "program.py", "import torch\nimport torch.linalg\n"))
    assert ran.returncode == 1
    assert f'File "{tmp_path}/program.py", line 2, in <module>' in ran.stderr


def test_pytorch_that_is_imported_already_is_an_error(tmp_path):
    code = """
import sys, types
sys.modules["torch"] = types.ModuleType("torch")
from tinynorm.command.main import main
sys.exit(main())
"""
    ran = tinynorm("run", written(tmp_path, "program.py", "print(1)"), code=code)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("tinynorm run: PyTorch itself is already imported in this process")


def test_a_file_that_is_missing_is_an_error(capsys):
    assert main(["run", "missing.py"]) == 2
    assert capsys.readouterr().err == "tinynorm run: missing.py: cannot be read: No such file or directory\n"


# ---- notebooks -------------------------------------------------------------------------------------------------------------


def notebook(folder, *codes):
    cells = [{"cell_type": "markdown", "source": ["# A title"]}]
    cells += [{"cell_type": "code", "source": code.splitlines(keepends=True), "outputs": []} for code in codes]
    path = folder / "notebook.ipynb"
    path.write_text(json.dumps({"cells": cells, "nbformat": 4}))
    return path


def test_a_notebooks_cells_run_in_their_order(tmp_path):
    cells = [
        "%matplotlib inline\nimport torch\n!pip install torch\nx = torch.arange(3)",
        "for _ in range(1):\n    %time y = x + 1\nx",
        "%%bash\necho no Python",
        "!ls\ny = (7\n  % 4)\nx.sum?\ny",
        "x.sum();",
        "None",
        "display(x * 2)\n'text'",
    ]
    ran = tinynorm("run", notebook(tmp_path, *cells))
    assert ran.stdout == "tensor([0, 1, 2])\n3\ntensor([0, 2, 4])\n'text'\n"
    assert ran.stderr.splitlines() == [
        "notebook.ipynb, cell 2: left out: %matplotlib inline",
        "notebook.ipynb, cell 2: left out: !pip install torch",
        "notebook.ipynb, cell 3: left out: %time y = x + 1",
        "notebook.ipynb, cell 4: left out: %%bash and what follows",
        "notebook.ipynb, cell 5: left out: !ls",
        "notebook.ipynb, cell 5: left out: x.sum?",
    ]
    assert ran.returncode == 0


def test_a_notebooks_traceback_shows_the_cell(tmp_path):
    ran = tinynorm("run", notebook(tmp_path, "def f():\n    return 1 / 0", "f()"))
    assert 'File "<notebook.ipynb, cell 3>", line 1, in <module>\n    f()' in ran.stderr
    assert 'File "<notebook.ipynb, cell 2>", line 2, in f\n    return 1 / 0' in ran.stderr
    assert "command" not in ran.stderr


def test_a_file_that_is_no_notebook_is_an_error(tmp_path):
    ran = tinynorm("run", written(tmp_path, "x.ipynb", "print(1)"))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "it is no notebook with cells" in " ".join(ran.stderr.split())


# ---- --missing -------------------------------------------------------------------------------------------------------------


def names(code):
    return [(use.name, use.line) for use in uses(dedent(code))]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import torch\ntorch.ones(2)\ntorch.linalg.inv(x)", [("torch.linalg", 3)]),
        ("import torch as t\nt.nn.Conv3d(3, 4)", [("torch.nn.Conv3d", 2)]),
        ("from torch import nn as n\nn.Conv3d(1, 1, 1)", [("torch.nn.Conv3d", 2)]),
        ("import torch.nn.functional as F\nF.max_pool3d(x, 2)\nF.relu(x)", [("torch.nn.functional.max_pool3d", 2)]),
        ("import torch.nn as nn\nclass A(nn.Transformer): pass", [("torch.nn.Transformer", 2)]),
        ("from torch.utils.data import DataLoader as DL, DistributedSampler", [("torch.utils.data.DistributedSampler", 1)]),
        ("from torch.utils.tensorboard import SummaryWriter", [("torch.utils.tensorboard", 1)]),
        ("import torch.utils.data\ntorch.utils.data.xyzzy", [("torch.utils.data.xyzzy", 2)]),
        ("import torch\nF = torch.nn.functional\nF.conv3d(x)", [("torch.nn.functional.conv3d", 3)]),
        ("import torch\ntorch.ones(3).linalg.xyzzy()", []),  # of a tensor, not of a module
        ("import torch\ntorch.float32.xyzzy\ntorch.Tensor.xyzzy", []),
        ("import torch.nn as nn\ndef f(nn):\n    return nn.Conv3d", []),
        ("import torch.nn as nn\ndef f(x):\n    return nn.Conv3d", [("torch.nn.Conv3d", 3)]),
        ("import torch.nn as nn\nf = lambda nn: nn.Conv3d\ng = lambda x: nn.Transformer", [("torch.nn.Transformer", 3)]),
        ("import torch as t\ndef f(x):\n    t = x.T\n    return t.jit", []),
        ("import torch as t\nt = 3\nt.jit", []),
        ("def f():\n    import torch as t\n    return t.jit\nt.jit", [("torch.jit", 3)]),
        ("@torch.jit.script\ndef f(): pass", []),  # not imported
        ("import torch\n@torch.jit.script\ndef f(x=torch.fft): pass", [("torch.fft", 3), ("torch.jit", 2)]),
        ("import torch\nclass A:\n    def f(self):\n        return [torch.compile(x) for x in y]", [("torch.compile", 4)]),
        ("import torchvision\nfrom torchvision import datasets", [("torchvision", 1), ("torchvision", 2)]),
        ("from .torch import nn\nfrom nottorch import x\nimport torchish", []),
        ("from torch.nn import *\nfrom torch.nn.modules.loss import MSELoss\nfrom torch.utils.data.sampler import xyzzy", [
            ("torch.utils.data.sampler.xyzzy", 3)
        ]),
        ("import torch\ntorch.cuda.amp.autocast()\ntorch.backends.cudnn.deterministic = True", [
            ("torch.cuda.amp", 2)
        ]),
        ("import numpy as np\nnp.linalg.inv(x)", []),
        ("import torch\nx.quantile(0.5)\nx.cumsum_(0).exp()", [("torch.Tensor.cumsum_", 3), ("torch.Tensor.quantile", 2)]),
        ("import numpy as np\nnp.quantile(x, 0.5)\nclass A:\n    def quantile(self): pass\nA().quantile()", []),
        ("import torch\n'a'.range\nx.xyzzy()\nx.__exp__()\nx.item_()", [("torch.Tensor.item_", 5)]),
        ("from torch import nn, save\nclass A(nn.Module): 1\nclass B(A): 1\nb = B().to(d)\nsave(b)\nsave(b.state_dict())", [
            ("torch.save(a whole module)", 5)
        ]),
        ("import torch as t\nclass A:\n  def f(s):\n    s.g = t.nn.ReLU()\n    t.save(s.g, 'f')\na = A()\nt.save(a)", [
            ("torch.save(a whole module)", 5)
        ]),
        ("import torch\nfor m in net: m.register_backward_hook(h)", [("torch.nn.Module.register_backward_hook", 2)]),
        ("from torch import nn\nnn.Softmax()(x)\nnn.Softmax(1)\nnn.LogSoftmax(dim=1)", [("torch.nn.Softmax()", 2)]),
    ],
)  # fmt: skip
def test_the_names_that_are_missing_are_found_by_reading(code, found):
    assert sorted(names(code)) == found


def test_what_is_there_is_not_listed():
    assert is_there("nn.functional.relu")
    assert is_there("Tensor.xyzzy")
    assert is_there("nn.modules.batchnorm.BatchNorm1d")
    assert not is_there("nn.functional.xyzzy")
    assert not is_there("xyzzy.relu")


def test_the_list_has_files_lines_and_what_to_write(tmp_path, capsys):
    first = written(tmp_path, "a.py", "import torch\ntorch.quantile(x, 0.5)\ntorch.ones(1)\ntorch.quantile(y, 0.5)\n")
    written(tmp_path, "folder/b.py", "print('nothing of PyTorch')\n")
    (tmp_path / "folder" / "c.txt").write_text("import torch; torch.fft")
    book = notebook(tmp_path / "folder", "%matplotlib inline\nfrom torch import nn", "nn.Conv3d(1, 1)")
    assert main(["run", "--missing", str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{first}:2, 4: torch.quantile: use numpy.quantile(x.detach().numpy(), q)",
        f"{book}:cell 3, line 1: torch.nn.Conv3d: {advice('nn.Conv3d')}",
        "2 names missing in 2 of 3 files",
    ]
    assert main(["run", "--missing", str(tmp_path / "folder" / "b.py")]) == 0
    assert capsys.readouterr().out == f"nothing is missing in {tmp_path}/folder/b.py\n"


def test_missing_runs_nothing(tmp_path, capsys):
    assert main(["run", "--missing", str(written(tmp_path, "a.py", "raise SystemExit(7)"))]) == 0


@pytest.mark.parametrize("code", ["def", "x = '\0'"])
def test_a_file_that_cannot_be_parsed_is_an_error(tmp_path, capsys, code):
    assert main(["run", "--missing", str(written(tmp_path, "a.py", code))]) == 2
    assert "a.py" in capsys.readouterr().err


def test_an_empty_folder_is_an_error(tmp_path, capsys):
    assert main(["run", "--missing", str(tmp_path)]) == 2
    assert "there is no Python file and no notebook in it" in " ".join(capsys.readouterr().err.split())


def test_the_usual_helper_that_sets_all_seeds_runs(tmp_path):
    program = """
        import torch
        import torch.backends.cudnn as cudnn
        torch.manual_seed(1)
        torch.cuda.manual_seed(1)
        torch.cuda.manual_seed_all(1)
        torch.backends.cudnn.deterministic = True
        cudnn.benchmark = False
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.set_float32_matmul_precision('high')
        torch.set_num_threads(1)
        torch.autograd.set_detect_anomaly(False)
        torch.cuda.empty_cache()
        print('mps' if torch.backends.mps.is_available() else 'cpu', torch.rand(1).item() != 0)
    """
    run = tinynorm("run", written(tmp_path, "seeds.py", program))
    assert (run.stdout, run.stderr) == ("cpu True\n", "")
