"""SIGTERM: what runs is finished, nothing new begins; a second signal ends at once."""

import signal
import socket
import threading
import unittest

from harness import ProxyTest, eventually, refuses
from scripted_backend import DONE, LAST_CHUNK, PATIENCE, STREAM_HEAD, answers, chunk, token, whole


class Drain(ProxyTest):
    def setUp(self):
        super().setUp()
        self.go_on = threading.Event()
        self.addCleanup(self.go_on.set)

    def stream_on(self, connection, _):
        connection.send(STREAM_HEAD + chunk(token(b"a")))
        assert self.go_on.wait(PATIENCE)
        connection.send(chunk(token(b"b")) + chunk(DONE) + LAST_CHUNK)

    def streaming(self, **config):
        backend = self.backend(self.stream_on)
        weir = self.weir_serve(backend, **config)
        client = self.client(weir)
        client.send_request()
        client.read_head()
        self.assertEqual(client.read_chunk(), token(b"a"))
        return weir, client

    def test_running_stream_is_finished_and_the_exit_code_is_0(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                self.go_on.clear()
                weir, client = self.streaming()
                weir.signal(number)
                weir.wait_for_log("draining, 1 requests? in flight")
                self.assertIsNone(weir.process.poll())
                self.go_on.set()
                self.assertEqual([client.read_chunk() for _ in range(3)], [token(b"b"), DONE, b""])
                self.assertEqual((client.read_to_end(), client.end), (b"", "fin"))
                self.assertEqual(weir.wait(), 0)

    def test_new_connections_are_refused_while_it_drains(self):
        weir, _ = self.streaming()
        weir.signal(signal.SIGTERM)
        weir.wait_for_log("draining")

        eventually(lambda: refuses(weir.address), "connections are refused")
        self.go_on.set()
        self.assertEqual(weir.wait(), 0)

    def test_idle_connections_are_closed_at_once(self):
        weir, _ = self.streaming()
        idle = self.client(weir)
        idle.wait_until_accepted()
        weir.signal(signal.SIGTERM)
        self.assertEqual((idle.read_to_end(), idle.end), (b"", "fin"))
        self.go_on.set()
        self.assertEqual(weir.wait(), 0)

    def test_request_on_a_kept_connection_that_is_under_way_is_answered_or_told(self):
        weir, _ = self.streaming(workers=1)
        half, idle = self.client(weir), self.client(weir)
        half.send(b"POST /v1/completions HTTP/1.1\r\nHost: a\r\n")
        half.wait_until_read()
        idle.wait_until_accepted()
        weir.signal(signal.SIGTERM)
        idle.read_to_end()  # the worker of both has begun to drain
        half.send(b"Content-Length: 0\r\n\r\n")
        answer = half.read_answer()
        self.assert_error(answer, 503, "draining")
        self.assertEqual(answer.get("connection"), b"close")
        self.go_on.set()
        self.assertEqual(weir.wait(), 0)

    def test_second_signal_ends_now(self):
        weir, client = self.streaming()
        weir.signal(signal.SIGTERM)
        weir.wait_for_log("draining")
        weir.signal(signal.SIGTERM)
        self.assertEqual(weir.wait(), 0)  # drain.timeout is 10 minutes
        rest = client.read_to_end()
        self.assertNotIn(b"[DONE]", rest)
        self.assertFalse(rest.endswith(LAST_CHUNK))

    def test_drain_ends_after_its_time(self):
        weir, client = self.streaming(drain={"timeout": "300ms"})
        weir.signal(signal.SIGTERM)
        self.assertEqual(weir.wait(), 0)
        self.assertFalse(client.read_to_end().endswith(LAST_CHUNK))

    def test_without_requests_it_ends_at_once(self):
        weir = self.weir_serve(self.backend(answers()))
        self.client(weir).ask()
        weir.signal(signal.SIGTERM)
        self.assertEqual(weir.wait(), 0)  # drain.timeout is 10 minutes

    def test_waiting_requests_are_finished_too(self):
        def behave(connection, request):
            assert self.go_on.wait(PATIENCE)
            connection.send(whole(request.body))
        backend = self.backend(behave)
        weir = self.weir_serve(backend, max_outstanding_per_backend=1, workers=1)  # what it has read it has in flight
        clients = [self.client(weir) for _ in range(3)]
        for number, client in enumerate(clients):
            client.send_request(body=b"%d" % number)
        backend.wait_for_requests(1)
        for client in clients:
            client.wait_until_read()
        weir.signal(signal.SIGTERM)
        weir.wait_for_log("draining, 3 requests in flight")
        self.go_on.set()
        self.assertEqual(sorted(client.read_answer().body for client in clients), [b"0", b"1", b"2"])
        self.assertEqual(weir.wait(), 0)

    def test_answer_that_waits_for_a_slow_reader_is_delivered(self):
        body = bytes(8 * 1024 * 1024)
        weir = self.weir_serve(self.backend(answers(body, fields=b"")))
        client = self.client(weir, receive_buffer=4096)
        client.send_request()
        client.read_head()
        weir.signal(signal.SIGTERM)
        weir.wait_for_log("draining")
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        self.assertEqual(len(client._up_to(len(body))), len(body))
        self.assertEqual(weir.wait(), 0)


if __name__ == "__main__":
    unittest.main()
