"""Runs the real binary for the tests of the data path.

    class SomeTest(ProxyTest):
        def test_a_sentence(self):
            backend = self.backend(answers(b"hi"))
            weir = self.weir(backend)                    # weir reverse-proxy --from … --to …
            answer = weir.client().ask("GET", "/v1/models")
            self.assertEqual(answer.body, b"hi")

Every test ends with the same checks: weir is alive, its descriptors are back where they were, its log has no line of
level error, it ends on SIGTERM with code 0 and without a word from a sanitizer, and no script of a backend failed.
"""

import json
import os
import random
import re
import resource
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from scripted_backend import PATIENCE, ScriptedBackend

BINARY = os.environ.get("WEIR_BINARY", "weir")
ERROR_LINE = re.compile(r"^\S+Z error |AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:", re.MULTILINE)
CHAT = "/v1/chat/completions"


resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)  # clients are many


def free_port(host="127.0.0.1"):
    """A port that refuses until this process or one that it starts listens on it, and that no other test gets meanwhile:
    it stays bound by a socket with SO_REUSEADDR, beside which others of that kind may listen."""
    while True:
        port = random.randrange(10_000, 32_000)  # below those the kernel gives to connections
        held = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            held.bind((host, port))  # without SO_REUSEADDR: fails where anybody is bound
        except OSError:
            held.close()
            continue
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.detach()  # until this process ends
        return port


def _end(line):
    """Of a line of /proc/net/tcp: its two ports, the bytes that wait to be acknowledged and to be read, its inode (0:
    nobody has accepted it yet)."""
    words = line.split()
    local, remote, (sent, unread) = words[1], words[2], words[4].split(":")
    return (int(local.rpartition(":")[2], 16), int(remote.rpartition(":")[2], 16), int(sent, 16), int(unread, 16),
            int(words[9]))


def eventually(condition, what, patience=PATIENCE):
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("in vain: " + what)
        time.sleep(0.01)


class Answer:
    """end: whole (the message says so), fin or reset (the connection ended, maybe too early)."""

    def __init__(self, head):
        lines = head[:-4].split(b"\r\n")
        self.head = head
        self.version, status, *rest = lines[0].split(b" ", 2)
        self.status = int(status)
        self.reason = rest[0] if rest else b""
        self.fields = [tuple(line.split(b": ", 1)) for line in lines[1:]]
        self.body = b""
        self.on_wire = b""
        self.chunks = []
        self.end = "whole"

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower().encode()]

    def get(self, name):
        values = self.all(name)
        return values[0] if values else None

    @property
    def error(self):
        return json.loads(self.body)["error"]

    @property
    def code(self):
        return self.error["code"]


