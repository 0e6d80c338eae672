"""A weir whose system calls, allocations or instructions are counted."""
import contextlib
import json
import mmap
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

from peers import PATIENCE

HERE = pathlib.Path(__file__).resolve().parent
# The order is that of Counter in count_calls.cpp.
NAMES = ("reads", "empty_reads", "writes", "full_writes", "waits", "idle_waits", "broken_waits", "controls", "options",
         "others", "allocations", "bytes_in_use")
# Neither waiting for the next timer nor our own SIGCONT is work that an exchange causes.
NOT_WORK = ("idle_waits", "broken_waits", "allocations", "bytes_in_use")


class Counts(dict):
    def __sub__(self, other):
        return Counts({name: self[name] - other[name] for name in self})

    @property
    def calls(self):
        return sum(value for name, value in self.items() if name not in NOT_WORK)


def one_cpu():
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # so it has one worker


class CountedWeir:
    """Beneath the interposer, or beneath valgrind when `tool` is its command line."""

    def __init__(self, binary, backend_port, library=None, tool=(), workers=1):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-counts-"))
        self.address = ("127.0.0.1", self._free_port())
        config = self.folder / "config.json"
        config.write_text(json.dumps({
            "listen": [f"{self.address[0]}:{self.address[1]}"],
            "backends": [f"http://127.0.0.1:{backend_port}"],
            "admin": {"address": "off"}, "max_outstanding_per_backend": "unlimited", "workers": workers,
            "health": {"path": "off", "interval": "1h"}}))
        environment = dict(os.environ)
        self.page = None
        if library:
            counts = self.folder / "counts"
            counts.write_bytes(bytes(8 * len(NAMES)))
            environment |= {"LD_PRELOAD": str(library), "WEIR_COUNTS": str(counts)}
            with open(counts, "rb") as file:
                self.page = mmap.mmap(file.fileno(), 8 * len(NAMES), prot=mmap.PROT_READ)
        self.log = open(self.folder / "log", "w+")
        self.process = subprocess.Popen([*tool, str(binary), "serve", "-c", str(config)], env=environment,
                                        stdout=self.log, stderr=self.log, preexec_fn=one_cpu)
        self._await_listener()

    @staticmethod
    def _free_port():
        """Below those that the kernel gives to connections: nobody takes it before weir does."""
        while True:
            port = random.randrange(10_000, 32_000)
            with contextlib.suppress(OSError), socket.socket() as sock:
                sock.bind(("127.0.0.1", port))
                return port

    def said(self):
        self.log.seek(0)
        return self.log.read()[-2000:]

    def _await_listener(self):
        end = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(self.address, timeout=1).close()
                return
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"counts: error: weir does not listen; it said:\n{self.said()}")
            time.sleep(0.02)

    @contextlib.contextmanager
    def still(self):
        """Stopped for real, not only told to stop."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def _sleeps(self):
        """Not so when it has something to do and no CPU to do it on."""
        return all((task / "stat").read_text().rpartition(")")[2].split()[0] == "S"
                   for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir())

    def counts(self):
        """When it has nothing left to do: two looks that agree, and it sleeps."""
        end = time.monotonic() + PATIENCE
        before = None
        while time.monotonic() < end:
            now = Counts(zip(NAMES, struct.unpack(f"{len(NAMES)}q", self.page[:])))
            if before is not None and before.calls == now.calls and self._sleeps():
                return now
            before = now
            time.sleep(0.05)
        raise SystemExit("counts: error: weir does not come to rest")

    def wake_ups(self):
        """How often any of its threads has gone to sleep so far."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text(), re.MULTILINE)[1])
                   for task in tasks.iterdir())

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        said = self.said()
        shutil.rmtree(self.folder, ignore_errors=True)
        if code != 0:
            raise SystemExit(f"counts: error: weir ended with {code}; it said:\n{said}")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            self.process.kill()
            self.process.wait()
