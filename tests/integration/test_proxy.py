"""One request, one answer: bytes in, the same bytes out, on every way a message may be delimited."""

import json
import os
import socket
import unittest

from harness import CHAT, ProxyTest, free_port
from scripted_backend import LAST_CHUNK, answers, chunk, whole


def sends(wire, then="keep"):
    """A behaviour: these bytes; then keep, fin or reset."""
    def behave(connection, _):
        connection.send(wire)
        if then == "fin":
            connection.fin()
        elif then == "reset":
            connection.reset()
    return behave


class PlainAnswers(ProxyTest):
    def test_body_of_a_request_and_of_its_answer_arrive_unchanged(self):
        sent, answered = os.urandom(200_000), os.urandom(300_000)
        backend = self.backend(answers(answered, fields=b"content-type: application/octet-stream\r\n"))
        weir = self.weir(backend)
        answer = weir.ask(body=sent)
        self.assertEqual((answer.status, answer.end), (200, "whole"))
        self.assertEqual(answer.body, answered)
        self.assertEqual(backend.requests[0].body, sent)
        self.assertEqual(backend.requests[0].line, b"POST /v1/chat/completions HTTP/1.1")

    def test_target_is_forwarded_verbatim(self):
        backend = self.backend(answers())
        weir = self.weir(backend)
        for target in ("/a%20b/%41?x=%2F&y=1", "/v1/models?limit=1", "//double", "/a/../b", "/a;b=1/c?d?e"):
            self.assertEqual(weir.ask("GET", target).status, 200, target)
        self.assertEqual([request.target.decode() for request in backend.requests],
                         ["/a%20b/%41?x=%2F&y=1", "/v1/models?limit=1", "//double", "/a/../b", "/a;b=1/c?d?e"])

    def test_methods_are_forwarded(self):
        backend = self.backend(answers())
        weir = self.weir(backend)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            self.assertEqual(weir.ask(method, "/thing").status, 200, method)
        self.assertEqual([request.method for request in backend.requests],
                         [b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"])

    def test_status_and_reason_of_a_backend_arrive(self):
        for status in (b"201 Made", b"400 Bad Request", b"404 Not Found", b"418 I'm a teapot", b"500 Oh", b"503 Busy"):
            backend = self.backend(answers(b'{"a":1}', status=status))
            with self.subTest(status), self.weir(backend) as weir:
                answer = weir.ask()
                self.assertEqual(b"%d %s" % (answer.status, answer.reason), status)
                self.assertEqual(answer.body, b'{"a":1}')
                self.assertEqual(len(backend.requests), 1)

    def test_answer_to_head_has_no_body_and_the_connection_goes_on(self):
        backend = self.backend(sends(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"))
        client = self.client(self.weir(backend))
        for _ in range(3):
            answer = client.ask("HEAD", "/file")
            self.assertEqual((answer.status, answer.get("content-length")), (200, b"1000"))
        self.assertEqual(client.buffer, b"")
        self.assert_connections(backend, 1)

    def test_answers_without_a_body_end_with_their_head(self):
        for status in (b"204 No Content", b"304 Not Modified"):
            backend = self.backend(sends(b"HTTP/1.1 " + status + b"\r\netag: \"1\"\r\n\r\n"))
            with self.subTest(status), self.weir(backend) as weir, weir.client() as client:
                for _ in range(2):
                    self.assertEqual(client.ask("GET", "/file").status, int(status[:3]))
                self.assert_connections(backend, 1)

    def test_plain_chunked_answer_passes_chunk_by_chunk(self):
        parts = [b"one", b"two" * 1000, b"\r\n0\r\n\r\n", os.urandom(100_000)]
        wire = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"".join(map(chunk, parts)) + LAST_CHUNK
        backend = self.backend(sends(wire))
        answer = self.weir(backend).ask("GET", "/file")
        self.assertEqual((answer.end, answer.chunks), ("whole", parts))

    def test_answer_that_ends_with_its_connection_becomes_chunked(self):
        body = os.urandom(50_000)
        backend = self.backend(sends(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n" + body, then="fin"))
        weir = self.weir(backend)
        client = self.client(weir)
        for _ in range(2):
            answer = client.ask("GET", "/file")
            self.assertEqual((answer.body, answer.end), (body, "whole"))
            self.assertEqual(answer.get("transfer-encoding"), b"chunked")
        self.assertEqual(len(backend.connections), 2)

    def test_http_1_0_client_gets_a_body_that_ends_with_the_connection(self):
        backend = self.backend(sends(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunk(b"one")
                                     + chunk(b"two") + LAST_CHUNK))
        answer = self.weir(backend).ask("GET", "/file", version="1.0")
        self.assertEqual((answer.body, answer.end), (b"onetwo", "fin"))
        self.assertIsNone(answer.get("transfer-encoding"))

    def test_http_1_0_backend_is_understood(self):
        backend = self.backend(sends(b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi", then="fin"))
        weir = self.weir(backend)
        answer = weir.ask("GET", "/file")
        self.assertEqual((answer.version, answer.body, answer.end), (b"HTTP/1.1", b"hi", "whole"))

    def test_answer_in_pieces_of_one_byte_arrives_whole(self):
        def behave(connection, _):
            connection.send_in_pieces(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunk(b"hello")
                                      + chunk(b"world") + LAST_CHUNK, 1)
        answer = self.weir(self.backend(behave)).ask()
        self.assertEqual((answer.body, answer.end), (b"helloworld", "whole"))

    def test_request_in_pieces_of_one_byte_arrives_whole(self):
        backend = self.backend(answers())
        client = self.client(self.weir(backend))
        for byte in b"\r\nPOST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello":
            client.send(bytes([byte]))
        self.assertEqual(client.read_answer().status, 200)
        self.assertEqual(backend.requests[0].body, b"hello")

    def test_chunked_request_arrives_with_its_content(self):
        backend = self.backend(answers())
        client = self.client(self.weir(backend))
        client.send(b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in (b"one", b"two" * 5000, b"3"):
            client.send(chunk(part))
        client.send(LAST_CHUNK)
        self.assertEqual(client.read_answer().status, 200)
        self.assertEqual(backend.requests[0].body, b"one" + b"two" * 5000 + b"3")
        self.assertEqual(backend.requests[0].all("transfer-encoding"), [b"chunked"])
        self.assertEqual(backend.requests[0].all("content-length"), [])

    def test_chunk_extensions_and_trailers_are_not_passed_on(self):
        wire = (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;sig=abc\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n")
        client = self.client(self.weir(self.backend(sends(wire))))
        client.send_request("GET", "/file")
        client.read_head()
        self.assertEqual(client.read_chunk(), b"hello")
        self.assertEqual(client._up_to(5), b"0\r\n\r\n")
        self.assertEqual(client.buffer, b"")

    def test_interim_answers_of_a_backend_are_not_taken_for_the_answer(self):
        backend = self.backend(sends(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
                                     + whole(b"late")))
        client = self.client(self.weir(backend))
        client.send_request()
        self.assertEqual(client.read_answer().status, 103)
        self.assertEqual(client.read_answer().body, b"late")


class Places(ProxyTest):
    def test_backend_may_be_a_name(self):
        backend = self.backend(answers(b"named"))
        for _ in range(5):
            with self.weir(f"http://localhost:{backend.port}") as weir:
                self.assertEqual(weir.ask().body, b"named", "asked right at the start")
                backend.drop_connections()

    def test_name_that_does_not_resolve_is_an_error_at_once_and_a_line_in_the_log(self):
        weir = self.weir("http://no-such-host.invalid:8000")
        weir.wait_for_log("no-such-host.invalid")
        answer = weir.ask()
        self.assertIn(answer.status, (502, 503))
        self.assertEqual(answer.error["type"], "server_error")

    @unittest.skipUnless(os.path.exists("/proc/net/if_inet6") and open("/proc/net/if_inet6").read(), "no IPv6 here")
    def test_ipv6_on_both_sides(self):
        backend = self.backend(answers(b"six"), host="::1")
        weir = self.run_weir("reverse-proxy", "--from", f"http://[::1]:{free_port('::1')}", "--to", backend.url,
                             "--admin", "off")
        self.assertEqual(weir.address[0], "::1")
        answer = weir.ask()
        self.assertEqual(answer.body, b"six")
        self.assertEqual(answer.get("x-weir-backend"), backend.address.encode())
        self.assertEqual(backend.requests[0].get("x-forwarded-for"), b"::1")

    def test_unix_sockets_on_both_sides(self):
        backend = self.backend(answers(b"local"), path=os.path.join(self.directory.name, "b.sock"))
        front = os.path.join(self.directory.name, "w.sock")
        weir = self.run_weir("serve", "--listen", "unix:" + front, "--to", backend.url, "--admin", "off")
        self.assertEqual(weir.ask().body, b"local")
        self.assertEqual(os.stat(front).st_mode & 0o077, 0)

    def test_name_in_from_binds_all_addresses(self):
        backend = self.backend(answers(b"all"))
        weir = self.run_weir("reverse-proxy", "--from", f"http://node17.cluster:{free_port()}", "--to", backend.url,
                             "--admin", "off")
        port = weir.address[1]
        for host in ("127.0.0.1", "127.0.0.2"):
            with socket.create_connection((host, port), 5):
                pass
        self.assertEqual(weir.ask().body, b"all")

    def test_ip_literal_in_from_binds_only_that_address(self):
        weir = self.weir(self.backend(answers()))
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", weir.address[1]), 5)

    def test_port_in_use_is_a_clear_error(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with self.assertRaisesRegex(AssertionError, f"weir: error: .*{port}.*\n(.*\n)*help: "):
                self.run_weir("serve", f"http://127.0.0.1:{free_port()}", "--listen", f"127.0.0.1:{port}",
                              "--admin", "off")


class BadAnswers(ProxyTest):
    WIRES = {
        "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/2": b"HTTP/2 200\r\n\r\n",
        "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nhi",
        "length and chunked": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n",
        "length with a sign": b"HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\nhi",
        "unknown coding": b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
        "folded field": b"HTTP/1.1 200 OK\r\nx-a: 1\r\n b\r\ncontent-length: 0\r\n\r\n",
        "bare LF": b"HTTP/1.1 200 OK\ncontent-length: 0\n\n",
        "blank before colon": b"HTTP/1.1 200 OK\r\nx-a : 1\r\ncontent-length: 0\r\n\r\n",
        "endless head": b"HTTP/1.1 200 OK\r\n" + b"x-filler: " + b"a" * 70_000 + b"\r\n\r\n",
        "101 unasked": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
        "bad chunk in the first bytes": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
    }

    def test_what_is_no_valid_answer_becomes_502(self):
        for name, wire in self.WIRES.items():
            backend = self.backend(sends(wire))
            with self.subTest(name), self.weir(backend) as weir:
                answer = weir.ask()
                self.assert_error(answer, 502, "bad_backend_response")
                self.assertEqual(answer.error["type"], "server_error")

    def test_bad_answer_is_asked_for_elsewhere(self):
        bad, good = self.backend(sends(b"garbage\r\n\r\n")), self.backend(answers(b"good"))
        weir = self.weir(bad, good)
        bodies = [weir.ask().body for _ in range(6)]
        self.assertEqual(bodies, [b"good"] * 6)

    def test_bytes_behind_an_answer_never_reach_the_next_exchange(self):
        stray = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison"
        backend = self.backend(sends(whole(b"fine!!") + stray))
        client = self.client(self.weir(backend))
        for _ in range(10):
            self.assertEqual(client.ask().body, b"fine!!")
        self.assertEqual(client.buffer, b"")
        self.assertEqual(len(backend.connections), 10)

    def test_bytes_that_come_while_a_connection_is_idle_spoil_it(self):
        backend = self.backend(sends(whole(b"fine!!")))
        client = self.client(self.weir(backend))
        for count in range(1, 6):
            self.assertEqual(client.ask().body, b"fine!!")
            backend.connections[-1].send(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n")
            backend.connections[-1].sock.settimeout(20)
            backend.wait_for(lambda: backend.connections[-1].left_at is not None, "the connection is dropped")
            self.assertEqual(len(backend.connections), count)

    def test_content_length_cut_short_is_visible(self):
        for then in ("fin", "reset"):
            head = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 100\r\n\r\n"
            backend = self.backend(sends(head + b"only this", then=then))
            with self.subTest(then), self.weir(backend) as weir:
                answer = weir.ask("POST", "/upload")
                self.assertIn(answer.end if answer.status == 200 else "visible", ("fin", "reset", "visible"))
                if answer.status == 200:
                    self.assertLess(len(answer.body), 100)
                else:
                    self.assertEqual(answer.code, "backend_failed")

    def test_json_answer_cut_short_is_asked_for_again(self):
        cut = self.backend(sends(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
                                 then="fin"))
        good = self.backend(answers(b'{"good":1}'))
        weir = self.weir(cut, good)
        for _ in range(4):
            answer = weir.ask()
            self.assertEqual((answer.status, json.loads(answer.body)), (200, {"good": 1}))
        self.assertTrue(cut.requests)

    def test_chunked_answer_without_its_last_chunk_stays_without_it(self):
        wire = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n" + chunk(b"part")
        for then in ("fin", "reset"):
            backend = self.backend(sends(wire, then=then))
            with self.subTest(then), self.weir(backend) as weir:
                answer = weir.ask("GET", "/file")
                if answer.status == 200:
                    self.assertIn(answer.end, ("fin", "reset"))
                else:
                    self.assert_error(answer, 502, "backend_failed")


class Pipelining(ProxyTest):
    def test_pipelined_requests_are_answered_in_order(self):
        def behave(connection, request):
            connection.send(whole(request.target + b" " + request.body))
        backend = self.backend(behave)
        client = self.client(self.weir(backend))
        wire = b""
        for number in range(20):
            body = b"x" * number * 100
            wire += b"POST /n%d HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (number, len(body)) + body
        client.send(wire)
        for number in range(20):
            self.assertEqual(client.read_answer().body, b"/n%d " % number + b"x" * number * 100)

    def test_next_request_behind_a_chunked_body_is_understood(self):
        backend = self.backend(lambda connection, request: connection.send(whole(request.target)))
        client = self.client(self.weir(backend))
        client.send((b"POST /one HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"abc") + LAST_CHUNK
                     + b"GET /two HTTP/1.1\r\nHost: a\r\n\r\n") * 5)
        for number in range(10):
            self.assertEqual(client.read_answer().body, (b"/one", b"/two")[number % 2])

    def test_garbage_behind_a_request_does_not_spoil_its_answer(self):
        client = self.client(self.weir(self.backend(answers(b"first"))))
        client.send(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n\x00\x01garbage\r\n\r\n")
        self.assertEqual(client.read_answer().body, b"first")
        self.assert_error(client.read_answer(), 400, "bad_request")
        client.read_to_end()
        self.assertEqual(client.end, "fin")


class AccessLog(ProxyTest):
    def test_line_tells_the_request_and_never_its_text(self):
        backend = self.backend(answers(b'{"usage":{"prompt_tokens":3,"completion_tokens":5},"x":"SECRETANSWER"}'))
        weir = self.weir(backend, flags=["--access-log"])
        answer = weir.ask(body=b'{"prompt":"SECRETPROMPT"}', fields=["X-Request-Id: abc"])
        (line,) = weir.access_lines(1)
        self.assertEqual((line["id"], line["method"], line["path"], line["status"]), ("abc", "POST", CHAT, 200))
        self.assertEqual((line["backend"], line["attempts"]), (backend.address, 1))
        self.assertEqual((line["tok_in"], line["tok_out"]), (3, 5))
        self.assertEqual((line["bytes_in"], line["bytes_out"]), (25, len(answer.body)))
        self.assertNotIn(b"SECRET", weir.output)


if __name__ == "__main__":
    unittest.main()
