"""MNIST's reader and download, on small IDX files and a server of the test's own."""

import gzip
import hashlib
import math
import os
import re
import struct
import subprocess
import sys
import tempfile
import threading
import tracemalloc
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynorm.utils import datasets
from tinynorm.utils.datasets import Source, mnist, read_idx

NAMES = [f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]
CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx(array):
    """The bytes of an IDX file, by the format's description."""
    header = bytes([0, 0, CODES[array.dtype.str[1:]], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def parts(n=6, m=3, size=4):
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (k, size, size), dtype=np.uint8) for k in (n, m)]
    labels = [rng.integers(0, 10, k, dtype=np.uint8) for k in (n, m)]
    return dict(zip(NAMES, [images[0], labels[0], images[1], labels[1]], strict=True))


@pytest.fixture
def arrays():
    return parts()


@pytest.fixture
def folder(tmp_path, arrays):
    """A folder with two files packed and two unpacked."""
    for i, (name, array) in enumerate(arrays.items()):
        if i % 2:
            (tmp_path / name).write_bytes(idx(array))
        else:
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(idx(array), mtime=0))
    return tmp_path


# ---- IDX -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", list(CODES))
@pytest.mark.parametrize("packed", [False, True])
def test_an_idx_file_of_every_dtype_comes_back_as_it_was(tmp_path, dtype, packed):
    array = np.arange(-12, 12).reshape(2, 3, 4).astype(dtype)
    (tmp_path / "x").write_bytes(gzip.compress(idx(array), mtime=0) if packed else idx(array))
    read = read_idx(tmp_path / "x")
    assert read.dtype == np.dtype(dtype)
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file.*an empty file"),
        (b"\x89PNG\r\n\x1a\n", "not an IDX file.*got 89 50 4e 47"),
        (bytes([0, 0, 0x07, 1, 0, 0, 0, 0]), "not an IDX file"),
        (bytes([0, 0, 0x08, 0]), "not an IDX file"),
        (bytes([0, 0, 0x08, 2, 0, 0, 0, 1, 0]), "ends in its header: expected 2 dimensions of 4 bytes, got 5 bytes"),
        (idx(np.zeros((2, 3), np.uint8))[:-1], r"truncated: shape \(2, 3\) of uint8 takes 6 bytes, got 5"),
        (bytes([0, 0, 0x0E, 4]) + b"\xff" * 16 + b"ab", "truncated"),
        (idx(np.zeros((2, 3), np.uint8)) + b"!", "goes on after its data"),
        (gzip.compress(b"hello", mtime=0), "not an IDX file"),
        (gzip.compress(idx(np.arange(256, dtype=np.uint8)), mtime=0)[:-9], "damaged gzip file.*delete it"),
        (b"\x1f\x8bnothing", "damaged gzip file"),
    ],
)
def test_a_truncated_or_foreign_file_is_refused_and_named(tmp_path, content, message):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as info:
        read_idx(path)
    assert str(path) in str(info.value)


def claiming(*shape, code=0x08):
    return bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (claiming(4_000_000_000, 2) + b"ab", r"truncated: shape \(4000000000, 2\) of uint8 takes 8000000000 bytes, got 2"),
        (claiming(2**32 - 1, code=0x0E), "truncated.*takes 34359738360 bytes, got 0"),
        (claiming(*[2**32 - 1] * 255), r"truncated.* takes over 2\^63 bytes, got 0"),
        (gzip.compress(claiming(2**31) + bytes(9), mtime=0), r"unpack to far more than its size lets expect.*\(gunzip\)"),
        (gzip.compress(claiming(*[2**32 - 1] * 255), mtime=0), "unpack to far more"),
        (claiming(*[1] * 65) + b"a", "has 65 dimensions, which NumPy cannot hold"),
        (claiming(0, *[2**32 - 1] * 3), r"has 4 dimensions, which NumPy cannot hold .*takes 0 bytes"),
    ],
)
def test_a_header_that_claims_too_much_is_an_error_without_memory(tmp_path, content, message):
    (tmp_path / "x").write_bytes(content)
    tracemalloc.start()
    with pytest.raises(ValueError, match=message):
        read_idx(tmp_path / "x")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


