"""What happens when backends refuse, die or come to live: another backend if that is safe, a clear error if not."""

import socket
import threading
import time
import unittest

from harness import CHAT, ProxyTest, eventually, free_port, in_threads
from scripted_backend import (DONE, LAST_CHUNK, PATIENCE, STREAM_HEAD, answers, chunk, streams, token, whole)


def dies(after=b"", how="fin"):
    """A behaviour: sends `after`, then the connection ends."""
    def behave(connection, _):
        if after:
            connection.send(after)
        getattr(connection, how)()
    return behave


class Refused(ProxyTest):
    def test_refused_connection_goes_to_another_backend_at_once(self):
        good = self.backend(answers(b"good"))
        weir = self.weir(f"http://127.0.0.1:{free_port()}", good, f"http://127.0.0.1:{free_port()}")
        begun = time.monotonic()
        for _ in range(10):
            answer = weir.ask()
            self.assertEqual((answer.status, answer.body), (200, b"good"))
            self.assertEqual(answer.get("x-weir-attempts"), b"1", "a failed connect is no send")
        self.assertLess(time.monotonic() - begun, 60)

    def test_refused_connection_is_no_send_even_of_an_unknown_post(self):
        good = self.backend(answers(b"good"))
        weir = self.weir(*[f"http://127.0.0.1:{free_port()}" for _ in range(3)], good)
        for _ in range(5):
            self.assertEqual(weir.ask(path="/unknown").body, b"good")
        self.assertEqual(len(good.requests), 5)

    def test_backend_that_stops_listening_is_left_without_an_error(self):
        leaving, good = self.backend(answers(b"a")), self.backend(answers(b"b"))
        weir = self.weir(leaving, good)
        for _ in range(4):
            weir.ask()
        leaving.stop()
        self.assertEqual([weir.ask().body for _ in range(10)], [b"b"] * 10)

    def test_all_down_is_503_at_once(self):
        weir = self.weir(*[f"http://127.0.0.1:{free_port()}" for _ in range(2)])
        for _ in range(3):
            answer = weir.ask()
            self.assertIn(answer.status, (502, 503))
            self.assertIn(answer.code, ("backends_loading", "no_backend_ready", "backend_failed"))
            self.assertTrue(answer.get("retry-after"))

    def test_all_down_after_having_been_ready_is_no_backend_ready(self):
        one, two = self.backend(answers()), self.backend(answers())
        weir = self.weir(one, two)
        weir.wait_for_log("-> ready(.|\n)*-> ready")
        weir.ask()
        one.stop()
        two.stop()
        eventually(lambda: weir.ask().status == 503, "503")
        answer = weir.ask()
        self.assert_error(answer, 503, "no_backend_ready")
        self.assertRegex(answer.error["message"], "no backend of pool default is ready: 2 down")
        self.assertTrue(4 <= int(answer.get("retry-after")) <= 10)

    def test_all_loading_is_backends_loading(self):
        weir = self.weir_serve(*[f"http://127.0.0.1:{free_port()}" for _ in range(2)])
        weir.wait_for_log("loading(.|\n)*loading")
        answer = weir.ask()
        self.assert_error(answer, 503, "backends_loading")
        self.assertIn("2 loading", answer.error["message"])

    def test_loading_becomes_ready_without_an_error_for_those_who_ask_others(self):
        port = free_port()
        first = self.backend(answers(b"first"))
        weir = self.weir(first, f"http://127.0.0.1:{port}")
        stop = threading.Event()
        bodies = []

        def ask_on():
            while not stop.is_set():
                answer = weir.ask()
                assert answer.status == 200, answer.body
                bodies.append(answer.body)
                time.sleep(0.01)
        asking = threading.Thread(target=ask_on)
        asking.start()
        try:
            time.sleep(0.3)
            self.backend(answers(b"second"), port=port)
            eventually(lambda: b"second" in bodies, "the second backend gets requests")
        finally:
            stop.set()
            asking.join()

    def test_connection_that_is_not_accepted_is_given_up_after_the_connect_limit(self):
        # A full backlog: the handshake gets no answer.
        full = socket.socket()
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        self.addCleanup(full.close)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
            fillers.append(filler)
            self.addCleanup(filler.close)
        good = self.backend(answers(b"good"))
        weir = self.weir_serve("http://127.0.0.1:%d" % full.getsockname()[1], good, timeouts={"connect": "1s"},
                               health={"path": "off"})
        self.assertEqual([weir.ask().body for _ in range(4)], [b"good"] * 4)


