"""Each limit of time: what it ends, what it leaves alone, and the word that the access log has for it."""

import threading
import unittest

from harness import CHAT, ProxyTest, eventually
from scripted_backend import LAST_CHUNK, PATIENCE, STREAM_HEAD, answers, chunk, streams, token, whole

LOG = {"access": {"output": "stdout"}}
HALF = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"half"


def silent(connection, request):
    connection.wait_for_leaving()


class OneDeadlineForAll(ProxyTest):
    def serve(self, *backends, **rest):
        return self.weir_serve(*backends, timeouts={"connect": "500ms", "request": "1s", **rest.pop("timeouts", {})}, log=LOG, **rest)

    def test_request_that_takes_too_long_is_504_and_is_not_sent_again(self):
        one, two = self.backend(silent), self.backend(silent)
        weir = self.serve(one, two)
        answer = weir.ask()
        self.assert_error(answer, 504, "request_deadline")
        self.assertEqual((answer.get("x-should-retry"), answer.get("retry-after")), (b"false", None))
        eventually(lambda: one.requests or two.requests, "a backend has read the request")
        self.assertEqual(len(one.requests) + len(two.requests), 1)
        line = weir.access_lines(1)[0]
        self.assertEqual((line["reason"], line["status"], line["attempts"]), ("request_deadline", 504, 1))

    def test_backend_hears_of_it_at_once(self):
        backend = self.backend(silent)
        self.serve(backend).ask()
        backend.wait_for_requests(1)
        backend.wait_for(lambda: backend.connections[0].left_at is not None, "the abort")

    def test_it_covers_all_attempts(self):
        died = threading.Event()

        def once_dying(connection, request):
            if not died.is_set():
                died.set()
                connection.fin()
            else:
                connection.wait_for_leaving()

        weir = self.serve(self.backend(once_dying), self.backend(once_dying), timeouts={"request": "8s"})
        answer = weir.ask()
        self.assert_error(answer, 504, "request_deadline")
        self.assertEqual(answer.get("x-weir-attempts"), b"2")

    def test_it_covers_the_wait_for_a_backend(self):
        backend = self.backend(silent)
        weir = self.serve(backend, max_outstanding_per_backend=1, timeouts={"request": "2s"})
        first, second = self.client(weir), self.client(weir)
        first.send_request()
        backend.wait_for_requests(1)
        second.send_request()
        self.assert_error(second.read_answer(), 504, "request_deadline")
        self.assert_error(first.read_answer(), 504, "request_deadline")
        # The first one's end may have given its place away.
        self.assertLessEqual(len(backend.requests), 2)

    def test_answer_that_has_begun_is_not_its_matter(self):
        def slow_stream(connection, request):
            connection.send(STREAM_HEAD)
            for _ in range(5):
                connection.send(chunk(token(b"a")))
                go_on.wait(1.5)
            connection.send(LAST_CHUNK)

        go_on = threading.Event()
        answer = self.serve(self.backend(slow_stream), timeouts={"request": "6s"}).ask()
        self.assertEqual((answer.status, answer.end, len(answer.chunks)), (200, "whole", 5))


class Silence(ProxyTest):
    def test_no_first_byte_in_time(self):
        weir = self.weir_serve(self.backend(silent), timeouts={"first_byte": "500ms"}, log=LOG)
        self.assert_error(weir.ask(), 504, "first_byte_timeout")
        self.assertEqual(weir.access_lines(1)[0]["reason"], "first_byte_timeout")

    def test_stream_that_falls_silent(self):
        def stalls(connection, request):
            connection.send(STREAM_HEAD + chunk(token(b"a")))
            connection.wait_for_leaving()
        weir = self.weir_serve(self.backend(stalls), timeouts={"between_bytes": "500ms"}, log=LOG)
        answer = weir.ask()
        self.assertNotEqual(answer.end, "whole")
        self.assertIn(b"stream_interrupted", answer.chunks[-1])
        self.assertEqual(weir.access_lines(1)[0]["reason"], "between_bytes_timeout")

    def test_plain_answer_that_stops_halfway_is_not_asked_for_again(self):
        def stalls(connection, request):
            connection.send(HALF)
            connection.wait_for_leaving()
        one, two = self.backend(stalls), self.backend(stalls)
        weir = self.weir_serve(one, two, timeouts={"between_bytes": "500ms"}, log=LOG)
        answer = weir.ask()
        self.assert_error(answer, 504, "stream_interrupted")
        self.assertEqual(answer.get("x-should-retry"), b"false")
        self.assertEqual(len(one.requests) + len(two.requests), 1)
        self.assertEqual(weir.access_lines(1)[0]["reason"], "between_bytes_timeout")

    def test_hold_ends_after_its_time_and_not_before(self):
        def waits(connection, request):
            connection.send(STREAM_HEAD)
            go_on.wait(PATIENCE)
            connection.send(chunk(token(b"a")) + LAST_CHUNK)

        go_on = threading.Event()
        client = self.client(self.weir_serve(self.backend(waits), timeouts={"hold": "6s"}))
        client.send_request()
        self.assertTrue(client.is_quiet(0.2))
        self.assertEqual(client.read_head().status, 200)  # without an event
        go_on.set()
        self.assertEqual(client.read_chunk(), token(b"a"))

    def test_hold_of_zero_holds_nothing(self):
        def waits(connection, request):
            connection.send(STREAM_HEAD)
            go_on.wait(PATIENCE)
            connection.send(chunk(token(b"a")) + LAST_CHUNK)

        go_on = threading.Event()
        client = self.client(self.weir_serve(self.backend(waits), timeouts={"hold": "0s"}))
        client.send_request()
        self.assertEqual(client.read_head().status, 200)
        go_on.set()
        self.assertEqual(client.read_chunk(), token(b"a"))


