"""A system under pressure: reads and writes that move few bytes or none, calls that are interrupted, a table of descriptors
that is full. The real binary runs under tests/support/fault_shim.cpp; a sanitizer's library, where the binary has one,
comes before the shim. WEIR_SEED gives a run again."""

import collections
import json
import os
import pathlib
import random
import resource
import struct
import subprocess
import threading
import time
import unittest

from harness import BINARY, CHAT, ProxyTest, eventually, free_port, in_threads
from scripted_backend import DONE, LAST_CHUNK, PATIENCE, STREAM_HEAD, answers, chunk, token, whole

SEEDS = [int(os.environ["WEIR_SEED"])] if "WEIR_SEED" in os.environ else [1, 2]
CLIENTS, REQUESTS = 12, 12
SMALL, LARGE = 3_000, 150_000


def find_shim():
    """libfault_shim.so of the build that WEIR_BINARY is from."""
    binary = pathlib.Path(BINARY).resolve()
    for parent in binary.parents[:3]:
        if (path := parent / "tests" / "libfault_shim.so").exists():
            return str(path)
    raise FileNotFoundError(f"no tests/libfault_shim.so beside {binary}; help: build everything")


def libraries():
    """name -> path"""
    listed = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True).stdout.splitlines()
    return {line.split()[0]: line.split()[2] for line in listed if "=> /" in line}


def sanitizers():
    """Their runtimes, which must be the first of all libraries."""
    return [path for name, path in libraries().items() if name.startswith(("libasan", "libtsan"))]


def body_of(seed, size):
    return random.Random(seed).randbytes(size)


def answer_of(number, kind):
    """What a backend sends for request `number`: on the wire, and what a client must get of it."""
    if kind == "plain":
        body = b"%d:" % number + body_of(number, LARGE if number % 4 == 0 else SMALL)
        return whole(body, fields=b"content-type: application/octet-stream\r\n"), body
    events = [token(b"%d-%d" % (number, at)) for at in range(1 + number % 40)]
    return STREAM_HEAD + b"".join(map(chunk, events)) + chunk(DONE) + LAST_CHUNK, b"".join(events) + DONE


class FaultyTest(ProxyTest):
    def setUp(self):
        super().setUp()
        self.counts_path = os.path.join(self.directory.name, "counts")
        self.full_path = os.path.join(self.directory.name, "full")
        with open(self.counts_path, "wb") as counts:
            counts.write(bytes(4096))

    def counts(self):
        """(calls of accept4, its faults, faults of reads and writes, the rest)"""
        with open(self.counts_path, "rb") as counts:
            return struct.unpack("=4Q", counts.read(32))

    def weir_with(self, faults, *backends, flags=()):
        to = [word for backend in backends for word in ("--to", backend.url)]
        environment = {"LD_PRELOAD": ":".join([*sanitizers(), find_shim()]), "WEIR_FAULTS": faults,
                       "WEIR_FAULT_COUNTS": self.counts_path, "WEIR_FAULT_FULL": self.full_path}
        return self.run_weir("reverse-proxy", "--from", f"http://127.0.0.1:{free_port()}", *to, "--admin", "off",
                             *flags, backends=backends, env=environment)

    def serve(self, connection, request):
        """POST CHAT with body `NUMBER KIND …`; the request must have come unchanged."""
        number, kind, rest = request.body.split(b" ", 2)
        if rest != body_of(-int(number), len(rest)):
            raise AssertionError(f"request {number} was changed on its way")
        connection.send(answer_of(int(number), kind.decode())[0])

    def ask(self, client, number, may_fail):
        kind = "plain" if number % 3 == 0 else "stream"
        size = LARGE if number % 5 == 0 else SMALL
        client.send_request(path=CHAT, body=b"%d %s " % (number, kind.encode()) + body_of(-number, size))
        answer = client.read_answer()
        client.is_over = answer.get("connection") == b"close"  # an error that came before all of a large body
        if may_fail and answer.status in (502, 503):
            self.assertEqual(answer.error["type"], "server_error")
            return answer.code
        self.assertEqual((answer.status, answer.end), (200, "whole"), answer.body[:500])
        self.assertEqual(answer.body, answer_of(number, kind)[1])
        return "whole"

    def run_traffic(self, weir, may_fail=False, a_connection=5):
        """Each answer byte for byte, so many over each connection; how they ended."""
        ends = collections.Counter()

        def one_client(index):
            client = weir.client()
            for round_ in range(REQUESTS):
                if round_ % a_connection == a_connection - 1 or getattr(client, "is_over", False):
                    client.close()
                    client = weir.client()
                ends[self.ask(client, 1 + index * REQUESTS + round_, may_fail)] += 1
            client.close()
        in_threads(CLIENTS, one_client)
        return ends