class DiesEarly(ProxyTest):
    def assert_asked_elsewhere(self, dying, path=CHAT, method="POST"):
        bad, good = self.backend(dying), self.backend(answers(b'{"good":1}'))
        with self.weir(bad, good) as weir:
            answers_ = [weir.ask(method, path) for _ in range(4)]
            self.assertEqual([(answer.status, answer.body) for answer in answers_], [(200, b'{"good":1}')] * 4)
            self.assertEqual([answer.end for answer in answers_], ["whole"] * 4)
            self.assertTrue(bad.requests)
            second = [answer for answer in answers_ if answer.get("x-weir-attempts") == b"2"]
            self.assertEqual(len(second), len(bad.requests))
            for answer in second:
                self.assertEqual(answer.all("x-weir-backend"), [good.address.encode()])
            bad.stop()
            good.stop()

    def test_death_before_any_byte_is_hidden(self):
        for how in ("fin", "reset"):
            with self.subTest(how):
                self.assert_asked_elsewhere(dies(how=how))

    def test_death_in_the_middle_of_the_head_is_hidden(self):
        for part in (b"H", b"HTTP/1.1 200 OK\r\ncontent-ty"):
            with self.subTest(part):
                self.assert_asked_elsewhere(dies(part))

    def test_death_between_the_head_of_a_stream_and_its_first_event_is_hidden(self):
        for how in ("fin", "reset"):
            with self.subTest(how):
                self.assert_asked_elsewhere(dies(STREAM_HEAD, how))
                self.assert_asked_elsewhere(dies(STREAM_HEAD + chunk(b": waiting\n\n"), how))
                self.assert_asked_elsewhere(dies(STREAM_HEAD + chunk(b"data: {half"), how))

    def test_stream_that_ends_early_is_one_whole_stream_of_another_backend(self):
        bad, good = self.backend(dies(STREAM_HEAD + chunk(b": waiting\n\n"))), self.backend(streams(b"a", b"b"))
        weir = self.weir(bad, good)
        for _ in range(4):
            answer = weir.ask()
            self.assertEqual((answer.body, answer.end), (token(b"a") + token(b"b") + DONE, "whole"))
            self.assertEqual(answer.all("content-type"), [b"text/event-stream; charset=utf-8"])

    def test_request_arrives_whole_at_the_second_backend(self):
        bad, good = self.backend(dies()), self.backend(answers(b"good"))
        weir = self.weir(bad, good)
        body = bytes(range(256)) * 4000
        for _ in range(20):  # who is first may have changed with the first probes
            self.assertEqual(weir.ask(body=body, fields=["X-Request-Id: same"]).body, b"good")
            if bad.requests:
                break
        self.assertTrue(bad.requests)
        self.assertEqual({request.body for request in good.requests + bad.requests}, {body})
        self.assertEqual({request.get("x-request-id") for request in good.requests + bad.requests}, {b"same"})

    def test_death_during_the_upload_is_hidden_too(self):
        def behave(connection, request):
            connection.receive()
            connection.reset()
        bad, good = self.backend(behave, reads_bodies=False), self.backend(answers(b"good"))
        weir = self.weir(bad, good)
        body = b"x" * 3_000_000
        for _ in range(4):
            self.assertEqual(weir.ask(body=body).body, b"good")
        self.assertTrue(bad.requests)
        self.assertEqual({request.body for request in good.requests}, {body})

    def test_get_is_asked_elsewhere_on_any_path(self):
        self.assert_asked_elsewhere(dies(), "/unknown", "GET")

    def test_death_everywhere_is_502_with_what_happened(self):
        weir = self.weir(self.backend(dies()), self.backend(dies()))
        answer = weir.ask()
        self.assert_error(answer, 502, "backend_failed")
        self.assertEqual(answer.get("x-weir-attempts"), b"2")
        self.assertTrue(answer.get("retry-after"))


