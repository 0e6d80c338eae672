"""`weir drain` and `weir undrain`: a backend is taken out of work by hand and back, and who may do that."""

import http.client
import json
import os
import socket
import stat
import subprocess
import threading
import unittest
from pathlib import Path

from harness import BINARY, PATIENCE, ProxyTest, eventually, free_port
from scripted_backend import DONE, LAST_CHUNK, STREAM_HEAD, chunk, token, whole


class Worker:
    """A backend that answers b"quick" at once, anything else when the test says so; b"stream" as a stream begun at once."""

    def __init__(self, test):
        self.arrived = []
        self.may_end = threading.Semaphore(0)
        self.backend = test.backend(self._behave)
        self.name = self.backend.url.removeprefix("http://")
        test.addCleanup(lambda: [self.may_end.release() for _ in range(100)])

    def _behave(self, connection, request):
        self.arrived.append(request.body)
        if request.body == b"stream":
            connection.send(STREAM_HEAD + chunk(token(b"first")))
            assert self.may_end.acquire(timeout=PATIENCE)
            connection.send(chunk(token(b"last", b'"stop"')) + chunk(DONE) + LAST_CHUNK)
            return
        if request.body != b"quick":
            assert self.may_end.acquire(timeout=PATIENCE)
        connection.send(whole(b"done"))


class DrainTest(ProxyTest):
    def setUp(self):
        super().setUp()
        self.home = Path(self.directory.name)
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": str(self.home)}
        for name in ("RUNTIME_DIRECTORY", "WEIR_ADMIN_TOKEN"):
            self.environment.pop(name, None)

    def start(self, *workers, **config):
        """A service with an admin socket."""
        self.socket = str(self.home / "admin.sock")
        config.setdefault("admin", {"address": "unix:" + self.socket})
        return self.weir_serve(*(worker.backend for worker in workers), **config)

    def command(self, *words, **environment):
        return subprocess.run([BINARY, *words], env={**self.environment, **environment}, capture_output=True, text=True,
                              timeout=PATIENCE * 2)

    def ask_weir(self, *words, code=0):
        done = self.command(*words, "--admin", "unix:" + self.socket)
        self.assertEqual(done.returncode, code, done)
        return done.stdout if code == 0 else done.stderr

    def pool(self):
        return json.loads(self.ask_weir("status", "--json"))["pools"][0]

    def state(self, name):
        return next((backend for backend in self.pool()["backends"] if backend["id"] == name), {"state": "not there"})

    def wait_for_state(self, name, state):
        eventually(lambda: self.state(name)["state"] == state, f"{name} becomes {state}")

    def begin(self, weir, body):
        client = self.client(weir)
        client.send_request(body=body)
        return client

    def begin_stream(self, weir, *workers):
        """The client, and the worker that has its stream."""
        client = self.begin(weir, b"stream")
        answer = client.read_head()
        self.assertIn(b"first", client.read_chunk())
        name = answer.get("x-weir-backend").decode()
        return client, next(worker for worker in workers if worker.name == name)


