"""Tensors in files: what is saved is loaded, whole or not at all."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import tinynorm
from tinynorm import CheckpointError, load_file, save_file, serialization

TORCHS = Path(__file__).parent / "data" / "torch.safetensors"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "t.safetensors"


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"]
)
def test_each_dtype_comes_back_bit_for_bit(path, dtype):
    array = np.arange(-3, 4).astype(dtype).reshape(7, 1)
    save_file({"x": array}, path)
    x = load_file(path)["x"].data
    assert (x.dtype, x.shape, x.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_what_only_bits_tell_apart_comes_back(path):
    # a NaN with a payload, -0, inf, -inf, a subnormal number
    bits = np.array([0x7FC00001, 0x80000000, 0x7F800000, 0xFF800000, 1], np.uint32)
    save_file({"x": bits.view(np.float32)}, path)
    assert load_file(path)["x"].data.view(np.uint32).tolist() == bits.tolist()


@pytest.mark.parametrize(
    "array",
    [np.arange(12.0).reshape(3, 4).T, np.arange(12.0)[::-2], np.broadcast_to(2.0, (3, 2)), np.array(1.5), np.zeros((0, 3)),
     np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(3, dtype=">i4")],
    ids=["transposed", "strided", "broadcast", "0-d", "empty", "column-major", "big-endian"],
)  # fmt: skip
def test_any_layout_comes_back(path, array):
    save_file({"x": array}, path)
    x = load_file(path)["x"].data
    assert x.shape == array.shape
    assert x.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(x, array)


def test_tensors_come_back_on_the_device_asked_for(path, device):
    x = tinynorm.arange(6, device=device).reshape(2, 3).T
    save_file({"x": x}, path)
    y = load_file(path, device=device)["x"]
    assert y.device.type == device
    assert y.tolist() == x.tolist()
    assert load_file(path)["x"].device.type == "cpu"


def test_memory_that_tensors_share_is_written_for_each(path):
    x = tinynorm.arange(4)
    save_file({"all": x, "part": x[1:3], "again": x}, path)
    loaded = load_file(path)
    assert {name: t.tolist() for name, t in loaded.items()} == {"all": [0, 1, 2, 3], "part": [1, 2], "again": [0, 1, 2, 3]}
    loaded["all"].data[...] = 9
    assert loaded["again"].tolist() == [0, 1, 2, 3]


def test_a_tensor_that_requires_grad_is_saved_and_loads_without(path):
    save_file({"x": tinynorm.ones(2, requires_grad=True)}, path)
    assert not load_file(path)["x"].requires_grad


def test_a_missing_device_is_said_before_the_file_is_read(path, monkeypatch):
    monkeypatch.setattr(tinynorm.backend, "cuda_status", lambda: (None, "no GPU here"))
    with pytest.raises(RuntimeError, match="no GPU here"):
        load_file(path, device="cuda")


# ---- other people's files --------------------------------------------------------------------------------------------


def test_a_file_that_pytorch_wrote_loads_with_equal_keys():
    expected = {
        "0.weight": np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
        "0.bias": np.array([-1.5, 2.0]),
        "1.running_mean": np.array([0.5, 1.0], np.float16),
        "1.num_batches_tracked": np.array(7),
        "mask": np.array([[True], [False]]),
        "empty": np.zeros((0, 3), np.float32),
    }
    loaded = load_file(TORCHS)
    assert loaded.keys() == expected.keys()
    for name, array in expected.items():
        assert loaded[name].dtype == array.dtype
        assert loaded[name].shape == array.shape
        np.testing.assert_array_equal(loaded[name].numpy(), array)


def test_the_library_itself_reads_ours(path):
    save_file({"x": tinynorm.ones(2, 2).T, "n": np.array(3)}, path, {"made by": "a test"})
    loaded = safetensors.numpy.load_file(path)
    assert loaded["x"].tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert loaded["n"].shape == ()
    with safetensors.safe_open(path, framework="np") as file:
        assert file.metadata()["made by"] == "a test"


def test_a_dtype_that_numpy_lacks_is_named(path):
    header = json.dumps({"w": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(CheckpointError, match=r"'w' has dtype BF16.*\.float\(\)"):
        load_file(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "truncated"),
        (b"hello, world", "another format"),
        (b"PK\x03\x04" + bytes(60), "pickle"),
        (b"\x80\x02}q\x00.", "pickle"),
        (b"\x89PNG\r\n\x1a\n" + bytes(60), "another format"),
    ],
    ids=["empty", "text", "torch.save's zip", "old pickle", "picture"],
)
def test_a_foreign_file_is_told_from_a_safetensors_file(path, content, says):
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=f"not a whole safetensors file.*{says}"):
        load_file(path)


def test_a_missing_file_and_a_folder_are_the_systems_errors(path, tmp_path):
    with pytest.raises(FileNotFoundError):
        load_file(path)
    with pytest.raises(IsADirectoryError):
        load_file(tmp_path)


def test_a_file_cut_anywhere_is_an_error(path):
    save_file({"a": np.arange(3.0), "b": np.ones(2, np.int8)}, path)
    whole = path.read_bytes()
    for n in range(len(whole)):
        path.write_bytes(whole[:n])
        with pytest.raises(CheckpointError, match="not a whole safetensors file"):
            load_file(path)


def test_a_file_with_any_byte_altered_is_an_error_or_still_says_the_same(path):
    tensors = {"a": np.arange(3.0), "b": np.ones(2, np.int8)}
    save_file(tensors, path, {"note": "x"})
    whole, refused = path.read_bytes(), 0
    for i in range(len(whole)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :])
        try:
            loaded = load_file(path)
        except CheckpointError:
            refused += 1
        else:  # the byte is padding, or of the name under which the digest stands
            assert loaded.keys() == tensors.keys()
            assert all(loaded[k].data.tobytes() == tensors[k].tobytes() for k in tensors)
    assert refused > 0.8 * len(whole)


def test_an_altered_number_is_caught_by_the_digest(path):
    save_file({"a": np.arange(3.0)}, path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(CheckpointError, match=r"altered after it was saved.*Use another copy"):
        load_file(path)


# ---- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tensors", "metadata", "error", "says"),
    [
        ({1: np.ones(2)}, None, TypeError, "names that are str, got 1"),
        ({"__metadata__": np.ones(2)}, None, ValueError, "another name"),
        ({"x": [1, 2]}, None, TypeError, "'x', got list"),
        ({"x": np.array(["a"])}, None, TypeError, "expected one of float16.* for 'x', got <U1"),
        ({"x": np.ones(2, complex)}, None, TypeError, "complex128"),
        ({"x": np.ones(2)}, {"epoch": 3}, TypeError, "metadata of str to str, got 3"),
        ({"x": np.ones(2)}, {serialization.DIGEST: "0"}, ValueError, "leave it out"),
    ],
)
def test_what_cannot_be_saved_is_an_error_before_anything_is_written(path, tensors, metadata, error, says):
    save_file({"old": np.ones(1)}, path)
    with pytest.raises(error, match=says):
        save_file({"fine": np.zeros(1), **tensors}, path, metadata)
    assert list(load_file(path)) == ["old"]
    assert os.listdir(path.parent) == [path.name]


# ---- whole or not at all ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["open", "write", "fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full disk", "Ctrl-C"])
def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(path, monkeypatch, step, error):
    save_file({"old": np.ones(1)}, path)

    def fail(*args, **kwargs):
        raise error

    if step == "write":
        real = open

        def open_and_fail_later(name, mode):
            file = real(name, mode, buffering=0)
            file.write(b"half")
            return Failing(file)

        class Failing:
            def __init__(self, file):
                self.file, self.write = file, fail

            def __enter__(self):
                return self

            def __exit__(self, *error):
                self.file.close()

        monkeypatch.setattr(serialization, "open", open_and_fail_later, raising=False)
    elif step == "open":
        monkeypatch.setattr(serialization, "open", fail, raising=False)
    else:
        monkeypatch.setattr(serialization.os, step, fail)
    with pytest.raises(type(error)):
        save_file({"new": np.zeros(1000)}, path)
    monkeypatch.undo()
    assert os.listdir(path.parent) == [path.name]
    assert list(load_file(path)) == ["old"]


def test_the_content_is_on_the_disk_before_the_rename_and_the_rename_after_it(path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(fd):
        done.append("folder" if stat.S_ISDIR(os.fstat(fd).st_mode) else "file")
        fsync(fd)

    def noted_replace(a, b):
        done.append("replace")
        replace(a, b)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    save_file({"x": np.ones(1)}, path)
    assert done == ["file", "replace", "folder"]


def test_a_new_file_has_the_usual_rights_and_a_link_stays_a_link(path, tmp_path):
    save_file({"x": np.ones(1)}, path)
    (tmp_path / "plain").touch()
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode
    link = tmp_path / "latest"
    link.symlink_to(path.name)
    save_file({"y": np.ones(1)}, link)
    assert link.is_symlink()
    assert list(load_file(path)) == ["y"]


KILL_THIRTY_SAVERS = """
import os, signal, sys, time
import numpy as np
from tinynorm import load_file, save_file

