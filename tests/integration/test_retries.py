"""Sending a request again: only what is safe, at most twice, and never because a kept connection was just closed."""

import contextlib
import queue
import threading
import time
import unittest

from harness import CHAT, ProxyTest, eventually
from scripted_backend import STREAM_HEAD, answers, chunk, streams, token, whole


def dies(connection, _):
    connection.reset()


class HowOften(ProxyTest):
    def test_two_sends_are_the_most(self):
        backends = [self.backend(dies) for _ in range(5)]
        weir = self.weir(*backends)
        answer = weir.ask()
        self.assert_error(answer, 502, "backend_failed")
        self.assertEqual(answer.get("x-weir-attempts"), b"2")
        self.assertEqual(sum(len(backend.requests) for backend in backends), 2)

    def test_number_of_sends_is_a_setting(self):
        def talks_nonsense(connection, request):
            connection.send(b"nonsense\r\n\r\n")
            connection.fin()

        # No POST is sent more than twice, and nobody gets what two backends died of.
        for attempts, method, behaviour, sends in ((1, "POST", dies, 1), (4, "GET", talks_nonsense, 4),
                                                   (4, "POST", talks_nonsense, 2), (4, "GET", dies, 2)):
            backends = [self.backend(behaviour) for _ in range(5)]
            with self.subTest((attempts, method, sends)), \
                    self.weir_serve(*backends, retry={"attempts": attempts}) as weir:
                self.assertEqual(weir.ask(method, "/v1/models" if method == "GET" else CHAT).status, 502)
                self.assertEqual(sum(len(backend.requests) for backend in backends), sends)
                for backend in backends:
                    backend.stop()

    def test_same_backend_is_not_asked_twice(self):
        backends = [self.backend(dies) for _ in range(2)]
        weir = self.weir(*backends)
        for _ in range(4):
            weir.ask()
        self.assertEqual([len(backend.requests) for backend in backends], [4, 4])

    def test_only_backend_that_died_is_not_asked_again(self):
        backend = self.backend(dies)
        self.assertEqual(self.weir(backend).ask().status, 502)
        self.assertEqual(len(backend.requests), 1)

    def test_error_answers_are_not_asked_for_again(self):
        one = self.backend(answers(b"{}", status=b"500 Oh"))
        two = self.backend(answers(b"{}", status=b"500 Oh"))
        weir = self.weir(one, two)
        self.assertEqual(weir.ask().status, 500)
        self.assertEqual(len(one.requests) + len(two.requests), 1)


