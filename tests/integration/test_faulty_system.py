"""A system under pressure: reads and writes that move few bytes or none, calls that are interrupted, a table of descriptors
that is full. The real binary runs under tests/support/fault_shim.cpp; a sanitizer's library, where the binary has one,
comes before the shim. WEIR_SEED gives a run again."""
# ctest: TIMEOUT 600

import collections
import os
import pathlib
import random
import resource
import struct
import subprocess
import time
import unittest

from harness import BINARY, CHAT, ProxyTest, eventually, free_port, in_threads
from scripted_backend import DONE, LAST_CHUNK, STREAM_HEAD, answers, chunk, token, whole

SEEDS = [int(os.environ["WEIR_SEED"])] if "WEIR_SEED" in os.environ else [1, 2, 3]
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


def has_library(name):
    return any(found.startswith(name) for found in libraries())


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
        if may_fail and answer.status in (502, 503):
            self.assertEqual(answer.error["type"], "server_error")
            return answer.code
        self.assertEqual((answer.status, answer.end), (200, "whole"), answer.body[:500])
        self.assertEqual(answer.body, answer_of(number, kind)[1])
        return "whole"

    def run_traffic(self, weir, may_fail=False):
        """Each answer byte for byte; how they ended."""
        ends = collections.Counter()

        def one_client(index):
            client = weir.client()
            for round_ in range(REQUESTS):
                if round_ % 5 == 4:
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
                self.assertGreater(self.counts()[2], 1000, "hardly a fault: nothing was shown")

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
                self.assertEqual(self.run_traffic(weir), {"whole": CLIENTS * REQUESTS})
                self.assertGreater(self.counts()[1], 0)

    def test_who_cannot_be_connected_for_want_of_a_socket_gets_the_answer_or_an_error(self):
        for seed in SEEDS:
            backends = [self.backend(self.serve) for _ in range(3)]
            with self.subTest(seed=seed), self.weir_with(f"seed={seed} socket=200 short=100 again=50",
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
        self.assertIn("no descriptor left", weir.log)

    @unittest.skipIf(has_library("libubsan"), "UBSan itself needs a descriptor now and then")
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


class Limits(ProxyTest):
    def test_soft_limit_is_raised_to_the_hard_one_at_the_start(self):
        weir = self.weir(self.backend(answers(b"ok")))
        soft, hard = resource.prlimit(weir.process.pid, resource.RLIMIT_NOFILE)
        self.assertEqual(soft, hard)
        wanted = min(hard, 2000)
        lowered = subprocess.Popen(["sh", "-c", f'ulimit -Sn 256 && ulimit -Hn {wanted} && exec "$@"', "sh", BINARY,
                                    "serve", weir.backends[0].url, "--listen", f"127.0.0.1:{free_port()}", "--admin", "off"],
                                   stderr=subprocess.DEVNULL)
        try:
            eventually(lambda: resource.prlimit(lowered.pid, resource.RLIMIT_NOFILE) == (wanted, wanted),
                       "the soft limit is the hard one")
        finally:
            lowered.terminate()
            lowered.wait()


if __name__ == "__main__":
    unittest.main()
