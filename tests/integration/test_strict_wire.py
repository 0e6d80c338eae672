"""The rules of docs/http-rules.md through the real binary, in both directions: each message whole, byte by byte and in
pieces by chance (from a fixed seed). A broken rule is refused and nothing of it reaches the other side."""

import contextlib
import random
import socket
import unittest

from harness import CHAT, ProxyTest
from scripted_backend import Left, answers, whole

SEED = 20261122


def pieces(wire, how):
    if how == "whole":
        return [wire]
    if how == "bytes":  # of long ones only the first and last
        middle = wire[200:-200]
        return [wire[at:at + 1] for at in range(min(200, len(wire)))] + [middle] * bool(middle) + \
            [wire[at:at + 1] for at in range(max(200, len(wire) - 200), len(wire))]
    dice = random.Random(SEED ^ len(wire))
    cuts = sorted(dice.sample(range(1, len(wire)), min(6, len(wire) - 1)))
    return [wire[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(wire)])]


SPLITS = ("whole", "bytes", "chance")


def get(fields):
    return b"GET /v1/models HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n"


def post(fields, body=b""):
    return b"POST /v1/completions HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n" + body


def line(first):
    return first + b"\r\nHost: a\r\n\r\n"


def chunked(body):
    return post(b"Transfer-Encoding: chunked\r\n", body)


