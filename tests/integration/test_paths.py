"""Which request paths are forwarded: inference, all, unsafe-all."""

import unittest

from harness import ProxyTest
from scripted_backend import answers

INFERENCE = ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages", "/v1/rerank",
             "/v1/score", "/v1/audio/transcriptions", "/tokenize", "/detokenize", "/pooling", "/invocations",
             "/v1/messages/count_tokens", "/v1/responses/resp_1/cancel"]
CONTROL = ["/sleep", "/wake_up", "/v1/load_lora_adapter", "/v1/unload_lora_adapter", "/scale_elastic_ep", "/pause",
           "/collective_rpc", "/reset_prefix_cache", "/start_profile", "/update_weights", "/server_info", "/adapters/a"]
UNKNOWN = ["/", "/v1", "/v1/chat", "/v1/chat/completions/", "/metrics", "/docs", "/admin", "/v1/models/a", "*.php"[1:],
           "/V1/CHAT/COMPLETIONS"]
DISGUISED = ["//sleep", "/./sleep", "/v1/../sleep", "/%73leep", "/v1/%2e%2e/sleep", "/v1/..%2fsleep", "/%2573leep",
             "/sleep/", "/SLEEP", "/v1/..\\sleep"]


class Inference(ProxyTest):
    def setUp(self):
        super().setUp()
        self.there = self.backend(answers(b"there"))
        self.balancer = self.weir_urls(self.there)

    def test_inference_paths_pass(self):
        for path in INFERENCE:
            with self.subTest(path):
                self.assertEqual(self.balancer.ask("POST", path).body, b"there")
        self.assertEqual(self.balancer.ask("GET", "/v1/models").body, b"there")

    def test_query_does_not_change_what_a_path_is(self):
        self.assertEqual(self.balancer.ask("POST", "/v1/completions?x=/sleep").body, b"there")
        self.assert_error(self.balancer.ask("POST", "/sleep?path=/v1/completions"), 403, "path_not_allowed")

    def test_engine_control_is_403(self):
        for path in CONTROL:
            with self.subTest(path):
                answer = self.balancer.ask("POST", path)
                self.assert_error(answer, 403, "path_not_allowed")
                self.assertEqual(answer.error["type"], "invalid_request_error")
        self.assertEqual(self.there.requests, [])

    def test_unknown_paths_are_404(self):
        for path in UNKNOWN:
            with self.subTest(path):
                self.assertIn(self.balancer.ask("GET", path).status, (400, 404))
        self.assertEqual(self.there.requests, [])

    def test_disguised_paths_are_refused(self):
        for path in [*DISGUISED, "//v1/completions", "/v1/./completions", "/v1/%63ompletions"]:
            with self.subTest(path):
                self.assertIn(self.balancer.ask("POST", path).status, (400, 403, 404))
        self.assertEqual(self.there.requests, [])

    def test_connection_goes_on_after_a_refused_path(self):
        client = self.client(self.balancer)
        for _ in range(3):
            self.assertEqual(client.ask("GET", "/nowhere").status, 404)
            self.assertEqual(client.ask("POST", "/v1/completions").body, b"there")

    def test_refused_path_with_a_body_does_not_spoil_the_connection(self):
        client = self.client(self.balancer)
        answer = client.ask("POST", "/sleep", body=b"GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(answer.status, 403)
        if answer.get("connection") == b"close":
            self.assertEqual(client.read_to_end(), b"")
        else:
            self.assertEqual(client.ask("POST", "/v1/completions").body, b"there")
        self.assertLessEqual(len(self.there.requests), 1)


class All(ProxyTest):
    def test_all_passes_everything_but_engine_control(self):
        backend = self.backend(answers(b"there"))
        weir = self.weir(backend)
        for path in [*INFERENCE, "/", "/metrics", "/docs", "/v1/files", "//x", "/a/../b", "/x%2fy", "/v1/models/a"]:
            with self.subTest(path):
                self.assertEqual(weir.ask("GET", path).body, b"there")
        for path in [*CONTROL, *DISGUISED]:
            with self.subTest(path):
                self.assertIn(weir.ask("POST", path).status, (400, 403))

    def test_unsafe_all_passes_engine_control_too(self):
        backend = self.backend(answers(b"there"))
        weir = self.weir(backend, flags=["--paths", "unsafe-all"])
        for path in [*CONTROL, "/", "//sleep"]:
            with self.subTest(path):
                self.assertEqual(weir.ask("POST", path).body, b"there")

    def test_reverse_proxy_can_be_told_to_pass_inference_only(self):
        weir = self.weir(self.backend(answers()), flags=["--paths=inference"])
        self.assertEqual(weir.ask("GET", "/docs").status, 404)


if __name__ == "__main__":
    unittest.main()
