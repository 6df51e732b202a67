"""`tinynorm check` on files that do harm: each is said to be what it is, the rest is checked, and nothing stays behind.

These tests check files as the command does, in processes of their own. All other tests check them in the process of the tests
(tests/conftest.py), which is quicker.
"""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from tinynorm.command.main import main
from tinynorm.command.process import guard, own_process

PAIRS = """
import ctypes, os, subprocess, sys, threading, time
import numpy as np

def first_forward(x): return x * 2, x
def first_backward(dout, x): return dout * 2
"""
LAST = """
def last_forward(x): return x * 3, x
def last_backward(dout, x): return dout * 3
"""


@pytest.fixture
def check(tmp_path, capsys, monkeypatch):
    """Check a file of this text as the command does; returns (exit code, what was printed, complained of), in one line each."""
    marks = []

    def token(n):
        marks.append(os.urandom(n).hex())
        return marks[-1]

    def of(*texts, options=()):
        (tmp_path / "layers.py").write_text("\n".join(map(textwrap.dedent, texts)))
        begun, before = time.perf_counter(), os.getcwd()
        code = main(["check", "layers.py", "--timeout", "20", *options])
        assert time.perf_counter() - begun < 60
        assert os.getcwd() == before
        assert not [mark for mark in marks if guard._marked(mark)], "a process is left"
        return code, *(" ".join(part.split()) for part in capsys.readouterr())

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tinynorm.command.main.checked", own_process.checked)
    monkeypatch.setattr(own_process.secrets, "token_hex", token)
    return of


# ---- harm done by a pair: the pairs before and after it are checked -------------------------------------------------------

HARMS = {  # what forward does -> what is said
    "exits": ("os._exit(3)", "it ends its process, with exit code 3"),
    "leaves": ("sys.exit('done')", "SystemExit: done"),
    "aborts": ("os.abort()", "its process crashed: Aborted (SIGABRT), in bad_forward, layers.py:"),
    "crashes": ("ctypes.string_at(0)", "its process crashed: Segmentation fault (SIGSEGV), in bad_forward, layers.py:"),
    "ends its parent": ("os.kill(os.getppid(), 9)", "it ends its parent process"),
    "ends its group": ("os.killpg(0, 15)", "it ends its parent process"),
    "interrupts": ("raise KeyboardInterrupt", "it raises KeyboardInterrupt"),
    "raises anything": ("raise BaseException('x')", "BaseException: x"),
    "patches NumPy": ("np.exp = lambda x: x", "it changes numpy.exp, with which the checker computes too"),
    "patches Python": ("import builtins; builtins.abs = lambda x: 0", "it changes builtins.abs"),
    "breaks Python": ("import builtins; builtins.len = builtins.isinstance = None", "TypeError"),
    "patches the checker": (
        "import tinynorm.gradcheck.report.report as r; r.Report.__bool__ = lambda self: True",
        "it changes tinynorm.gradcheck.report.report.Report.__bool__",
    ),
    "empties sys.modules": ("sys.modules.clear()", "sys.modules["),
    "forks": ("os.fork()", "RuntimeError: the checker lets a file start 64 processes and no more"),
    "asks for memory": ("np.ones(10**8)", "it asks for more memory than it may have (Unable to allocate 763. MiB"),
    "closes the channel": ("os.closerange(0, 2000)", "it closes a file descriptor of the checker"),
}
SLOW_HARMS = {
    "hangs": ("while True: pass", "it takes longer than 8 s (--timeout SECONDS allows more), in bad_forward, layers.py:"),
    "sleeps": ("time.sleep(1000)", "it takes longer than 8 s (--timeout SECONDS allows more), in bad_forward, layers.py:"),
    "hangs and ignores signals": (
        "import signal; signal.signal(15, signal.SIG_IGN); signal.signal(2, signal.SIG_IGN); time.sleep(1000)",
        "it takes longer than 8 s",
    ),
    "stops": ("import signal; os.kill(os.getpid(), signal.SIGSTOP)", "it takes longer than 8 s"),
    "floods": ("while True: os.write(1, b'x' * 10**6)", "it writes more than 20 MB; --output MB allows more"),
    "prints": ("while True: print('x' * 1000, end='')", "it prints more than 20 MB; --output MB allows more"),
    "takes memory": ("l = []\n    while True: l.append(np.ones(10**6))", "it asks for more memory than it may have"),
}


def bad(does, name="bad"):
    return f"def {name}_forward(x):\n    {does}\n    return x * 2, x\ndef {name}_backward(dout, x): return dout * 2\n"


def file_of(harms):
    """A file with a pair for each of these harms, and a pair that does none before and after them."""
    pairs = [bad(does.replace("bad_", f"bad{i}_"), f"bad{i}") for i, (does, _) in enumerate(harms)]
    return PAIRS, *pairs, LAST


@pytest.mark.parametrize("part", range(3))  # a process for each harm is enough, and one for the last pair
def test_pairs_that_do_harm(check, part):
    harms = list(HARMS.values())[part::3]
    code, out, err = check(*file_of(harms), options=["--memory", "500"])
    assert code == 2, out + err
    for i, (_, says) in enumerate(harms):
        _, _, told = out.partition(f"could not check bad{i}: ")
        assert says.replace("bad_", f"bad{i}_") in told.partition("could not check")[0]
    assert f"{len(harms) + 2} pairs: 2 right, {len(harms)} not checked (bad0" in out
    assert "Traceback" not in out + err


