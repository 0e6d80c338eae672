"""Heads on their way: what is added, what is kept, what is taken out, in both directions."""

import re
import unittest

from harness import ProxyTest
from scripted_backend import answers, streams


class ToTheBackend(ProxyTest):
    def head_of(self, *fields, flags=(), **rest):
        backend = self.backend(answers())
        with self.weir(backend, flags=flags) as weir:
            self.assertEqual(weir.ask(fields=fields, **rest).status, 200)
        return backend.requests[0]

    def test_ordinary_fields_arrive_in_order_and_unchanged(self):
        fields = [("X-B", "2"), ("Accept", "text/event-stream, */*;q=0.5"), ("X-a", "1"), ("Cookie", "a=b; c=d"),
                  ("X-Dup", "1"), ("X-Dup", "2"),
                  ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                  ("Authorization", "Bearer sk-123"), ("User-Agent", "openai/1.0"), ("X-Long", "v" * 4000)]
        request = self.head_of(*[f"{name}: {value}" for name, value in fields])
        for name, value in fields:
            self.assertIn((name.encode(), value.encode()), request.fields)
        kept = [name.decode() for name, _ in request.fields if name.startswith(b"X-") and len(name) < 7]
        self.assertEqual(kept, ["X-B", "X-a", "X-Dup", "X-Dup", "X-Long"])

    def test_body_framing_is_written_anew(self):
        request = self.head_of(body=b"12345")
        self.assertEqual((request.all("content-length"), request.all("transfer-encoding")), ([b"5"], []))
        request = self.head_of(method="GET")
        self.assertEqual(request.all("content-length"), [])

    def test_host_of_the_client_is_kept(self):
        self.assertEqual(self.head_of().all("host"), [b"weir.test"])

    def test_host_becomes_the_backends_where_that_is_asked_for(self):
        backend = self.backend(answers())
        weir = self.weir(backend, flags=["--change-host-header"])
        weir.ask()
        self.assertEqual(backend.requests[0].all("host"), [backend.address.encode()])
        self.assertEqual(backend.requests[0].get("x-forwarded-host"), b"weir.test")

    def test_where_the_request_came_from_is_told(self):
        request = self.head_of()
        self.assertEqual(request.all("x-forwarded-for"), [b"127.0.0.1"])
        self.assertEqual(request.all("x-forwarded-proto"), [b"http"])
        self.assertEqual(request.all("x-forwarded-host"), [b"weir.test"])

    def test_what_other_proxies_told_is_replaced_or_continued_but_never_doubled(self):
        request = self.head_of("X-Forwarded-For: 10.1.1.1", "X-Forwarded-Proto: https", "x-forwarded-host: evil")
        self.assertEqual(len(request.all("x-forwarded-for")), 1)
        self.assertTrue(request.get("x-forwarded-for").endswith(b"127.0.0.1"))
        self.assertEqual(len(request.all("x-forwarded-proto")), 1)
        self.assertEqual(len(request.all("x-forwarded-host")), 1)

    def test_request_id_of_the_client_is_kept_and_comes_back(self):
        backend = self.backend(answers(fields=b"x-request-id: backend-made\r\n"))
        answer = self.weir(backend).ask(fields=["X-Request-Id: my-id-1"])
        self.assertEqual(backend.requests[0].all("x-request-id"), [b"my-id-1"])
        self.assertEqual(answer.all("x-request-id"), [b"my-id-1"])

    def test_request_id_is_made_where_there_is_none_or_an_unusable_one(self):
        backend = self.backend(answers())
        weir = self.weir(backend)
        seen = set()
        for fields in ([], [], ["X-Request-Id: a b"], ["X-Request-Id: " + "x" * 500]):
            answer = weir.ask(fields=fields)
            self.assertRegex(answer.get("x-request-id"), rb"^[0-9a-f]{32}$")
            self.assertEqual(backend.requests[-1].all("x-request-id"), answer.all("x-request-id"))
            seen.add(answer.get("x-request-id"))
        self.assertEqual(len(seen), 4)

    def test_hop_by_hop_fields_end_here(self):
        hops = ["Connection: close, X-Mine", "X-Mine: 1", "Keep-Alive: timeout=1", "Proxy-Connection: close",
                "Proxy-Authorization: Basic x", "Upgrade: websocket", "TE: gzip", "Trailer: X-T"]
        request = self.head_of(*hops)
        for name in ("connection", "x-mine", "keep-alive", "proxy-connection", "proxy-authorization", "upgrade",
                     "te", "trailer"):
            self.assertEqual(request.all(name), [], name)

    def test_te_trailers_is_passed_on(self):
        self.assertEqual(self.head_of("TE: trailers", "Connection: TE").all("te"), [b"trailers"])

    def test_absolute_target_becomes_a_path_and_its_host_wins(self):
        backend = self.backend(answers())
        client = self.client(self.weir(backend))
        client.send(b"GET http://other.test/v1/models?a=1 HTTP/1.1\r\nHost: weir.test\r\n\r\n")
        self.assertEqual(client.read_answer().status, 200)
        self.assertEqual(backend.requests[0].target, b"/v1/models?a=1")
        self.assertEqual(backend.requests[0].all("host"), [b"other.test"])

    def test_post_without_a_body_says_so(self):
        self.assertEqual(self.head_of(body=b"").all("content-length"), [b"0"])


