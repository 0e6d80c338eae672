"""Event streams: bytes unchanged, events at once, the head held until the first event, cuts never look whole."""

import contextlib
import json
import threading
import unittest

from fault_gate import FaultGate
from harness import CHAT, Client, ProxyTest
from scripted_backend import (DONE, LAST_CHUNK, PATIENCE, STREAM_HEAD, Left, chunk, event, streams, token,
                              whole)

COMMENT = b": keep-alive\n\n"


class Hand:
    """A stream whose backend sends only what the test tells it to, when it tells it to."""

    def __init__(self, test, head=STREAM_HEAD, **rest):
        self.connection = None
        self._ready, self._over = threading.Event(), threading.Event()
        self.head = head
        self.backend = test.backend(self._behave, **rest)
        test.addCleanup(self._over.set)

    def _behave(self, connection, _):
        connection.send(self.head)
        self.connection = connection
        self._ready.set()
        self._over.wait(60)

    def wait(self):
        assert self._ready.wait(PATIENCE), "no request came"
        return self.connection

    def send(self, data):
        self.wait().send(data)


class Passing(ProxyTest):
    def test_stream_arrives_byte_for_byte(self):
        wire = chunk(token(b"a") + token(b"b")) + b"".join(chunk(token(b"%d" % i)) for i in range(200)) + chunk(DONE)
        backend = self.backend(lambda connection, _: connection.send(STREAM_HEAD + wire + LAST_CHUNK))
        client = self.client(self.weir(backend))
        client.send_request(body=b'{"stream":true}')
        head = client.read_head()
        self.assertEqual(head.get("content-type"), b"text/event-stream; charset=utf-8")
        self.assertEqual(head.get("x-accel-buffering"), b"no")
        self.assertEqual(client._up_to(len(wire) + 5), wire + LAST_CHUNK)

    def test_stream_cut_into_any_pieces_arrives_byte_for_byte(self):
        wire = b"".join(chunk(token(b"%d" % i)) for i in range(3)) + chunk(DONE) + LAST_CHUNK
        for size in (1, 2, 7, 64, 1000):
            def behave(connection, _, size=size):
                connection.send_in_pieces(STREAM_HEAD + wire, size, 0.0002 if size < 10 else 0.002)
            with self.subTest(size), self.weir(self.backend(behave)) as weir, weir.client() as client:
                client.send_request()
                client.read_head()
                self.assertEqual(client._up_to(len(wire)), wire)

    def test_chunks_and_events_need_not_agree(self):
        text = token(b"one") + token(b"two") + DONE
        wire = b"".join(chunk(text[at:at + 11]) for at in range(0, len(text), 11)) + LAST_CHUNK
        backend = self.backend(lambda connection, _: connection.send(STREAM_HEAD + wire))
        client = self.client(self.weir(backend))
        client.send_request()
        client.read_head()
        self.assertEqual(client._up_to(len(wire)), wire)

    def test_event_passes_before_the_next_one_exists(self):
        # The backend sends an event only after the client has had the one before.
        hand = Hand(self)
        client = self.client(self.weir(hand.backend))
        client.send_request()
        for number in range(100):
            hand.send(chunk(token(b"%d" % number)))
            if number == 0:
                client.read_head()
            self.assertEqual(client.read_chunk(), token(b"%d" % number))
        hand.send(chunk(DONE) + LAST_CHUNK)
        self.assertEqual((client.read_chunk(), client.read_chunk()), (DONE, b""))

    def test_connection_goes_on_after_a_stream(self):
        backend = self.backend(streams(b"a", b"b"))
        client = self.client(self.weir(backend))
        for _ in range(5):
            self.assertEqual(client.ask().body, token(b"a") + token(b"b") + DONE)
        self.assert_connections(backend, 1)

    def test_stream_that_ends_with_its_connection_gets_chunks_and_an_end(self):
        head = STREAM_HEAD.replace(b"transfer-encoding: chunked\r\n", b"")

        def behave(connection, _):
            connection.send(head + token(b"a") + DONE)
            connection.fin()
        answer = self.weir(self.backend(behave)).ask()
        self.assertEqual((answer.body, answer.end), (token(b"a") + DONE, "whole"))

    def test_http_1_0_client_gets_the_events_bare(self):
        answer = self.weir(self.backend(streams(b"a"))).ask(version="1.0")
        self.assertEqual((answer.body, answer.end), (token(b"a") + DONE, "fin"))
        self.assertIsNone(answer.get("transfer-encoding"))

    def test_error_event_of_a_backend_passes_unchanged(self):
        error = event(b'{"error": {"message": "EngineCore encountered an issue.", "type": "InternalServerError", '
                      b'"param": null, "code": 500}}')
        wire = chunk(token(b"a")) + chunk(error) + chunk(DONE) + LAST_CHUNK
        backend = self.backend(lambda connection, _: connection.send(STREAM_HEAD + wire))
        client = self.client(self.weir(backend))
        client.send_request()
        client.read_head()
        self.assertEqual(client._up_to(len(wire)), wire)

    def test_encoded_stream_is_passed_unread(self):
        body = bytes(range(256)) * 20
        head = STREAM_HEAD.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n")
        backend = self.backend(lambda connection, _: connection.send(head + chunk(body) + LAST_CHUNK))
        answer = self.weir(backend).ask()
        self.assertEqual((answer.body, answer.end), (body, "whole"))

    def test_network_that_slices_and_delays_changes_no_byte(self):
        backend = self.backend(streams(*[b"t%d" % i for i in range(20)]))
        with FaultGate(backend.port) as gate:
            gate.slice, gate.delay = 3, 0.005
            weir = self.weir(gate.url)
            with FaultGate(weir.address[1]) as front, Client(("127.0.0.1", front.port)) as client:
                front.slice = 5
                answer = client.ask()
        self.assertEqual((answer.end, answer.chunks),
                         ("whole", [token(b"t%d" % i) for i in range(20)] + [DONE]))

    def test_access_log_counts_events_and_tokens_of_a_stream(self):
        usage = event(b'{"choices":[],"usage":{"prompt_tokens":7,"total_tokens":9,"completion_tokens":2}}')
        backend = self.backend(streams(b"a", b"b", end=usage + DONE))
        weir = self.weir(backend, flags=["--access-log"])
        weir.ask()
        (line,) = weir.access_lines(1)
        self.assertEqual((line["stream"], line["tok_in"], line["tok_out"]), (True, 7, 2))
        self.assertGreaterEqual(line["ttft_ms"], 0)


