"""A backend that holds requests and sends nothing while another one sends: new requests go elsewhere, whatever its /health
says, until it sends again."""

import threading
import time
import unittest

from harness import ProxyTest
from scripted_backend import DONE, LAST_CHUNK, PATIENCE, STREAM_HEAD, chunk, token, whole


class Stuck(ProxyTest):
    HEALTH = {"interval": "100ms", "timeout": "20s", "stuck_after": "400ms", "slow_start": "off"}

    def setUp(self):
        super().setUp()
        self.has_begun, self.may_go_on, self.is_over = threading.Event(), threading.Event(), threading.Event()
        self.addCleanup(self.may_go_on.set)
        self.addCleanup(self.is_over.set)

    def behave(self, connection, request):
        if request.body == b"hang":
            self.hang(connection)
        elif request.body == b"send":
            self.send_on(connection)
        else:
            connection.send(whole(b"elsewhere"))

    def hang(self, connection):
        """An engine that hangs sends the head of a stream all the same."""
        connection.send(STREAM_HEAD)
        self.has_begun.set()
        self.may_go_on.wait(PATIENCE)
        connection.send(chunk(token(b"late")) + chunk(DONE) + LAST_CHUNK)

    def send_on(self, connection):
        connection.send(STREAM_HEAD)
        end = time.monotonic() + PATIENCE
        while not self.is_over.is_set() and time.monotonic() < end:
            connection.send(chunk(token(b"x")))
            time.sleep(0.02)
        connection.send(chunk(DONE) + LAST_CHUNK)

    def test_it_is_suspect_though_its_probes_are_answered_and_ready_again_with_its_first_byte(self):
        backends = [self.backend(self.behave) for _ in range(2)]
        weir = self.weir_serve(*backends, health=self.HEALTH, workers=1)  # one clock for both
        weir.wait_for_log("-> ready(.|\n)*-> ready")
        one, other = self.client(weir), self.client(weir)
        one.send_request(body=b"hang")
        self.assertTrue(self.has_begun.wait(PATIENCE))  # its head is no byte that comes late
        other.send_request(body=b"send")
        hanging = next(backend for backend in backends if any(request.body == b"hang" for request in backend.requests))
        weir.wait_for_log(r"ready -> suspect \(holds 1 request, no byte for [^)]+ while others send\)")
        probes = hanging.probes
        hanging.wait_for_probes(probes + 2)
        self.assertEqual({weir.ask().body for _ in range(6)}, {b"elsewhere"})
        self.assertEqual(len(hanging.requests), 1)
        self.assertEqual(weir.log.count("suspect -> ready"), 0, "a good probe changes nothing")
        self.may_go_on.set()
        weir.wait_for_log("suspect -> ready")
        self.is_over.set()
        self.assertEqual([client.read_answer().end for client in (one, other)], ["whole"] * 2)


if __name__ == "__main__":
    unittest.main()
