"""Runs `weir launch --local` for tests, and knows every process that descends from it: each carries a mark in its environment.

    class SomeTest(LaunchTest):
        def test_a_sentence(self):
            run = self.launch("--replicas", "2", command=["true"])
            self.assertEqual(run.wait(), 0)

Every test ends with the same checks: no process of the run is left, and no sanitizer said a word.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

BINARY = os.path.abspath(os.environ.get("WEIR_BINARY", "weir"))
HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 180  # seconds that anything may take; nothing is measured
SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:")


def pretend(flags=""):
    """A --serve line."""
    return f"exec {sys.executable} {HERE}/pretend_server.py --port {{port}} {flags}"


def python(code, *arguments):
    """A COMMAND that runs Python."""
    return [sys.executable, "-c", code, *arguments]


class Launch:
    def __init__(self, flags, command, serve, environment, directory, wrap=(), **popen):
        self.mark = uuid.uuid4().hex
        self.directory = directory
        env = dict(os.environ, WEIR_TEST_MARK=self.mark, **environment)
        for name in [name for name in env if name.startswith("SLURM_")] + ["OPENAI_API_KEY", "OPENAI_BASE_URL"]:
            if name not in environment:
                env.pop(name, None)
        words = [*wrap, BINARY, "launch", "--log-dir", f"{directory}/logs"]
        words += ["--serve", serve] if serve else []
        words += list(flags) + (["--", *command] if command is not None else [])
        self.stderr_path = f"{directory}/stderr-{self.mark}"
        self.out_path = f"{directory}/stdout-{self.mark}"
        popen.setdefault("stdin", subprocess.DEVNULL)
        with open(self.stderr_path, "wb") as err, open(self.out_path, "wb") as out:
            popen.setdefault("stderr", err)
            popen.setdefault("stdout", out)
            self.process = subprocess.Popen(words, env=env, start_new_session=True, **popen)

    @property
    def err(self):
        with open(self.stderr_path, errors="replace") as file:
            return file.read()

    @property
    def out(self):
        with open(self.out_path, errors="replace") as file:
            return file.read()

    def wait(self, patience=PATIENCE):
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"weir launch did not end; it said:\n{self.err}") from None

    def wait_for(self, pattern, patience=PATIENCE):
        """The match of `pattern` in what it says."""
        end = time.monotonic() + patience
        while True:
            has_ended = self.process.poll() is not None  # before the look: what it said last counts
            found = re.search(pattern, self.err)
            if found:
                return found
            if time.monotonic() > end or has_ended:
                raise AssertionError(f"weir launch never said {pattern!r}, but:\n{self.err}")
            time.sleep(0.02)

    def send(self, number):
        self.process.send_signal(number)

    def processes(self):
        """pid -> command line of everything that descends from the run."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    if f"WEIR_TEST_MARK={self.mark}".encode() not in file.read():
                        continue
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if words != [b""]:
                found[int(pid)] = b" ".join(words).decode(errors="replace")
        return found

    def servers(self):
        return [pid for pid, line in self.processes().items()
                if "pretend_server.py" in line and "__replica" not in line and not line.startswith("/bin/sh")]

    def wait_until_gone(self, patience=PATIENCE):
        end = time.monotonic() + patience
        while left := self.processes():
            if time.monotonic() > end:
                for pid in left:
                    os.kill(pid, signal.SIGKILL)
                raise AssertionError(f"left behind: {left}; it said:\n{self.err}")
            time.sleep(0.05)


class LaunchTest(unittest.TestCase):
    def setUp(self):
        self.runs = []
        directory = tempfile.TemporaryDirectory(prefix="weir-launch-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def launch(self, *flags, command=None, serve=pretend(), environment=None, local=True, **popen):
        flags = (["--local"] if local else []) + list(flags)
        run = Launch(flags, command, serve, environment or {}, self.directory, **popen)
        self.runs.append(run)
        return run

    def tearDown(self):
        for run in self.runs:
            if run.process.poll() is None:
                run.send(signal.SIGKILL)
                run.process.wait()
            run.wait_until_gone()
            self.assertIsNone(SANITIZER.search(run.err), run.err)