class Client:
    """A raw client. Speaks bytes; knows just enough HTTP to find the ends of answers."""

    def __init__(self, address, receive_buffer=0):
        if isinstance(address, str):
            self.sock = socket.socket(socket.AF_UNIX)
        else:
            self.sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(address)
        self.buffer = b""
        self.end = None  # fin or reset, once seen

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.sock.sendall(data)

    def close(self):
        self.sock.close()

    def fin(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def send_request(self, method="POST", path=CHAT, body=b"{}", fields=(), version="1.1"):
        lines = [f"{method} {path} HTTP/{version}", "Host: weir.test"]
        if body and method == "GET":
            body = b""
        if body:
            lines.append(f"Content-Length: {len(body)}")
        lines += list(fields)
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def _more(self):
        """False: there is no more, see `end`."""
        if self.end:
            return False
        try:
            data = self.sock.recv(65536)
        except TimeoutError as error:
            raise AssertionError(f"the client waited in vain; it had {self.buffer[:200]!r}") from error
        except ConnectionResetError:
            self.end = "reset"
            return False
        if not data:
            self.end = "fin"
            return False
        self.buffer += data
        return True

    def _until(self, mark):
        at = 0
        while (found := self.buffer.find(mark, at)) < 0:
            at = max(0, len(self.buffer) - len(mark))
            if not self._more():
                return None
        taken, self.buffer = self.buffer[:found + len(mark)], self.buffer[found + len(mark):]
        return taken

    def _up_to(self, size):
        parts, have = [], 0
        while have < size and (self.buffer or self._more()):
            taken, self.buffer = self.buffer[:size - have], self.buffer[size - have:]
            parts.append(taken)
            have += len(taken)
        return b"".join(parts)

    def read_head(self):
        head = self._until(b"\r\n\r\n")
        if head is None:
            raise AssertionError(f"the connection ended by {self.end} before a head; there was {self.buffer[:200]!r}")
        return Answer(head)

    def read_chunk(self):
        """The data of the next chunk; None at the end of the connection; b'' the last chunk."""
        line = self._until(b"\r\n")
        if line is None:
            return None
        size = int(line, 16)
        data = self._up_to(size + 2)
        return data[:-2] if len(data) == size + 2 else None

    def read_answer(self, method="POST"):
        answer = self.read_head()
        if method == "HEAD" or answer.status in (204, 304) or answer.status < 200:
            return answer
        if answer.get("transfer-encoding") == b"chunked":
            while (data := self.read_chunk()) is not None:
                if not data:
                    return answer
                answer.chunks.append(data)
                answer.body += data
            answer.end = self.end
        elif (length := answer.get("content-length")) is not None:
            answer.body = self._up_to(int(length))
            if len(answer.body) < int(length):
                answer.end = self.end
        else:
            answer.body = self.read_to_end()
            answer.end = self.end
        return answer

    def read_to_end(self):
        while self._more():
            pass
        taken, self.buffer = self.buffer, b""
        return taken

    def ask(self, method="POST", path=CHAT, body=b"{}", fields=(), version="1.1"):
        self.send_request(method, path, body, fields, version)
        return self.read_answer(method)

    def _ends(self):
        """Of both ends of this connection: is it ours, bytes not acknowledged, bytes not read, inode."""
        near, far = self.sock.getsockname()[1], self.sock.getpeername()[1]
        with open("/proc/net/tcp" + ("6" if self.sock.family == socket.AF_INET6 else ""), encoding="ascii") as table:
            for local, remote, *rest in map(_end, table.readlines()[1:]):
                if (local, remote) in ((near, far), (far, near)):
                    yield local == near, *rest

    def has_been_read(self):
        """Whether the other side has taken everything out of its socket that was sent."""
        return not any(sent if is_near else unread for is_near, sent, unread, _ in self._ends())

    def wait_until_accepted(self):
        eventually(lambda: any(not is_near and inode for is_near, _, _, inode in self._ends()),
                   "the other side accepts the connection")

    def wait_until_read(self):
        eventually(self.has_been_read, "the other side reads what was sent")

    def is_quiet(self, seconds=0.1):
        """Open, and nothing comes."""
        if self.buffer or self.end:
            return False
        self.sock.settimeout(seconds)
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        except ConnectionResetError:
            return False
        finally:
            self.sock.settimeout(PATIENCE)
        return False


class LoadBalancer:
    """`weir WORDS…`, listening; or another program that becomes it."""

    def __init__(self, *words, env=None, program=BINARY):
        self.backends = []  # whose kept connections end before descriptors are counted
        self.log = ""
        self.output = b""
        self._has_log_ended = False
        self._changed = threading.Condition()
        environment = dict(os.environ, **(env or {}))
        for name in ("JOURNAL_STREAM", "NOTIFY_SOCKET"):
            environment.pop(name, None)
        self.process = subprocess.Popen([program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=environment)
        self._threads = [threading.Thread(target=self._read_log, daemon=True),
                         threading.Thread(target=self._read_output, daemon=True)]
        for thread in self._threads:
            thread.start()
        try:
            self.wait_for_log(r"listening on \S+")
        except AssertionError:
            self.kill()
            raise
        self.address = self._address(re.search(r"listening on (\S+)", self.log)[1])
        self.baseline = self.descriptors()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for backend in self.backends:
            backend.drop_connections()  # kept connections are descriptors
        if kind is None:
            self.check_and_stop()
        else:
            self.kill()

    @staticmethod
    def _address(text):
        text = text.removeprefix("http://")
        if text.startswith("unix:"):
            return text.removeprefix("unix:")
        host, _, port = text.rpartition(":")
        host = host.strip("[]")
        return ({"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1", "*": "127.0.0.1"}.get(host, host), int(port))

    def _read_log(self):
        for line in self.process.stderr:
            with self._changed:
                self.log += line.decode(errors="replace")
                self._changed.notify_all()
        with self._changed:
            self._has_log_ended = True
            self._changed.notify_all()

    def _read_output(self):
        for line in self.process.stdout:
            with self._changed:
                self.output += line
                self._changed.notify_all()

    def wait_for_log(self, pattern, patience=PATIENCE, behind=0):
        """Until the log has it, behind so many characters."""
        def is_there():
            return re.search(pattern, self.log[behind:]) or self._has_log_ended
        with self._changed:
            self._changed.wait_for(is_there, patience)
            if not re.search(pattern, self.log[behind:]):
                raise AssertionError(f"no {pattern!r} behind {behind} in the log of {self.process.args}:\n{self.log}")

    def access_lines(self, count):
        """The first `count` lines of --access-log, read as JSON."""
        with self._changed:
            self._changed.wait_for(lambda: self.output.count(b"\n") >= count, PATIENCE)
            return [json.loads(line) for line in self.output.splitlines()]

    def client(self, **rest):
        return Client(self.address, **rest)

    def ask(self, *words, **rest):
        with self.client() as client:
            return client.ask(*words, **rest)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory(self):
        """Resident, in bytes."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, patience=PATIENCE):
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"weir did not end; its log:\n{self.log}") from None
        for thread in self._threads:
            thread.join(patience)
        return code

    def check(self):
        if self.process.poll() is not None:
            raise AssertionError(f"weir is gone, code {self.process.returncode}; its log:\n{self.log}")
        eventually(lambda: self.descriptors() <= self.baseline,
                   f"more descriptors than {self.baseline}, which there were at the start")

    def check_log(self):
        if found := ERROR_LINE.search(self.log):
            raise AssertionError(f"the log has an error ({found[0]!r}):\n{self.log}")

    def check_and_stop(self):
        try:
            if self.process.poll() is None or self.process.returncode != 0:
                self.check()
                self.signal(signal.SIGTERM)
                code = self.wait()
                if code != 0:
                    raise AssertionError(f"weir ended with {code}; its log:\n{self.log}")
            self.check_log()
        finally:
            self.kill()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        self.process.stdout.close()
        self.process.stderr.close()


class ProxyTest(unittest.TestCase):
    """Makes and ends what a test needs: clients first, then backends, then weir and its checks."""

    def setUp(self):
        self._clients, self._backends, self._balancers = [], [], []
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def tearDown(self):
        for client in self._clients:
            client.close()
        for backend in self._backends:
            backend.stop()
        failed = None
        for balancer in self._balancers:
            try:
                balancer.check_and_stop()
            except AssertionError as error:
                failed = failed or error
        mistakes = [mistake for backend in self._backends for mistake in backend.mistakes]
        if failed:
            raise failed
        if mistakes:
            raise mistakes[0]

    def backend(self, behaviour, **rest):
        backend = ScriptedBackend(behaviour, **rest)
        self._backends.append(backend)
        return backend

    def run_weir(self, *words, backends=(), **rest):
        balancer = LoadBalancer(*words, **rest)
        balancer.backends = [backend for backend in backends if isinstance(backend, ScriptedBackend)]
        self._balancers.append(balancer)
        return balancer

    def weir(self, *backends, flags=()):
        """`weir reverse-proxy`: all paths, everybody may wait. Backends are ScriptedBackends or URLs."""
        to = [word for url in urls_of(backends) for word in ("--to", url)]
        return self.run_weir("reverse-proxy", "--from", f"http://127.0.0.1:{free_port()}", *to, "--admin", "off",
                             *flags, backends=backends)

    def weir_urls(self, *backends, flags=()):
        """`weir URL…`: inference paths, everybody may wait."""
        return self.run_weir(*urls_of(backends), "--listen", f"127.0.0.1:{free_port()}", "--admin", "off", *flags,
                             backends=backends)

    def weir_serve(self, *backends, listener=None, **config):
        """`weir serve -c`: a service. `config` are the file's keys."""
        content = {"listen": [{"address": f"127.0.0.1:{free_port()}", **(listener or {})}], "admin": {"address": "off"},
                   "backends": urls_of(backends), **config}
        path = os.path.join(self.directory.name, f"weir-{len(self._balancers)}.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(content, file)
        return self.run_weir("serve", "-c", path, backends=backends)

    def client(self, balancer, **rest):
        client = balancer.client(**rest)
        self._clients.append(client)
        return client

    def assert_connections(self, backend, count):
        """So many carried the requests, of which one followed the other. Where a machine makes a pause longer than weir
        keeps a connection (4 s), the next request needs a new one: that one is not counted."""
        late = sum(after.connection != before.connection and after.came_at - before.came_at > 3
                   for before, after in zip(backend.requests, backend.requests[1:]))
        self.assertEqual(len(backend.connections) - late, count)

    def assert_error(self, answer, status, code):
        self.assertEqual((answer.status, answer.end), (status, "whole"), answer.body)
        self.assertEqual(answer.code, code)
        self.assertEqual(set(answer.error), {"message", "type", "param", "code"})
        self.assertEqual(answer.get("content-type"), b"application/json")
        self.assertTrue(answer.get("x-request-id"))


def urls_of(backends):
    return [backend if isinstance(backend, str) else backend.url for backend in backends]


def refuses(address):
    """Whether nobody listens there any more."""
    try:
        socket.create_connection(address, PATIENCE).close()
    except ConnectionRefusedError:
        return True
    except OSError:  # it was in the backlog when that ended
        pass
    return False


def in_threads(count, work, patience=4 * PATIENCE):
    """work(0 … count-1), all at once; the results in order. The first exception is raised here."""
    results = [None] * count
    errors = []

    def run(index):
        try:
            results[index] = work(index)
        except BaseException as error:  # told below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(count)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + patience
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    if errors:
        raise errors[0]
    if any(thread.is_alive() for thread in threads):
        raise AssertionError("some of the threads did not end")
    return results