class HeldHead(ProxyTest):
    def test_head_is_held_until_the_first_event(self):
        hand = Hand(self)
        client = self.client(self.weir(hand.backend))
        client.send_request()
        hand.wait()
        self.assertTrue(client.is_quiet(0.2))
        hand.send(chunk(COMMENT))
        self.assertTrue(client.is_quiet(0.2), "a comment is no event")
        hand.send(chunk(token(b"a")))
        self.assertEqual(client.read_head().status, 200)
        self.assertEqual((client.read_chunk(), client.read_chunk()), (COMMENT, token(b"a")))

    def test_event_without_its_end_does_not_release_the_head(self):
        hand = Hand(self)
        client = self.client(self.weir(hand.backend))
        client.send_request()
        hand.send(chunk(token(b"a")[:-1]))
        self.assertTrue(client.is_quiet(0.2))
        hand.send(chunk(b"\n"))
        client.read_head()
        self.assertEqual(client.read_chunk() + client.read_chunk(), token(b"a"))

    def test_stream_that_ends_without_an_event_arrives_whole(self):
        backend = self.backend(lambda connection, _: connection.send(STREAM_HEAD + chunk(COMMENT) + LAST_CHUNK))
        answer = self.weir(backend).ask()
        self.assertEqual((answer.status, answer.body, answer.end), (200, COMMENT, "whole"))

    def test_sixteen_kibibytes_of_comments_release_the_head(self):
        hand = Hand(self)
        client = self.client(self.weir(hand.backend))
        client.send_request()
        for _ in range(17):
            hand.send(chunk(b":" + b"x" * 1021 + b"\n\n"))
        self.assertEqual(client.read_head().status, 200)

    def test_error_status_of_a_stream_is_not_held(self):
        backend = self.backend(lambda connection, _: connection.send(whole(b'{"error":"busy"}', status=b"503 Busy")))
        self.assertEqual(self.weir(backend).ask().status, 503)


