"""Connections are kept on both sides, used again, and never for longer than a backend keeps them."""

import threading
import unittest

from harness import CHAT, ProxyTest, in_threads
from scripted_backend import PATIENCE, answers, streams, whole

ONE_WORKER = ["--workers", "1"]  # each has kept connections of its own


class Kept(ProxyTest):
    def test_connections_of_both_sides_are_used_again(self):
        backend = self.backend(answers(b"ok"))
        client = self.client(self.weir(backend))
        for _ in range(50):
            self.assertEqual(client.ask().body, b"ok")
        self.assertEqual(len(backend.requests), 50)
        self.assert_connections(backend, 1)

    def test_another_client_uses_the_same_backend_connection(self):
        backend = self.backend(answers(b"ok"))
        weir = self.weir(backend, flags=ONE_WORKER)
        for _ in range(20):
            weir.ask()
        self.assert_connections(backend, 1)

    def test_youngest_idle_connection_is_used_first(self):
        together = threading.Barrier(4, timeout=PATIENCE)

        def behave(connection, request):
            if request.body == b"together":
                together.wait()
            connection.send(whole(b"ok"))
        backend = self.backend(behave)
        weir = self.weir(backend, flags=ONE_WORKER)
        in_threads(4, lambda _: weir.ask(body=b"together"))
        self.assertEqual(len(backend.connections), 4)
        for _ in range(10):
            weir.ask(body=b"alone")
        alone = list(zip(backend.requests[4:], backend.requests[5:]))
        changes = sum(before.connection != after.connection for before, after in alone)
        pauses = sum(after.came_at - before.came_at > 3 for before, after in alone)  # weir keeps none for longer than 4 s
        self.assertLessEqual(changes, pauses)

    def test_connection_header_never_reaches_a_backend(self):
        backend = self.backend(answers(b"ok"))
        weir = self.weir(backend, flags=ONE_WORKER)
        for fields in ([], ["Connection: keep-alive"], ["Connection: close"], ["Keep-Alive: timeout=5"],
                       ["Connection: keep-alive, X-Hop", "X-Hop: 1"], ["Proxy-Connection: keep-alive"]):
            self.assertEqual(weir.ask(fields=fields).body, b"ok")
        for request in backend.requests:
            for name in ("connection", "keep-alive", "proxy-connection", "x-hop"):
                self.assertEqual(request.all(name), [], request.head)
        self.assert_connections(backend, 1)

    def test_client_that_asks_for_close_gets_it(self):
        backend = self.backend(answers(b"ok"))
        client = self.client(self.weir(backend))
        answer = client.ask(fields=["Connection: close"])
        self.assertEqual((answer.body, answer.get("connection")), (b"ok", b"close"))
        self.assertEqual((client.read_to_end(), client.end), (b"", "fin"))

    def test_http_1_0_client_is_kept_only_when_it_asks_for_it(self):
        client = self.client(self.weir(self.backend(answers(b"ok"))))
        for _ in range(2):
            answer = client.ask(version="1.0", fields=["Connection: keep-alive"])
            self.assertEqual((answer.body, answer.get("connection")), (b"ok", b"keep-alive"))
        self.assertEqual(client.ask(version="1.0").body, b"ok")
        self.assertEqual((client.read_to_end(), client.end), (b"", "fin"))

    def test_backend_that_says_close_is_not_used_again_and_the_client_is_kept(self):
        backend = self.backend(answers(b"ok", fields=b"connection: close\r\n"))
        client = self.client(self.weir(backend))
        for _ in range(5):
            answer = client.ask()
            self.assertEqual((answer.body, answer.get("connection")), (b"ok", None))
        self.assertEqual(len(backend.connections), 5)

    def test_keep_alive_header_of_a_backend_is_not_passed_on(self):
        backend = self.backend(answers(b"ok", fields=b"connection: keep-alive\r\nkeep-alive: timeout=5\r\n"))
        answer = self.weir(backend).ask()
        self.assertEqual((answer.get("keep-alive"), answer.get("connection")), (None, None))

    def test_idle_backend_connection_is_closed_after_some_seconds(self):
        backend = self.backend(answers(b"ok"))
        weir = self.weir(backend)
        weir.ask()
        connection = backend.connections[0]
        backend.wait_for(lambda: connection.left_at is not None, "weir closes the idle connection")
        took = connection.left_at - backend.requests[0].came_at
        self.assertGreater(took, 1)  # 4 s where nothing else runs: vLLM closes after 5
        self.assertEqual(weir.ask().body, b"ok")
        self.assertEqual(len(backend.connections), 2)

    def test_streams_keep_their_connections_too(self):
        backend = self.backend(streams(b"a", b"b"))
        client = self.client(self.weir(backend))
        for _ in range(20):
            self.assertEqual(client.ask().end, "whole")
        self.assert_connections(backend, 1)

    def test_backend_is_never_half_closed(self):
        # A FIN while an answer is due means to vLLM that the client left.
        def behave(connection, _):
            connection.sock.settimeout(0.3)
            try:
                data = connection.sock.recv(1)
                raise AssertionError(f"the backend read {data!r} although its answer was due")
            except TimeoutError:
                pass
            connection.sock.settimeout(PATIENCE)
            connection.send(whole(b"ok"))
        weir = self.weir(self.backend(behave))
        for fields in ([], ["Connection: close"]):
            self.assertEqual(weir.ask(path=CHAT, fields=fields).body, b"ok")


if __name__ == "__main__":
    unittest.main()
