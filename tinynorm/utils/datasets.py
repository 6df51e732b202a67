"""MNIST and Fashion-MNIST: download the missing IDX files and read them."""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import os
import re
import urllib.request
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from urllib.error import HTTPError

import numpy as np

from ..files import check_regular, replacing

IDX_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}  # third byte of the file
CHUNK = 1 << 16
# A gzip file of 1 MB can unpack to 1 GB. So a file that would unpack to more than both limits, MOST_UNPACKED bytes and
# MOST_TIMES its size, is refused. (Images and labels compress to about a tenth.)
MOST_UNPACKED, MOST_TIMES = 1 << 26, 100
LARGEST_DOWNLOAD = 1 << 28  # bytes; the largest known file has 26 MB


@dataclass(frozen=True)
class Source:
    """The address of a data set's files, and the SHA-256 of each file."""

    base_url: str
    sha256: Mapping[str, str]


# The digests come from TensorFlow Datasets (github.com/tensorflow/datasets, tensorflow_datasets/url_checksums/mnist.txt and
# fashion_mnist.txt), which downloads from the same addresses.
SOURCES = {
    "mnist": Source(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        {
            "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
    ),
    "fashion-mnist": Source(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        {
            "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        },
    ),
}


class Images(NamedTuple):
    """A data set of labelled images: the training part and the test part."""

    x_train: np.ndarray  # (N, H, W), uint8
    y_train: np.ndarray  # (N,), int64
    x_test: np.ndarray  # (M, H, W), uint8
    y_test: np.ndarray  # (M,), int64


# ---- IDX -----------------------------------------------------------------------------------------------------------


def read_idx(path: str | os.PathLike) -> np.ndarray:
    """Read an IDX file, plain or gzipped. The first bytes of the file, not its name, show which one it is.

    The format: two zero bytes, a byte for the dtype, a byte for the number of dimensions, each dimension as a big-endian
    uint32, then the numbers, big-endian in row-major order (Y. LeCun, C. Cortes, C. Burges, "The MNIST database").

    Parameters
    ----------
    path : str or path

    Returns
    -------
    numpy.ndarray
        The array, with the file's shape and dtype, in the machine's byte order.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is not an IDX file; or it is shorter or longer than its header says; or it unpacks to more than 64 MB and
        more than 100 times its size. The function first checks the header, and takes memory only as it reads the data.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "labels"
    >>> _ = path.write_bytes(bytes([0, 0, 0x08, 1]) + bytes([0, 0, 0, 3]) + bytes([7, 2, 1]))
    >>> read_idx(path)
    array([7, 2, 1], dtype=uint8)
    """
    path = Path(path)
    check_regular(path)
    with path.open("rb") as plain:
        size, zipped = os.fstat(plain.fileno()).st_size, plain.read(2) == b"\x1f\x8b"
        plain.seek(0)
        if not zipped:
            return _parse_idx(plain, path, size)
        try:
            with gzip.GzipFile(fileobj=plain) as unzipped:
                return _parse_idx(io.BufferedReader(unzipped), path, max(MOST_UNPACKED, MOST_TIMES * size), zipped)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"read_idx: {path} is a damaged gzip file ({error}); delete it and get it again") from None


def _parse_idx(file: io.BufferedReader, path: Path, most: int, zipped: bool = False) -> np.ndarray:
    """The array of an IDX file, which may have at most `most` bytes (after unpacking)."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in IDX_DTYPES or magic[3] == 0:
        raise ValueError(
            f"read_idx: {path} is not an IDX file: expected to begin with 00 00, a dtype (08 for uint8) and the number of "
            f"dimensions, got {magic.hex(' ') or 'an empty file'}"
        )
    dtype, ndim = np.dtype(IDX_DTYPES[magic[2]]), magic[3]
    header = file.read(4 * ndim)
    if len(header) < 4 * ndim:
        raise ValueError(f"read_idx: {path} ends in its header: expected {ndim} dimensions of 4 bytes, got {len(header)} bytes")
    shape = tuple(int(n) for n in np.frombuffer(header, ">u4"))
    expected, left = dtype.itemsize * math.prod(shape), most - 4 - len(header)
    said = f"shape {str(shape)[:200]} of {dtype} takes {expected if expected < 1 << 63 else 'over 2^63'} bytes"
    if expected > left and zipped:
        raise ValueError(
            f"read_idx: {path} would unpack to far more than its size lets expect: {said}. If you trust it, unpack it yourself "
            "(gunzip) and read the result"
        )
    if expected > left:
        raise ValueError(f"read_idx: {path} is truncated: {said}, got {left}")
    try:
        array = np.empty(shape, dtype)  # the operating system allocates the memory only when it is written to
    except ValueError as error:
        raise ValueError(f"read_idx: {path} has {ndim} dimensions, which NumPy cannot hold ({error}): {said}") from None
    got, body = 0, array.reshape(-1).view(np.uint8).data
    while got < expected and (n := file.readinto(body[got : got + CHUNK])):
        got += n
    if got < expected:
        raise ValueError(f"read_idx: {path} is truncated: {said}, got {got}")
    if file.read(1):
        raise ValueError(f"read_idx: {path} goes on after its data: {said}")
    return array if dtype.isnative else array.byteswap(inplace=True).view(dtype.newbyteorder("="))


# ---- MNIST ---------------------------------------------------------------------------------------------------------


def mnist(data_dir: str | os.PathLike, which: str = "mnist", download: bool = True, base_url: str | None = None) -> Images:
    """MNIST or Fashion-MNIST: 60,000 training and 10,000 test images of 28 x 28 grey values in ten classes.

    Parameters
    ----------
    data_dir : str or path
        The folder of the four IDX files, each as ``NAME.gz`` or unpacked as ``NAME``.
    which : {"mnist", "fashion-mnist"}
        Both data sets have files with the same names: keep each data set in its own folder.
    download : bool
        Download missing files. A file appears in the folder only when it is complete and its SHA-256 is correct.
    base_url : str, optional
        Download the files from this address instead of the data set's own address.

    Returns
    -------
    Images
        ``(x_train, y_train, x_test, y_test)``: images (N, 28, 28) uint8 from 0 to 255, labels (N,) int64.

    Raises
    ------
    FileNotFoundError
        A file is missing, and `download` is False or the download failed. The message says which files to put where.
    ValueError
        A file is damaged or does not belong to the data set; a download has a wrong SHA-256; or `which` is unknown.

    Examples
    --------
    >>> mnist("/nowhere", download=False)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    FileNotFoundError: mnist: 4 files are missing and download is off. Get
      https://storage.googleapis.com/cvdf-datasets/mnist/train-images-idx3-ubyte.gz
    ...

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition", Proc. IEEE 86, 1998.
    H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking", arXiv:1708.07747, 2017.
    """
    if which not in SOURCES:
        raise ValueError(f"mnist: expected which to be one of {', '.join(SOURCES)}, got {which!r}")
    folder, url = Path(data_dir), SOURCES[which].base_url if base_url is None else base_url
    url = url if url.endswith("/") else url + "/"
    missing = [name for name in SOURCES[which].sha256 if _find(folder, name) is None]
    if missing and not download:
        raise FileNotFoundError(_what_to_do(which, folder, url, missing, "and download is off"))
    for i, name in enumerate(missing):
        try:
            _download(url + name, folder / name, SOURCES[which].sha256[name])
        except (OSError, HTTPException) as error:  # no network, no such host, 404, a broken connection, a full disk, …
            if isinstance(error, HTTPError):
                error.close()  # it holds the connection
            why = f"and downloading failed ({error})"
            raise FileNotFoundError(_what_to_do(which, folder, url, missing[i:], why)) from None
    return _load(folder, which)


def _find(folder: Path, name: str) -> Path | None:
    """The path of the file, unpacked or as .gz; None if neither exists."""
    for path in (folder / name.removesuffix(".gz"), folder / name):
        if path.is_file():
            return path
    return None


def _what_to_do(which: str, folder: Path, url: str, missing: list[str], why: str) -> str:
    files = "1 file is" if len(missing) == 1 else f"{len(missing)} files are"
    lines = "\n".join(f"  {url}{name}" for name in missing)
    return f"{which}: {files} missing {why}. Get\n{lines}\nand put them, as they are or unpacked, into\n  {folder.absolute()}"


def _load(folder: Path, which: str) -> Images:
    arrays = []
    for part in ("train", "t10k"):
        paths = []
        for name in (f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz"):
            path = _find(folder, name) or folder / name
            _check_not_the_other(path, name, which)
            paths.append(path)
        images, labels = read_idx(paths[0]), read_idx(paths[1])
        _check_part(images, labels, *paths)
        arrays += [images, labels.astype(np.int64)]
    if arrays[0].shape[1:] != arrays[2].shape[1:]:
        sizes = f"training images are {arrays[0].shape[1:]}, test images {arrays[2].shape[1:]}"
        raise ValueError(f"{which}: {sizes}; expected one size")
    return Images(*arrays)


def _check_not_the_other(path: Path, name: str, which: str) -> None:
    """Raise an error if a .gz file belongs to the other data set. The file names are the same, but the digests differ."""
    if path.name != name:
        return
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    for other, source in SOURCES.items():
        if other != which and digest == source.sha256[name]:
            raise ValueError(f"{which}: {path} is {other}'s file of that name; keep the two data sets in folders of their own")


def _check_part(images: np.ndarray, labels: np.ndarray, images_path: Path, labels_path: Path) -> None:
    if images.ndim != 3 or images.dtype != np.uint8:
        raise ValueError(f"{images_path}: expected images (N, H, W) of uint8, got shape {images.shape} of {images.dtype}")
    if labels.ndim != 1 or labels.dtype != np.uint8:
        raise ValueError(f"{labels_path}: expected labels (N,) of uint8, got shape {labels.shape} of {labels.dtype}")
    if len(images) != len(labels) or len(labels) == 0:
        counts = f"{len(images)} images and {len(labels)} labels"
        raise ValueError(f"{images_path.parent}: expected a label for each image, got {counts}")
    if labels.max() > 9:
        raise ValueError(f"{labels_path}: expected labels from 0 to 9, got {labels.max()}")


# ---- download ------------------------------------------------------------------------------------------------------


def _download(url: str, path: Path, sha256: str) -> None:
    """Download `url` to a temporary file next to `path`, check it, and only then move it to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        digest = _fetch(url, file)
        if digest != sha256:
            raise ValueError(
                f"{url} is not the file it should be: expected SHA-256 {sha256}, got {digest}. Nothing was kept; try again, "
                f"or put the right file into {path.parent.absolute()} yourself"
            )


def _fetch(url: str, file: BinaryIO) -> str:
    """Download `url` into the file; return the SHA-256 of the content."""
    digest, size = hashlib.sha256(), 0
    with (
        urllib.request.urlopen(url, timeout=30) as answer,
        _progress(url.rpartition("/")[2], answer.headers.get("Content-Length")) as advance,
    ):
        while chunk := answer.read(CHUNK):
            size += len(chunk)
            if size > LARGEST_DOWNLOAD:
                raise ValueError(f"{url} is not the file it should be: it has over {LARGEST_DOWNLOAD} bytes. Nothing was kept")
            file.write(chunk)
            digest.update(chunk)
            advance(len(chunk))
    return digest.hexdigest()


@contextmanager
def _progress(name: str, total: str | None) -> Iterator[Any]:
    """Show a progress bar if tqdm is installed and the output is a terminal; else print one line."""
    try:
        from tqdm import tqdm
    except ImportError:
        print(f"downloading {name}", flush=True)
        yield lambda n: None
        return
    size = int(total) if total and re.fullmatch("[0-9]{1,18}", total) else None  # do not trust the server's header
    with tqdm(desc=name, total=size, unit="B", unit_scale=True, unit_divisor=1024, disable=None) as bar:
        if bar.disable:
            print(f"downloading {name}", flush=True)
        yield bar.update