class SlowClients(ProxyTest):
    def test_head_and_body_have_words_of_their_own(self):
        weir = self.weir_serve(self.backend(answers()), log=LOG,
                               listener={"request_head": "500ms", "request_body": "500ms"})
        client = self.client(weir)
        client.send(b"GET / HTTP/1.1\r\nHost")
        self.assert_error(client.read_answer(), 408, "request_timeout")
        client = self.client(weir)
        client.send(f"POST {CHAT} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf".encode())
        self.assert_error(client.read_answer(), 408, "request_timeout")
        self.assertEqual([line["reason"] for line in weir.access_lines(2)],
                         ["request_head_timeout", "request_body_timeout"])

    def test_client_that_takes_nothing_of_its_answer_is_let_go(self):
        def endless(connection, request):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            while True:
                connection.send(b"x" * 65536)
        weir = self.weir_serve(self.backend(endless), paths="all", listener={"write_stall": "1s"}, log=LOG)
        client = self.client(weir, receive_buffer=4096)
        client.send_request("GET", "/big")
        self.assertEqual(weir.access_lines(1)[0]["reason"], "write_stall")

    def test_idle_connection_is_closed_without_a_word(self):
        weir = self.weir_serve(self.backend(answers()), listener={"idle": "4s"}, log=LOG)
        client = self.client(weir)
        self.assertEqual(client.ask().status, 200)
        self.assertEqual((client.read_to_end(), client.end), (b"", "fin"))
        self.assertEqual(len(weir.access_lines(1)), 1)


class Waiting(ProxyTest):
    def test_wait_for_a_backend_has_its_limit(self):
        backend = self.backend(silent)
        weir = self.weir_serve(backend, max_outstanding_per_backend=1, queue={"timeout": "500ms"}, log=LOG)
        first = self.client(weir)
        first.send_request()
        backend.wait_for_requests(1)
        answer = weir.ask()
        self.assert_error(answer, 503, "queue_timeout")
        self.assertTrue(1 <= int(answer.get("retry-after")) <= 60)
        self.assertEqual(weir.access_lines(1)[0]["reason"], "queue_timeout")


class RetryBudget(ProxyTest):
    def test_second_sends_end_when_the_budget_is_spent(self):
        dying = [self.backend(lambda connection, _: connection.fin()) for _ in range(2)]
        weir = self.weir_serve(*dying, retry={"budget": 0}, health={"eject": "off"})
        attempts = []
        with weir.client() as client:
            for _ in range(150):
                answer = client.ask()
                self.assert_error(answer, 502, "backend_failed")
                attempts.append(int(answer.get("x-weir-attempts")))
        self.assertEqual(attempts[0], 2)  # the reserve
        self.assertIn(1, attempts)  # spent: the first failure is the answer
        self.assertEqual(sum(attempts), sum(len(backend.requests) for backend in dying))

    def test_stale_connections_cost_nothing(self):
        def one_a_connection(connection, request):
            connection.send(whole(b"{}"))
            connection.receive_head()  # the next request is met by a close
            connection.fin()

        backend = self.backend(one_a_connection)
        weir = self.weir_serve(backend, retry={"budget": 0}, workers=1)
        with weir.client() as client:
            for _ in range(150):
                self.assertEqual(client.ask("GET", "/v1/models").status, 200)


class Outcomes(ProxyTest):
    def test_gateway_errors_pass_and_are_counted_against_their_backend(self):
        ill = self.backend(answers(b"<html>", fields=b"content-type: text/html\r\n", status=b"502 Bad Gateway"))
        well = self.backend(answers())
        weir = self.weir_serve(ill, well, health={"eject": {"failures": 3, "base": "1h", "most": "1h"}})
        seen = [weir.ask().status for _ in range(40)]
        self.assertEqual(seen.count(502), 3)  # then it is out
        self.assertEqual(len(ill.requests), 3)

    def test_in_stream_errors_pass_unchanged_and_count(self):
        wire = STREAM_HEAD + chunk(b'data: {"error":{"message":"EngineCore"}}\n\n') + LAST_CHUNK
        ill = self.backend(lambda connection, _: connection.send(wire))
        weir = self.weir_serve(ill, self.backend(streams(b"a")), health={"eject": {"failures": 3, "base": "1h", "most": "1h"}})
        bodies = [weir.ask().body for _ in range(40)]
        self.assertEqual(sum(b"EngineCore" in body for body in bodies), 3)


if __name__ == "__main__":
    unittest.main()