class SilentStream(ProxyTest):
    def test_silent_stream_of_a_port_that_refuses_ends_visibly_within_seconds(self):
        # Real vLLM after SIGTERM: the port refuses, the stream stays open, nothing comes.
        over = threading.Event()
        self.addCleanup(over.set)

        def behave(connection, _):
            connection.send(STREAM_HEAD + chunk(token(b"a")))
            over.wait(60)
        backend = self.backend(behave)
        client = self.client(self.weir(backend))
        client.send_request()
        client.read_head()
        client.read_chunk()
        backend.wait_for_probes(1)
        backend.refuse()
        begun = time.monotonic()
        self.assertIn(b"stream_interrupted", client.read_chunk())
        self.assertIsNone(client.read_chunk())
        took = time.monotonic() - begun
        print(f"\n  ended {took:.2f} s after the port refused", end=" ")
        self.assertLess(took, 30)  # about 3 s where nothing else runs
        over.set()

    def test_silent_prefill_of_a_port_that_refuses_is_asked_elsewhere(self):
        over = threading.Event()
        self.addCleanup(over.set)

        def hang(connection, _):
            connection.send(STREAM_HEAD)
            over.wait(60)
        hanging, good = self.backend(hang), self.backend(streams(b"good"))
        weir = self.weir(hanging, good)
        clients = [self.client(weir) for _ in range(4)]
        for client in clients:
            client.send_request()
        hanging.wait_for_requests(1)
        hanging.wait_for_probes(1)
        hanging.refuse()
        for client in clients:
            answer = client.read_answer()
            self.assertEqual((answer.body, answer.end), (token(b"good") + DONE, "whole"))
        over.set()

    def test_stream_that_goes_on_is_left_alone_although_the_port_refuses(self):
        over = threading.Event()
        self.addCleanup(over.set)

        def stream_on():
            """The last chunks, and the longest pause that the backend made."""
            times, has_ended = [], threading.Event()

            def behave(connection, _):
                try:
                    connection.send(STREAM_HEAD)
                    for _ in range(25):
                        times.append(time.monotonic())
                        connection.send(chunk(token(b"x")))
                        over.wait(0.2)
                    connection.send(chunk(DONE) + LAST_CHUNK)
                finally:
                    times.append(time.monotonic())
                    has_ended.set()
            backend = self.backend(behave)
            client = self.client(self.weir(backend))
            client.send_request()
            client.read_head()
            backend.wait_for_probes(1)
            backend.refuse()
            self.assertEqual(client.read_chunk(), token(b"x"))
            rest = [data for _ in range(26) if (data := client.read_chunk()) is not None]
            self.assertTrue(has_ended.wait(PATIENCE))
            return rest[-2:], max(after - before for before, after in zip(times, times[1:]))

        for _ in range(20):
            last, pause = stream_on()
            if last == [DONE, b""] or pause < 1:  # a machine that stops the backend for longer than 1.5 s shows nothing
                break
        self.assertEqual(last, [DONE, b""])


class Busy(ProxyTest):
    def test_backend_that_dies_while_all_are_full_costs_nobody_an_answer(self):
        release = threading.Event()
        self.addCleanup(release.set)

        def resets_late(connection, _):
            time.sleep(0.3)
            connection.reset()

        def holds(connection, _):
            release.wait(PATIENCE)
            connection.send(whole(b'{"good":1}'))
        dying, good = self.backend(resets_late), self.backend(holds)
        weir = self.weir(dying, good, flags=["--max-outstanding", "2"])

        def ask(_):
            return weir.ask()
        threading.Timer(1.0, release.set).start()
        results = in_threads(12, ask)
        self.assertEqual({answer.status for answer in results}, {200})


if __name__ == "__main__":
    unittest.main()
