"""Bad, large and slow requests, slow readers on both sides: a proper answer, a bound on memory, no harm to others."""

import collections
import socket
import threading
import time
import unittest

from harness import CHAT, ProxyTest, eventually
from scripted_backend import PATIENCE, answers, chunk, whole

MEBIBYTE = 1024 * 1024
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
COMPLETION = b"POST /v1/completions HTTP/1.1\r\nHost: a\r\n"


class BadRequests(ProxyTest):
    """Heads and framing that another reader could read another way are refused, and the connection ends."""

    HEADS = {
        "no version": b"GET /\r\n\r\n",
        "two blanks": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "no host": b"GET / HTTP/1.1\r\n\r\n",
        "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "bad host": b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "user in host": b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
        "length and chunked": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "chunked and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "two lengths": POST + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
        "list of lengths": POST + b"Content-Length: 4, 4\r\n\r\nabcd",
        "length with a sign": POST + b"Content-Length: +4\r\n\r\nabcd",
        "length in hex": POST + b"Content-Length: 0x4\r\n\r\nabcd",
        "empty length": POST + b"Content-Length: \r\n\r\n",
        "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "two codings": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "chunked in 1.0": b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "blank before colon": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "folded": b"GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n 2\r\n\r\n",
        "bare LF": b"GET / HTTP/1.1\nHost: a\n\n",
        "bare CR": b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\rc\r\n\r\n",
        "NUL": b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\x00c\r\n\r\n",
        "field without name": b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
        "line without colon": b"GET / HTTP/1.1\r\nHost: a\r\nabc\r\n\r\n",
        "blank in target": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        "control in target": b"GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
        "connection names host": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: host\r\n\r\n",
        "TLS": bytes.fromhex("16030100c8010000c40303") + bytes(60) + b"\r\n\r\n",
    }

    def test_what_is_no_valid_request_is_400_and_never_reaches_a_backend(self):
        backend = self.backend(answers())
        weir = self.weir(backend)
        for name, head in self.HEADS.items():
            with self.subTest(name), weir.client() as client:
                client.send(head)
                answer = client.read_answer()
                self.assert_error(answer, 400, "bad_request")
                self.assertEqual(answer.get("connection"), b"close")
                client.read_to_end()
                self.assertEqual(client.end, "fin")
        self.assertEqual(backend.requests, [])

    def test_what_is_not_supported_says_so(self):
        weir = self.weir(self.backend(answers()))
        for name, head, status, code in (
                ("TRACE", b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "not_supported"),
                ("CONNECT", b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 501, "not_supported"),
                ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "not_supported"),
                ("HTTP/1.2", b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505, "not_supported"),
                ("gzip", POST + b"Transfer-Encoding: gzip\r\n\r\n", 501, "not_supported"),
                ("Expect", POST + b"Expect: x\r\nContent-Length: 1\r\n\r\n", 417, "not_supported"),
                ("length", POST + b"Content-Length: 9999999999999999999999\r\n\r\n", 413,
                 "request_too_large")):
            with self.subTest(name), weir.client() as client:
                client.send(head)
                self.assert_error(client.read_answer(), status, code)

    def test_head_that_is_too_large_is_431(self):
        weir = self.weir(self.backend(answers()))
        for name, fields in (("one field", b"X-A: " + b"a" * 40_000),
                             ("many", b"\r\n".join([b"X-A: " + b"a" * 900] * 40)),
                             ("count", b"\r\n".join([b"X: y"] * 200))):
            with self.subTest(name), weir.client() as client:
                client.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n\r\n")
                self.assert_error(client.read_answer(), 431, "request_too_large")

    def test_target_that_is_too_long_is_414(self):
        weir = self.weir(self.backend(answers()))
        self.assertEqual(weir.ask("GET", "/" + "a" * 8000).status, 200)
        self.assert_error(weir.ask("GET", "/" + "a" * 9000), 414, "request_too_large")

    def test_bad_chunk_in_a_request_is_400_and_ends_the_connection_to_the_backend(self):
        over = threading.Event()

        def behave(connection, _):
            try:
                connection.wait_for_leaving()
            finally:
                over.set()
        backend = self.backend(behave, reads_bodies=False)
        client = self.client(self.weir(backend))
        client.send(COMPLETION + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"good"))
        backend.wait_for_requests(1)
        client.send(b"-1\r\n")
        self.assert_error(client.read_answer(), 400, "bad_request")
        self.assertTrue(over.wait(PATIENCE))
        self.assertIsNone(client._until(b"x"))


