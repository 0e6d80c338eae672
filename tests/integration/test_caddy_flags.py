"""`weir reverse-proxy` with the command lines that people have for `caddy reverse-proxy`."""

import json
import os
import socket
import subprocess
import unittest

from harness import BINARY, ProxyTest, free_port
from scripted_backend import PATIENCE, answers


class Flags(ProxyTest):
    def run_proxy(self, *words):
        return self.run_weir("reverse-proxy", *words, "--admin", "off")

    def test_command_line_of_the_first_users_works_unchanged(self):
        backends = [self.backend(answers(b"one")), self.backend(answers(b"two"))]
        port = free_port()
        weir = self.run_proxy("--from", f"http://127.0.0.1:{port}", "--to", backends[0].url, "--to", backends[1].url)
        self.assertEqual(weir.address, ("127.0.0.1", port))
        self.assertEqual({weir.ask().body for _ in range(8)}, {b"one", b"two"})

    def test_short_flags_and_equals_signs_work(self):
        backend = self.backend(answers(b"ok", fields=b"x-gone: 1\r\n"))
        weir = self.run_proxy("-f", f"http://127.0.0.1:{free_port()}", "-t",
                              backend.address, "-H", "X-Up: 1", "-d", "-X-Gone", "-c", "-v")
        answer = weir.ask()
        self.assertEqual((answer.body, answer.all("x-gone")), (b"ok", []))
        self.assertEqual(backend.requests[0].all("x-up"), [b"1"])
        self.assertEqual(backend.requests[0].all("host"), [backend.address.encode()])
        weir.wait_for_log(" debug ")

    def test_backend_without_scheme_or_with_only_a_port_works(self):
        backend = self.backend(answers(b"ok"))
        for to in (f"127.0.0.1:{backend.port}", f":{backend.port}", f"http://127.0.0.1:{backend.port}/"):
            with self.subTest(to), self.run_proxy("--from", f"http://127.0.0.1:{free_port()}", "--to", to) as weir:
                self.assertEqual(weir.ask().body, b"ok")
                backend.drop_connections()

    def test_from_with_only_a_port_binds_all_addresses(self):
        weir = self.run_proxy("--from", f":{free_port()}", "--to", self.backend(answers(b"ok")).url)
        for host in ("127.0.0.1", "127.0.0.2"):
            socket.create_connection((host, weir.address[1]), 5).close()
        self.assertEqual(weir.ask().body, b"ok")

    def test_from_localhost_binds_loopback_only(self):
        weir = self.run_proxy("--from", f"http://localhost:{free_port()}", "--to", self.backend(answers(b"ok")).url)
        self.assertEqual(weir.ask().body, b"ok")
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", weir.address[1]), 5)

    def test_header_up_sets_adds_and_removes(self):
        backend = self.backend(answers())
        weir = self.weir(backend, flags=["--header-up", "X-Set: new", "--header-up", "+X-Add: more",
                                         "--header-up", "-X-Remove", "--header-up", "User-Agent: weir-test"])
        weir.ask(fields=["X-Set: old", "X-Add: first", "X-Remove: 1", "User-Agent: curl"])
        request = backend.requests[0]
        self.assertEqual(request.all("x-set"), [b"new"])
        self.assertEqual(request.all("x-add"), [b"first", b"more"])
        self.assertEqual(request.all("x-remove"), [])
        self.assertEqual(request.all("user-agent"), [b"weir-test"])

    def test_header_down_sets_adds_and_removes(self):
        backend = self.backend(answers(fields=b"server: uvicorn\r\nx-set: old\r\nx-add: first\r\n"))
        weir = self.weir(backend, flags=["--header-down", "X-Set: new", "--header-down", "+X-Add: more",
                                         "--header-down", "-Server"])
        answer = weir.ask()
        self.assertEqual(answer.all("x-set"), [b"new"])
        self.assertEqual(answer.all("x-add"), [b"first", b"more"])
        self.assertEqual(answer.all("server"), [])

    def test_host_placeholder_of_caddy_means_the_backends_host(self):
        backend = self.backend(answers())
        weir = self.weir(backend, flags=["--header-up", "Host: {upstream_hostport}"])
        weir.ask()
        self.assertEqual(backend.requests[0].all("host"), [backend.address.encode()])

    def test_flags_without_effect_are_taken_and_said_so(self):
        weir = self.weir(self.backend(answers(b"ok")), flags=["--insecure", "--disable-redirects", "--internal-certs"])
        self.assertEqual(weir.ask().body, b"ok")
        for flag in ("--insecure", "--disable-redirects", "--internal-certs"):
            weir.wait_for_log(flag + " has no effect")

    def test_access_log_goes_to_stdout_or_where_it_is_told_to(self):
        path = os.path.join(self.directory.name, "access.log")
        backend = self.backend(answers(b"ok"))
        with self.weir(backend, flags=["--access-log"]) as weir:
            weir.ask("GET", "/x")
            self.assertEqual(weir.access_lines(1)[0]["path"], "/x")
        with self.weir(backend, flags=["--access-log=" + path]) as weir:
            weir.ask("GET", "/y")
            backend.drop_connections()
        with open(path, encoding="utf-8") as lines:
            self.assertEqual([json.loads(line)["path"] for line in lines], ["/y"])
        self.assertEqual(weir.output, b"")


class Mistakes(unittest.TestCase):
    def assert_refused(self, words, *parts):
        result = subprocess.run([BINARY, "reverse-proxy", *words], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(result.returncode, 2, result.stderr)
        for part in ("weir: error: ", "help: ", *parts):
            self.assertIn(part, result.stderr)

    def test_https_is_refused_with_what_to_do(self):
        self.assert_refused(["--from", "https://localhost", "--to", "http://127.0.0.1:1"], "plain HTTP only",
                            "--from http://")
        self.assert_refused(["--from", ":8080", "--to", "https://127.0.0.1:1"])

    def test_rules_may_not_touch_framing(self):
        for rule in ("-Content-Length", "Transfer-Encoding: gzip", "Connection: close"):
            self.assert_refused(["--to", "http://127.0.0.1:1", "--header-up", rule], "weir writes this header itself")

    def test_misspelt_flag_is_corrected(self):
        self.assert_refused(["--form", ":8080", "--to", "http://127.0.0.1:1"], "did you mean --from?")

    def test_nothing_to_forward_to_is_an_error(self):
        self.assert_refused(["--from", ":8080"])


if __name__ == "__main__":
    unittest.main()
