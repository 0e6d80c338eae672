"""A backend that is alive but cannot take a request now: vLLM's admission control (503), and the two 500s of one that shuts
down while its /health still says 200. Another backend gets the request at once; where there is none, the answer is passed on."""

import collections
import time
import unittest

from harness import ProxyTest, in_threads
from scripted_backend import LAST_CHUNK, answers, chunk

BUSY = b'{"error":{"message":"The engine is currently busy","type":"Service Unavailable","param":null,"code":503}}'
STOPPING = b'{"error":{"message":"cannot schedule new futures after shutdown","type":"InternalServerError","param":null,"code":500}}'
DEAD = b'{"error":{"message":"EngineCore encountered an issue. See stack trace","type":"InternalServerError","param":null,"code":500}}'
DECLINES = [(b"503 Service Unavailable", BUSY), (b"500 Internal Server Error", STOPPING), (b"500 Internal Server Error", DEAD)]


class Declined(ProxyTest):
    def test_another_backend_gets_the_request(self):
        for status, body in DECLINES:
            declining, taking = self.backend(answers(body, status=status)), self.backend(answers(b'{"whole":1}'))
            with self.subTest(body), self.weir(declining, taking) as weir:
                for _ in range(6):
                    answer = weir.ask()
                    self.assertEqual((answer.status, answer.body), (200, b'{"whole":1}'))
                self.assertGreater(len(declining.requests), 0)
                self.assertEqual(len(taking.requests), 6)

    def test_answer_is_passed_on_when_all_decline(self):
        for status, body in DECLINES:
            backends = [self.backend(answers(body, status=status)) for _ in range(3)]
            with self.subTest(body), self.weir(*backends) as weir:
                answer = weir.ask()
                self.assertEqual((answer.status, answer.body), (int(status[:3]), body))
                self.assertEqual(sum(len(backend.requests) for backend in backends), 2)

    def test_answer_is_passed_on_when_there_is_nobody_else(self):
        backend = self.backend(answers(BUSY, status=b"503 Service Unavailable"))
        weir = self.weir(backend)
        for _ in range(3):  # and the backend is still asked: busy is not ill
            self.assertEqual(weir.ask().body, BUSY)
        self.assertEqual(len(backend.requests), 3)

    def test_access_log_counts_only_the_answer_that_was_given(self):
        declining = self.backend(answers(BUSY, status=b"503 Service Unavailable"))
        weir = self.weir(declining, self.backend(answers(b'{"whole":1}')), flags=["--access-log"])
        for _ in range(4):  # some of them meet the busy one first
            weir.ask()
        lines = weir.access_lines(4)
        self.assertEqual(max(line["attempts"] for line in lines), 2)
        self.assertEqual({line["bytes_out"] for line in lines}, {len(b'{"whole":1}')})

    def test_a_503_in_whatever_form_goes_elsewhere(self):
        plain, page = b"content-type: text/plain\r\n", b"content-type: text/html\r\n"
        for body, fields in ((b"", b""), (b"busy", plain), (b"<html>busy</html>", page), (b"{}", b"")):
            declining = self.backend(answers(body, fields=fields, status=b"503 Service Unavailable"))
            with self.subTest(body), self.weir(declining, self.backend(answers(b'{"whole":1}'))) as weir:
                self.assertEqual([weir.ask().status for _ in range(4)], [200] * 4)
                self.assertGreater(len(declining.requests), 0)

    def test_a_503_that_can_only_be_passed_on_does_not_eject(self):
        def chunked(connection, _):
            connection.send(b"HTTP/1.1 503 Busy\r\ntransfer-encoding: chunked\r\n\r\n" + chunk(b"busy") + LAST_CHUNK)
        one, two = self.backend(chunked), self.backend(chunked)
        weir = self.weir_serve(one, two, health={"eject": {"failures": 2}})
        weir.wait_for_log("-> ready(.|\n)*-> ready")
        for _ in range(10):
            answer = weir.ask()
            self.assertEqual((answer.status, answer.body), (503, b"busy"))
        self.assertNotIn("ejected", weir.log)

    def test_a_backend_that_declines_all_it_gets_costs_nobody_an_answer(self):
        """A vLLM that is being stopped declines while its /health says 200; having nothing to do, it must not draw all."""
        declining = self.backend(answers(STOPPING, status=b"500 Internal Server Error"))
        taking = [self.backend(lambda connection, request: (time.sleep(0.02), answers()(connection, request)))
                  for _ in range(3)]
        weir = self.weir_serve(declining, *taking)

        def ask_many(_):
            with weir.client() as client:
                return [client.ask().status for _ in range(50)]
        statuses = collections.Counter(status for some in in_threads(6, ask_many) for status in some)
        self.assertEqual(statuses, {200: 300})

    def test_another_500_is_the_answer(self):
        one, two = (self.backend(answers(b'{"error":"tokenizer"}', status=b"500 Oh")) for _ in range(2))
        weir = self.weir(one, two)
        self.assertEqual(weir.ask().status, 500)
        self.assertEqual(len(one.requests) + len(two.requests), 1)

    def test_post_that_is_not_known_is_not_sent_again(self):
        one, two = (self.backend(answers(BUSY, status=b"503 Service Unavailable")) for _ in range(2))
        weir = self.weir(one, two)
        self.assertEqual(weir.ask("POST", "/unknown").status, 503)
        self.assertEqual(len(one.requests) + len(two.requests), 1)


if __name__ == "__main__":
    unittest.main()
