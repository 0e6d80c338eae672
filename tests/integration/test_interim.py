"""What comes around an answer: interim heads (1xx) before it, trailers behind it."""

import threading
import unittest

from harness import ProxyTest
from scripted_backend import LAST_CHUNK, PATIENCE, STREAM_HEAD, chunk, token, whole

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-Weir-Backend: evil\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class InterimAnswers(ProxyTest):
    def heads(self, client):
        answers = [client.read_answer()]
        while answers[-1].status < 200:
            answers.append(client.read_answer())
        return answers

    def test_1xx_reach_a_client_of_http_1_1_before_the_answer_and_100_does_not(self):
        wire = CONTINUE + PROCESSING + HINTS + whole(b"{}")
        for size in (len(wire), 1):
            backend = self.backend(lambda connection, _, size=size: connection.send_in_pieces(wire, size))
            client = self.client(self.weir(backend))
            for _ in range(2):  # and the connections go on
                client.send_request()
                processing, hints, answer = self.heads(client)
                self.assertEqual((processing.status, hints.status, answer.status), (102, 103, 200))
                self.assertEqual(hints.get("link"), b"</a.css>; rel=preload")
                self.assertEqual(hints.all("x-weir-backend"), [])
                self.assertEqual(answer.body, b"{}")
            self.assert_connections(backend, 1)

    def test_client_of_http_1_0_sees_only_the_answer(self):
        backend = self.backend(lambda connection, _: connection.send(PROCESSING + HINTS + whole(b"{}")))
        answer = self.weir(backend).ask(version="1.0")
        self.assertEqual((answer.status, answer.body), (200, b"{}"))

    def test_1xx_before_a_stream_passes_while_the_head_is_held(self):
        def behaviour(connection, request):
            connection.send(PROCESSING + STREAM_HEAD)
            told.wait(PATIENCE)
            connection.send(chunk(token(b"a")) + LAST_CHUNK)

        told = threading.Event()
        client = self.client(self.weir(self.backend(behaviour)))
        client.send_request()
        self.assertEqual(client.read_answer().status, 102)
        self.assertTrue(client.is_quiet())
        told.set()
        self.assertEqual(client.read_answer().chunks, [token(b"a")])

    def test_endless_1xx_are_no_valid_answer(self):
        for flood in (PROCESSING * 33, CONTINUE * 33, b"HTTP/1.1 103 x\r\nA: " + b"a" * 12_000 + b"\r\n\r\n" +
                      (b"HTTP/1.1 103 x\r\nA: " + b"a" * 12_000 + b"\r\n\r\n") * 2):
            backend = self.backend(lambda connection, _, flood=flood: connection.send(flood + whole(b"{}")))
            client = self.client(self.weir(backend))
            client.send_request()
            self.assertEqual(self.heads(client)[-1].status, 502)

    def test_32_of_them_pass(self):
        backend = self.backend(lambda connection, _: connection.send(PROCESSING * 32 + whole(b"{}")))
        client = self.client(self.weir(backend))
        client.send_request()
        answers = self.heads(client)
        self.assertEqual((len(answers), answers[-1].status), (33, 200))

    def test_1xx_that_announces_a_body_spoils_its_connection(self):
        for field in (b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n"):
            interim = PROCESSING[:-2] + field + b"\r\n"
            backend = self.backend(lambda connection, _, interim=interim: connection.send(interim + whole(b"{}")))
            weir = self.weir(backend)
            for _ in range(2):
                client = self.client(weir)
                client.send_request()
                interim_answer, answer = self.heads(client)
                self.assertEqual(interim_answer.all("content-length") + interim_answer.all("transfer-encoding") +
                                 interim_answer.all("connection"), [])
                self.assertEqual(answer.body, b"{}")
            self.assertEqual(len(backend.connections), 2, field)

    def test_expectation_is_answered_once_whatever_the_backend_says(self):
        backend = self.backend(lambda connection, _: connection.send(CONTINUE + whole(b"{}")))
        client = self.client(self.weir(backend))
        client.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        self.assertEqual(client.read_answer().status, 100)
        client.send(b"{}")
        self.assertEqual(client.read_answer().status, 200)
        self.assertEqual(backend.requests[0].all("expect"), [])

    def test_death_behind_a_1xx_is_asked_for_elsewhere(self):
        dying = self.backend(lambda connection, _: (connection.send(PROCESSING), connection.fin()))
        weir = self.weir(dying, self.backend(lambda connection, _: connection.send(whole(b"{}"))))
        for _ in range(4):  # some of them meet the dying one first
            client = self.client(weir)
            client.send_request()
            self.assertEqual(self.heads(client)[-1].status, 200)
        self.assertGreater(len(dying.requests), 0)


TRAILERS = (b"X-Checksum: abc\r\nServer-Timing: total;dur=1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n"
            b"Host: evil\r\nContent-Type: text/html\r\nSet-Cookie: a=b\r\nX-Request-Id: evil\r\nLocation: /\r\n"
            b"Connection: close\r\nAuthorization: x\r\nX-Last: 1\r\n")
PASSED = b"X-Checksum: abc\r\nServer-Timing: total;dur=1\r\nX-Last: 1\r\n"


class Trailers(ProxyTest):
    def ask(self, fields, size=0):
        wire = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Checksum\r\n\r\n2\r\nhi\r\n0\r\n"
                + TRAILERS + b"\r\n")
        backend = self.backend(lambda connection, _: connection.send_in_pieces(wire, size or len(wire)))
        client = self.client(self.weir(backend))
        wires = []
        for _ in range(2):  # the second behind the first: nothing was left over
            client.send_request("GET", "/any", fields=fields)
            head = client.read_head()
            rest = client._until(b"\r\nhi\r\n0\r\n")
            while not rest.endswith(b"\r\n\r\n"):
                rest += client._until(b"\r\n")
            wires.append((head.all("trailer"), rest))
        self.assertEqual(wires[0], wires[1])
        self.assert_connections(backend, 1)
        return wires[0]

    def test_trailers_pass_to_who_asks_for_them_but_never_those_that_belong_in_the_head(self):
        for size in (0, 1, 7):
            with self.subTest(size):
                announced, wire = self.ask(["TE: trailers", "Connection: TE"], size=size)
                self.assertEqual(wire, b"2\r\nhi\r\n0\r\n" + PASSED + b"\r\n")
                self.assertEqual(announced, [b"X-Checksum"])

    def test_trailers_are_dropped_for_others(self):
        for size in (0, 1):
            announced, wire = self.ask([], size=size)
            self.assertEqual((announced, wire), ([], b"2\r\nhi\r\n0\r\n\r\n"))

    def test_client_of_http_1_0_sees_none(self):
        wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n" + TRAILERS + b"\r\n"
        backend = self.backend(lambda connection, _: connection.send(wire))
        answer = self.weir(backend).ask("GET", version="1.0", fields=["TE: trailers"])
        self.assertEqual((answer.body, answer.end), (b"hi", "fin"))

    def test_trailers_are_bounded(self):
        wire = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Big: " + b"x" * 8300
                + b"\r\n\r\n")
        backend = self.backend(lambda connection, _: connection.send(wire))
        client = self.client(self.weir(backend))
        client.send_request(path="/any", fields=["TE: trailers"])
        answer = client.read_answer()
        self.assertTrue(answer.status == 502 or answer.end != "whole", answer.on_wire)

    def test_trailers_of_a_stream_come_behind_its_end(self):
        wire = STREAM_HEAD + chunk(token(b"a")) + b"0\r\nX-Tokens: 1\r\n\r\n"
        client = self.client(self.weir(self.backend(lambda connection, _: connection.send(wire))))
        client.send_request(fields=["TE: trailers"])
        client.read_head()
        self.assertEqual(client.read_chunk(), token(b"a"))
        self.assertEqual(client._until(b"\r\n\r\n"), b"0\r\nX-Tokens: 1\r\n\r\n")

    def test_trailers_and_extensions_of_a_request_are_never_passed_on(self):
        for fields in ((), ("TE: trailers", "Connection: TE", "Trailer: X-Sum")):
            backend = self.backend(lambda connection, _: connection.send(whole(b"{}")))
            client = self.client(self.weir(backend))
            client.send("\r\n".join(["POST /any HTTP/1.1", "Host: a", *fields]).encode() +
                        b"\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0;c\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n")
            self.assertEqual(client.read_answer().status, 200)
            self.assertEqual(backend.requests[0].body_on_wire, b"2\r\nhi\r\n0\r\n\r\n")
            self.assertEqual(backend.requests[0].all("trailer"), [])


if __name__ == "__main__":
    unittest.main()
