"""Clients that leave: the backend's connection is closed at once, since that is what stops the generation."""

import time
import unittest

from harness import ProxyTest
from scripted_backend import STREAM_HEAD, Left, chunk, token


class Leaving(ProxyTest):
    def assert_backend_is_told(self, behaviour, until, leave, method="POST", path="/v1/chat/completions"):
        """The client does `until`, then leaves; the backend sees the end of its connection soon."""
        backend = self.backend(behaviour)
        with self.weir(backend) as weir:
            client = self.client(weir)
            client.send_request(method, path)
            backend.wait_for_requests(1)
            until(client)
            begun = time.monotonic()
            getattr(client, leave)()
            backend.wait_for(lambda: backend.connections[0].left_at is not None, "weir closes the connection")
            took = backend.connections[0].left_at - begun
            print(f"\n  {took * 1000:.1f} ms", end=" ")
            self.assertLess(took, 30)  # milliseconds where nothing else runs
            self.assertEqual(len(backend.requests), 1, "nothing is sent again")
            backend.stop()

    @staticmethod
    def silent(connection, _):
        connection.wait_for_leaving()

    @staticmethod
    def head_only(connection, _):
        connection.send(STREAM_HEAD)
        connection.wait_for_leaving()

    @staticmethod
    def one_event(connection, _):
        connection.send(STREAM_HEAD + chunk(token(b"a")))
        connection.wait_for_leaving()

    @staticmethod
    def many_events(connection, _):
        connection.send(STREAM_HEAD)
        connection.sock.setblocking(True)
        while True:
            connection.send(chunk(token(b"a")))
            connection.sock.settimeout(0.005)
            try:
                connection.receive()
            except AssertionError:
                pass
            except Left:
                return

    def test_before_the_first_byte(self):
        for leave in ("close", "reset"):
            with self.subTest(leave):
                self.assert_backend_is_told(self.silent, lambda client: None, leave)

    def test_between_the_held_head_and_the_first_event(self):
        for leave in ("close", "reset"):
            with self.subTest(leave):
                self.assert_backend_is_told(self.head_only, lambda client: time.sleep(0.1), leave)

    def test_mid_stream_in_a_pause(self):
        def until(client):
            client.read_head()
            client.read_chunk()
        for leave in ("close", "reset"):
            with self.subTest(leave):
                self.assert_backend_is_told(self.one_event, until, leave)

    def test_mid_stream_while_events_come(self):
        def until(client):
            client.read_head()
            client.read_chunk()
        for leave in ("close", "reset"):
            with self.subTest(leave):
                self.assert_backend_is_told(self.many_events, until, leave)

    def test_with_unread_events_in_its_socket(self):
        for leave in ("close", "reset"):
            with self.subTest(leave):
                self.assert_backend_is_told(self.many_events, lambda client: time.sleep(0.2), leave)

    def test_of_a_plain_request(self):
        for leave in ("close", "reset"):
            with self.subTest(leave):
                self.assert_backend_is_told(self.silent, lambda client: time.sleep(0.1), leave, "GET", "/v1/models")

    def test_half_close_is_leaving(self):
        self.assert_backend_is_told(self.silent, lambda client: time.sleep(0.1), "fin")

    def test_half_close_is_not_leaving_where_the_config_says_so(self):
        def answers_late(connection, _):
            time.sleep(0.3)
            connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
        weir = self.weir_serve(self.backend(answers_late), listener={"client_half_close": "ignore"})
        client = self.client(weir)
        client.send_request()
        client.fin()
        self.assertEqual(client.read_answer().body, b"hi")

    def test_leaving_together_with_the_request(self):
        # Request and reset reach weir in one piece: the reset has no sign of its own.
        backend = self.backend(self.silent)
        weir = self.weir(backend)
        for number in range(20):
            client = self.client(weir)
            client.send_request()
            client.reset()
        time.sleep(0.3)
        backend.wait_for(lambda: all(connection.left_at for connection in backend.connections),
                         "weir closes every connection")

    def test_leaving_during_its_upload(self):
        backend = self.backend(self.silent, reads_bodies=False)
        weir = self.weir(backend)
        for leave in ("close", "reset"):
            client = self.client(weir)
            client.send(b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nhalf")
            backend.wait_for(lambda: len(backend.connections) > 0, "the request arrives")
            getattr(client, leave)()
            backend.wait_for(lambda: backend.connections[-1].left_at, "weir closes the connection")
            backend.connections.clear()

    def test_after_done_is_no_failure(self):
        def ends_late(connection, _):
            connection.send(STREAM_HEAD + chunk(token(b"a")) + chunk(b"data: [DONE]\n\n"))
            connection.wait_for_leaving()
        weir = self.weir(self.backend(ends_late), flags=["--access-log"])
        client = self.client(weir)
        client.send_request()
        client.read_head()
        client.read_chunk()
        self.assertEqual(client.read_chunk(), b"data: [DONE]\n\n")
        client.close()
        (line,) = weir.access_lines(1)
        self.assertEqual((line["status"], line.get("reason") or ""), (200, ""))

    def test_leaving_is_told_in_the_access_log(self):
        weir = self.weir(self.backend(self.one_event), flags=["--access-log"])
        client = self.client(weir)
        client.send_request()
        client.read_head()
        client.read_chunk()
        client.close()
        (line,) = weir.access_lines(1)
        self.assertEqual(line["reason"], "client_gone")


if __name__ == "__main__":
    unittest.main()