class Bytes(FaultyTest):
    def test_no_byte_is_lost_where_every_call_may_do_less_or_nothing(self):
        for seed in SEEDS:
            backends = [self.backend(self.serve) for _ in range(3)]
            with self.subTest(seed=seed), self.weir_with(f"seed={seed} short=250 again=150 intr=100 wait=100",
                                                         *backends) as weir:
                self.assertEqual(self.run_traffic(weir), {"whole": CLIENTS * REQUESTS})
                self.assertGreater(self.counts()[2], 200, "hardly a fault: nothing was shown")

    def test_one_byte_at_a_time_is_enough(self):
        backend = self.backend(self.serve)
        weir = self.weir_with("seed=9 short=950", backend)
        with weir.client() as client:
            for number in (1, 2, 3, 4):
                self.assertEqual(self.ask(client, number, False), "whole")

    def test_clients_arrive_although_accept_fails_now_and_then(self):
        for seed in SEEDS:
            backends = [self.backend(self.serve) for _ in range(2)]
            with self.subTest(seed=seed), self.weir_with(f"seed={seed} accept=300 intr=50", *backends) as weir:
                # Who is idle when there is no descriptor left makes room: no connection is idle here.
                self.assertEqual(self.run_traffic(weir, a_connection=1), {"whole": CLIENTS * REQUESTS})
                self.assertGreater(self.counts()[1], 0)

    def test_who_cannot_be_connected_for_want_of_a_socket_gets_the_answer_or_an_error(self):
        for seed in SEEDS:
            backends = [self.backend(self.serve) for _ in range(3)]
            with self.subTest(seed=seed), self.weir_with(f"seed={seed} socket=150 short=100 again=50",
                                                         *backends) as weir:
                ends = self.run_traffic(weir, may_fail=True)
                print(f"\n  seed {seed}: {dict(ends)}", end=" ")
                self.assertEqual(sum(ends.values()), CLIENTS * REQUESTS)
                self.assertGreater(ends["whole"], 0)
                eventually(lambda: weir.ask(body=b"1 plain ").status == 200, "it goes on afterwards")


class Full(FaultyTest):
    def test_a_full_table_of_descriptors_never_spins_and_all_are_served_when_it_is_not(self):
        backend = self.backend(answers(b"ok"))
        weir = self.weir_with("seed=1", backend)
        self.assertEqual(weir.ask().body, b"ok")
        with open(self.full_path, "wb"):
            pass
        clients = [self.client(weir) for _ in range(50)]
        for client in clients:
            client.send_request()
        eventually(lambda: self.counts()[1] >= 3, "accept fails, and is tried again")
        before, begun = self.counts()[0], time.monotonic()
        time.sleep(2)
        calls, took = self.counts()[0] - before, time.monotonic() - begun
        print(f"\n  {calls} calls of accept4 in {took:.1f} s", end=" ")
        # Five a second from each of at most four workers; who spins makes a hundred thousand.
        self.assertLess(calls, 40 * took)
        os.unlink(self.full_path)
        for client in clients:
            self.assertEqual(client.read_answer().body, b"ok")
        self.assertNotIn("-> down", weir.log)
        weir.wait_for_log("no descriptor left")

    @unittest.skipIf(sanitizers(), "a sanitizer itself needs a descriptor now and then: for release builds")
    def test_a_limit_that_is_reached_in_earnest_makes_clients_wait_and_not_fail(self):
        backend = self.backend(answers(b"ok"))
        weir = self.weir(backend)
        self.assertEqual(weir.ask().body, b"ok")
        hard = resource.prlimit(weir.process.pid, resource.RLIMIT_NOFILE)[1]
        # Room for a few: that of the backend, some clients, a probe.
        resource.prlimit(weir.process.pid, resource.RLIMIT_NOFILE, (weir.descriptors() + 4, hard))
        clients = [self.client(weir) for _ in range(40)]
        for client in clients:
            client.send_request()
        weir.wait_for_log("no descriptor left|too many open files|Too many open files")
        resource.prlimit(weir.process.pid, resource.RLIMIT_NOFILE, (hard, hard))
        for client in clients:
            answer = client.read_answer()
            self.assertIn(answer.status, (200, 502, 503), answer.body)  # who has no socket to a backend is told
        eventually(lambda: weir.ask().status == 200, "it goes on afterwards")


