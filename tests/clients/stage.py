"""Pretend servers and weir as processes of a test: started on free loopback ports, ended by pid whatever happens."""
import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from harness import free_port  # noqa: E402

WEIR = os.environ["WEIR_BINARY"]
MODEL = "pretend"
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(url):
    """The body of a GET as text, or None when there is no 200."""
    try:
        with _OPENER.open(url, timeout=30) as response:
            return response.read().decode()
    except (urllib.error.URLError, OSError):
        return None


def wait_until(condition, what, seconds=90):
    """A generous deadline, not a measurement."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s still not so: {what}")
        time.sleep(0.02)


class Stage:
    """A context in which processes run; what they wrote is shown when the test fails."""

    def __init__(self):
        self._exit = contextlib.ExitStack()

    def __enter__(self):
        self._folder = pathlib.Path(self._exit.enter_context(tempfile.TemporaryDirectory()))
        return self

    def __exit__(self, *error):
        self._exit.close()

    def run(self, name, *arguments):
        """Starts weir with `arguments`; its output goes to a file called `name`."""
        log = self._exit.enter_context((self._folder / name).open("wb"))
        environment = {**os.environ, "XDG_RUNTIME_DIR": str(self._folder)}
        process = subprocess.Popen([WEIR, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        self._exit.callback(self._end, process)
        return process

    @staticmethod
    def _end(process):
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def mock(self, *options):
        """A pretend vLLM; returns its base URL, without /v1."""
        port = free_port()
        self.run(f"mock-{port}", "mock", "--listen", f"127.0.0.1:{port}", "--model", MODEL, "--ttft", "5ms", "--itl", "5ms",
                 *options)
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: get(f"{url}/health") is not None, f"the pretend server at {url} is ready")
        return url

    def weir(self, *backends, wait=True):
        """`weir serve` over the backends; returns its base URL, without /v1."""
        port = free_port()
        self.run(f"weir-{port}", "serve", "--listen", f"127.0.0.1:{port}", *backends)
        url = f"http://127.0.0.1:{port}"
        if wait:
            wait_until(lambda: get(f"{url}/health") is not None, f"weir at {url} has a ready backend:\n{self.logs()}")
        return url

    def logs(self):
        return "\n".join(f"-- {path.name}\n{path.read_text(errors='replace')[-2000:]}" for path in self._folder.iterdir()
                         if path.is_file())


def total(mocks, metric):
    """Of a metric (a regular expression) of all pretend servers; None when one of them did not answer."""
    texts = [get(f"{url}/metrics") for url in mocks]
    if None in texts:
        return None
    return sum(float(value) for text in texts
               for value in re.findall(rf"^{metric}(?:\{{[^}}]*\}})? ([\d.e+]+)$", text, re.MULTILINE))


def running(mocks):
    """How many sequences the pretend servers generate or hold in line, together."""
    return total(mocks, "vllm:num_requests_(?:running|waiting)")


def left(mocks):
    """How many sequences ended because their client had left."""
    return total(mocks, "weir_mock_aborted_total")