@pytest.mark.long
@pytest.mark.parametrize("harm", SLOW_HARMS)
def test_a_pair_that_does_harm_for_long(check, harm):
    does, says = SLOW_HARMS[harm]
    code, out, err = check(PAIRS, bad(does), LAST, options=["--timeout", "8", "--memory", "300", "--output", "20"])
    assert code == 2, out + err
    assert says in out
    assert "3 pairs: 2 right, 1 not checked (bad)" in out


@pytest.mark.long
def test_a_backward_that_hangs_and_another_that_is_wrong(check):
    code, out, _ = check(
        PAIRS,
        bad("pass").replace("return dout * 2", "time.sleep(1000)"),
        LAST.replace("t * 3", "t * 4"),
        options=["--timeout", "8"],
    )
    assert code == 1
    assert "could not check bad: it takes longer than 8 s (--timeout SECONDS allows more), in bad_backward, layers.py:" in out
    assert "3 pairs: 1 right, 1 wrong (last), 1 not checked (bad)" in out


# ---- harm done by the import: nothing can be checked ----------------------------------------------------------------------

AT_IMPORT = {
    "exits": ("os._exit(0)", "could not be checked: when it is imported, it ends its process, with exit code 0"),
    "says that all is well": ("np.allclose = lambda *a, **k: True", "it changes numpy.allclose"),
    "deletes a module": ("del sys.modules['numpy']", "it changes sys.modules['numpy']"),
    "patches seeds": ("np.random.seed = lambda *a: None", "it changes numpy.random.seed"),
    "asks for memory": ("np.ones(10**9)", "when it is imported, it asks for more memory than it may have"),
}


@pytest.mark.parametrize("harm", AT_IMPORT)
def test_an_import_that_does_harm(check, harm):
    does, says = AT_IMPORT[harm]
    code, out, err = check(PAIRS, does, options=["--memory", "500"])
    assert (code, out) == (2, "")
    assert says in err
    assert "Traceback" not in err


def test_an_import_that_hangs(check):
    code, out, err = check(PAIRS, "time.sleep(1000)", options=["--timeout", "1"])
    assert (code, out) == (2, "")
    assert "when it is imported, it takes longer than 1 s (--timeout SECONDS allows more), in <module>, layers.py:" in err


# ---- no harm: the verdict is right all the same ---------------------------------------------------------------------------

HARMLESS = {
    "threads and exit handlers": """
        import atexit
        threading.Thread(target=lambda: time.sleep(1000)).start()
        atexit.register(lambda: time.sleep(1000))
    """,
    "children that stay": """
        subprocess.Popen(["sleep", "1000"], start_new_session=True)
        subprocess.Popen(["sleep", "1000"])
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(1000)
    """,
    "streams, descriptors, directory, signals": """
        import signal
        sys.stdout.close()
        sys.stdout = None
        os.closerange(0, 20)
        os.chdir("/")
        for number in range(1, 32):
            if number not in (signal.SIGKILL, signal.SIGSTOP):
                signal.signal(number, signal.SIG_IGN)
    """,
    "garbage": """
        for descriptor in range(1, 256):
            try:
                os.write(descriptor, b'\\n0 {"what": "end"}\\n{"what": "result", "pair": 0}\\n{')
            except OSError:
                pass
    """,
    "warnings, old names": """
        import warnings
        warnings.simplefilter("error")
        np.int, np.float, np.bool = int, float, bool
        np.random.seed(0)
    """,
}


@pytest.mark.parametrize("what", HARMLESS)
def test_what_does_no_harm(check, what):
    code, out, err = check(PAIRS, HARMLESS[what], LAST)
    assert code == 0, out + err
    assert "2 pairs: 2 right" in out


def test_what_is_heard_late_was_told(check, monkeypatch):
    """On a machine with much to do, a process has ended before what it told is read."""
    monkeypatch.setattr(own_process.json, "loads", lambda line, loads=json.loads: time.sleep(0.4) or loads(line))
    code, out, err = check(PAIRS)
    assert code == 0, out + err


def test_what_is_written_is_shown_shortly_whoever_writes_it(check):
    writes = "os.write(2, b'by number\\n'); print('by name'); subprocess.run(['echo', 'by another'])"
    code, out, err = check(PAIRS, writes, "print('x' * 10**6)")
    assert code == 0, out
    for line in ("by number", "by name", "by another"):
        assert err.count(line) == 1
    assert len(err) < 1000


# ---- the command ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_check_that_is_ended_leaves_nothing(tmp_path, number):
    path, began = tmp_path / "layers.py", tmp_path / "began"
    path.write_text(PAIRS + f"open({str(began)!r}, 'w').write(os.environ[{guard.MARK!r}])\ntime.sleep(1000)\n")
    command = [sys.executable, "-m", "tinynorm", "check", str(path)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # a job in the background is started with SIGINT ignored, and so are its children
    pipes["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, **pipes)
    while not (began.exists() and began.read_text()):
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode == (130 if number == signal.SIGINT else -9)
    assert err == ("interrupted\n" if number == signal.SIGINT else "")
    until = time.perf_counter() + 20
    while guard._marked(began.read_text()):
        assert time.perf_counter() < until
        time.sleep(0.05)


@pytest.mark.parametrize("option", ["--timeout", "--memory", "--output"])
def test_limits_are_whole_numbers(option, capsys):
    with pytest.raises(SystemExit):
        main(["check", "layers.py", option, "0"])
    assert "expected a whole number, 1 or more, got '0'" in capsys.readouterr().err