BOMB = """
import resource, sys
from tinynorm.utils.datasets import read_idx

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_idx(sys.argv[1])
except ValueError as error:
    print("unpack to far more" in str(error), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_large_file_that_shrank_as_data_do_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "MOST_UNPACKED", 100)
    numbers = np.random.default_rng(0).integers(0, 4, 1000).astype(np.uint8)
    (tmp_path / "x.gz").write_bytes(gzip.compress(claiming(1000) + numbers.tobytes(), mtime=0))
    np.testing.assert_array_equal(read_idx(tmp_path / "x.gz"), numbers)


def test_a_megabyte_that_unpacks_to_a_gigabyte_is_refused_unread(tmp_path):
    zeros = gzip.compress(bytes(1 << 22), mtime=0)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(claiming(1 << 30), mtime=0) + 256 * zeros)  # one gzip file may be many
    assert (tmp_path / "bomb.gz").stat().st_size < 1_100_000
    run = subprocess.run([sys.executable, "-c", BOMB, tmp_path / "bomb.gz"], capture_output=True, text=True, check=True)
    said, megabytes = run.stdout.split()
    assert said == "True"
    assert int(megabytes) < 20


def test_what_shrinks_well_is_read_all_the_same(tmp_path):
    (tmp_path / "zeros.gz").write_bytes(gzip.compress(claiming(3_000, 1_000) + bytes(3_000_000), mtime=0))
    assert read_idx(tmp_path / "zeros.gz").shape == (3000, 1000)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.sampled_from([0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E]),
    st.lists(st.integers(0, 3) | st.integers(0, 2**32 - 1), max_size=70),
    st.binary(max_size=30),
    st.booleans(),
)
def test_any_header_is_an_array_or_a_clear_error(code, shape, body, packed):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        content = claiming(*shape, code=code) + body
        path.write_bytes(gzip.compress(content, mtime=0) if packed else content)
        whole = shape and len(shape) <= 64 and math.prod(shape) * np.dtype(datasets.IDX_DTYPES[code]).itemsize == len(body)
        if whole and len(body):
            array = read_idx(path)
            assert array.shape == tuple(shape)
            assert array.astype(array.dtype.newbyteorder(">")).tobytes() == body
        elif not whole:
            with pytest.raises(ValueError, match=f"^read_idx: {re.escape(str(path))}"):
                read_idx(path)


def test_a_pipe_is_refused_where_reading_would_wait_for_ever(tmp_path):
    os.mkfifo(tmp_path / "x")
    with pytest.raises(OSError, match=r"Expected a file, got a pipe"):
        read_idx(tmp_path / "x")


def test_an_altered_byte_in_a_gzip_file_is_seen(tmp_path):
    packed = bytearray(gzip.compress(idx(np.arange(100, dtype=np.uint8))))
    packed[-6] ^= 1  # in the checksum: every other byte may also show as a bad header
    (tmp_path / "x").write_bytes(packed)
    with pytest.raises(ValueError, match="damaged gzip file"):
        read_idx(tmp_path / "x")


# ---- the folder ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["mnist", "fashion-mnist"])
def test_packed_and_unpacked_files_are_read(folder, arrays, which):
    data = mnist(folder, which, download=False)
    for got, expected in zip(data, arrays.values(), strict=True):
        np.testing.assert_array_equal(got, expected)
    assert [a.dtype.name for a in data] == ["uint8", "int64", "uint8", "int64"]


def test_missing_files_are_listed_with_address_and_folder(folder):
    (folder / NAMES[1]).unlink()
    with pytest.raises(FileNotFoundError) as info:
        mnist(folder, download=False)
    text = str(info.value)
    assert "1 file is missing and download is off" in text
    assert f"https://storage.googleapis.com/cvdf-datasets/mnist/{NAMES[1]}.gz" in text
    assert str(folder) in text
    assert NAMES[0] not in text


def test_an_unknown_data_set_is_refused(tmp_path):
    with pytest.raises(ValueError, match="one of mnist, fashion-mnist, got 'emnist'"):
        mnist(tmp_path, "emnist")


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        (NAMES[0], np.zeros((6, 4), np.uint8), r"expected images \(N, H, W\) of uint8, got shape \(6, 4\)"),
        (NAMES[0], np.zeros((6, 4, 4), np.float32), "of float32"),
        (NAMES[1], np.zeros((6, 1), np.uint8), r"expected labels \(N,\) of uint8"),
        (NAMES[1], np.zeros(5, np.uint8), "6 images and 5 labels"),
        (NAMES[1], np.full(6, 10, np.uint8), "labels from 0 to 9, got 10"),
        (NAMES[2], np.zeros((3, 5, 5), np.uint8), r"training images are \(4, 4\), test images \(5, 5\)"),
    ],
)
def test_files_that_do_not_fit_together_are_refused(folder, name, array, message):
    (folder / f"{name}.gz").unlink(missing_ok=True)
    (folder / name).write_bytes(idx(array))
    with pytest.raises(ValueError, match=message):
        mnist(folder, download=False)


def test_the_other_data_sets_files_are_noticed(folder, monkeypatch):
    name = f"{NAMES[0]}.gz"
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    hashes = dict.fromkeys((f"{n}.gz" for n in NAMES), "") | {name: digest}
    monkeypatch.setitem(datasets.SOURCES, "mnist", Source("http://127.0.0.1:9/", hashes))
    assert len(mnist(folder, "mnist").x_train) == 6
    with pytest.raises(ValueError, match="is mnist's file of that name"):
        mnist(folder, "fashion-mnist", download=False)


def test_the_known_digests_are_of_the_standard_four_files():
    for source in datasets.SOURCES.values():
        assert sorted(source.sha256) == sorted(f"{n}.gz" for n in NAMES)
        assert all(len(bytes.fromhex(digest)) == 32 for digest in source.sha256.values())
    assert len({d for source in datasets.SOURCES.values() for d in source.sha256.values()}) == 8


# ---- download ------------------------------------------------------------------------------------------------------


class Quiet(SimpleHTTPRequestHandler):
    length: str | None = None  # what it says of each file's length, instead of the truth

    def log_message(self, *args):
        pass

    def send_header(self, keyword, value):
        super().send_header(keyword, self.length if keyword == "Content-Length" and self.length is not None else value)


@pytest.fixture
def server(tmp_path, arrays, monkeypatch):
    """A server on 127.0.0.1 with the four files, whose digests count as MNIST's; gives its address and their contents."""
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    served = tmp_path / "served"
    served.mkdir()
    contents = {f"{name}.gz": gzip.compress(idx(array), mtime=0) for name, array in arrays.items()}
    for name, content in contents.items():
        (served / name).write_bytes(content)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served))) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{http.server_port}"
        monkeypatch.setitem(datasets.SOURCES, "mnist", Source(url, hashes))
        yield url, served
        http.shutdown()
        thread.join()


