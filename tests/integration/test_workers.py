"""Several event loops in one process: clients are spread over them, and what they share (the exact count of outstanding
requests, the waiting room, the access log, the metrics) is one for all of them.
"""

import collections
import http.client
import json
import os
import re
import signal
import threading
import unittest

from harness import CHAT, ProxyTest, eventually, free_port, in_threads, refuses, urls_of
from scripted_backend import DONE, LAST_CHUNK, PATIENCE, STREAM_HEAD, answers, chunk, token

WORKERS = 4
FLAGS = ["--workers", str(WORKERS)]


class Held:
    """A behaviour: the stream begins, and ends when the test says so."""

    def __init__(self):
        self.may_end = threading.Event()
        self.lock = threading.Lock()
        self.now = self.most = 0

    def __call__(self, connection, request):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        connection.send(STREAM_HEAD + chunk(token(b"first")))
        self.may_end.wait(PATIENCE)
        with self.lock:  # before the end is sent: what comes after it may be the next request
            self.now -= 1
        connection.send(chunk(DONE) + LAST_CHUNK)


class Workers(ProxyTest):
    def weir_with_admin(self, *backends, flags=()):
        """Also a function that asks the admin side."""
        admin = f"127.0.0.1:{free_port()}"
        to = [word for url in urls_of(backends) for word in ("--to", url)]
        weir = self.run_weir("reverse-proxy", "--from", f"http://127.0.0.1:{free_port()}", *to, "--admin", admin,
                             *FLAGS, *flags, backends=backends)

        def ask(path):
            connection = http.client.HTTPConnection(admin, timeout=PATIENCE)
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        return weir, ask

    def many(self, weir, count):
        clients = [weir.client() for _ in range(count)]
        self._clients += clients
        return clients

    def test_clients_are_spread_over_the_workers(self):
        weir, ask = self.weir_with_admin(self.backend(answers(b"ok")))
        for client in self.many(weir, 10 * WORKERS):
            self.assertEqual(client.ask().body, b"ok")
        clients = [worker["clients"] for worker in json.loads(ask("/api/v1/status"))["workers"]]
        self.assertEqual((len(clients), sum(clients)), (WORKERS, 10 * WORKERS))
        # Two that accept at the same moment may take the same third for the least loaded.
        self.assertTrue(5 <= min(clients) and max(clients) <= 15, clients)

    def test_every_worker_has_a_thread(self):
        weir, _ = self.weir_with_admin(self.backend(answers(b"ok")))
        self.assertGreaterEqual(len(os.listdir(f"/proc/{weir.process.pid}/task")), WORKERS)

    def test_outstanding_requests_of_all_workers_are_one_count(self):
        held = [Held() for _ in range(4)]
        backends = [self.backend(behave) for behave in held]
        weir, ask = self.weir_with_admin(*backends)
        eventually(lambda: ask("/readyz") == "ready\n", "a ready backend")
        eventually(lambda: all(b["state"] == "ready" for b in json.loads(ask("/api/v1/status"))["pools"][0]["backends"]),
                   "all backends ready")
        clients = self.many(weir, 64)
        for client in clients:
            client.send_request()
            self.assertEqual(client.read_head().status, 200)
        self.assertEqual([behave.now for behave in held], [16] * 4)
        exchanges = [worker["exchanges"] for worker in json.loads(ask("/api/v1/status"))["workers"]]
        self.assertEqual((len(exchanges), sum(exchanges)), (WORKERS, 64))
        self.assertGreater(min(exchanges), 0)
        for behave in held:
            behave.may_end.set()
        for client in clients:
            while client.read_chunk():
                pass

    def test_cap_and_waiting_room_hold_for_all_workers_together(self):
        behaviour = Held()
        behaviour.may_end.set()
        backends = [self.backend(behaviour), self.backend(behaviour)]
        weir, _ = self.weir_with_admin(*backends, flags=["--max-outstanding", "2"])

        def ask_many(_):
            with weir.client() as client:
                return [client.ask().end for _ in range(10)]
        self.assertEqual(collections.Counter(end for ends in in_threads(24, ask_many) for end in ends), {"whole": 240})
        self.assertLessEqual(behaviour.most, 4)

    def test_waiting_request_of_one_worker_gets_what_another_gives_back(self):
        behaviour = Held()
        weir, ask = self.weir_with_admin(self.backend(behaviour), flags=["--max-outstanding", "1"])
        clients = self.many(weir, 2 * WORKERS)
        for client in clients:
            client.send_request()
        eventually(lambda: json.loads(ask("/api/v1/status"))["pools"][0]["waiting"]["length"] == len(clients) - 1,
                   "all but one wait")
        behaviour.may_end.set()
        self.assertEqual({client.read_answer().end for client in clients}, {"whole"})
        self.assertEqual(behaviour.most, 1)

    def test_metrics_and_access_log_are_those_of_all_workers(self):
        weir, ask = self.weir_with_admin(self.backend(answers(b"ok")), flags=["--access-log"])

        def ask_many(number):
            with weir.client() as client:
                for turn in range(25):
                    client.ask(fields=[f"X-Request-Id: {number}-{turn}"])
        in_threads(16, ask_many)
        lines = weir.access_lines(400)
        self.assertEqual({line["id"] for line in lines}, {f"{n}-{t}" for n in range(16) for t in range(25)})

        def counted():
            return sum(map(int, re.findall(r'^weir_requests_total\{.*status="2xx".*\} (\d+)$', ask("/metrics"), re.MULTILINE)))
        eventually(lambda: counted() >= 400, "400 are counted")
        self.assertEqual(counted(), 400)

    def test_drain_waits_for_the_streams_of_every_worker(self):
        behaviour = Held()
        weir, _ = self.weir_with_admin(self.backend(behaviour))
        idle, clients = self.many(weir, WORKERS), self.many(weir, 2 * WORKERS)  # accepted in this order
        for client in clients:
            client.send_request()
            client.read_head()
        weir.signal(signal.SIGTERM)
        weir.wait_for_log("draining")
        for client in idle:
            self.assertEqual((client.read_to_end(), client.end), (b"", "fin"))

        eventually(lambda: refuses(weir.address), "the port is closed")
        self.assertIsNone(weir.process.poll())
        behaviour.may_end.set()
        for client in clients:
            chunks = []
            while data := client.read_chunk():
                chunks.append(data)
            self.assertEqual((chunks[-1], data), (DONE, b""))
        self.assertEqual(weir.wait(), 0)

    def test_second_signal_ends_all_workers_at_once(self):
        behaviour = Held()
        weir, _ = self.weir_with_admin(self.backend(behaviour))
        clients = self.many(weir, 2 * WORKERS)
        for client in clients:
            client.send_request()
            client.read_head()
        weir.signal(signal.SIGTERM)
        weir.wait_for_log("draining")
        weir.signal(signal.SIGTERM)
        self.assertEqual(weir.wait(), 0)
        behaviour.may_end.set()

    def test_backend_by_name_is_found_by_every_worker(self):
        backend = self.backend(answers(b"ok"))
        url = urls_of([backend])[0].replace("127.0.0.1", "localhost")
        weir, _ = self.weir_with_admin(url)
        for client in self.many(weir, 3 * WORKERS):
            self.assertEqual(client.ask().body, b"ok")


class ConnectionLimit(ProxyTest):
    def weir_of(self, backend, most):
        return self.weir_serve(backend, workers=2, max_connections=most)

    def test_idle_clients_make_room_for_new_ones(self):
        weir = self.weir_of(self.backend(answers(b"ok")), 16)
        for _ in range(80):
            client = self.client(weir)
            self.assertEqual(client.ask().body, b"ok")

    def test_busy_clients_are_not_closed_and_the_next_waits_for_one_to_leave(self):
        behaviour = Held()
        weir = self.weir_of(self.backend(behaviour), 16)
        busy = [self.client(weir) for _ in range(16)]
        for client in busy:
            client.send_request()
            client.read_head()
        late = self.client(weir)  # in the backlog
        late.send_request()
        weir.wait_for_log("max_connections: 16 clients are connected and none is idle")
        behaviour.may_end.set()
        for client in busy:
            while client.read_chunk():
                pass
            client.close()
        self.assertEqual(late.read_answer().end, "whole")


if __name__ == "__main__":
    unittest.main()
