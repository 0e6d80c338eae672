"""What probes make of a backend: refused is loading, silent is down, anything below 500 is alive."""

import time
import unittest

from harness import ProxyTest, free_port
from scripted_backend import answers, whole


class Probes(ProxyTest):
    QUICK = {"interval": "100ms", "timeout": "20s"}  # nobody who answers is ever late
    STRICT = {"interval": "100ms", "timeout": "2s"}

    def test_probe_is_a_plain_get_over_a_connection_of_its_own(self):
        backend = self.backend(answers())
        self.weir_serve(backend, health=self.QUICK)
        backend.wait_for_probes(3)
        self.assertEqual(backend.last_probe.head, b"GET /health HTTP/1.1\r\nHost: " + backend.address.encode()
                         + b"\r\nUser-Agent: weir-probe\r\n\r\n")
        self.assertEqual(backend.connections, [], "probes are not requests")

    def test_path_of_the_probe_is_a_setting(self):
        backend = self.backend(answers())
        weir = self.weir(backend, flags=["--health-path", "/ready?x=1"])
        weir.wait_for_log("-> ready")
        self.assertEqual(backend.last_probe.line, b"GET /ready?x=1 HTTP/1.1")

    def test_any_status_below_500_is_alive(self):
        for status in (b"200 OK", b"204 No Content", b"301 Moved", b"401 Unauthorized", b"404 Not Found"):
            backend = self.backend(answers(b"ok"), health=whole(b"", status=status))
            with self.subTest(status), self.weir_serve(backend, health=self.QUICK) as weir:
                weir.wait_for_log("-> ready")
                self.assertEqual(weir.ask().body, b"ok")

    def test_503_before_the_first_ready_is_loading(self):
        backend = self.backend(answers(b"ok"), health=whole(b"", status=b"503 Loading"))
        weir = self.weir_serve(backend, health=self.QUICK)
        weir.wait_for_log("-> loading")
        self.assert_error(weir.ask(), 503, "backends_loading")
        backend.health = whole(b"")
        weir.wait_for_log("-> ready")
        self.assertEqual(weir.ask().body, b"ok")
        self.assertNotIn("-> down", weir.log)

    def test_refused_before_the_first_ready_is_loading_and_after_it_down(self):
        port = free_port()
        weir = self.weir_serve(f"http://127.0.0.1:{port}", health=self.QUICK)
        weir.wait_for_log("-> loading")
        self.assert_error(weir.ask(), 503, "backends_loading")
        backend = self.backend(answers(b"ok"), port=port)
        weir.wait_for_log("loading -> ready")
        self.assertEqual(weir.ask().body, b"ok")
        backend.stop()
        weir.wait_for_log("(ready|suspect) -> down")  # suspect where the stop met a probe
        self.assert_error(weir.ask(), 503, "no_backend_ready")

    def test_backend_becomes_ready_soon_after_its_first_answer(self):
        port = free_port()
        weir = self.weir_serve(f"http://127.0.0.1:{port}")
        weir.wait_for_log("-> loading")
        begun = time.monotonic()
        self.backend(answers(b"ok"), port=port)
        weir.wait_for_log("loading -> ready")
        self.assertLess(time.monotonic() - begun, 50)  # 0.5 s where nothing else runs

    def test_one_bad_probe_takes_nobody_out_of_service(self):
        backend = self.backend(answers(b"ok"))
        weir = self.weir_serve(backend, health=self.QUICK)
        weir.wait_for_log("-> ready")
        healths = iter([whole(b"", status=b"500 Oh")])
        backend.health = lambda: next(healths, whole(b""))
        weir.wait_for_log("ready -> suspect")
        self.assertEqual(weir.ask().body, b"ok")
        weir.wait_for_log("suspect -> ready")

    def test_three_probes_without_an_answer_make_it_down_and_one_answer_ready(self):
        backend = self.backend(answers(b"ok"))
        weir = self.weir_serve(backend, health=self.STRICT)
        weir.wait_for_log("-> ready")
        before = len(weir.log)  # the machine may have been too slow for the first probes
        backend.health = None
        weir.wait_for_log("-> down", behind=before)
        self.assert_error(weir.ask(), 503, "no_backend_ready")
        before = len(weir.log)
        backend.health = whole(b"")
        weir.wait_for_log("down -> ready", behind=before)
        self.assertEqual(weir.ask().body, b"ok")

    def test_500_after_having_been_ready_makes_it_down(self):
        backend = self.backend(answers(b"ok"))
        weir = self.weir_serve(backend, health=self.QUICK)
        weir.wait_for_log("-> ready")
        backend.health = whole(b"", status=b"500 Oh")
        weir.wait_for_log("-> down")

    def test_probe_that_gets_no_http_is_bad(self):
        backend = self.backend(answers(b"ok"))
        weir = self.weir_serve(backend, health=self.QUICK)
        weir.wait_for_log("-> ready")
        backend.health = b"SSH-2.0-OpenSSH\r\n\r\n"
        weir.wait_for_log("-> down")

    def test_without_probes_connecting_is_enough(self):
        backend = self.backend(answers(b"ok"), health=None)
        weir = self.weir(backend, flags=["--health-path", "off"])
        weir.wait_for_log("-> ready")
        self.assertEqual(weir.ask().body, b"ok")
        self.assertEqual(backend.probes, 0)

    def test_down_backend_gets_no_requests_while_another_is_ready(self):
        sick, well = self.backend(answers(b"sick")), self.backend(answers(b"well"))
        weir = self.weir_serve(sick, well, health=self.QUICK)
        weir.wait_for_log("-> ready(.|\n)*-> ready")
        sick.health = whole(b"", status=b"500 Oh")
        weir.wait_for_log("-> down")
        self.assertEqual({weir.ask().body for _ in range(10)}, {b"well"})


class OwnHealth(ProxyTest):
    def test_health_is_answered_by_weir_in_inference_mode(self):
        port = free_port()
        weir = self.weir_serve(f"http://127.0.0.1:{port}", health=Probes.QUICK)
        weir.wait_for_log("-> loading")
        answer = weir.ask("GET", "/health")
        self.assertEqual(answer.status, 503)
        self.assertIn(b"1 loading", answer.body)
        backend = self.backend(answers(b"theirs"), port=port)
        weir.wait_for_log("-> ready")
        answer = weir.ask("GET", "/health")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertTrue(answer.get("x-request-id"))
        self.assertEqual(weir.ask("HEAD", "/health").status, 200)
        self.assertEqual(backend.requests, [])

    def test_health_is_the_backends_own_where_all_paths_are_forwarded(self):
        backend = self.backend(answers(b"theirs"))
        self.assertEqual(self.weir(backend).ask("GET", "/health").body, b"theirs")


if __name__ == "__main__":
    unittest.main()