def with_limits(soft, hard, *words):
    """Words that run `words` under these limits of descriptors."""
    return ["sh", "-c", f'ulimit -Sn {soft} && ulimit -Hn {hard} && exec "$@"', "sh", *words]


class Limits(ProxyTest):
    def run_refused(self, soft, hard, *words):
        done = subprocess.run(with_limits(soft, hard, BINARY, *words), capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        return done.stderr

    def test_soft_limit_is_raised_to_the_hard_one_at_the_start(self):
        weir = self.weir(self.backend(answers(b"ok")))
        soft, hard = resource.prlimit(weir.process.pid, resource.RLIMIT_NOFILE)
        self.assertEqual(soft, hard)
        wanted = min(hard, 2000)
        lowered = subprocess.Popen(with_limits(256, wanted, BINARY, "serve", weir.backends[0].url, "--listen",
                                               f"127.0.0.1:{free_port()}", "--admin", "off"), stderr=subprocess.DEVNULL)
        try:
            eventually(lambda: resource.prlimit(lowered.pid, resource.RLIMIT_NOFILE) == (wanted, wanted),
                       "the soft limit is the hard one")
        finally:
            lowered.terminate()
            lowered.wait()

    def test_limit_that_is_too_low_is_refused_with_what_to_do(self):
        said = self.run_refused(50, 50, "serve", "http://127.0.0.1:1", "--listen", f"127.0.0.1:{free_port()}")
        self.assertIn("weir: error: this process may open 50 files, and needs 64 to serve", said)
        self.assertIn("help: raise the hard limit (ulimit -Hn", said)

    def test_more_connections_than_the_limit_allows_are_refused_with_how_many_would_do(self):
        path = os.path.join(self.directory.name, "many.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"backends": ["http://127.0.0.1:1"], "max_connections": 10_000}, file)
        said = self.run_refused(256, 1024, "serve", "-c", path, "--listen", f"127.0.0.1:{free_port()}")
        self.assertIn("max_connections 10000 needs 20048 open files, and this process may open 1024", said)
        self.assertIn("or set max_connections to 488", said)

    def test_clients_beyond_the_limit_wait_and_those_with_a_request_are_answered(self):
        go_on = threading.Event()
        self.addCleanup(go_on.set)

        def behave(connection, request):
            go_on.wait(PATIENCE)
            connection.send(whole(b"ok"))
        backend = self.backend(behave)
        weir = self.run_weir("-c", 'ulimit -Sn 128 && ulimit -Hn 128 && exec "$@"', "sh", BINARY, "reverse-proxy", "--from",
                             f"http://127.0.0.1:{free_port()}", "--to", backend.url, "--admin", "off", backends=[backend],
                             program="sh")
        clients = []
        for count in (40, 100):  # as many as 128 descriptors have room for; beyond
            while len(clients) < count:
                clients.append(self.client(weir))
                clients[-1].send_request()
            backend.wait_for_requests(40)
        weir.wait_for_log("max_connections: 40 clients are connected and none is idle")
        self.assertEqual(len(backend.requests), 40)
        go_on.set()
        for client in clients:
            self.assertEqual(client.read_answer().body, b"ok")

    def test_command_and_replicas_of_launch_get_the_soft_limit_that_was_there_before(self):
        shown = os.path.join(self.directory.name, "replica")
        done = subprocess.run(
            with_limits(200, 1000, BINARY, "launch", "--local", "--replicas", "1", "--log-dir", self.directory.name, "--serve",
                        f"ulimit -Sn > {shown}; exec {BINARY} mock --listen 127.0.0.1:{{port}}", "--",
                        "sh", "-c", "ulimit -Sn; ulimit -Hn"),
            capture_output=True, text=True, timeout=90, stdin=subprocess.DEVNULL)
        self.assertEqual((done.returncode, done.stdout), (0, "200\n1000\n"), done.stderr)
        with open(shown, encoding="ascii") as file:
            self.assertEqual(file.read(), "200\n")


if __name__ == "__main__":
    unittest.main()
