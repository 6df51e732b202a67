"""PyTorch's names that tinynorm has not: which are left out on purpose, and what to write in place of others.

`missing` makes the ``__getattr__`` of a module, so that asking for such a name says what to do; ``tinynorm run --missing``
reads the same two tables. For a name that is in neither, the names that are spelled most like it are told.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

# why a family is left out -> the names in it, in whichever module. A pattern with a dot stands for the whole name
FAMILIES = {
    "other layers of images are left out: there are Conv1d, Conv2d, MaxPool2d, AvgPool2d and AdaptiveAvgPool2d": """
        conv3d Conv3d conv_* ConvTranspose* LazyConv* *pool1d *Pool1d *pool3d *Pool3d *unpool* *Unpool* adaptive_max_*
        AdaptiveMax* lp_pool* LPPool* fractional_* Fractional* *_with_indices Fold Unfold fold unfold Upsample* upsample*
        interpolate grid_sample* affine_grid* pixel_* Pixel* Channel* channel_* CrossMapLRN2d *Pad?d cudnn_* miopen_*
        mkldnn_*""",
    "packed sequences, and recurrent nets as functions, are left out: there are nn.RNN, LSTM and GRU, and their cells": """
        RNNBase RNNCellBase rnn* lstm* gru* nn.utils.rnn""",
    "attention is left out; softmax(q @ k.mT / math.sqrt(d), dim=-1) @ v is its formula": """
        MultiheadAttention Transformer* scaled_dot_product_attention multi_head_attention* nn.attention""",
    "sparse tensors are left out": "sparse sparse_* *_sparse* hspmm spmm smm sspaddmm *coo_tensor *csr* *csc*",
    "complex numbers are left out": """
        complex complex* cfloat cdouble chalf real imag angle polar conj conj_* view_as_real* view_as_complex* resolve_* isreal
        fft stft istft signal *_window""",
    "quantised numbers are left out": """
        q_* qint* quint* quantiz* *quantize* quantized_* ao fake_* fbgemm_* choose_qparams* qscheme""",
    "compiling and exporting are left out: the program runs as it is written": """
        jit compile compiler fx export onnx Script* library package func vmap cond while_loop""",
    "training on several devices or machines is left out": """
        distributed multiprocessing DataParallel nn.parallel SyncBatchNorm DistributedSampler futures cuda.nccl""",
    "mixed precision is left out; .half() or .to(torch.float16) converts a model, and sums are taken in float32": """
        amp *autocast* GradScaler bfloat16 BFloat16* float8_* float4_*""",
    "linear algebra is left out; numpy.linalg does it on x.detach().numpy(), without a gradient": """
        linalg cholesky* det logdet slogdet eig* symeig inverse pinverse lu* lstsq lobpcg qr svd* pca_lowrank matrix_* orgqr
        ormqr geqrf triangular_solve solve""",
    "probability distributions are left out; torch.randn, torch.rand and torch.multinomial draw": "distributions",
    "pretrained models are left out": "hub utils.model_zoo",
    "it is left out, as few programs use it": """
        acosh* arc* asinh* atanh* *gamma* erfinv i0* sinc* logit* xlogy* copysign frexp ldexp*
        nextafter
        *Storage as_strided* sym_* Sym* nested nn.intrinsic nn.qat *_copy *_scatter spectral_norm
        remove_spectral_norm nn.utils.parametri*""",
    "what CUDA's runtime reports and sets is left out": """
        cuda.*memory* cuda.*tream* cuda.Event cuda.*rng_state* cuda.*graph* cuda.*device_properties cuda.*capability
        cuda.initial_seed cuda.seed* cuda.nvtx""",
    "devices other than the CPU and CUDA are left out": "mps xpu mtia",
}

PACKAGES = {  # packages that stand on PyTorch itself
    "torchvision": "tinynorm.utils.datasets reads MNIST and Fashion-MNIST",
    "torchaudio": "read the sound into a NumPy array",
    "torchtext": "read the text with Python",
}

# what to write in place of a name
USE = {
    "absolute": "torch.abs(input)",
    "addmv": "input + mat @ vec",
    "addr": "input + torch.outer(vec1, vec2)",
    "aminmax": "x.amin(), x.amax()",
    "argwhere": "x.nonzero()",
    "asarray": "torch.as_tensor(x)",
    "autograd.backward": "loss.backward()",
    "autograd.profiler": "time.perf_counter()",
    "baddbmm": "input + batch1 @ batch2",
    "broadcast_tensors": "x.expand(shape) for each",
    "bucketize": "numpy.searchsorted(edges, x.numpy())",
    "chain_matmul": "a @ b @ c",
    "column_stack": "torch.stack(tensors, 1)",
    "concatenate": "torch.cat(tensors, dim)",
    "corrcoef": "numpy.corrcoef(x.numpy())",
    "count_nonzero": "(x != 0).sum()",
    "cov": "c @ c.T / (n - 1) of c = x - x.mean(1, keepdim=True)",
    "cpu": "torch.device('cpu')",
    "cross": "numpy.cross(a.numpy(), b.numpy())",
    "cuda.amp": "leave it out: .half() converts a model, and sums are taken in float32",
    "cuda.current_device": "torch.device('cuda')",
    "cuda.get_device_name": "torch.device('cuda')",
    "cuda.set_device": "device='cuda:1' where a tensor is made, or model.to('cuda:1')",
    "deg2rad": "x * (torch.pi / 180)",
    "dist": "(a - b).norm()",
    "exp2": "2 ** x",
    "fmax": "torch.maximum(a, b)",
    "fmin": "torch.minimum(a, b)",
    "greater": "a > b",
    "greater_equal": "a >= b",
    "heaviside": "(x > 0).float()",
    "inner": "a @ b",
    "is_nonzero": "bool(x)",
    "less": "a < b",
    "less_equal": "a <= b",
    "linalg.norm": "torch.norm(x)",
    "linalg.vector_norm": "torch.norm(x)",
    "moveaxis": "torch.movedim(x, source, destination)",
    "nanmean": "x[~x.isnan()].mean()",
    "nansum": "x[~x.isnan()].sum()",
    "negative": "-x",
    "nn.AlphaDropout": "nn.Dropout(p)",
    "nn.Buffer": "self.register_buffer(name, x)",
    "nn.Dropout1d": "nn.Dropout(p)",
    "nn.Dropout2d": "nn.Dropout(p)",
    "nn.EmbeddingBag": "nn.Embedding(n, d)(index).mean(1)",
    "nn.Module.register_backward_hook": "register_full_backward_hook(hook); its grad_input is that of the module's inputs",
    "nn.Softmax2d": "nn.Softmax(dim=1)",
    "nn.functional.dropout1d": "F.dropout(x, p, training)",
    "nn.functional.dropout2d": "F.dropout(x, p, training)",
    "nn.functional.pad": "torch.cat([x, x.new_zeros(…)], dim)",
    "nn.utils.clip_grad_norm": "nn.utils.clip_grad_norm_(parameters, max_norm)",
    "nn.utils.prune": "p.data[mask] = 0 for each parameter",
    "not_equal": "a != b",
    "optim.Adafactor": "optim.Adam",
    "optim.Muon": "optim.Adam",
    "optim.SparseAdam": "optim.Adam",
    "optim.lr_scheduler.CyclicLR": "OneCycleLR, or LambdaLR(optimizer, function of the step)",
    "optim.swa_utils": "p.mul_(decay).add_(q, alpha=1 - decay) for each parameter, under torch.no_grad()",
    "profiler": "time.perf_counter()",
    "promote_types": "(a + b).dtype",
    "quantile": "numpy.quantile(x.detach().numpy(), q)",
    "rad2deg": "x * (180 / torch.pi)",
    "range": "torch.arange(start, end + 1, step)",
    "result_type": "(a + b).dtype",
    "row_stack": "torch.cat(tensors)",
    "scalar_tensor": "torch.tensor(number)",
    "searchsorted": "numpy.searchsorted(x.numpy(), v.numpy())",
    "select": "x[index]",
    "set_default_device": "device=… where a tensor is made, and model.to(device)",
    "set_default_tensor_type": "torch.set_default_dtype(dtype)",
    "set_flush_denormal": "leave it out: numbers below the normal range stay as they are",
    "special": "torch.erf, torch.exp … by their own names",
    "storage": "x.numpy()",
    "swapdims": "torch.transpose(x, a, b)",
    "take": "x.flatten()[index]",
    "trapezoid": "numpy.trapezoid(y.numpy(), x.numpy())",
    "tril_indices": "torch.ones(n, n).tril().nonzero().T",
    "triu_indices": "torch.ones(n, n).triu().nonzero().T",
    "utils.tensorboard": "from tensorboardX import SummaryWriter",
    "vdot": "torch.dot(a, b)",
}


def advice(name: str) -> str:
    """What to do about a name that tinynorm has not.

    >>> import tinynorm
    >>> advice("nn.MultiheadAttention")
    'attention is left out; softmax(q @ k.mT / math.sqrt(d), dim=-1) @ v is its formula'
    >>> advice("range"), advice("functional.relu")
    ('use torch.arange(start, end + 1, step)', 'use torch.relu')
    """
    parts = name.split(".")
    for end in range(1, len(parts) + 1):  # the whole of a module may be left out: linalg, distributed
        part, last = ".".join(parts[:end]), parts[end - 1]
        if name not in USE and part in USE:
            name = part
        for why, patterns in FAMILIES.items():
            if name not in USE and any(fnmatchcase(part if "." in p else last, p) for p in patterns.split()):
                return why
    if name in USE:
        return USE[name] if USE[name].startswith("leave it out") else f"use {USE[name]}"
    return _elsewhere(parts[-1]) or _closest(".".join(parts[:-1]), parts[-1])


def _elsewhere(name: str) -> str:
    """The same name in another module, or as a method; "" if there is none."""
    for place in ("", ".nn.functional", ".nn", ".optim", ".utils.data"):
        if name in getattr(sys.modules[f"tinynorm{place}"], "__all__", ()):
            return f"use torch{place}.{name}"
    methods = vars(sys.modules["tinynorm"].Tensor)
    if name.endswith("_") and name not in methods and name[:-1] in methods:
        return f"use x.copy_(x.{name[:-1]}(…))"
    return f"use the method x.{name}(…)" if name in methods else ""


def _closest(place: str, name: str) -> str:
    from difflib import get_close_matches  # not loaded before somebody asks

    module = sys.modules.get(f"tinynorm.{place}", sys.modules["tinynorm"])
    known = [known for known in dir(module) if not known.startswith("_")]
    close = get_close_matches(name, known, 3) or get_close_matches(name.lower(), known, 3)
    return f"the closest names are {', '.join(close)}" if close else "no name is like it; the README lists those that there are"


def missing(module: str, late: Callable[[str], Any] = lambda name: None) -> Callable[[str], Any]:
    """The ``__getattr__`` of a module of tinynorm's: loads what `late` has, else raises AttributeError with what to do.

    >>> import tinynorm
    >>> tinynorm.nn.Conv3d
    Traceback (most recent call last):
    AttributeError: module 'tinynorm.nn' has no attribute 'Conv3d': other layers of images are left out: there are Conv1d,
    Conv2d, MaxPool2d, AvgPool2d and AdaptiveAvgPool2d
    """

    def __getattr__(name: str) -> Any:
        if name.startswith("_"):  # Python asks for __path__, __wrapped__ …; private names are nobody's
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        if (value := late(name)) is not None:
            return value
        text = f"module {module!r} has no attribute {name!r}: {advice(f'{module}.{name}'.partition('.')[2])}"
        if _is_import(sys._getframe(1)):  # of an AttributeError, Python would only say "cannot import name"
            raise ImportError(text)
        raise AttributeError(text)

    return __getattr__


def _is_import(frame: Any) -> bool:
    """Whether the frame is at ``from module import name``."""
    from opcode import opmap

    return frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == opmap["IMPORT_FROM"]