path, rng = sys.argv[1], np.random.default_rng(0)
save = lambda n: save_file({name: np.full(30_000, n) for name in "ab"}, path)
save(-1)
seen = set()
for life in range(30):
    child = os.fork()
    while child == 0:  # in the child, until it is killed: versions 1000 life, 1000 life + 1, …
        save(1000 * life)
        life += 0.001
    time.sleep(rng.uniform(0, 0.03))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    a, b = (load_file(path)[name].data for name in "ab")
    assert a.min() == a.max() == b.min() == b.max(), (life, a, b)
    seen.add(float(a[0]))
print(len(seen))
"""


def test_a_process_killed_at_any_moment_leaves_a_whole_file(path):
    script = [sys.executable, "-W", "ignore", "-c", KILL_THIRTY_SAVERS, path]
    result = subprocess.run(script, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > 10  # the processes did get somewhere,
    assert [name for name in os.listdir(path.parent) if name.endswith(".tmp")]  # and some were killed in the middle of a save


def test_what_is_no_mapping_and_a_missing_folder_are_said(path, tmp_path):
    with pytest.raises(TypeError, match=r"expected a mapping from names to tensors, got Linear; pass its \.state_dict"):
        save_file(tinynorm.nn.Linear(1, 1), path)
    with pytest.raises(FileNotFoundError, match=r"make it first: .*missing'$"):
        save_file({"w": tinynorm.ones(1)}, tmp_path / "missing" / "w.safetensors")
    assert list(tmp_path.iterdir()) == []
