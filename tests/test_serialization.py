"""Tensors in files: what is saved is loaded, whole or not at all."""

import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynorm
from tinynorm import CheckpointError, files, load_file, save_file, serialization

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
    x = load_file(path)["x"].array
    assert (x.dtype, x.shape, x.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_what_only_bits_tell_apart_comes_back(path):
    # a NaN with a payload, -0, inf, -inf, a subnormal number
    bits = np.array([0x7FC00001, 0x80000000, 0x7F800000, 0xFF800000, 1], np.uint32)
    save_file({"x": bits.view(np.float32)}, path)
    assert load_file(path)["x"].array.view(np.uint32).tolist() == bits.tolist()


@pytest.mark.parametrize(
    "array",
    [np.arange(12.0).reshape(3, 4).T, np.arange(12.0)[::-2], np.broadcast_to(2.0, (3, 2)), np.array(1.5), np.zeros((0, 3)),
     np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(3, dtype=">i4")],
    ids=["transposed", "strided", "broadcast", "0-d", "empty", "column-major", "big-endian"],
)  # fmt: skip
def test_any_layout_comes_back(path, array):
    save_file({"x": array}, path)
    x = load_file(path)["x"].array
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
    loaded["all"].array[...] = 9
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


@pytest.mark.parametrize(("dtype", "size"), [("BF16", 4), ("C64", 16)])
def test_a_dtype_that_tinynorm_lacks_is_named(path, dtype, size):
    header = json.dumps({"w": {"dtype": dtype, "shape": [2], "data_offsets": [0, size]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(size))
    with pytest.raises(CheckpointError, match=rf"'w' has dtype {dtype}, which tinynorm lacks.*\.float\(\)"):
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
            assert all(loaded[k].array.tobytes() == tensors[k].tobytes() for k in tensors)
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

        def open_and_fail_later(handle, mode):
            file = real(handle, mode, buffering=0)
            file.write(b"half")
            return Failing(file)

        class Failing:
            def __init__(self, file):
                self.file, self.write = file, fail

            def __enter__(self):
                return self

            def __exit__(self, *error):
                self.file.close()

        monkeypatch.setattr(files, "open", open_and_fail_later, raising=False)
    else:
        monkeypatch.setattr(files.os, step, fail)
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
seen, left, lives = set(), set(), 0
while lives < 30 or lives < 1000 and not (len(seen) > 10 and left):  # on a busy machine few get anywhere
    life = lives = lives + 1
    child = os.fork()
    while child == 0:  # in the child, until it is killed: versions 1000 life, 1000 life + 1, …
        save(1000 * life)
        life += 0.001
    time.sleep(rng.uniform(0, 0.03))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    left.update(name for name in os.listdir(os.path.dirname(path)) if name.endswith(".tmp"))
    a, b = (load_file(path)[name].array for name in "ab")
    assert a.min() == a.max() == b.min() == b.max(), (life, a, b)
    seen.add(float(a[0]))
save(-1)
print(len(seen), len(left), len(os.listdir(os.path.dirname(path))))
"""


def test_a_process_killed_at_any_moment_leaves_a_whole_file(path):
    script = [sys.executable, "-W", "ignore", "-c", KILL_THIRTY_SAVERS, path]
    result = subprocess.run(script, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    seen, left, files_now = map(int, result.stdout.split())
    assert seen > 10  # the processes did get somewhere,
    assert left > 0  # and some were killed in the middle of a save;
    assert files_now == 1  # what they left is deleted by the next


HOLD = """
import sys, time
from tinynorm.files import replacing

with replacing(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    sys.stdin.readline()
    file.write(b", whole")
"""


def test_a_save_deletes_nothing_that_another_process_is_writing(path):
    other = subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "writing\n"
    (beside,) = path.parent.iterdir()
    save_file({"x": np.ones(1)}, path)
    assert beside.read_bytes() == b"half"
    other.communicate("go on\n")
    assert other.returncode == 0
    assert path.read_bytes() == b"half, whole"
    assert os.listdir(path.parent) == [path.name]


def test_a_save_deletes_only_what_was_left_of_the_same_file(path):
    t = ".t.safetensors"
    names = [f"{t}.0123abcd.tmp", ".other.safetensors.0123abcd.tmp", f"{t}.0123abcd", f"{t}.mine.tmp"]
    for name in names:
        (path.parent / name).write_bytes(b"left")
    os.mkfifo(path.parent / ".t.safetensors.00000000.tmp")
    save_file({"x": np.ones(1)}, path)
    assert sorted(os.listdir(path.parent)) == sorted([path.name, ".t.safetensors.00000000.tmp", *names[1:]])


def test_a_file_that_another_saver_took_for_a_left_one_is_made_anew(path, monkeypatch):
    """Between its making and its lock, there is a moment in which it looks as if a killed process had left it."""
    lock, deleted = files._lock, []

    def late(handle, wait):
        if wait and not deleted:
            deleted.extend(path.parent.glob(".*.tmp"))
            deleted[0].unlink()
        return lock(handle, wait)

    monkeypatch.setattr(files, "_lock", late)
    save_file({"x": np.ones(1)}, path)
    assert len(deleted) == 1
    assert os.listdir(path.parent) == [path.name]


def test_the_longest_name_that_the_system_takes_is_taken(path):
    long = path.with_name("n" * 255)
    for _ in range(2):
        save_file({"x": np.ones(1)}, long)
    assert os.listdir(path.parent) == [long.name]


# ---- what is there already -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("through", ["itself", "a link"])
@pytest.mark.parametrize("kind", ["pipe", "device", "socket", "folder"])
def test_what_is_no_file_is_refused_and_left_as_it_is(path, kind, through, monkeypatch):
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        monkeypatch.chdir(path.parent)  # a socket's name has at most 107 bytes
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path.name)
    elif kind == "folder":
        path.mkdir()
    elif os.geteuid() == 0:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))  # another /dev/null
    else:
        pytest.skip("only root makes devices")
    before, name = path.lstat(), path
    if through == "a link":
        name = path.with_name("link")
        name.symlink_to(path)
    with pytest.raises(OSError, match=rf"Expected a file, got a {kind}.*left as it is: '{name}'"):
        save_file({"x": np.ones(1)}, name)
    assert path.lstat()[:4] == before[:4]
    assert not [n for n in os.listdir(path.parent) if n.endswith(".tmp")]
    if kind != "folder":
        with pytest.raises(OSError, match=f"Expected a file, got a {kind}"):
            load_file(name)


def test_a_link_to_a_name_that_is_free_is_followed_and_a_circle_refused(path):
    link, circle = path.with_name("link"), path.with_name("circle")
    link.symlink_to(path)
    save_file({"x": np.ones(1)}, link)
    assert link.is_symlink()
    assert path.is_file()
    circle.symlink_to(circle)
    with pytest.raises(OSError, match=r"circle"):
        save_file({"x": np.ones(1)}, circle)
    assert circle.is_symlink()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400, 0o666, 0o755])
def test_a_file_keeps_its_mode(path, mode):
    save_file({"x": np.ones(1)}, path)
    path.chmod(mode)
    save_file({"y": np.ones(1)}, path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert list(load_file(path)) == ["y"]


def test_a_secret_is_secret_from_the_first_moment_on(path, monkeypatch):
    path.touch(0o600)
    modes, fchmod = [], os.fchmod

    def noted(handle, mode):
        modes.append(stat.S_IMODE(os.fstat(handle).st_mode))
        fchmod(handle, mode)

    monkeypatch.setattr(os, "fchmod", noted)
    with files.replacing(path) as file:
        modes.append(stat.S_IMODE(os.fstat(file.fileno()).st_mode))
    assert modes == [0o600, 0o600]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_keeps_its_owner(path):
    path.touch()
    os.chown(path, 65534, 65534)
    save_file({"x": np.ones(1)}, path)
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65534)


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_new_file_has_the_mode_that_the_umask_leaves(path, umask):
    before = os.umask(umask)
    try:
        save_file({"x": np.ones(1)}, path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


def test_a_folder_that_cannot_be_listed_takes_the_file(path, monkeypatch):
    real = os.open

    def refused(name, flags=0, *args, **kwargs):
        if os.path.isdir(name):
            raise PermissionError(13, "Permission denied", name)
        return real(name, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", refused)
    monkeypatch.setattr(os, "listdir", refused)
    save_file({"x": np.ones(1)}, path)
    monkeypatch.undo()
    assert os.listdir(path.parent) == [path.name]


def test_saves_leave_no_handle_open(path):
    save_file({"x": np.ones(1)}, path)
    path.with_name(".t.safetensors.0123abcd.tmp").touch()
    before = os.listdir("/proc/self/fd")
    for _ in range(5):
        save_file({"x": np.ones(1)}, path)
        load_file(path)
    with pytest.raises(KeyError), files.replacing(path):
        raise KeyError
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_metadata_longer_than_any_program_reads_is_refused_and_the_old_file_stays(path, monkeypatch):
    monkeypatch.setattr(serialization, "LONGEST_HEADER", 1000)  # in fact 100 MB
    save_file({"old": np.ones(1)}, path)
    with pytest.raises(ValueError, match="at most 1,000 bytes together, got 1,"):
        save_file({"new": np.ones(1)}, path, {"note": "x" * 1000})
    assert list(load_file(path)) == ["old"]


# ---- files that are not what they say --------------------------------------------------------------------------------


def written(path, header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)


def test_a_file_without_metadata_is_read(path):
    safetensors.numpy.save_file({"w": np.arange(3.0)}, path)
    with safetensors.safe_open(path, framework="np") as file:
        assert file.metadata() is None
    assert load_file(path)["w"].tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(("shape", "size"), [([1] * 65, 4), ([0, 2**40, 2**23], 0), ([0, 2**63], 0), ([2**62, 0], 0)])
def test_a_shape_that_numpy_cannot_hold_is_named(path, shape, size):
    written(path, {"w": {"dtype": "F32", "shape": shape, "data_offsets": [0, size]}}, bytes(size))
    with pytest.raises(CheckpointError, match=rf"'w' has {len(shape)} dimensions of .* which NumPy cannot hold|not a whole"):
        load_file(path)


@pytest.mark.parametrize("digest", ["", "nonsense", "0" * 63, "G" * 64, "é" * 64, "\ud800"])
def test_a_digest_that_is_none_is_shown(path, digest):
    w = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    written(path, {"__metadata__": {serialization.DIGEST: digest}, "w": w}, bytes(4))
    with pytest.raises(CheckpointError, match=r"expected a SHA-256 of its contents|not a whole safetensors file"):
        load_file(path)


@pytest.mark.parametrize(
    ("header", "length"),
    [
        (b"{}", 2**63), (b"{}", 2**64 - 1), (b"{}", 99_000_000), (b"[" * 100_000, None), (b"[]", None), (b"3", None),
        (b'{"w": 3}', None), (b'{"w": {"data_offsets": [0, 1e400]}}', None), (b'{"w": {"data_offsets": ["a", "b"]}}', None),
        (b'{"w": {"data_offsets": [0, 8000000000], "dtype": "F32", "shape": [2000000000]}}', None), (b"\xff\xfe", None),
        (b'{"w": {"data_offsets": [0, -4], "dtype": "F32", "shape": [1]}}', None), (b'{"__metadata__": 3}', None),
        (b'{"__metadata__": {"a": 3}}', None), (b'{"w": {"data_offsets": [0, 4], "dtype": "F32", "shape": [-1]}}', None),
        (b'{"w": {"data_offsets": [0, 0.0], "dtype": "F32", "shape": [0]}}', None),
    ],
)  # fmt: skip
def test_a_header_of_nonsense_is_an_error_without_memory(path, header, length):
    for data in (b"", bytes(4)):
        written(path, header, data, length)
        tracemalloc.start()
        with pytest.raises(CheckpointError, match="not a whole safetensors file"):
            load_file(path)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
        tracemalloc.stop()


def test_a_large_file_of_another_kind_is_not_read(path):
    with open(path, "wb") as file:
        file.write((2).to_bytes(8, "little") + b"{}")
        file.truncate(1 << 33)  # 8 GB of zeros that take no room
    tracemalloc.start()
    with pytest.raises(CheckpointError, match="its header says 10 bytes, it has 8589934592"):
        load_file(path)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


TRUNCATE_WHILE_READING = """
import sys
from tinynorm import CheckpointError, load_file, serialization

path = sys.argv[1]
deserialize = serialization.safetensors.deserialize

def truncated_meanwhile(content):
    open(path, "wb").close()
    return deserialize(content)

serialization.safetensors.deserialize = truncated_meanwhile
print(load_file(path)["x"].sum().item())
"""


def test_a_file_that_is_truncated_while_it_is_read_does_not_kill_the_process(path):
    save_file({"x": np.ones(100_000)}, path)
    result = subprocess.run([sys.executable, "-c", TRUNCATE_WHILE_READING, path], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "100000.0\n"), result.stderr


def test_a_file_that_is_truncated_between_two_looks_is_an_error(path, monkeypatch):
    save_file({"x": np.ones(1000)}, path)
    real = json.loads

    def truncate(text):
        os.truncate(path, 500)
        return real(text)

    monkeypatch.setattr(serialization.json, "loads", truncate)
    with pytest.raises(CheckpointError, match=r"its header says \d+ bytes, it has \d+"):
        load_file(path)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_any_change_of_a_file_is_a_clear_error_or_the_same_tensors(data):
    arrays = {"a": np.arange(3.0), "b": np.ones((2, 1), np.int8)}
    expected = {name: (array.shape, array.tobytes()) for name, array in arrays.items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t"
        save_file(arrays, path, {"note": "x"})
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 3))):
            i = data.draw(st.integers(0, len(content) - 1))
            j = data.draw(st.integers(i, min(len(content), i + 9)))
            content[i:j] = data.draw(st.binary(max_size=9))
        path.write_bytes(content)
        with suppress(CheckpointError):
            loaded = load_file(path)
            assert {k: (t.shape, t.array.tobytes()) for k, t in loaded.items()} == expected


def test_what_is_no_mapping_and_a_missing_folder_are_said(path, tmp_path):
    with pytest.raises(TypeError, match=r"expected a mapping from names to tensors, got Linear; pass its \.state_dict"):
        save_file(tinynorm.nn.Linear(1, 1), path)
    with pytest.raises(FileNotFoundError, match=r"make it first: .*missing'$"):
        save_file({"w": tinynorm.ones(1)}, tmp_path / "missing" / "w.safetensors")
    assert list(tmp_path.iterdir()) == []