class Slow(ProxyTest):
    def test_head_that_comes_too_slowly_is_408(self):
        weir = self.weir_serve(self.backend(answers()), listener={"request_head": "400ms"})
        client = self.client(weir)
        for byte in b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: " + b"a" * 2000:
            if not client.is_quiet(0.02):
                break  # who sends on would make weir's end a reset
            client.send(bytes([byte]))
        self.assert_error(client.read_answer(), 408, "request_timeout")

    def test_body_that_stops_coming_is_408(self):
        backend = self.backend(answers(), reads_bodies=True)
        weir = self.weir_serve(backend, listener={"request_body": "300ms"})
        client = self.client(weir)
        client.send(COMPLETION + b"Content-Length: 100\r\n\r\nhalf")
        answer = client.read_answer()
        self.assert_error(answer, 408, "request_timeout")
        self.assertEqual(answer.get("connection"), b"close")

    def test_body_that_comes_slowly_but_steadily_arrives(self):
        backend = self.backend(answers(b"ok"))
        weir = self.weir_serve(backend, listener={"request_body": "8s"})
        client = self.client(weir)
        client.send(COMPLETION + b"Content-Length: 10\r\n\r\n")
        for _ in range(10):  # longer than the limit, with pauses far below it
            time.sleep(0.9)
            client.send(b"x")
        self.assertEqual(client.read_answer().body, b"ok")

    def test_idle_connection_is_closed_after_its_time(self):
        weir = self.weir_serve(self.backend(answers()), listener={"idle": "5s"})
        used = self.client(weir)
        self.assertEqual(used.ask(path="/v1/completions").status, 200)
        fresh = self.client(weir)
        for client in (used, fresh):
            self.assertEqual(client.read_to_end(), b"")
            self.assertEqual(client.end, "fin")

    def test_client_that_reads_slowly_pauses_the_backend_and_costs_no_memory(self):
        size = 100 * MEBIBYTE
        sent = collections.Counter()  # by path

        def behave(connection, request):
            connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n" % size)
            block = b"x" * 65536
            for _ in range(size // len(block)):
                connection.send(block)
                sent[request.target] += len(block)
        weir = self.weir(self.backend(behave))
        self.assertEqual(weir.ask("GET", "/warm").end, "whole")
        before = weir.memory()
        client = self.client(weir, receive_buffer=65536)
        client.send_request("GET", "/file")
        client.read_head()
        level = 0
        while level == 0 or level != sent[b"/file"]:
            level = sent[b"/file"]
            time.sleep(0.5)
        self.assertLess(level, size // 2, "the backend is paused")
        grown = weir.memory() - before
        print(f"\n  paused at {level / MEBIBYTE:.1f} MiB, grown by {grown / MEBIBYTE:.1f} MiB", end=" ")
        self.assertLess(grown, 16 * MEBIBYTE)
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * MEBIBYTE)
        left = size - len(client.buffer)
        while left > 0:
            left -= len(client.sock.recv(1 << 20))
        self.assertEqual(left, 0)
        eventually(lambda: sent[b"/file"] == size, "the backend knows that all was sent")

    def test_client_that_takes_nothing_does_not_stop_another(self):
        block = b"x" * 20 * MEBIBYTE
        weir = self.weir(self.backend(lambda connection, request: connection.send(
            whole(block if request.target == b"/big" else b"small", fields=b""))))
        stuck = self.client(weir, receive_buffer=4096)
        stuck.send_request("GET", "/big")
        stuck.read_head()
        for _ in range(20):
            self.assertEqual(weir.ask("GET", "/small").body, b"small")

    def test_backend_that_reads_slowly_pauses_the_client_and_costs_no_memory(self):
        go_on = threading.Event()
        self.addCleanup(go_on.set)
        got = [0]

        def behave(connection, request):
            go_on.wait(PATIENCE)
            left = int(request.get("content-length")) - len(connection.buffer)
            connection.buffer = b""
            while left > 0:
                left -= len(connection.receive(1 << 20))
            got[0] += 1
            connection.send(whole(b"ok"))
        backend = self.backend(behave, reads_bodies=False, receive_buffer=65536)
        weir = self.weir(backend)
        size = 100 * MEBIBYTE
        before = weir.memory()
        client = self.client(weir)
        client.sock.settimeout(0.5)
        client.send(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
        sent = 0
        block = b"x" * 65536
        try:
            while sent < size:
                sent += client.sock.send(block)
        except TimeoutError:
            pass
        self.assertLess(sent, size // 2, "the client is paused")
        grown = weir.memory() - before
        print(f"\n  paused at {sent / MEBIBYTE:.1f} MiB, grown by {grown / MEBIBYTE:.1f} MiB", end=" ")
        self.assertLess(grown, 16 * MEBIBYTE)
        go_on.set()
        client.sock.settimeout(PATIENCE)
        while sent < size:
            sent += client.sock.send(block[:size - sent])
        self.assertEqual(client.read_answer().body, b"ok")


class Uploads(ProxyTest):
    def test_expect_continue_is_answered_and_not_passed_on(self):
        backend = self.backend(answers(b"ok"))
        client = self.client(self.weir(backend))
        for _ in range(3):
            client.send(COMPLETION + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            self.assertEqual(client.read_head().head, b"HTTP/1.1 100 Continue\r\n\r\n")
            client.send(b"hello")
            self.assertEqual(client.read_answer().body, b"ok")
        self.assertEqual(len(backend.requests), 3)
        for request in backend.requests:
            self.assertEqual((request.body, request.all("expect")), (b"hello", []))

    def test_expect_continue_of_a_refused_request_gets_the_refusal_instead(self):
        client = self.client(self.weir_urls(self.backend(answers())))
        client.send(b"POST /unknown HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        self.assert_error(client.read_answer(), 404, "path_not_allowed")

    def test_client_that_does_not_wait_for_continue_is_fine(self):
        client = self.client(self.weir(self.backend(answers(b"ok"))))
        client.send(COMPLETION + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello")
        answer = client.read_head()
        if answer.status == 100:
            answer = client.read_answer()
        else:
            answer.body = client._up_to(2)
        self.assertEqual((answer.status, answer.body), (200, b"ok"))

    def refuse_early(self, then):
        def behave(connection, request):
            connection.send(whole(b'{"error":"too large"}', status=b"413 Content Too Large",
                                  fields=b"content-type: application/json\r\nconnection: close\r\n"))
            if then == "fin":
                connection.fin()
            elif then == "reset":
                time.sleep(0.05)
                connection.reset()
            else:
                connection.wait_for_leaving()
        return self.backend(behave, reads_bodies=False)

    def test_early_refusal_arrives_whole_although_the_client_still_sends(self):
        for then in ("stay", "fin", "reset"):
            for path in (CHAT, "/upload"):
                backend = self.refuse_early(then)
                with self.subTest(then=then, path=path), self.weir(backend) as weir, weir.client() as client:
                    size = 50 * MEBIBYTE
                    client.send(f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode())

                    def push():
                        try:
                            for _ in range(size // MEBIBYTE):
                                client.send(bytes(MEBIBYTE))
                        except OSError:
                            pass
                    pushing = threading.Thread(target=push, daemon=True)
                    pushing.start()
                    answer = client.read_answer()
                    self.assertEqual((answer.status, answer.body), (413, b'{"error":"too large"}'))
                    if answer.get("connection") == b"close":
                        client.read_to_end()
                        self.assertEqual(client.end, "fin")
                    pushing.join(PATIENCE)
                    backend.stop()

    def test_client_that_sends_all_before_it_reads_gets_the_early_refusal(self):
        backend = self.refuse_early("stay")
        client = self.client(self.weir(backend))
        size = 8 * MEBIBYTE
        client.send(f"POST {CHAT} HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode())
        begun = time.monotonic()
        try:
            for _ in range(size // MEBIBYTE):
                client.send(bytes(MEBIBYTE))
        except OSError:
            self.assertGreater(time.monotonic() - begun, 2, "weir reads on for so long")
        answer = client.read_answer()
        self.assertEqual((answer.status, answer.body), (413, b'{"error":"too large"}'))

    def test_large_upload_arrives_unchanged(self):
        backend = self.backend(answers(b"ok"))
        client = self.client(self.weir(backend))
        body = bytes(range(256)) * 4096 * 20
        self.assertEqual(client.ask(path="/upload", body=body).body, b"ok")
        self.assertEqual(backend.requests[0].body, body)


class Many(ProxyTest):
    def test_a_thousand_idle_clients_are_carried_and_leave_no_descriptor(self):
        weir = self.weir(self.backend(answers(b"ok")))
        clients = [self.client(weir) for _ in range(1000)]
        for client in clients[::100]:
            self.assertEqual(client.ask().body, b"ok")
        eventually(lambda: weir.descriptors() >= 1000, "all clients are connected")


if __name__ == "__main__":
    unittest.main()