class Cuts(ProxyTest):
    def assert_interrupted(self, answer, events):
        """The events that came, then the error event, then a close without the last chunk and without [DONE]."""
        *before, last = answer.chunks
        self.assertEqual(before, events)
        self.assertTrue(last.startswith(b'data: {"error":{') and last.endswith(b"\n\n"), last)
        error = json.loads(last[6:])["error"]
        self.assertEqual((error["type"], error["code"]), ("server_error", "stream_interrupted"))
        self.assertEqual(answer.end, "fin")
        self.assertNotIn(b"[DONE]", answer.body)

    def test_backend_that_dies_mid_stream_leaves_an_error_event_and_no_proper_end(self):
        for then in ("fin", "reset"):
            hand = Hand(self)
            with self.subTest(then), self.weir(hand.backend) as weir, weir.client() as client:
                client.send_request()
                hand.send(chunk(token(b"a")) + chunk(token(b"b")))
                head = client.read_head()
                self.assertEqual(client.read_chunk(), token(b"a"))
                self.assertEqual(client.read_chunk(), token(b"b"))
                getattr(hand.connection, then)()
                head.chunks = [client.read_chunk()]
                head.body = head.chunks[0]
                self.assertIsNone(client.read_chunk())
                head.end = client.end
                self.assert_interrupted(head, [])

    def test_error_event_has_the_shape_of_the_api(self):
        for path, beginning in (("/v1/messages", b'event: error\ndata: {"type":"error","error":{'),
                                ("/v1/responses", b'event: error\ndata: {"type":"error",')):
            def behave(connection, _):
                connection.send(STREAM_HEAD + chunk(b'event: delta\ndata: {"type":"delta"}\n\n'))
                connection.backend.wait_for(lambda: behave.may_go, "the client has the first event")
                connection.fin()
            behave.may_go = False
            backend = self.backend(behave)
            with self.subTest(path), self.weir(backend) as weir, weir.client() as client:
                client.send_request(path=path)
                client.read_head()
                client.read_chunk()
                behave.may_go = True
                with backend._changed:
                    backend._changed.notify_all()
                self.assertTrue(client.read_chunk().startswith(beginning))
                self.assertIsNone(client.read_chunk())

    def test_cut_inside_a_chunk_is_a_plain_close(self):
        hand = Hand(self)
        client = self.client(self.weir(hand.backend))
        client.send_request()
        hand.send(chunk(token(b"a")) + b"100\r\ndata: {half")
        client.read_head()
        self.assertEqual(client.read_chunk(), token(b"a"))
        hand.connection.fin()
        self.assertEqual(client.read_to_end(), b"100\r\ndata: {half")
        self.assertIn(client.end, ("fin", "reset"))

    def test_cut_inside_an_event_is_a_plain_close(self):
        hand = Hand(self)
        client = self.client(self.weir(hand.backend))
        client.send_request()
        hand.send(chunk(token(b"a")) + chunk(b"data: {half"))
        client.read_head()
        client.read_chunk()
        self.assertEqual(client.read_chunk(), b"data: {half")
        hand.connection.fin()
        self.assertEqual(client.read_to_end(), b"")
        self.assertIn(client.end, ("fin", "reset"))

    def test_http_1_0_client_of_a_cut_stream_gets_a_reset(self):
        for then in ("fin", "reset"):
            hand = Hand(self)
            with self.subTest(then), self.weir(hand.backend) as weir, weir.client() as client:
                client.send_request(version="1.0")
                hand.send(chunk(token(b"a")))
                client.read_head()
                self.assertEqual(client._up_to(len(token(b"a"))), token(b"a"))
                getattr(hand.connection, then)()
                client.read_to_end()
                self.assertEqual(client.end, "reset")

    def test_framing_that_breaks_mid_stream_is_a_cut(self):
        hand = Hand(self)
        client = self.client(self.weir(hand.backend))
        client.send_request()
        hand.send(chunk(token(b"a")))
        client.read_head()
        client.read_chunk()
        hand.send(b"no chunk size\r\n")
        rest = client.read_to_end()
        self.assertNotIn(b"no chunk size", rest)
        self.assertFalse(rest.endswith(LAST_CHUNK))


