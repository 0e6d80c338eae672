"""What an operator sees of a running weir: status, metrics, health, the access log; over the socket and over TCP."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from harness import BINARY, PATIENCE, eventually, free_port

CHAT = json.dumps({"model": "mock", "stream": True, "max_tokens": 4, "stream_options": {"include_usage": True},
                   "messages": [{"role": "user", "content": "hi"}]})


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self.path)


class StatusTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.home = Path(directory.name)
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": str(self.home)}
        self.environment.pop("RUNTIME_DIRECTORY", None)

    def start(self, *arguments):
        process = subprocess.Popen([BINARY, *arguments], env=self.environment, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE * 3)
        for word in ("AddressSanitizer", "LeakSanitizer", "runtime error:", "Z error "):
            self.assertNotIn(word, said)

    def mock(self):
        port = free_port()
        self.start("mock", "--listen", f"127.0.0.1:{port}", "--ttft", "1ms", "--itl", "1ms")
        return port

    def weir(self, *backends, **options):
        self.port = free_port()
        flags = [word for name, value in options.items() for word in ("--" + name.replace("_", "-") + "=" + value,)]
        return self.start("serve", *(f"http://127.0.0.1:{port}" for port in backends),
                          "--listen", f"127.0.0.1:{self.port}", *flags)

    def status(self, *arguments):
        return subprocess.run([BINARY, "status", *arguments], env=self.environment, capture_output=True, text=True,
                              timeout=PATIENCE * 4)

    def ready(self, process, count=1):
        done = self.status("--wait-ready", str(count), "--timeout", "60s", "--instance", str(process.pid), "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def socket_of(self, process):
        return str(self.home / "weir" / f"{process.pid}.sock")

    def wait_for_socket(self, process):
        def answers():  # the file is there a moment before anybody listens
            with socket.socket(socket.AF_UNIX) as sock:
                return sock.connect_ex(self.socket_of(process)) == 0
        eventually(answers, "somebody listens on the socket")

    def get(self, process, path, method="GET", headers=None):
        connection = UnixConnection(self.socket_of(process))
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def chat(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("POST", "/v1/chat/completions", CHAT, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        self.assertEqual(answer.status, 200, body)
        self.assertIn(b"[DONE]", body)

    def test_status_says_of_each_backend_its_state_and_why(self):
        up, dead = self.mock(), free_port()
        process = self.weir(up, dead)
        view = self.ready(process)
        eventually(lambda: "refused" in self.status("--instance", str(process.pid)).stdout, "the dead one is seen")
        backends = {one["id"]: one for one in self.ready(process)["pools"][0]["backends"]}
        self.assertEqual(backends[f"127.0.0.1:{up}"]["state"], "ready")
        self.assertEqual(backends[f"127.0.0.1:{dead}"]["state"], "loading")
        self.assertIn("refused", backends[f"127.0.0.1:{dead}"]["reason"])
        self.assertEqual(view["pid"], process.pid)
        self.assertEqual(view["listeners"], [f"127.0.0.1:{self.port}"])
        table = self.status("--instance", str(process.pid)).stdout
        self.assertRegex(table, rf"127\.0\.0\.1:{up} +ready +\d\S* +0/256")
        self.assertNotIn("\x1b", table)

    def test_port_0_is_a_free_one_that_status_names(self):
        anywhere = ("--listen", "127.0.0.1:0") * 2
        process = self.start("serve", f"http://127.0.0.1:{self.mock()}", *anywhere)
        ports = [int(listener.rpartition(":")[2]) for listener in self.ready(process)["listeners"]]
        self.assertEqual((len(set(ports)), 0 in ports), (2, False))
        for self.port in ports:
            self.chat()

    def test_requests_are_counted(self):
        process = self.weir(self.mock())
        self.ready(process)
        for _ in range(5):
            self.chat()
        def backend():
            return self.ready(process)["pools"][0]["backends"][0]
        eventually(lambda: backend()["served"] == 5 and backend()["outstanding"] == 0, "five are over")
        self.assertEqual(backend()["failures"], 0)
        for pattern in (r'weir_requests_total\{pool="default",backend="[^"]+",status="2xx",stream="true"\} 5\n',
                        r'weir_time_to_first_token_seconds_count\{[^}]+\} 5\n', r'kind="completion"\} 20\n'):
            eventually(lambda wanted=pattern: re.search(wanted, self.get(process, "/metrics")[1]), f"{pattern} is counted")
        status, text = self.get(process, "/metrics")
        self.assertEqual(status, 200)
        for line in text.splitlines():
            self.assertRegex(line, r'^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="([^"\\]|\\.)*",?)*\})? [-+.\w]+)$')

    def test_health_of_the_process_and_of_the_pool(self):
        process = self.weir(free_port())
        self.wait_for_socket(process)
        self.assertEqual(self.get(process, "/livez"), (200, "ok\n"))
        status, text = self.get(process, "/readyz")
        self.assertEqual(status, 503)
        self.assertIn("pool default: no backend is ready", text)
        self.assertEqual(self.get(process, "/nope")[0], 404)
        self.assertEqual(self.get(process, "/livez", "POST")[0], 405)
        self.assertEqual(self.get(process, "/livez", headers={"Origin": "http://evil.example"})[0], 403)

    def test_the_socket_is_for_its_user_only_and_goes_with_the_process(self):
        process = self.weir(free_port())
        self.wait_for_socket(process)
        self.assertEqual(os.stat(self.socket_of(process)).st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(self.home / "weir").st_mode & 0o777, 0o700)
        self.end(process)
        self.assertFalse(os.path.exists(self.socket_of(process)))

    def test_over_tcp_the_host_is_checked(self):
        port = free_port()
        self.weir(free_port(), admin=f"127.0.0.1:{port}")

        def ask(host):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            connection.request("GET", "/livez", headers={"Host": host})
            return connection.getresponse().status

        def answers():
            try:
                return ask("localhost") == 200
            except OSError:
                return False

        eventually(answers, "the admin side answers")
        self.assertEqual(ask(f"127.0.0.1:{port}"), 200)
        self.assertEqual(ask("evil.example"), 403)
        self.assertEqual(self.status("--admin", f"127.0.0.1:{port}").returncode, 0)

    def test_nonsense_gets_400_and_the_rest_goes_on(self):
        process = self.weir(free_port())
        self.wait_for_socket(process)
        for nonsense in (b"\x00\x01\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"A" * 40_000, b"GET /\n\n"):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(PATIENCE)
                sock.connect(self.socket_of(process))
                try:
                    sock.sendall(nonsense)
                    self.assertRegex(sock.recv(65536), rb"^HTTP/1\.1 4\d\d ")
                except (BrokenPipeError, ConnectionResetError):
                    pass
        self.assertEqual(self.get(process, "/livez")[0], 200)

    def test_nobody_reachable_is_5_and_waiting_in_vain_is_6(self):
        self.environment["XDG_RUNTIME_DIR"] = str(self.home)
        self.assertEqual(self.status("--instance", "no-such").returncode, 5)
        self.assertEqual(self.status("--admin", f"127.0.0.1:{free_port()}").returncode, 5)
        process = self.weir(free_port())
        self.wait_for_socket(process)
        done = self.status("--wait-ready", "--timeout", "3s", "--instance", str(process.pid))
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("0 of 1 backends were ready in time", done.stderr)

    def test_several_instances_are_listed(self):
        one, other = self.weir(free_port()), self.weir(free_port())
        for process in (one, other):
            self.wait_for_socket(process)
        done = self.status()
        self.assertEqual(done.returncode, 2)
        self.assertIn("choose one with --instance", done.stderr)
        for process in (one, other):
            self.assertIn(f"pid {process.pid} ", done.stdout)

    def test_each_request_is_one_line_of_the_access_log(self):
        log = self.home / "access.log"
        process = self.weir(self.mock(), access_log=str(log))
        self.ready(process)
        for _ in range(3):
            self.chat()
        eventually(lambda: log.read_text().count("\n") == 3, "three lines")
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        keys = ("ts id client method path pool model backend attempts status stream finish queue_ms connect_ms ttfb_ms "
                "ttft_ms tpot_ms itl_max_ms total_ms tok_in tok_out bytes_in bytes_out reason").split()
        for line in lines:
            self.assertEqual(list(line), keys)
            self.assertRegex(line["ts"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertEqual((line["status"], line["stream"], line["reason"], line["tok_out"]), (200, True, None, 4))
            self.assertLessEqual(line["ttft_ms"], line["total_ms"])
        self.assertEqual(len({line["id"] for line in lines}), 3)

    def published(self, age=0, ended=False):
        now = int(time.time()) - age
        replicas = [{"id": f"n01-{i}", "host": "10.0.0.1", "port": 8000 + i, "node": "n01", "gpus": str(i), "step": "1.0",
                     "state": state, "since": now} for i, state in enumerate(("ready", "loading"))]
        path = self.home / "run.json"
        path.write_text(json.dumps({
            "weir_launch": 1, "job": "1234", "owner": "anna", "host": "n01", "pid": 7, "started": now - 60, "end_time": 0,
            "heartbeat": now, "heartbeat_interval": 5, "ended": ended, "model": "qwen", "url": "http://n01:8080/v1",
            "api_key": "sk-secret", "replicas": replicas}))
        return str(path)

    def test_a_published_file_is_shown_without_its_key(self):
        done = self.status("--file", self.published())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"pool qwen .* 1 of 2 ready")
        self.assertRegex(done.stdout, r"n01-1 +loading")
        self.assertNotIn("sk-secret", done.stdout)
        self.assertEqual(self.status("--file", self.published(), "--wait-ready", "1").returncode, 0)

    def test_a_published_file_of_a_run_that_is_gone_is_not_believed(self):
        for path in (self.published(age=600), self.published(ended=True), str(self.home / "no-such.json")):
            done = self.status("--file", path)
            self.assertEqual(done.returncode, 5)
            self.assertEqual(done.stdout, "")
        (self.home / "list").write_text("a:1\n")
        self.assertIn("says nothing about their state", self.status("--file", str(self.home / "list")).stderr)


if __name__ == "__main__":
    unittest.main()