class TakenOut(DrainTest):
    def test_a_running_stream_goes_on_to_its_end_and_new_requests_go_elsewhere(self):
        one, other = Worker(self), Worker(self)
        weir = self.start(one, other)
        client, drained = self.begin_stream(weir, one, other)
        kept = other if drained is one else one
        self.assertEqual(self.ask_weir("drain", drained.name), f"{drained.name}: draining, 1 request outstanding\n")
        for _ in range(10):
            answer = weir.ask(body=b"quick")
            self.assertEqual((answer.status, answer.get("x-weir-backend")), (200, kept.name.encode()))
        self.assertIn("is draining with 1 request outstanding",
                      self.ask_weir("drain", drained.name, "--wait", "--timeout", "100ms", code=6))
        drained.may_end.release()
        rest = []
        while data := client.read_chunk():
            rest.append(data)
        self.assertIn(DONE, rest[-1])
        self.assertIn(f"{drained.name}: drained\n", self.ask_weir("drain", drained.name, "--wait"))
        self.assertEqual(drained.arrived, [b"stream"])

    def test_it_is_said_who_is_drained_and_why_and_since_when(self):
        one, other = Worker(self), Worker(self)
        self.start(one, other)
        self.ask_weir("drain", one.name)
        state = self.state(one.name)
        self.assertEqual((state["state"], state["reason"]), ("draining", "drained by request, until undrain or a restart"))
        self.assertLess(state["state_seconds"], PATIENCE)
        table = self.ask_weir("status")
        self.assertRegex(table, rf"{one.name} +draining +\d\S* .* drained by request")

    def test_wait_returns_when_the_last_request_is_over(self):
        one, other = Worker(self), Worker(self)
        weir = self.start(one, other)
        client, drained = self.begin_stream(weir, one, other)
        waiting = subprocess.Popen([BINARY, "drain", drained.name, "--wait", "--admin", "unix:" + self.socket],
                                   env=self.environment, stdout=subprocess.PIPE, text=True)
        self.addCleanup(waiting.stdout.close)
        self.addCleanup(waiting.wait)
        self.assertIn("draining", waiting.stdout.readline())
        self.assertIsNone(waiting.poll())
        drained.may_end.release()
        while client.read_chunk():
            pass
        self.assertEqual(waiting.stdout.readline(), f"{drained.name}: drained\n")
        self.assertEqual(waiting.wait(PATIENCE), 0)

    def test_wait_ends_when_somebody_takes_the_backend_back(self):
        one, other = Worker(self), Worker(self)
        weir = self.start(one, other)
        client, drained = self.begin_stream(weir, one, other)
        waiting = subprocess.Popen([BINARY, "drain", drained.name, "--wait", "--admin", "unix:" + self.socket],
                                   env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(waiting.wait)
        self.addCleanup(waiting.stdout.close)
        self.addCleanup(waiting.stderr.close)
        self.assertIn("draining", waiting.stdout.readline())
        self.assertIn("ready", self.ask_weir("undrain", drained.name, "--wait"))
        self.assertIn(f"somebody took {drained.name} back", waiting.stderr.read())
        self.assertEqual(waiting.wait(PATIENCE), 1)
        drained.may_end.release()
        while client.read_chunk():
            pass

    def test_waiting_requests_go_elsewhere(self):
        one, other = Worker(self), Worker(self)
        weir = self.start(one, other, max_outstanding_per_backend=1)
        clients = [self.begin(weir, b"%d" % number) for number in range(2)]
        eventually(lambda: len(one.arrived) == len(other.arrived) == 1, "both are busy")
        clients += [self.begin(weir, b"%d" % number) for number in range(2, 5)]
        eventually(lambda: self.pool()["waiting"]["length"] == 3, "three wait")
        self.ask_weir("drain", one.name)
        one.may_end.release()
        eventually(lambda: self.state(one.name)["outstanding"] == 0, "the drained one is idle")
        for _ in range(4):
            other.may_end.release()
        for client in clients:
            self.assertEqual(client.read_answer().body, b"done")
        self.assertEqual((len(one.arrived), len(other.arrived)), (1, 4))

    def test_the_last_one_drained_leaves_no_backend_and_undrain_brings_it_back(self):
        only = Worker(self)
        weir = self.start(only, max_outstanding_per_backend=1)
        running = self.begin(weir, b"slow")
        eventually(lambda: only.arrived, "it is busy")
        waiting = self.begin(weir, b"waits")
        eventually(lambda: self.pool()["waiting"]["length"] == 1, "one waits")
        self.ask_weir("drain", only.name)
        self.assert_error(waiting.read_answer(), 503, "no_backend_ready")
        answer = weir.ask(body=b"quick")
        self.assert_error(answer, 503, "no_backend_ready")
        self.assertIn("1 draining", answer.error["message"])
        only.may_end.release()
        self.assertEqual(running.read_answer().body, b"done")
        self.assertIn(f"{only.name}: ready\n", self.ask_weir("undrain", only.name, "--wait"))
        self.assertEqual(weir.ask(body=b"quick").status, 200)
        self.assertEqual(only.arrived, [b"slow", b"quick"])

    def test_it_stays_drained_when_the_discovery_brings_others(self):
        one, other, late = Worker(self), Worker(self), Worker(self)
        file = self.home / "backends.json"

        def publish(*workers):
            new = file.with_suffix(".new")
            new.write_text(json.dumps([worker.backend.url for worker in workers]))
            new.rename(file)

        publish(one, other)
        weir = self.start(discover={"file": str(file), "interval": "100ms"})
        self.wait_for_state(one.name, "ready")
        self.ask_weir("drain", one.name)
        publish(late, one, other)
        eventually(lambda: len(self.pool()["backends"]) == 3, "the third is there")
        self.wait_for_state(late.name, "ready")
        state = self.state(one.name)
        self.assertEqual((state["state"], state["reason"]), ("draining", "drained by request, until undrain or a restart"))
        for _ in range(6):
            self.assertEqual(weir.ask(body=b"quick").status, 200)
        self.assertEqual(one.arrived, [])


class Refused(DrainTest):
    def test_a_wrong_name_gets_the_right_ones(self):
        one, other = Worker(self), Worker(self)
        self.start(one, other)
        text = self.ask_weir("drain", one.name + "0", code=1)
        self.assertIn(f'weir: error: no backend is called "{one.name}0"\nhelp: did you mean {one.name}? there are ', text)
        self.assertIn(other.name, text)
        self.assertIn("there are ", self.ask_weir("undrain", "nobody", code=1))

    def test_a_backend_with_a_name_is_found_by_its_address_too(self):
        one = Worker(self)
        self.start(backends=[{"name": "n01-0", "url": one.backend.url}])
        self.assertIn("n01-0: draining", self.ask_weir("drain", one.name))
        self.assertIn("n01-0: ", self.ask_weir("undrain", "n01-0"))

    def test_nobody_to_ask_is_exit_code_5(self):
        for words in (("drain", "a", "--instance", "nobody"), ("undrain", "a", "--wait", "--instance", "nobody"),
                      ("drain", "a", "--admin", f"127.0.0.1:{free_port()}"), ("drain", "a", "--admin", "unix:/no/such")):
            done = self.command(*words)
            self.assertEqual((done.returncode, done.stdout), (5, ""), done)
            self.assertTrue(done.stderr.startswith("weir: error: "), done.stderr)

    def test_one_of_several_instances_is_chosen(self):
        one = Worker(self)
        running = [self.run_weir(one.backend.url, "--listen", f"127.0.0.1:{free_port()}", env=self.environment,
                                 backends=[one.backend]) for _ in range(2)]
        done = self.command("drain", one.name)
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("help: choose one with --instance PID", done.stderr)
        self.assertIn(str(running[0].process.pid), done.stdout)
        done = self.command("drain", one.name, "--instance", str(running[1].process.pid))
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(running[0].ask(body=b"quick").status, 200)
        self.assertEqual(running[1].ask(body=b"quick").status, 503)


class Admission(DrainTest):
    def start_tcp(self, **admin):
        self.worker = Worker(self)
        self.port = free_port()
        weir = self.weir_serve(self.worker.backend, admin={"address": f"127.0.0.1:{self.port}", **admin})
        self.path = f"/api/v1/backends/{self.worker.name.replace(':', '%3A')}/"
        return weir

    def post(self, path, token=None, body=None, method="POST", **fields):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        if token:
            fields["Authorization"] = "Bearer " + token
        connection.request(method, path, body=body, headers=fields)
        answer = connection.getresponse()
        return answer, json.loads(answer.read())

    def code(self, *words, **rest):
        answer, body = self.post(*words, **rest)
        self.assertEqual(answer.getheader("content-type"), "application/json")
        self.assertEqual(set(body["error"]), {"code", "message", "help"})
        return answer.status, body["error"]["code"]

    def test_over_tcp_the_token_of_the_file_is_asked(self):
        weir = self.start_tcp(token="sesame-open")
        self.assertEqual(self.code(self.path + "drain"), (401, "token_missing_or_wrong"))
        self.assertEqual(self.code(self.path + "drain", token="sesame-opem"), (401, "token_missing_or_wrong"))
        self.assertEqual(weir.ask(body=b"quick").status, 200)
        answer, body = self.post(self.path + "drain", token="sesame-open")
        self.assertEqual((answer.status, body["state"], body["reason"]), (200, "draining", "drained by request, until undrain or a restart"))
        self.assertEqual(weir.ask(body=b"quick").status, 503)
        self.assertNotIn("sesame", weir.log)

    def test_without_one_a_token_is_made_and_printed(self):
        weir = self.start_tcp()
        weir.wait_for_log(r"WEIR_ADMIN_TOKEN=[0-9a-f]{64}")
        token_ = weir.log.partition("WEIR_ADMIN_TOKEN=")[2][:64]
        words = ("drain", self.worker.name, "--admin", f"127.0.0.1:{self.port}")
        done = self.command(*words)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("help: set WEIR_ADMIN_TOKEN", done.stderr)
        done = self.command(*words, WEIR_ADMIN_TOKEN=token_)
        self.assertEqual(done.returncode, 0, done)

    def test_a_page_of_another_site_is_refused_whatever_it_knows(self):
        self.start_tcp(token="sesame-open")
        path = self.path + "drain"
        self.assertEqual(self.code(path, token="sesame-open", Host="evil.example"), (403, "unknown_host"))
        self.assertEqual(self.code(path, token="sesame-open", Origin="http://evil.example"), (403, "foreign_origin"))
        self.assertEqual(self.code(path, token="sesame-open", Origin="null"), (403, "foreign_origin"))
        answer, body = self.post(path, token="sesame-open", Origin=f"http://127.0.0.1:{self.port}")
        self.assertEqual((answer.status, body["state"]), (200, "draining"))

    def test_what_is_not_there_is_told_in_json(self):
        self.start_tcp(token="sesame-open")
        ask = {"token": "sesame-open"}
        self.assertEqual(self.code("/api/v1/backends/nobody/drain", **ask), (404, "no_such_backend"))
        self.assertEqual(self.code("/api/v1/backends/%zz/drain", **ask), (400, "bad_name"))
        self.assertEqual(self.code("/api/v1/nope", **ask), (404, "no_such_path"))
        self.assertEqual(self.code("/api/v1/nope", method="GET"), (404, "no_such_path"))
        self.assertEqual(self.code("/api/v1/status", **ask), (405, "method_not_allowed"))
        self.assertEqual(self.code(self.path + "drain", method="GET"), (405, "method_not_allowed"))
        self.assertEqual(self.code(self.path + "drain", method="DELETE", **ask), (405, "method_not_allowed"))
        answer, _ = self.post(self.path + "drain", method="GET")
        self.assertEqual(answer.getheader("allow"), "POST")

    def test_a_body_is_refused_without_being_read(self):
        self.start_tcp(token="sesame-open")
        self.assertEqual(self.code(self.path + "drain", token="sesame-open", body="{}"), (413, "body_not_expected"))
        self.assertEqual(self.code(self.path + "drain", token="sesame-open", **{"Content-Length": "99999999999"}),
                         (413, "body_not_expected"))

    @unittest.skipUnless(os.geteuid() == 0, "needs to become another user")
    def test_the_socket_belongs_to_its_user_even_when_its_mode_says_otherwise(self):
        only = Worker(self)
        self.start(only)
        self.assertEqual(stat.S_IMODE(os.stat(self.socket).st_mode), 0o600)
        os.chmod(self.home, 0o755)
        os.chmod(self.socket, 0o666)
        with socket.socket(socket.AF_UNIX) as foreign:
            os.seteuid(65534)
            try:
                foreign.connect(self.socket)
            finally:
                os.seteuid(0)
            foreign.sendall(b"POST /api/v1/backends/x/drain HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            answer = foreign.recv(4096)
            self.assertTrue(answer.startswith(b"HTTP/1.1 403 "), answer)
            self.assertIn(b"not_your_instance", answer)
        with socket.socket(socket.AF_UNIX) as own:
            own.connect(self.socket)
            own.sendall(b"POST /api/v1/backends/x/drain HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            self.assertTrue(own.recv(4096).startswith(b"HTTP/1.1 404 "))


if __name__ == "__main__":
    unittest.main()