class Aborts(ProxyTest):
    ABORT = token(b"half", finish=b'"abort"')

    def abort_after(self, *texts):
        wire = STREAM_HEAD + b"".join(chunk(token(t)) for t in texts) + chunk(self.ABORT) + chunk(DONE) + LAST_CHUNK
        return lambda connection, _: connection.send(wire)

    def test_abort_of_a_stopped_server_becomes_a_visible_interruption(self):
        hand = Hand(self)
        client = self.client(self.weir(hand.backend))
        client.send_request()
        hand.send(chunk(token(b"a")))
        answer = client.read_head()
        self.assertEqual(client.read_chunk(), token(b"a"))
        hand.send(chunk(self.ABORT) + chunk(DONE) + LAST_CHUNK)
        self.assertEqual(json.loads(client.read_chunk()[6:])["error"]["code"], "stream_interrupted")
        self.assertIsNone(client.read_chunk())
        self.assertEqual((client.end, answer.status), ("fin", 200))

    def test_abort_in_one_read_with_good_events_is_withheld_alone(self):
        wire = chunk(token(b"b")) + chunk(self.ABORT) + chunk(DONE) + LAST_CHUNK
        hand = Hand(self)
        client = self.client(self.weir(hand.backend))
        client.send_request()
        hand.send(chunk(token(b"a")))
        client.read_head()
        client.read_chunk()
        hand.send(wire)
        self.assertEqual(client.read_chunk(), token(b"b"))
        self.assertIn(b"stream_interrupted", client.read_chunk())
        self.assertIsNone(client.read_chunk())

    def test_abort_in_pieces_of_one_byte_is_withheld_and_visible(self):
        hand = Hand(self)
        client = self.client(self.weir(hand.backend))
        client.send_request()
        hand.send(chunk(token(b"a")))
        client.read_head()
        client.read_chunk()
        with contextlib.suppress(Left):  # weir may have seen enough before the end
            hand.connection.send_in_pieces(chunk(self.ABORT) + chunk(DONE) + LAST_CHUNK, 1, 0.0005)
        rest = client.read_to_end()
        self.assertNotIn(DONE, rest)
        self.assertFalse(rest.endswith(LAST_CHUNK))
        self.assertNotIn(self.ABORT, rest)

    def test_abort_as_the_first_event_is_asked_for_elsewhere(self):
        stopping, good = self.backend(self.abort_after()), self.backend(streams(b"good"))
        weir = self.weir(stopping, good)
        answers = [weir.ask() for _ in range(4)]
        self.assertEqual([answer.body for answer in answers], [token(b"good") + DONE] * 4)
        self.assertTrue(stopping.requests)
        self.assertIn(b"2", [answer.get("x-weir-attempts") for answer in answers])

    def test_abort_behind_a_role_event_alone_is_asked_for_elsewhere(self):
        role = event(b'{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}')
        wire = STREAM_HEAD + chunk(role + self.ABORT) + chunk(DONE) + LAST_CHUNK
        stopping, good = self.backend(lambda c, _: c.send(wire)), self.backend(streams(b"good"))
        weir = self.weir(stopping, good)
        self.assertEqual([weir.ask().body for _ in range(4)], [token(b"good") + DONE] * 4)

    def test_abort_everywhere_is_502(self):
        weir = self.weir(self.backend(self.abort_after()), self.backend(self.abort_after()))
        self.assert_error(weir.ask(), 502, "stream_interrupted")

    def test_plain_answer_that_was_aborted_is_asked_for_elsewhere_or_502(self):
        body = b'{"choices":[{"message":{"content":"half"},"finish_reason":"abort"}]}'
        stopping = self.backend(lambda connection, _: connection.send(whole(body)))
        good = self.backend(lambda connection, _: connection.send(whole(b'{"good":1}')))
        with self.weir(stopping, good) as weir:
            self.assertEqual([weir.ask().body for _ in range(4)], [b'{"good":1}'] * 4)
        self.assertTrue(stopping.requests)
        with self.weir(stopping) as weir:
            answer = weir.ask()
            self.assertEqual(answer.status, 502)
            self.assertNotIn(b"half", answer.body)

    def test_abort_inside_a_text_is_only_text(self):
        text = rb'say \"finish_reason\":\"abort\" please'
        answer = self.weir(self.backend(streams(text))).ask()
        self.assertEqual((answer.body, answer.end), (token(text) + DONE, "whole"))

    def test_abort_passes_where_the_config_says_so(self):
        weir = self.weir_serve(self.backend(self.abort_after(b"a")), abort="pass")
        answer = weir.ask()
        self.assertEqual((answer.body, answer.end), (token(b"a") + self.ABORT + DONE, "whole"))


class Overtaking(ProxyTest):
    def test_slow_stream_delays_no_other(self):
        hand = Hand(self)
        weir = self.weir(hand.backend)
        slow = self.client(weir)
        slow.send_request()
        hand.send(chunk(token(b"a")))
        slow.read_head()
        quick = self.backend(streams(b"x"))
        other = self.weir(quick)
        for _ in range(20):
            self.assertEqual(other.ask(path=CHAT).end, "whole")


if __name__ == "__main__":
    unittest.main()
