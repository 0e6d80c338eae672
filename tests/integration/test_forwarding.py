"""Other proxies around weir: Via, and whose X-Forwarded-* are believed."""

import unittest

from harness import ProxyTest
from scripted_backend import answers

TOLD = ["X-Forwarded-For: 203.0.113.7, 10.1.1.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: public.test",
        "Forwarded: for=203.0.113.7"]


class Forwarded(ProxyTest):
    def head_of(self, trusted, fields=TOLD):
        backend = self.backend(answers())
        weir = self.weir_serve(backend, listener={"trusted_proxies": trusted}, log={"access": {"output": "stdout"}})
        self.assertEqual(weir.ask(fields=fields).status, 200)
        self.assertEqual(weir.access_lines(1)[0]["client"], "127.0.0.1")  # who connected, whatever it says
        return backend.requests[0]

    def test_trusted_peer_is_believed_and_continued(self):
        for trusted in (["127.0.0.0/8"], ["10.0.0.0/8", "127.0.0.1"]):
            request = self.head_of(trusted)
            self.assertEqual(request.all("x-forwarded-for"), [b"203.0.113.7, 10.1.1.1, 127.0.0.1"])
            self.assertEqual(request.all("x-forwarded-proto"), [b"https"])
            self.assertEqual(request.all("x-forwarded-host"), [b"public.test"])
            self.assertEqual(request.all("forwarded"), [b"for=203.0.113.7"])

    def test_fields_in_several_lines_become_one_in_order(self):
        request = self.head_of(["127.0.0.1"], ["X-Forwarded-For: 203.0.113.7", "X-A: 1", "X-Forwarded-For: 10.1.1.1"])
        self.assertEqual(request.all("x-forwarded-for"), [b"203.0.113.7, 10.1.1.1, 127.0.0.1"])

    def test_trusted_peer_that_says_nothing_is_the_client(self):
        request = self.head_of(["127.0.0.1"], [])
        self.assertEqual((request.all("x-forwarded-for"), request.all("x-forwarded-proto"),
                          request.all("x-forwarded-host")), ([b"127.0.0.1"], [b"http"], [b"weir.test"]))

    def test_others_are_not_believed(self):
        for trusted in ([], ["10.0.0.0/8", "::1"]):
            request = self.head_of(trusted)
            self.assertEqual(request.all("x-forwarded-for"), [b"127.0.0.1"])
            self.assertEqual(request.all("x-forwarded-proto"), [b"http"])
            self.assertEqual(request.all("x-forwarded-host"), [b"weir.test"])
            self.assertEqual(request.all("forwarded"), [])


class Via(ProxyTest):
    def test_both_directions_tell_the_way_where_that_is_asked_for(self):
        backend = self.backend(answers(fields=b"Via: 1.1 inner\r\n"))
        weir = self.weir_serve(backend, via=True)
        answer = weir.ask(fields=["Via: 1.1 outer"])
        self.assertEqual(backend.requests[0].all("via"), [b"1.1 outer", b"1.1 weir"])
        self.assertEqual(answer.all("via"), [b"1.1 inner", b"1.1 weir"])
        weir.ask(version="1.0")
        self.assertEqual(backend.requests[1].all("via"), [b"1.0 weir"])  # the version that it came with

    def test_nothing_is_told_otherwise(self):
        backend = self.backend(answers(fields=b"Via: 1.1 inner\r\n"))
        answer = self.weir_serve(backend).ask(fields=["Via: 1.1 outer"])
        self.assertEqual(backend.requests[0].all("via"), [b"1.1 outer"])
        self.assertEqual(answer.all("via"), [b"1.1 inner"])


if __name__ == "__main__":
    unittest.main()
