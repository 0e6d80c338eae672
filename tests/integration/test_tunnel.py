"""Upgraded connections: what becomes a tunnel and what does not, bytes both ways, ends, limits, and a real WebSocket."""

import base64
import hashlib
import os
import signal
import struct
import threading
import unittest

from harness import CHAT, ProxyTest
from scripted_backend import PATIENCE, Left, answers, whole

REALTIME = "/v1/realtime"
ASK = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
       "Sec-WebSocket-Version: 13")
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def echoes(connection, request):
    """A behaviour: switches, then sends back in upper case until the other side has ended, then ends too."""
    connection.send(SWITCHED)
    try:
        while True:
            connection.send(connection.receive().upper())
    except Left:
        connection.fin()


class TunnelTest(ProxyTest):
    def upgraded(self, weir, path=REALTIME, fields=ASK, extra=b""):
        client = self.client(weir)
        lines = [f"GET {path} HTTP/1.1", "Host: weir.test", *fields]
        client.send("\r\n".join(lines).encode() + b"\r\n\r\n" + extra)
        return client, client.read_answer()


class Switching(TunnelTest):
    def test_bytes_pass_both_ways_after_101(self):
        weir = self.weir_urls(self.backend(echoes))
        client, answer = self.upgraded(weir)
        self.assertEqual((answer.status, answer.get("connection"), answer.get("upgrade")),
                         (101, b"Upgrade", b"websocket"))
        self.assertTrue(answer.get("x-request-id"))
        for size in (1, 100, 70_000):
            client.send(b"a" * size)
            self.assertEqual(client._up_to(size), b"A" * size)

    def test_fields_of_the_handshake_reach_the_backend(self):
        backend = self.backend(echoes)
        client, _ = self.upgraded(self.weir_urls(backend))
        request = backend.requests[0]
        self.assertEqual((request.all("connection"), request.all("upgrade")), ([b"Upgrade"], [b"websocket"]))
        self.assertEqual(request.get("sec-websocket-version"), b"13")
        self.assertEqual(request.get("x-forwarded-for"), b"127.0.0.1")
        client.close()

    def test_what_a_side_sends_with_or_before_the_101_is_not_lost(self):
        def early(connection, request):
            connection.send_in_pieces(SWITCHED + b"early ", 7)
            connection.send(connection.receive())
            connection.fin()
        client, answer = self.upgraded(self.weir_urls(self.backend(early)), extra=b"hasty")
        self.assertEqual(answer.status, 101)
        client.fin()
        self.assertEqual(client.read_to_end(), b"early hasty")

    def test_half_close_is_passed_on_both_ways(self):
        for first in ("client", "backend"):
            seen = []

            def behaviour(connection, request):
                connection.send(SWITCHED)
                if first == "backend":
                    connection.sock.shutdown(1)
                try:
                    while True:
                        seen.append(connection.receive())
                except Left:
                    pass
                if first == "client":
                    connection.send(b"still here")
                connection.fin()

            with self.subTest(first):
                backend = self.backend(behaviour)
                client, _ = self.upgraded(self.weir_urls(backend))
                if first == "backend":
                    self.assertEqual(client.read_to_end(), b"")
                client.send(b"from the client")
                client.fin()
                backend.wait_for(lambda: b"".join(seen) == b"from the client", "the client's bytes")
                if first == "client":
                    self.assertEqual(client.read_to_end(), b"still here")
                self.assertEqual(client.end, "fin")

    def test_reset_of_either_side_reaches_the_other(self):
        def resets(connection, request):
            connection.send(SWITCHED)
            connection.receive()
            connection.reset()
        client, _ = self.upgraded(self.weir_urls(self.backend(resets)))
        client.send(b"x")
        client.read_to_end()
        self.assertEqual(client.end, "reset")

        backend = self.backend(lambda connection, request: (connection.send(SWITCHED), connection.wait_for_leaving()))
        client, _ = self.upgraded(self.weir_urls(backend))
        client.reset()
        backend.wait_for(lambda: backend.connections[0].left_at is not None, "the backend hears of the reset")

    def test_side_that_does_not_read_stops_the_other_and_no_byte_is_lost(self):
        sent = 64 * 1024 * 1024
        go_on = threading.Event()
        got = []

        def slow(connection, request):
            connection.send(SWITCHED)
            go_on.wait(PATIENCE)
            digest, count = hashlib.sha256(), 0
            try:
                while True:
                    data = connection.receive(1 << 20)
                    digest.update(data)
                    count += len(data)
            except Left:
                got.append((count, digest.hexdigest()))
                connection.fin()

        weir = self.weir_urls(self.backend(slow))
        client, _ = self.upgraded(weir)
        before = weir.memory()
        block, digest = os.urandom(1 << 20), hashlib.sha256()

        def push():
            for _ in range(sent // len(block)):
                digest.update(block)
                client.send(block)
            client.fin()

        pusher = threading.Thread(target=push, daemon=True)
        client.sock.settimeout(4 * PATIENCE)
        pusher.start()
        pusher.join(2)  # long enough to fill whatever would take it
        self.assertTrue(pusher.is_alive(), "the client was never stopped")
        self.assertLess(weir.memory() - before, 8 << 20)
        go_on.set()
        pusher.join(4 * PATIENCE)
        client.read_to_end()
        self.assertEqual(got, [(sent, digest.hexdigest())])


class NotSwitching(TunnelTest):
    def test_refused_upgrade_is_an_ordinary_answer(self):
        for status in (b"200 OK", b"403 Forbidden", b"426 Upgrade Required"):
            with self.subTest(status):
                client, answer = self.upgraded(self.weir_urls(self.backend(answers(b"no", status=status))),
                                               extra=b"GET /v1/models HTTP/1.1\r\nHost: weir.test\r\n\r\n")
                self.assertEqual((answer.status, answer.body), (int(status[:3]), b"no"))
                self.assertEqual(client.read_answer().body, b"no")  # the next request was not swallowed

    def test_upgrade_is_dropped_where_it_is_not_passed(self):
        known = self.backend(answers())
        inference = self.weir_urls(known)
        for path, fields in ((CHAT, ASK), (REALTIME, ("Connection: Upgrade", "Upgrade: other")),
                             (REALTIME, ("Upgrade: websocket",)),
                             (REALTIME, ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAM"))):
            with self.subTest(path, fields=fields):
                _, answer = self.upgraded(inference, path, fields)
                self.assertEqual(answer.status, 200)
                request = known.requests[-1]
                self.assertEqual(request.all("connection") + request.all("upgrade") + request.all("http2-settings"), [])

    def test_any_path_and_protocol_but_http2_may_upgrade_where_all_paths_pass(self):
        backend = self.backend(lambda connection, request: connection.send(
            SWITCHED.replace(b"websocket", request.get("upgrade") or b"nothing")))
        weir = self.weir(backend)
        for protocol in ("websocket", "spdy", "custom-thing"):
            _, answer = self.upgraded(weir, "/chat", ("Connection: keep-alive, Upgrade", f"Upgrade: {protocol}"))
            self.assertEqual(answer.status, 101, protocol)
        for protocol in ("h2c", "H2C", "h2", "HTTP/2.0", "TLS/1.0", "websocket, h2c", "a, b"):
            _, answer = self.upgraded(weir, "/chat", ("Connection: Upgrade", f"Upgrade: {protocol}"))
            self.assertEqual(answer.status, 502, protocol)  # it switched unasked
            self.assertEqual(backend.requests[-1].all("upgrade"), [], protocol)

    def test_body_or_another_method_makes_it_an_ordinary_request(self):
        backend = self.backend(answers())
        weir = self.weir(backend)
        for method, body in (("GET", b"Content-Length: 2\r\n\r\nhi"), ("POST", b"Content-Length: 2\r\n\r\nhi"),
                             ("GET", b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")):
            client = self.client(weir)
            client.send(f"{method} {REALTIME} HTTP/1.1\r\nHost: a\r\n".encode() +
                        b"Connection: Upgrade\r\nUpgrade: websocket\r\n" + body)
            self.assertEqual(client.read_answer().status, 200)
            self.assertEqual((backend.requests[-1].all("upgrade"), backend.requests[-1].body), ([], b"hi"))

    def test_upgrade_of_http_1_0_is_ignored(self):
        backend = self.backend(answers())
        client = self.client(self.weir(backend))
        client.send(b"GET " + REALTIME.encode() + b" HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        self.assertEqual(client.read_answer().status, 200)
        self.assertEqual(backend.requests[0].all("upgrade"), [])

    def test_101_that_was_not_asked_for_or_is_for_another_protocol_is_502(self):
        wires = [SWITCHED.replace(b"websocket", b"other"), SWITCHED.replace(b"Upgrade: websocket\r\n", b""),
                 SWITCHED.replace(b"Connection: Upgrade\r\n", b""),
                 SWITCHED.replace(b"\r\n\r\n", b"\r\nContent-Length: 4\r\n\r\n"),
                 SWITCHED.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")]
        for wire in wires:
            with self.subTest(wire):
                _, answer = self.upgraded(self.weir_urls(self.backend(lambda c, _, wire=wire: c.send(wire))))
                self.assert_error(answer, 502, "bad_backend_response")
        weir = self.weir_urls(self.backend(lambda c, _: c.send(SWITCHED)))
        self.assert_error(weir.ask("GET", REALTIME), 502, "bad_backend_response")


class Limits(TunnelTest):
    def test_tunnel_without_traffic_ends_after_its_limit(self):
        backend = self.backend(echoes)
        weir = self.weir_serve(backend, paths="all", timeouts={"tunnel": "6s"},
                               log={"access": {"output": "stdout"}})
        client, _ = self.upgraded(weir)
        client.send(b"hi")
        self.assertEqual(client.read_to_end(), b"HI")
        line = weir.access_lines(1)[0]
        self.assertEqual((line["status"], line["reason"]), (101, "tunnel_idle"))
        self.assertEqual((line["bytes_in"], line["bytes_out"]), (2, 2))
        backend.wait_for(lambda: backend.connections[0].left_at is not None, "the backend hears of it")

    def test_access_log_tells_status_and_bytes(self):
        weir = self.weir_urls(self.backend(echoes), flags=["--access-log"])
        client, _ = self.upgraded(weir)
        client.send(b"hello")
        self.assertEqual(client._up_to(5), b"HELLO")
        client.fin()
        client.read_to_end()
        line = weir.access_lines(1)[0]
        self.assertEqual((line["status"], line["bytes_in"], line["bytes_out"], line["reason"]), (101, 5, 5, None))

    def test_tunnel_holds_its_place_at_the_backend(self):
        def behaviour(connection, request):
            if request.get("upgrade"):
                echoes(connection, request)
            else:
                connection.send(whole(b"{}"))

        weir = self.weir_urls(self.backend(behaviour), flags=["--max-outstanding", "1"])
        client, _ = self.upgraded(weir)
        other = self.client(weir)
        other.send_request()
        self.assertTrue(other.is_quiet(0.3))  # it waits
        client.fin()
        client.read_to_end()
        self.assertEqual(other.read_answer().status, 200)

    def test_drain_lets_a_tunnel_run_and_ends_it_at_its_end(self):
        backend = self.backend(echoes)
        weir = self.weir_serve(backend, paths="all", drain={"timeout": "8s"}, log={"access": {"output": "stdout"}})
        client, _ = self.upgraded(weir)
        weir.signal(signal.SIGTERM)
        client.send(b"still")
        self.assertEqual(client._up_to(5), b"STILL")
        client.read_to_end()
        weir.wait()
        self.assertEqual(weir.access_lines(1)[0]["reason"], "draining")


GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(payload, opcode=1, masked=False):
    head = bytes([0x80 | opcode])
    mask_bit = 0x80 if masked else 0
    if len(payload) < 126:
        head += bytes([mask_bit | len(payload)])
    else:
        head += bytes([mask_bit | 126]) + struct.pack(">H", len(payload))
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def read_frame(exactly):
    opcode, length = exactly(2)
    is_masked, length = length & 0x80, length & 0x7f
    if length == 126:
        length = struct.unpack(">H", exactly(2))[0]
    mask = exactly(4) if is_masked else bytes(4)
    return opcode & 0x0f, bytes(byte ^ mask[i % 4] for i, byte in enumerate(exactly(length)))


class WebSocket(TunnelTest):
    def test_conversation_by_rfc_6455_with_pings_and_a_proper_close(self):
        def websocket(connection, request):
            accept = base64.b64encode(hashlib.sha1(request.get("sec-websocket-key") + GUID).digest())
            connection.send(SWITCHED.replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"))
            while True:
                opcode, payload = read_frame(connection._exactly)
                if opcode == 8:
                    connection.send(frame(payload, 8))
                    connection.fin()
                    return
                connection.send(frame(payload, 10) if opcode == 9 else frame(payload[::-1], opcode))

        weir = self.weir_urls(self.backend(websocket), flags=["--access-log"])
        key = base64.b64encode(os.urandom(16))
        fields = ("Connection: Upgrade", "Upgrade: websocket", f"Sec-WebSocket-Key: {key.decode()}",
                  "Sec-WebSocket-Version: 13")
        client, answer = self.upgraded(weir, fields=fields)
        self.assertEqual(answer.get("sec-websocket-accept"),
                         base64.b64encode(hashlib.sha1(key + GUID).digest()))
        for text in (b"hello", b"x" * 5000):
            client.send(frame(text, masked=True))
            self.assertEqual(read_frame(client._up_to), (1, text[::-1]))
        client.send(frame(b"ping", 9, masked=True))
        self.assertEqual(read_frame(client._up_to), (10, b"ping"))
        client.send(frame(struct.pack(">H", 1000), 8, masked=True))
        self.assertEqual(read_frame(client._up_to), (8, struct.pack(">H", 1000)))
        self.assertEqual((client.read_to_end(), client.end), (b"", "fin"))
        client.close()
        line = weir.access_lines(1)[0]
        self.assertEqual((line["status"], line["reason"], line["path"]), (101, None, REALTIME))


if __name__ == "__main__":
    unittest.main()