def test_missing_files_are_downloaded_once(server, tmp_path, arrays, capsys):
    target = tmp_path / "deep" / "data"
    data = mnist(target)
    np.testing.assert_array_equal(data.x_train, arrays[NAMES[0]])
    assert sorted(p.name for p in target.iterdir()) == sorted(f"{n}.gz" for n in NAMES)  # and no .part
    assert capsys.readouterr().out.count("downloading") == 4
    mnist(target)
    assert capsys.readouterr().out == ""


def test_a_download_without_tqdm_works(server, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tqdm", None)
    assert len(mnist(tmp_path / "data").y_test) == 3


@pytest.mark.parametrize("length", ["many", "-5", "1e3", "9" * 5000, "\u00b2", ""])
def test_a_server_may_say_any_length(server, tmp_path, monkeypatch, length):
    monkeypatch.setattr(Quiet, "length", length)
    monkeypatch.setattr(Quiet, "protocol_version", "HTTP/1.0")
    assert len(mnist(tmp_path / "data").y_test) == 3
    assert not [p for p in (tmp_path / "data").iterdir() if p.suffix != ".gz"]


def test_a_length_that_is_less_than_the_files_is_a_damaged_download(server, tmp_path, monkeypatch):
    monkeypatch.setattr(Quiet, "length", "5")
    with pytest.raises(ValueError, match="expected SHA-256"):
        mnist(tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []


def test_a_download_without_end_is_stopped(server, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "LARGEST_DOWNLOAD", 20)
    with pytest.raises(ValueError, match=r"it has over 20 bytes\. Nothing was kept"):
        mnist(tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []


def test_another_address_can_be_given(server, tmp_path, monkeypatch):
    url, _ = server
    source = datasets.SOURCES["mnist"]
    monkeypatch.setitem(datasets.SOURCES, "mnist", Source("http://127.0.0.1:9/", source.sha256))
    assert len(mnist(tmp_path / "data", base_url=url).x_train) == 6


def test_a_file_with_another_digest_is_not_kept(server, tmp_path):
    url, served = server
    (served / f"{NAMES[1]}.gz").write_bytes(b"something else")
    with pytest.raises(ValueError, match="expected SHA-256") as info:
        mnist(tmp_path / "data")
    assert f"{url}/{NAMES[1]}.gz" in str(info.value)
    assert hashlib.sha256(b"something else").hexdigest() in str(info.value)
    assert [p.name for p in (tmp_path / "data").iterdir()] == [f"{NAMES[0]}.gz"]


def test_a_file_the_server_lacks_is_named_with_what_to_do(server, tmp_path):
    url, served = server
    (served / f"{NAMES[3]}.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"1 file is missing and downloading failed.*404") as info:
        mnist(tmp_path / "data")
    assert f"{url}/{NAMES[3]}.gz" in str(info.value)


def test_without_a_network_all_missing_files_are_listed(tmp_path):
    with pytest.raises(FileNotFoundError, match="4 files are missing and downloading failed") as info:
        mnist(tmp_path / "data", base_url="http://127.0.0.1:1/mnist")
    for name in NAMES:
        assert f"http://127.0.0.1:1/mnist/{name}.gz" in str(info.value)
    assert str(tmp_path / "data") in str(info.value)