class ToTheClient(ProxyTest):
    def test_who_answered_is_told(self):
        backend = self.backend(answers())
        answer = self.weir(backend).ask()
        self.assertEqual(answer.all("x-weir-backend"), [backend.address.encode()])
        self.assertEqual(answer.all("x-weir-attempts"), [b"1"])

    def test_backend_may_not_speak_in_our_name(self):
        backend = self.backend(answers(fields=b"x-weir-backend: evil\r\nx-weir-attempts: 9\r\n"))
        answer = self.weir(backend).ask()
        self.assertEqual(answer.all("x-weir-backend"), [backend.address.encode()])
        self.assertEqual(answer.all("x-weir-attempts"), [b"1"])

    def test_ordinary_fields_arrive_in_order_and_unchanged(self):
        fields = (b"date: Sun, 22 Nov 2026 10:00:00 GMT\r\nserver: uvicorn\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n"
                  b"X-CaSe: x\r\n")
        answer = self.weir(self.backend(answers(fields=fields))).ask()
        self.assertEqual(answer.fields[:5], [tuple(line.split(b": ", 1)) for line in fields.split(b"\r\n")[:-1]])

    def test_hop_by_hop_fields_of_a_backend_end_here(self):
        backend = self.backend(answers(fields=b"connection: keep-alive, x-mine\r\nx-mine: 1\r\n"
                                              b"keep-alive: timeout=5\r\nupgrade: h2c\r\n"))
        answer = self.weir(backend).ask()
        for name in ("connection", "x-mine", "keep-alive", "upgrade"):
            self.assertEqual(answer.all(name), [], name)

    def test_event_stream_is_not_to_be_buffered_or_cached(self):
        answer = self.weir(self.backend(streams(b"a"))).ask()
        self.assertEqual((answer.get("x-accel-buffering"), answer.get("cache-control")), (b"no", b"no-cache"))

    def test_errors_of_weir_have_an_id_and_no_html(self):
        answer = self.weir_urls(self.backend(answers())).ask("GET", "/nowhere", fields=["X-Request-Id: abc"])
        self.assertEqual((answer.status, answer.get("x-request-id")), (404, b"abc"))
        self.assertEqual(answer.get("content-type"), b"application/json")
        self.assertFalse(re.search(rb"<\w+", answer.body))


class Keys(ProxyTest):
    def test_key_of_a_backend_takes_the_place_of_the_clients(self):
        backend = self.backend(answers())
        weir = self.weir_serve(backends=[{"url": backend.url, "api_key": "sk-backend"}])
        weir.backends = [backend]
        weir.ask(fields=["Authorization: Bearer sk-client", "x-api-key: other", "api-key: third"])
        request = backend.requests[0]
        self.assertEqual(request.all("authorization"), [b"Bearer sk-backend"])
        self.assertEqual(request.all("x-api-key") + request.all("api-key"), [])
        self.assertNotIn("sk-backend", weir.log)

    def test_key_of_the_client_passes_to_a_backend_without_one(self):
        backend = self.backend(answers())
        self.weir(backend).ask(fields=["Authorization: Bearer sk-client", "x-api-key: other"])
        self.assertEqual(backend.requests[0].all("authorization"), [b"Bearer sk-client"])
        self.assertEqual(backend.requests[0].all("x-api-key"), [b"other"])


if __name__ == "__main__":
    unittest.main()
