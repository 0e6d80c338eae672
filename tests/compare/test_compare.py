"""The load peers of ./dev bench without a proxy between them, and the arithmetic of its table."""
import contextlib
import json
import os
import re
import socket
import subprocess
import threading
import unittest

import compare
import pairs
import table

PEERS = os.environ.get("LOAD_PEERS", "load_peers")


def scenario(name):
    return next(one for one in compare.SCENARIOS if one.name == name)


def client(port, *flags):
    done = subprocess.run([PEERS, "client", "--port", str(port), "--warm-ms", "50", "--run-ms", "250", *flags],
                          capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, json.loads(done.stdout), done.stderr


class AlteringRelay:
    """One connection to the backend for each of the client's; what comes back goes through alter(bytes)."""

    def __init__(self, backend_port, alter):
        self.backend_port, self.alter = backend_port, alter
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.backend_port))
            threading.Thread(target=self.copy, args=(near, far, bytes), daemon=True).start()
            threading.Thread(target=self.copy, args=(far, near, self.alter), daemon=True).start()

    @staticmethod
    def copy(source, sink, alter):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(alter(data))
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)


class PeersTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.backend = subprocess.Popen([PEERS, "backend", "--seconds", "850"], stdout=subprocess.PIPE, text=True)
        cls.port = int(cls.backend.stdout.readline().split()[1])

    @classmethod
    def tearDownClass(cls):
        cls.backend.kill()
        cls.backend.wait()
        cls.backend.stdout.close()

    def assert_verified(self, connections, *flags):
        code, said, errors = client(self.port, "--connections", str(connections), *flags)
        self.assertEqual((code, said["failure"], errors), (0, "", ""))
        self.assertGreaterEqual(said["verified"], connections)
        return said

    def test_small_answers_come_whole(self):
        self.assert_verified(16, "--work", "json")

    def test_each_request_may_have_a_connection_of_its_own(self):
        self.assert_verified(4, "--work", "json", "--churn")

    def test_large_uploads_arrive_whole(self):
        self.assert_verified(2, "--work", "upload")

    def test_streams_bring_every_event(self):
        said = self.assert_verified(8, "--work", "stream", "--interval-ms", "10")
        self.assertEqual(said["verified"], 8 * ((50 + 250 + 300) // 10))

    def test_both_peers_in_one_thread_do_run_after_run(self):
        with compare.Peers(PEERS, min(os.sched_getaffinity(0))) as peers:
            for work in ("json", "stream", "json"):
                said = peers.run(["--port", str(peers.port), "--work", work, "--connections", "4", "--run-ms", "250"])
                self.assertEqual(said["failure"], "")
                self.assertGreaterEqual(said["verified"], 4)

    def test_it_tells_what_processes_spent(self):
        _, said, _ = client(self.port, "--work", "json", "--watch", f"backend={self.backend.pid}")
        self.assertGreater(said["processes"]["backend"]["cpu_seconds"], 0)

    def refused(self, alter, *flags):
        relay = AlteringRelay(self.port, alter)
        code, said, _ = client(relay.port, "--connections", "1", *flags)
        relay.listener.close()
        self.assertEqual(code, 1)
        return said["failure"]

    def test_a_changed_byte_of_an_answer_is_seen(self):
        self.assertIn("a wrong body", self.refused(lambda data: data.replace(b"over", b"oven")))

    def test_the_answer_to_another_request_is_seen(self):
        self.assertIn("a wrong body", self.refused(lambda data: data.replace(b"chatcmpl-0", b"chatcmpl-1")))

    def test_a_changed_digit_of_an_event_is_seen(self):
        self.assertIn("a wrong event", self.refused(lambda data: data.replace(b'"at":"0', b'"at":"1'), "--work", "stream"))

    def test_a_lost_event_is_seen(self):
        third = re.compile(rb'[0-9a-f]+\r\ndata: [^\n]*"content":" 0+3"[^\n]*\n\n\r\n')  # alone, whatever comes with it
        self.assertIn("a wrong event", self.refused(lambda data: third.sub(b"", data), "--work", "stream"))

    def test_an_answer_that_is_cut_is_seen(self):
        def cut(data):
            if data.endswith(b"}}"):
                raise OSError
            return data
        self.assertIn("closed", self.refused(cut))

    def test_a_changed_request_is_refused_by_the_backend(self):
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nX-Load: json 0000000000000001 0 0\r\nContent-Length: 600\r\n\r\n" + b"x" * 600)
            self.assertTrue(connection.recv(100).startswith(b"HTTP/1.1 422"))


def sample(cpu_us, **more):
    return {"failure": "", "done": 1000, "reads": 1000, "cpu_seconds": cpu_us / 1000, "rate": 12800, "p50_us": 10, "p99_us": 20,
            "sleeps": 0, "user_part": 0.3, "proxy_share": 0.9, "peers_share": 0.5, "others": 0.0, "preempted": 0,
            "doubt": None, **more}


class ArithmeticTest(unittest.TestCase):
    def test_an_interval_of_eight_pairs_leaves_out_one_at_each_end(self):
        self.assertEqual(pairs.median_interval([8, 1, 2, 3, 4, 5, 6, 7]), (2, 7))
        self.assertEqual(pairs.median_interval([1, 2, 3, 4]), (1, 4))

    def test_ratios_are_of_the_same_round(self):
        found = pairs.ratio([1, 20, None, 3], [2, 40, 7, 6])
        self.assertEqual((found["median"], found["pairs"]), (0.5, 3))

    def test_the_verdict_is_about_the_cheaper_one(self):
        rounds = [{"weir": sample(7.0), "haproxy": sample(10.0), "nginx": sample(9.0), "caddy": sample(5.0)} for _ in range(8)]
        found = pairs.conclude(rounds, "weir", ["haproxy", "nginx"])
        self.assertEqual((found["best"], found["verdict"]), ("nginx", "below"))

    def test_a_wide_interval_says_nothing(self):
        rounds = [{"weir": sample(5.0 + index), "haproxy": sample(10.0)} for index in range(8)]
        self.assertEqual(pairs.conclude(rounds, "weir", ["haproxy"])["verdict"], "noise")

    def test_doubtful_samples_do_not_count(self):
        rounds = [{"weir": sample(7.0, doubt="others"), "haproxy": sample(10.0)} for _ in range(8)]
        self.assertEqual(pairs.conclude(rounds, "weir", ["haproxy"])["verdict"], "noise")

    def test_merged_streams_are_no_result(self):
        self.assertIn("merged", pairs.complaint_of(sample(7.0, reads=969), scenario("stream")))
        self.assertIsNone(pairs.complaint_of(sample(7.0, reads=970), scenario("stream")))

    def test_peers_at_their_end_are_doubted_unless_the_proxy_was_too(self):
        self.assertIsNotNone(pairs.doubt_of(sample(7.0, peers_share=1.0, proxy_share=0.6), scenario("json-16")))
        self.assertIsNone(pairs.doubt_of(sample(7.0, peers_share=1.0, proxy_share=0.95), scenario("json-16")))
        self.assertIsNotNone(pairs.doubt_of(sample(7.0, rate=12000), scenario("stream")))

    def test_a_proxy_that_others_displaced_is_doubted(self):
        self.assertIsNotNone(pairs.doubt_of(sample(7.0, others=0.4, preempted=400), scenario("json-16")))
        self.assertIsNone(pairs.doubt_of(sample(7.0, others=0.4, preempted=3), scenario("json-16")))  # they had its idle time

    def test_the_table_names_every_target(self):
        rounds = [{"weir": sample(7.0), "haproxy": sample(10.0), "direct": sample(0.0)} for _ in range(8)]
        result = {"date": "2026-11-22", "machine": {"cpus": 2, "cpu": "a CPU", "kernel": "6"}, "versions": {"weir": "weir 1"},
                  "scenarios": {"json-16": pairs.conclude(rounds, "weir", ["haproxy", "nginx"])}}
        said = table.text(result)
        self.assertIn("| haproxy | 10.0   | 0.70 [0.70–0.70]", said)
        self.assertIn("json-16: 0.70 [0.70–0.70] of haproxy, the cheaper one: at or below 0.80", said)


if __name__ == "__main__":
    unittest.main()