REQUESTS = [  # name, bytes, status
    ("FoldedField", get(b"X: a\r\n b\r\n"), 400),
    ("FoldedContentLength", post(b"Content-Length:\r\n 5\r\n", b"hello"), 400),
    ("FoldedTransferEncoding", post(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n"), 400),
    ("BareLfAfterRequestLine", b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
    ("BareLfHidesAField", get(b"X: a\nTransfer-Encoding: chunked\r\n"), 400),
    ("BareCrHidesAField", get(b"X:\rTransfer-Encoding: chunked\r\n"), 400),
    ("EndOfHeadWithCrCrAndAByte", b"GET / HTTP/1.1\r\nHost: a\r\n\r\rX", 400),
    ("NulInValue", get(b"X: a\0b\r\n"), 400),
    ("EmptyFieldName", get(b": v\r\n"), 400),
    ("BlankBeforeColon", get(b"X : v\r\n"), 400),
    ("EmptyTransferEncodingAndLength", post(b"Transfer-Encoding: \r\nContent-Length: 5\r\n", b"hello"), 400),
    ("TransferEncodingCommaChunked", post(b"Transfer-Encoding: , chunked\r\n", b"0\r\n\r\n"), 400),
    ("TransferEncodingGzipChunked", post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), 400),
    ("TransferEncodingIdentityChunked", post(b"Transfer-Encoding: identity, chunked\r\n", b"0\r\n\r\n"), 400),
    ("TransferEncodingGzip", post(b"Transfer-Encoding: gzip\r\n"), 501),
    ("TransferEncodingIn10", b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("LengthAndChunked", post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), 400),
    ("ChunkedAndLength", post(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n"), 400),
    ("TwoEqualLengths", post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"), 400),
    ("LengthList", post(b"Content-Length: 5, 5\r\n", b"hello"), 400),
    ("LengthWithPlus", post(b"Content-Length: +5\r\n", b"hello"), 400),
    ("LengthOf19Digits", post(b"Content-Length: 0000000000000000005\r\n", b"hello"), 413),
    ("LengthBeyond64Bits", post(b"Content-Length: 18446744073709551621\r\n", b"hello"), 413),
    ("NoHost", b"GET / HTTP/1.1\r\n\r\n", 400),
    ("TwoHosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
    ("HostWithSlashAndUserinfo", b"GET / HTTP/1.1\r\nHost: a/b@c\r\n\r\n", 400),
    ("Http09", b"GET /\r\n\r\n", 400),
    ("Http2", line(b"GET / HTTP/2.0"), 505),
    ("Rtsp", line(b"GET / RTSP/1.0"), 400),
    ("Ice", line(b"GET / ICE/1.0"), 400),
    ("MethodSource", line(b"SOURCE / HTTP/1.1"), 501),
    ("MethodPurge", line(b"PURGE / HTTP/1.1"), 501),
    ("MethodPropfind", line(b"PROPFIND / HTTP/1.1"), 501),
    ("MethodConnect", b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501),
    ("MethodTrace", line(b"TRACE / HTTP/1.1"), 501),
    ("TwoBlanksInRequestLine", line(b"GET  / HTTP/1.1"), 400),
    ("HashInTarget", line(b"GET /#a HTTP/1.1"), 400),
    ("QuoteInTarget", line(b'GET /"a HTTP/1.1'), 400),
    ("AngleInTarget", line(b"GET /<a> HTTP/1.1"), 400),
    ("BraceInTarget", line(b"GET /{a} HTTP/1.1"), 400),
    ("HighByteInTarget", line(b"GET /\xff HTTP/1.1"), 400),
    ("AbsoluteFormWithoutHost", line(b"GET http:///x HTTP/1.1"), 400),
    ("AbsoluteFormWithUserinfo", line(b"GET http://u:p@a/x HTTP/1.1"), 400),
    ("AbsoluteFormOfAnotherScheme", line(b"GET ftp://a/x HTTP/1.1"), 400),
    ("AbsoluteFormStillNeedsHost", b"GET http://a/x HTTP/1.1\r\n\r\n", 400),
    ("AuthorityForm", line(b"GET a:80 HTTP/1.1"), 400),
    ("StarForGet", line(b"GET * HTTP/1.1"), 400),
    *[(f"ConnectionNames{name.decode()}", get(b"Connection: close, " + name + b"\r\n"), 400)
      for name in (b"Content-Length", b"Transfer-Encoding", b"Host", b"Authorization", b"Content-Type", b"Cookie")],
    ("ConnectionWithNonsense", get(b"Connection: a b\r\n"), 400),
    ("OtherExpectation", post(b"Expect: 200-ok\r\nContent-Length: 2\r\n", b"hi"), 417),
    ("ChunkOf17Digits", chunked(b"00000000000000005\r\nhello\r\n0\r\n\r\n"), 400),
    ("ChunkWithoutDigits", chunked(b"\r\nhello\r\n0\r\n\r\n"), 400),
    ("ChunkSizeInHexWords", chunked(b"0x5\r\nhello\r\n0\r\n\r\n"), 400),
    ("ChunkSizeEndsWithLf", chunked(b"5\nhello\r\n0\r\n\r\n"), 400),
    ("ChunkSizeEndsWithCrAndAByte", chunked(b"5\rXhello\r\n0\r\n\r\n"), 400),
    ("ChunkDataEndsWithAnyTwoBytes", chunked(b"5\r\nhelloXX0\r\n\r\n"), 400),
    ("ChunkExtensionOf257Bytes", chunked(b"5;" + b"a" * 256 + b"\r\nhello\r\n0\r\n\r\n"), 400),
    ("FoldedTrailer", chunked(b"0\r\nX: a\r\n b\r\n\r\n"), 400),
    ("TrailersOver8KiB", chunked(b"0\r\nX: " + b"a" * 8192 + b"\r\n\r\n"), 400),
]

ANSWERS = [  # name, bytes: all are 502
    ("FoldedField", b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"),
    ("FoldedContentLength", b"HTTP/1.1 200 OK\r\nContent-Length:\r\n 5\r\n\r\nhello"),
    ("BareLfAfterStatusLine", b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"),
    ("BareCrAfterStatusLine", b"HTTP/1.1 200 OK\rContent-Length: 0\r\n\r\n"),
    ("BareCrHidesAField", b"HTTP/1.1 200 OK\r\nX:\rTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"),
    ("EndOfHeadWithCrCrAndAByte", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\rX"),
    ("NulInValue", b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n"),
    ("EmptyFieldName", b"HTTP/1.1 200 OK\r\n: v\r\nContent-Length: 0\r\n\r\n"),
    ("BlankBeforeColon", b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n"),
    ("LengthAndChunked", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("ChunkedAndLength", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    ("EmptyTransferEncoding", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: \r\nContent-Length: 0\r\n\r\n"),
    ("TransferEncodingGzipChunked", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    ("TransferEncodingIn10", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("TwoEqualLengths", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n"),
    ("LengthList", b"HTTP/1.1 200 OK\r\nContent-Length: 0, 0\r\n\r\n"),
    ("LengthWithPlus", b"HTTP/1.1 200 OK\r\nContent-Length: +0\r\n\r\n"),
    ("LengthOf19Digits", b"HTTP/1.1 200 OK\r\nContent-Length: 0000000000000000000\r\n\r\n"),
    ("Status099", b"HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n"),
    ("Status600", b"HTTP/1.1 600 High\r\nContent-Length: 0\r\n\r\n"),
    ("StatusOfTwoDigits", b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
    ("Status101Unasked", b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
    ("Http2", b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ("Icy", b"ICY 200 OK\r\nContent-Length: 0\r\n\r\n"),
    *[(f"ConnectionNames{name.decode()}",
       b"HTTP/1.1 200 OK\r\nConnection: " + name + b"\r\nContent-Length: 0\r\n\r\n")
      for name in (b"Content-Length", b"Transfer-Encoding", b"Content-Type", b"Set-Cookie")],
]

CHUNKS = [  # name, what stands behind a chunked head: the answer never ends well
    ("SizeOf17Digits", b"00000000000000005\r\nhello\r\n0\r\n\r\n"),
    ("SizeWithoutDigits", b"\r\nhello\r\n0\r\n\r\n"),
    ("SizeEndsWithLf", b"5\nhello\r\n0\r\n\r\n"),
    ("SizeEndsWithCrAndAByte", b"5\rXhello\r\n0\r\n\r\n"),
    ("DataEndsWithAnyTwoBytes", b"5\r\nhelloXX0\r\n\r\n"),
    ("ExtensionOf257Bytes", b"5;" + b"a" * 256 + b"\r\nhello\r\n0\r\n\r\n"),
    ("FoldedTrailer", b"0\r\nX: a\r\n b\r\n\r\n"),
    ("TrailersOver8KiB", b"0\r\nX: " + b"a" * 8192 + b"\r\n\r\n"),
]


class FromClients(ProxyTest):
    def test_broken_rules_are_refused_in_any_pieces_and_reach_nobody(self):
        backend = self.backend(answers())
        weir = self.weir(backend)
        for how in SPLITS:
            for name, wire, status in REQUESTS:
                with self.subTest(name, split=how), weir.client() as client:
                    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    with contextlib.suppress(OSError):  # who still sends 2 s after the answer is reset
                        for piece in pieces(wire, how):
                            client.send(piece)
                    answer = client.read_answer()
                    self.assertEqual((answer.status, answer.get("connection")), (status, b"close"))
                    client.read_to_end()
                    self.assertEqual(client.buffer, b"")  # nothing of it was taken for another request
        whole_ones = [request for request in backend.requests if request.body_on_wire != b""]
        self.assertEqual(whole_ones, [])

    def test_what_is_allowed_is_taken_in_any_pieces(self):
        backend = self.backend(answers())
        weir = self.weir(backend)
        wires = [b"\r\n\r\n" + get(b""), get(b"X:a\r\nY:\t b \t\r\nZ:\r\n"), b"GET / HTTP/1.0\r\n\r\n",
                 line(b"GET http://other.test:80/x?y HTTP/1.1"), line(b"OPTIONS * HTTP/1.1"),
                 post(b"Content-Length: 000005\r\n", b"hello"),
                 post(b"transfer-encoding: CHUNKED\r\n", b"0000000000000005;a=\"b\"\r\nhello\r\n0;c\r\nX: y\r\n\r\n"),
                 get(b"Connection: close, x-mine\r\nX-Mine: 1\r\nProxy-Connection: close\r\nTE: gzip, trailers;q=1\r\n")]
        for how in SPLITS:
            for wire in wires:
                with self.subTest(wire, split=how), weir.client() as client:
                    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    for piece in pieces(wire, how):
                        client.send(piece)
                    self.assertEqual(client.read_answer().status, 200)
                    self.assertIn(backend.requests[-1].body, (b"", b"hello"))
                    for name in ("connection", "proxy-connection", "x-mine", "keep-alive"):
                        self.assertEqual(backend.requests[-1].all(name), [], name)


class FromBackends(ProxyTest):
    def sent_by_backend(self, wire, how):
        def behaviour(connection, request):
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces(wire[0], how[0]):
                connection.send(piece)
            connection.wait_for_leaving()  # it is never used again
        return behaviour

    def test_broken_rules_become_502_in_any_pieces_and_end_the_connection(self):
        wire, how = [b""], [""]
        backend = self.backend(self.sent_by_backend(wire, how))
        weir = self.weir_serve(backend, paths="all", retry={"attempts": 1}, health={"eject": "off"})
        for how[0] in SPLITS:
            for name, wire[0] in ANSWERS:
                with self.subTest(name, split=how[0]):
                    self.assert_error(weir.ask("GET", "/any"), 502, "bad_backend_response")
        self.assertEqual(len(backend.connections), len(ANSWERS) * len(SPLITS))

    def test_broken_chunks_never_end_well(self):
        wire, how = [b""], [""]
        backend = self.backend(self.sent_by_backend(wire, how))
        weir = self.weir_serve(backend, paths="all", retry={"attempts": 1}, health={"eject": "off"})
        for how[0] in SPLITS:
            for name, body in CHUNKS:
                wire[0] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body
                with self.subTest(name, split=how[0]):
                    answer = weir.ask("GET", "/any")
                    self.assertTrue(answer.status == 502 or answer.end in ("fin", "reset"))

    def test_answers_without_a_body_have_none_whatever_they_announce(self):
        surplus = whole(b"poison")
        for method, status, field in (("HEAD", b"200 OK", b"Content-Length: 100\r\n"),
                                      ("GET", b"304 Not Modified", b"Content-Length: 100\r\n"),
                                      ("GET", b"204 No Content", b"Content-Length: 100\r\n"),
                                      ("GET", b"204 No Content", b"Transfer-Encoding: chunked\r\n")):
            for how in SPLITS:
                wire = b"HTTP/1.1 " + status + b"\r\n" + field + b"\r\n"

                def behaviour(connection, request, wire=wire, how=how):
                    for piece in pieces(wire, how):
                        connection.send(piece)

                def poisoning(connection, request, wire=wire):
                    connection.send(wire + surplus)

                with self.subTest(method, status=status, split=how):
                    for script in (behaviour, poisoning):
                        client = self.client(self.weir(self.backend(script)))
                        for _ in range(3):
                            client.send_request(method, "/any")
                            answer = client.read_answer(method)
                            self.assertEqual(answer.status, int(status[:3]))
                        self.assertEqual(client.buffer, b"")


class Broken(ProxyTest):
    def test_answer_of_a_backend_that_stopped_reading_is_read_before_the_broken_pipe_is_told(self):
        def refuses(connection, request):
            connection.send(whole(b'{"error":"too large"}', status=b"413 Content Too Large"))
            connection.fin()

        backend = self.backend(refuses, reads_bodies=False, receive_buffer=4096)
        weir = self.weir(backend)
        for _ in range(5):
            with weir.client() as client:
                size = 4 << 20
                client.send(f"POST {CHAT} HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode())
                try:
                    client.send(b"x" * size)
                except OSError:
                    pass  # the answer came first
                self.assertEqual(client.read_answer().status, 413)

    def test_request_that_was_cut_never_reaches_a_backend_as_a_whole_one(self):
        seen = []

        def behaviour(connection, request):
            try:
                connection.receive_body(request)
                seen.append(request.body)
            except Left:
                raise

        backend = self.backend(behaviour, reads_bodies=False)
        weir = self.weir(backend)
        for wire in (post(b"Content-Length: 10\r\n", b"half"), chunked(b"5\r\nhello\r\n"), chunked(b"5\r\nhello\r\n0\r\n")):
            with weir.client() as client:
                client.send(wire)
        backend.wait_for(lambda: all(connection.left_at is not None for connection in backend.connections),
                         "the backend hears of the end")
        self.assertEqual(seen, [])


if __name__ == "__main__":
    unittest.main()