class WhatMayBeSentAgain(ProxyTest):
    def sends_of(self, method, path, **rest):
        backends = [self.backend(dies) for _ in range(3)]
        with self.weir(*backends) as weir:
            answer = weir.ask(method, path, **rest)
            self.assert_error(answer, 502, "backend_failed")
            for backend in backends:
                backend.stop()
        return sum(len(backend.requests) for backend in backends)

    def test_post_on_an_unknown_path_is_never_sent_again(self):
        for path in ("/", "/unknown", "/v1/chat/completions/", "/v1/files", "/v1/fine_tuning/jobs"):
            with self.subTest(path):
                self.assertEqual(self.sends_of("POST", path), 1)

    def test_post_on_the_inference_paths_is_sent_again(self):
        for path in (CHAT, "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages", "/rerank",
                     "/tokenize"):
            with self.subTest(path):
                self.assertEqual(self.sends_of("POST", path), 2)

    def test_methods_that_are_idempotent_are_sent_again_and_others_not(self):
        for method, sends in (("GET", 2), ("PUT", 2), ("DELETE", 2), ("OPTIONS", 2), ("PATCH", 1)):
            with self.subTest(method):
                self.assertEqual(self.sends_of(method, "/unknown"), sends)

    def test_begun_stream_is_never_sent_again(self):
        def cut(connection, _):
            connection.send(STREAM_HEAD + chunk(token(b"a")))
            connection.fin()
        backends = [self.backend(cut), self.backend(cut)]
        weir = self.weir(*backends)
        answer = weir.ask()
        self.assertEqual(answer.status, 200)
        self.assertIn(answer.end, ("fin", "reset"))
        self.assertEqual(sum(len(backend.requests) for backend in backends), 1)

    def test_body_beyond_the_replay_bound_is_not_sent_again(self):
        def behave(connection, request):
            connection.receive_body(request)
            connection.reset()
        backends = [self.backend(behave, reads_bodies=False) for _ in range(2)]
        weir = self.weir(*backends)
        for size, sends in ((8 * 1024 * 1024, 2), (8 * 1024 * 1024 + 1, 1)):
            before = sum(len(backend.requests) for backend in backends)
            answer = weir.ask(body=bytes(size))
            self.assertEqual(answer.status, 502, size)
            self.assertEqual(sum(len(backend.requests) for backend in backends) - before, sends, size)

    def test_chunked_body_beyond_the_replay_bound_arrives_whole_all_the_same(self):
        backend = self.backend(answers(b"ok"))
        weir = self.weir_serve(backend, replay={"per_request": "64KiB"})
        client = self.client(weir)
        client.send(b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        body = b"0123456789abcdef" * 64 * 1024
        for at in range(0, len(body), 10_000):
            client.send(chunk(body[at:at + 10_000]))
        client.send(b"0\r\n\r\n")
        self.assertEqual(client.read_answer().body, b"ok")
        self.assertEqual(backend.requests[0].body, body)


class StaleConnections(ProxyTest):
    """The idle connection that its backend closes exactly when the next request arrives."""

    ROUNDS = 50

    def race(self, close):
        def behave(connection, request):
            if connection in served:
                close(connection)
                return
            served.add(connection)
            connection.send(whole(request.body))
        served = set()
        backend = self.backend(behave)
        weir = self.weir(backend)
        client = self.client(weir)
        for number in range(self.ROUNDS):
            answer = client.ask(body=b"%d" % number)
            self.assertEqual((answer.status, answer.body, answer.end), (200, b"%d" % number, "whole"))
        # Each connection carried one answer and one request that it closed upon.
        self.assertGreaterEqual(len(backend.connections), self.ROUNDS)

    def test_fin_in_answer_to_a_reused_connection_is_hidden(self):
        self.race(lambda connection: connection.fin())

    def test_reset_in_answer_to_a_reused_connection_is_hidden(self):
        self.race(lambda connection: connection.reset())

    def test_connection_closed_while_idle_is_not_used_again(self):
        def behave(connection, request):
            connection.send(whole(request.body))
            connection.fin()
        backend = self.backend(behave)
        client = self.client(self.weir(backend))
        for number in range(50):
            answer = client.ask(path="/unknown", body=b"%d" % number)
            self.assertEqual((answer.status, answer.body), (200, b"%d" % number))
            self.assertEqual(answer.get("x-weir-attempts"), b"1")

    def test_close_in_the_very_moment_of_the_request_is_hidden(self):
        rounds = 200
        victims = queue.SimpleQueue()
        served = []

        def behave(connection, request):
            served.append(connection)
            connection.send(whole(request.body))

        def closer():
            for number in range(rounds):
                connection = victims.get()
                time.sleep((number % 20) * 0.00002)
                with contextlib.suppress(OSError):  # it may be closed already
                    (connection.reset if number % 2 else connection.fin)()
        backend = self.backend(behave)
        client = self.client(self.weir(backend))
        closing = threading.Thread(target=closer, daemon=True)
        closing.start()
        client.ask(body=b"first")
        for number in range(rounds):
            victims.put(served[-1])
            answer = client.ask(body=b"%d" % number)
            self.assertEqual((answer.status, answer.body, answer.end), (200, b"%d" % number, "whole"))

    def test_post_that_may_not_be_sent_twice_never_goes_over_a_kept_connection(self):
        backend = self.backend(answers())
        client = self.client(self.weir(backend))
        for _ in range(5):
            client.ask(path="/unknown")
        self.assertEqual(len(backend.connections), 5)

    def test_stale_connection_counts_against_nobody(self):
        served = set()

        def behave(connection, request):
            if connection in served:
                connection.fin()
            else:
                served.add(connection)
                connection.send(whole(b"ok"))
        backend = self.backend(behave)
        weir = self.weir_serve(backend, health={"timeout": "60s"})  # no probe is late
        client = self.client(weir)
        for _ in range(20):
            self.assertEqual(client.ask().status, 200)
        self.assertNotIn("-> suspect", weir.log)
        self.assertNotIn("-> down", weir.log)


class SlowIsNotDead(ProxyTest):
    def test_first_byte_that_is_late_is_504_and_not_asked_for_again(self):
        def slow(connection, _):
            connection.wait_for_leaving()
        backends = [self.backend(slow), self.backend(slow)]
        weir = self.weir_serve(*backends, timeouts={"first_byte": "300ms"})
        answer = weir.ask()
        self.assert_error(answer, 504, "first_byte_timeout")
        self.assertEqual(answer.get("x-should-retry"), b"false")
        eventually(lambda: any(backend.requests for backend in backends), "a backend has read the request")
        self.assertEqual(sum(len(backend.requests) for backend in backends), 1)

    def test_first_event_that_is_late_is_504_too(self):
        def slow(connection, _):
            connection.send(STREAM_HEAD)
            connection.wait_for_leaving()
        weir = self.weir_serve(self.backend(slow), timeouts={"first_byte": "300ms"})
        self.assert_error(weir.ask(), 504, "first_byte_timeout")

    def test_stream_that_falls_silent_ends_visibly_after_its_limit(self):
        def stalls(connection, _):
            connection.send(STREAM_HEAD + chunk(token(b"a")))
            connection.wait_for_leaving()
        weir = self.weir_serve(self.backend(stalls), timeouts={"between_bytes": "300ms"})
        answer = weir.ask()
        self.assertEqual(answer.chunks[0], token(b"a"))
        self.assertIn(b"stream_interrupted", answer.chunks[1])
        self.assertEqual(answer.end, "fin")

    def test_slow_stream_within_its_limits_is_whole(self):
        def slow(connection, _):
            connection.send_in_pieces(STREAM_HEAD + chunk(token(b"a")) + chunk(token(b"b")) + b"0\r\n\r\n", 60, 0.9)
        # All of it takes longer than a limit; a pause is far below one.
        weir = self.weir_serve(self.backend(slow), timeouts={"between_bytes": "7s", "first_byte": "7s"})
        self.assertEqual(weir.ask().end, "whole")


class Elsewhere(ProxyTest):
    def test_streams_begin_anew_at_the_other_backend_only_when_nothing_was_seen(self):
        bad, good = self.backend(dies), self.backend(streams(b"a"))
        weir = self.weir(bad, good)
        for _ in range(6):
            self.assertEqual(weir.ask().end, "whole")
        self.assertEqual(len(good.requests), 6)


if __name__ == "__main__":
    unittest.main()
