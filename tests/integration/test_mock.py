"""`weir mock` as a client sees it: the wire of vLLM 0.32, the batch, what happens when clients leave, faults and signals.

Deadlines are generous on purpose: they bound a hang, they measure nothing.
"""
import contextlib
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

from harness import free_port

BINARY = os.environ.get("WEIR_BINARY", "weir")
LONG = 60.0  # seconds; no test waits that long unless it fails
MASK = (1 << 64) - 1


def until(condition, what, limit=LONG):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"never happened: {what}")


def chat(text="hello", **more):
    return {"messages": [{"role": "user", "content": text}], **more}


class Mock:
    """A running `weir mock`, of one or several pretend servers."""

    def __init__(self, *flags, servers=1, wait=True, environment=None):
        self.ports = [free_port() for _ in range(servers)]
        listen = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        env = {k: v for k, v in os.environ.items() if k != "VLLM_API_KEY"} | (environment or {})
        self.process = subprocess.Popen(
            [BINARY, "mock", "--listen", listen, *flags], env=env, stderr=subprocess.PIPE, text=True)
        try:
            if wait:
                for port in self.ports:
                    until(lambda p=port: can_connect(p), "the mock listens")
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(LONG)
        self.errors = self.process.stderr.read()
        self.process.stderr.close()
        assert "Sanitizer" not in self.errors and "assertion" not in self.errors, self.errors

    def exit_code(self):
        return self.process.wait(LONG)

    def connect(self, server=0):
        s = socket.create_connection(("127.0.0.1", self.ports[server]), timeout=LONG)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def request(self, method, path, body=None, headers=None, server=0):
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[server], timeout=LONG)
        with contextlib.closing(connection):
            data = json.dumps(body) if isinstance(body, (dict, list)) else body
            connection.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
            response = connection.getresponse()
            return response.status, response.read().decode(), dict(response.getheaders())

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body, **more):
        return self.request("POST", path, body, **more)

    def order(self, fault, server=0, **more):
        status, body, _ = self.post("/mock/fault", {"fault": fault, **more}, server=server)
        assert status == 200, body

    def metric(self, name, server=0):
        text = self.get("/metrics", server=server)[1]
        values = re.findall(rf"^{re.escape(name)}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
        assert values, f"no metric {name}"
        return sum(float(value) for value in values)


def can_connect(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def raw_post(body, path="/v1/chat/completions", headers=""):
    data = json.dumps(body).encode()
    return (f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{headers}"
            f"Content-Length: {len(data)}\r\n\r\n").encode() + data


def read_until(s, end, begun=b""):
    data = bytearray(begun)
    while not data.endswith(end):
        piece = s.recv(65536)
        if not piece:
            break
        data += piece
    return bytes(data)


def read_all(s):
    """Everything until the end of the connection, and how it ended."""
    data = b""
    while True:
        try:
            piece = s.recv(65536)
        except ConnectionResetError:
            return data, "reset"
        if not piece:
            return data, "fin"
        data += piece


def chunks(body):
    """The chunks of a chunked body; None at the end when its last chunk came."""
    out, at = [], 0
    while at < len(body):
        line = body.index(b"\r\n", at)
        size, start = int(body[at:line], 16), line + 2
        if size == 0:
            return out + [None]
        out.append(body[start:start + size].decode())
        assert body[start + size:start + size + 2] == b"\r\n"
        at = start + size + 2
    return out


def events(raw):
    """Of a whole streamed response: its head, its events (parsed), whether the last chunk came."""
    head, _, body = raw.partition(b"\r\n\r\n")
    parts = chunks(body)
    is_whole = bool(parts) and parts[-1] is None
    texts = [part for part in parts if part is not None]
    assert all(text.startswith("data: ") and text.endswith("\n\n") for text in texts)
    return head.decode(), [t[6:-2] if t == "data: [DONE]\n\n" else json.loads(t[6:]) for t in texts], is_whole


def content(event):
    return "".join(choice["delta"].get("content", "") for choice in event["choices"])


def text_of(parsed):
    return "".join(content(event) for event in parsed if event != "[DONE]" and "choices" in event)


def mix(value):
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & MASK
    return value ^ (value >> 31)


class Wire(unittest.TestCase):
    """One mock for all: bytes and answers."""

    @classmethod
    def setUpClass(cls):
        cls.mock = Mock("--model", "tiny", "--ttft", "2ms", "--itl", "1ms", "--max-model-len", "8192")
        cls.addClassCleanup(cls.mock.close)

    def stream(self, body, headers="", path="/v1/chat/completions"):
        with self.mock.connect() as s:
            s.sendall(raw_post({**body, "stream": True}, path, headers))
            return events(read_until(s, b"0\r\n\r\n"))

    def test_a_stream_has_the_head_and_the_events_of_vllm(self):
        head, parsed, is_whole = self.stream(chat(max_tokens=4))
        lines = head.split("\r\n")
        self.assertEqual(lines[0], "HTTP/1.1 200 OK")
        self.assertRegex(lines[1], r"^date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
        self.assertEqual(lines[2:], ["server: uvicorn", "content-type: text/event-stream; charset=utf-8",
                                     "vary: Origin", "transfer-encoding: chunked"])
        self.assertTrue(is_whole)
        self.assertEqual(len(parsed), 6)
        self.assertEqual(parsed[0]["choices"][0]["delta"], {"role": "assistant", "content": ""})
        self.assertEqual(parsed[-1], "[DONE]")
        self.assertEqual([e["choices"][0]["finish_reason"] for e in parsed[:-1]], [None] * 4 + ["length"])
        self.assertRegex(parsed[0]["id"], r"^chatcmpl-[0-9a-f]{16}$")

    def test_the_role_comes_in_the_same_write_as_the_first_token_and_after_the_head(self):
        with Mock("--ttft", "6s", "--itl", "60s") as mock, mock.connect() as s:
            s.sendall(raw_post(chat(max_tokens=2, stream=True)))
            self.assertTrue(s.recv(65536).endswith(b"transfer-encoding: chunked\r\n\r\n"))
            self.assertEqual(len(chunks(s.recv(65536))), 2)

    def test_the_answer_follows_from_the_prompt(self):
        streamed = text_of(self.stream(chat("what is a weir", max_tokens=20))[1])
        plain = json.loads(self.mock.post("/v1/chat/completions", chat("what is a weir", max_tokens=20))[1])
        self.assertEqual(plain["choices"][0]["message"]["content"], streamed)
        self.assertEqual(len(streamed.split()), 20)
        other = text_of(self.stream(chat("what is a dam", max_tokens=20))[1])
        self.assertNotEqual(other, streamed)

    def test_without_max_tokens_a_chat_stops_by_itself(self):
        key = 0xCBF29CE484222325
        for byte in b"hello":
            key = (key ^ byte) * 0x100000001B3 & MASK
        answer = json.loads(self.mock.post("/v1/chat/completions", chat())[1])
        self.assertEqual(answer["choices"][0]["finish_reason"], "stop")
        self.assertEqual(answer["usage"]["completion_tokens"], 32 + mix(key) % 64)

    def test_usage_comes_when_asked_for(self):
        _, parsed, _ = self.stream(chat(max_tokens=3, stream_options={"include_usage": True}))
        self.assertEqual(parsed[-2]["choices"], [])
        self.assertEqual(parsed[-2]["usage"], {"prompt_tokens": 7, "total_tokens": 10, "completion_tokens": 3})
        self.assertTrue(all("usage" not in event for event in parsed[:-2]))
        options = {"include_usage": True, "continuous_usage_stats": True}
        _, parsed, _ = self.stream(chat(max_tokens=3, stream_options=options))
        self.assertEqual([e["usage"]["completion_tokens"] for e in parsed[:-1]], [0, 1, 2, 3, 3])

    def test_a_plain_answer_is_two_writes(self):
        with self.mock.connect() as s:
            s.sendall(raw_post(chat(max_tokens=2)))
            data = b""
            while b"\r\n\r\n" not in data:
                data += s.recv(65536)
            head, _, body = data.partition(b"\r\n\r\n")
            names = [line.split(b":")[0] for line in head.split(b"\r\n")[1:]]
            self.assertEqual(names, [b"date", b"server", b"content-length", b"content-type", b"vary"])
            length = int(re.search(rb"content-length: (\d+)", head)[1])
            while len(body) < length:
                body += s.recv(65536)
            self.assertEqual(json.loads(body)["usage"]["completion_tokens"], 2)

    def test_completions_take_lists_of_prompts_and_n(self):
        body = {"prompt": ["a", "b"], "n": 2, "max_tokens": 3}
        answer = json.loads(self.mock.post("/v1/completions", body)[1])
        self.assertEqual([choice["index"] for choice in answer["choices"]], [0, 1, 2, 3])
        self.assertEqual(answer["usage"]["completion_tokens"], 12)
        _, parsed, is_whole = self.stream(body, path="/v1/completions")
        self.assertTrue(is_whole)
        texts = ["", "", "", ""]
        for event in parsed[:-1]:
            texts[event["choices"][0]["index"]] += event["choices"][0]["text"]
        self.assertEqual(texts, [choice["text"] for choice in answer["choices"]])

    def test_the_id_is_that_of_the_request(self):
        _, parsed, _ = self.stream(chat(max_tokens=1), headers="X-Request-Id: abc\r\n")
        self.assertEqual(parsed[0]["id"], "chatcmpl-abc")

    def test_refuses_as_vllm_does(self):
        post = self.mock.post
        cases = [
            (post("/v1/chat/completions", chat(model="nope")), 404, "does not exist"),
            (post("/v1/chat/completions", "{"), 400, "json_invalid"),
            (post("/v1/chat/completions", chat(max_tokens=0)), 400, "at least 1"),
            (post("/v1/chat/completions", chat("x" * 40000)), 400, "maximum context length"),
            (post("/v1/chat/completions", chat(), headers={"Content-Type": "text/plain"}), 400, "Unsupported Media"),
            (post("/nope", {}), 404, '{"detail":"Not Found"}'),
            (self.mock.get("/v1/chat/completions"), 405, '{"detail":"Method Not Allowed"}'),
            (self.mock.request("HEAD", "/health"), 405, ""),
        ]
        for (status, body, _), expected, part in cases:
            self.assertEqual(status, expected)
            self.assertIn(part, body)

    def test_answers_the_small_questions(self):
        get = self.mock.get
        self.assertEqual(get("/health")[:2], (200, ""))
        self.assertEqual(get("/ping")[0], 200)
        self.assertEqual(get("/version")[1], '{"version":"0.32.0"}')
        self.assertEqual(json.loads(get("/v1/models")[1])["data"][0]["id"], "tiny")
        self.assertIn("server_load", get("/load")[1])
        self.assertGreater(self.mock.metric("weir_mock_http_requests_total"), 0)
        self.assertEqual(json.loads(self.mock.post("/tokenize", {"prompt": "12345678"})[1])["count"], 2)
        vectors = json.loads(self.mock.post("/v1/embeddings", {"input": ["a", "b"]})[1])["data"]
        self.assertEqual([vector["index"] for vector in vectors], [0, 1])

    def test_pipelined_requests_are_answered_in_order_behind_a_stream_too(self):
        with self.mock.connect() as s:
            s.sendall(raw_post(chat(max_tokens=3, stream=True)) + b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
                      + b"GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            data, end = read_all(s)
        self.assertEqual(end, "fin")
        places = [data.find(piece) for piece in (b"[DONE]", b"content-length: 0", b'{"version"')]
        self.assertEqual(places, sorted(places))
        self.assertNotIn(-1, places)

    def test_says_continue_before_the_body(self):
        request = raw_post(chat(max_tokens=1), headers="Expect: 100-continue\r\n")
        head, _, body = request.partition(b"\r\n\r\n")
        with self.mock.connect() as s:
            s.sendall(head + b"\r\n\r\n")
            self.assertEqual(s.recv(65536), b"HTTP/1.1 100 Continue\r\n\r\n")
            s.sendall(body)
            self.assertIn(b"200 OK", s.recv(65536))

    def test_takes_chunked_bodies_byte_by_byte(self):
        body = json.dumps(chat(max_tokens=1)).encode()
        parts = b"".join(b"1\r\n" + body[i:i + 1] + b"\r\n" for i in range(len(body))) + b"0\r\nX-A: 1\r\n\r\n"
        head = (b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n")
        with self.mock.connect() as s:
            for i in range(0, len(head + parts), 50):
                s.sendall((head + parts)[i:i + 50])
            self.assertIn(b"200 OK", s.recv(65536))

    def test_what_is_no_http_gets_400_and_the_end(self):
        with self.mock.connect() as s:
            s.sendall(b"GARBAGE\r\n\r\n")
            data, end = read_all(s)
        self.assertTrue(data.startswith(b"HTTP/1.1 400 Bad Request\r\n"))
        self.assertTrue(data.endswith(b"connection: close\r\n\r\nInvalid HTTP request received."))
        self.assertEqual(end, "fin")

    def test_http_1_0_is_closed_but_its_stream_is_chunked(self):
        request = raw_post(chat(max_tokens=1, stream=True)).replace(b"HTTP/1.1", b"HTTP/1.0")
        with self.mock.connect() as s:
            s.sendall(request)
            data, end = read_all(s)
        self.assertIn(b"connection: close\r\ntransfer-encoding: chunked", data)
        self.assertTrue(data.endswith(b"0\r\n\r\n"))
        self.assertEqual(end, "fin")

    def test_a_half_closed_request_gets_no_byte(self):
        with self.mock.connect() as s:
            s.sendall(raw_post(chat(max_tokens=8000)))
            s.shutdown(socket.SHUT_WR)
            self.assertEqual(read_all(s)[0], b"")

    def test_a_large_body_is_read(self):
        ids = [7] * 200_000
        status, body, _ = self.mock.post("/v1/completions", {"prompt": ids})
        self.assertEqual(status, 400)
        self.assertIn("200000 input tokens", body)


class Engine(unittest.TestCase):
    def test_refuses_connections_while_it_loads(self):
        with Mock("--load-time", "6s", wait=False) as mock:
            first = mock.process.stderr.readline()
            self.assertIn("loading", first)
            self.assertFalse(can_connect(mock.ports[0]))
            until(lambda: can_connect(mock.ports[0]), "it listens")
            self.assertEqual(mock.get("/health")[0], 200)

    def test_runs_so_many_at_once_and_queues_the_others_behind_their_heads(self):
        with Mock("--max-seqs", "2", "--ttft", "1ms", "--itl", "5ms") as mock, contextlib.ExitStack() as stack:
            streams = [stack.enter_context(mock.connect()) for _ in range(5)]
            for s in streams:
                s.sendall(raw_post(chat(max_tokens=8000, stream=True)))
                self.assertIn(b"200 OK", s.recv(4096)[:20])
            until(lambda: mock.metric("vllm:num_requests_waiting") == 3, "three wait")
            self.assertEqual(mock.metric("vllm:num_requests_running"), 2)
            self.assertEqual(json.loads(mock.get("/load")[1]), {"server_load": 5})

    def test_says_busy_beyond_the_queue_limit(self):
        with Mock("--max-seqs", "1", "--queue-limit", "1", "--itl", "50ms") as mock, contextlib.ExitStack() as stack:
            for _ in range(2):
                s = stack.enter_context(mock.connect())
                s.sendall(raw_post(chat(max_tokens=1000, stream=True)))
                self.assertIn(b"200 OK", s.recv(4096)[:20])
            status, body, headers = mock.post("/v1/chat/completions", chat())
            self.assertEqual(status, 503)
            self.assertEqual(body, '{"error":{"message":"The engine is currently busy and cannot accept new requests. '
                                   'Please try again later or on a different instance.","type":"Service Unavailable",'
                                   '"param":null,"code":503}}')
            self.assertNotIn("retry-after", {name.lower() for name in headers})
            self.assertEqual(mock.metric("vllm:admission_rejections_total"), 1)

    def test_stops_generating_when_clients_leave_and_counts_them(self):
        with Mock("--max-seqs", "2", "--itl", "20ms", "--ttft", "1ms") as mock:
            running = [mock.connect() for _ in range(2)]
            queued = [mock.connect() for _ in range(2)]
            for number, s in enumerate(running + queued):
                s.sendall(raw_post(chat(max_tokens=8000, stream=number % 2 == 0)))
                until(lambda n=number: json.loads(mock.get("/load")[1])["server_load"] == n + 1, "it was taken")
            for s in queued + running:
                s.close()
            until(lambda: json.loads(mock.get("/load")[1])["server_load"] == 0, "all have left")
            self.assertEqual(mock.metric("weir_mock_aborted_total"), 4)
            self.assertEqual(mock.metric("vllm:num_requests_running"), 0)
            self.assertEqual(mock.metric("vllm:num_requests_waiting"), 0)
            self.assertLess(mock.metric("weir_mock_generated_tokens_total"), 8000)

    def test_a_reset_is_leaving_too_before_any_token_as_well(self):
        for flags in (("--itl", "5ms"), ("--ttft", "60s")):
            for is_stream in (True, False):
                with Mock(*flags) as mock, mock.connect() as s:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    s.sendall(raw_post(chat(max_tokens=8000, stream=is_stream)))
                    until(lambda m=mock: m.get("/load")[1] == '{"server_load":1}', "it was taken")
                    s.close()
                    until(lambda m=mock: m.metric("weir_mock_aborted_total") == 1, "it was counted")
                    self.assertEqual(mock.metric("vllm:num_requests_running"), 0)

    def test_a_reset_right_behind_the_request_is_leaving_too(self):
        with Mock("--ttft", "60s") as mock:
            for _ in range(20):
                s = mock.connect()
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                s.sendall(raw_post(chat(max_tokens=8)))
                s.close()
            # Those whose RST overtook the request are not counted; none may stay.
            until(lambda: mock.metric("weir_mock_open_connections") == 1, "only the asking one is open")
            self.assertEqual(mock.get("/load")[1], '{"server_load":0}')
            self.assertGreaterEqual(mock.metric("weir_mock_connections_total"), 20)

    def test_a_client_that_reads_nothing_keeps_its_answer(self):
        flags = ("--itl", "0", "--ttft", "0", "--max-model-len", "100000", "--idle-close", "100ms")
        with Mock(*flags) as mock, mock.connect() as s:
            s.sendall(raw_post(chat(max_tokens=60000, stream=True)))
            until(lambda: mock.metric("weir_mock_generated_tokens_total") == 60000, "all was generated", 4 * LONG)
            time.sleep(0.3)  # idle for longer than it may be: what is queued keeps it open
            _, parsed, is_whole = events(read_until(s, b"0\r\n\r\n"))
            self.assertTrue(is_whole)
            self.assertEqual(len(parsed), 60002)

    def test_closes_idle_connections(self):
        with Mock("--idle-close", "100ms") as mock, mock.connect() as used, mock.connect() as fresh:
            used.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertTrue(used.recv(4096).startswith(b"HTTP/1.1 200"))
            self.assertEqual(read_all(used), (b"", "fin"))
            fresh.settimeout(0.3)  # what has had no response yet is not idle
            self.assertRaises(TimeoutError, fresh.recv, 1)

    def test_asks_for_the_key_where_vllm_does(self):
        for mock in (Mock("--api-key", "secret"), Mock(environment={"VLLM_API_KEY": "secret"})):
            with mock:
                self.assertEqual(mock.get("/v1/models")[:2], (401, '{"error":"Unauthorized"}'))
                self.assertEqual(mock.get("/v1/models", headers={"Authorization": "Bearer secret"})[0], 200)
                self.assertEqual(mock.get("/health")[0], 200)

    def test_listens_on_a_unix_socket_too(self):
        with tempfile.TemporaryDirectory() as place:
            path = os.path.join(place, "mock.sock")
            for _ in range(2):  # the second finds what the first left behind
                process = subprocess.Popen([BINARY, "mock", "--listen", f"unix:{path}"], stderr=subprocess.PIPE)
                try:
                    with socket.socket(socket.AF_UNIX) as s:
                        s.settimeout(LONG)
                        until(lambda s=s: s.connect_ex(path) == 0, "it listens")
                        s.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                        self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 200"))
                finally:
                    process.kill()
                    process.communicate(timeout=LONG)

    def test_servers_of_one_process_have_their_own_state(self):
        with Mock(servers=3) as mock:
            mock.post("/v1/completions", {"prompt": "x", "max_tokens": 3}, server=1)
            self.assertEqual([mock.metric("weir_mock_requests_total", server=i) for i in range(3)], [0, 1, 0])


class Faults(unittest.TestCase):
    def stream(self, mock, fault, max_tokens=20):
        with mock.connect() as s:
            s.sendall(raw_post(chat(max_tokens=max_tokens, stream=True), headers=f"X-Mock-Fault: {fault}\r\n"))
            return read_all_or_whole(s)

    def test_strike_streams_where_they_are_told(self):
        with Mock("--itl", "1ms", "--ttft", "1ms") as mock:
            data, end = self.stream(mock, "reset_mid_stream:5")
            self.assertEqual((end, len(events(data)[1]), events(data)[2]), ("reset", 6, False))
            data, end = self.stream(mock, "fin_mid_stream:5")
            self.assertEqual((end, len(events(data)[1]), events(data)[2]), ("fin", 6, False))
            parsed = events(self.stream(mock, "abort:5")[0])[1]
            self.assertEqual([e["choices"][0]["finish_reason"] for e in parsed[:-1]], [None] * 6 + ["abort"])
            parsed = events(self.stream(mock, "abort:0")[0])[1]
            self.assertEqual(parsed[1]["choices"][0]["finish_reason"], "abort")
            _, parsed, is_whole = events(self.stream(mock, "error_event:5")[0])
            self.assertEqual(parsed[-2]["error"]["code"], 500)
            self.assertEqual(parsed[-1], "[DONE]")
            self.assertTrue(is_whole)

    def test_strike_plain_answers_too(self):
        with Mock("--itl", "1ms", "--ttft", "1ms") as mock:
            def ask(fault):
                return mock.post("/v1/chat/completions", chat(max_tokens=9), headers={"X-Mock-Fault": fault})
            self.assertEqual(ask("error_event:2")[0], 500)
            answer = json.loads(ask("abort:2")[1])
            self.assertEqual(answer["choices"][0]["finish_reason"], "abort")
            self.assertEqual(answer["usage"]["completion_tokens"], 3)
            with self.assertRaises((http.client.IncompleteRead, ConnectionResetError)):
                ask("reset_mid_stream:2")
            self.assertEqual(ask("500")[0], 500)
            self.assertEqual(ask("503")[0], 503)
            status, body, _ = ask("explode")
            self.assertEqual(status, 400)
            self.assertIn("use one of", body)

    def test_hang_until_the_client_leaves(self):
        with Mock("--itl", "1ms", "--ttft", "1ms") as mock:
            for fault, count in (("hang", 0), ("hang:mid_stream:4", 5)):
                with mock.connect() as s:
                    s.sendall(raw_post(chat(max_tokens=50, stream=True), headers=f"X-Mock-Fault: {fault}\r\n"))
                    head = b""
                    while b"\r\n\r\n" not in head:
                        head += s.recv(4096)
                    body = head.partition(b"\r\n\r\n")[2]
                    while body.count(b"data: ") < count or not body.endswith(b"\r\n" if count else b""):
                        body += s.recv(4096)
                    s.settimeout(0.3)
                    self.assertRaises(TimeoutError, s.recv, 1)
                    self.assertEqual(len(chunks(body)), count)
            until(lambda: mock.metric("weir_mock_aborted_total") == 2, "both were counted")

    def test_are_ordered_for_so_many_requests(self):
        with Mock() as mock:
            mock.order("503", count=2)
            answers = [mock.post("/v1/completions", {"prompt": "x", "max_tokens": 1})[0] for _ in range(3)]
            self.assertEqual(answers, [503, 503, 200])
            mock.order("unhealthy")
            self.assertEqual(mock.get("/health")[0], 503)
            mock.order("none")
            self.assertEqual(mock.get("/health")[0], 200)
            self.assertEqual(mock.post("/mock/fault", "never_ready")[0], 400)

    def test_hang_the_health_question(self):
        with Mock("--fault", "hang:health") as mock, mock.connect() as s:
            s.settimeout(0.3)
            s.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertRaises(TimeoutError, s.recv, 1)
            self.assertEqual(mock.get("/v1/models")[0], 200)

    def test_a_single_server_that_dies_ends_the_process(self):
        for fault in ("die", "die_in_prefill", "die_mid_stream:2"):
            with Mock("--itl", "1ms", "--fault", fault) as mock, mock.connect() as s:
                s.sendall(raw_post(chat(max_tokens=50, stream=True)))
                data, _ = read_all(s)
                self.assertNotIn(b"[DONE]", data)
                self.assertFalse(data.endswith(b"0\r\n\r\n"))
                self.assertEqual(mock.exit_code(), 1)

    def test_one_server_of_several_dies_alone(self):
        with Mock("--itl", "20ms", servers=2) as mock, mock.connect(0) as dying, mock.connect(1) as living:
            begun = {}
            for s, tokens in ((dying, 5000), (living, 50)):
                s.sendall(raw_post(chat(max_tokens=tokens, stream=True)))
                begun[s] = s.recv(4096)
                self.assertIn(b"200 OK", begun[s][:20])
            mock.order("die", server=0)
            self.assertEqual(read_all(dying)[1], "reset")
            until(lambda: not can_connect(mock.ports[0]), "its port refuses")
            self.assertTrue(events(read_until(living, b"0\r\n\r\n", begun[living]))[2])

    def test_die_at_start_and_never_ready(self):
        with Mock("--fault", "die_at_start", wait=False) as mock:
            self.assertEqual(mock.exit_code(), 1)
        with Mock("--fault", "never_ready", wait=False) as mock:
            mock.process.stderr.readline()
            time.sleep(0.3)
            self.assertFalse(can_connect(mock.ports[0]))
            mock.process.send_signal(signal.SIGTERM)
            self.assertEqual(mock.exit_code(), 0)

    def test_idle_connections_go_at_the_worst_moment(self):
        health = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
        with Mock("--fault", "close_idle_at_once") as mock, mock.connect() as s:
            s.sendall(health)
            data, end = read_all(s)
            self.assertTrue(data.startswith(b"HTTP/1.1 200") and b"connection" not in data)
            self.assertEqual(end, "fin")
        with Mock() as mock:
            mock.order("drop_reused")
            with mock.connect() as s:
                s.sendall(health)
                self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 200"))
                s.sendall(health)
                self.assertEqual(read_all(s), (b"", "reset"))


def read_all_or_whole(s):
    data = b""
    while not data.endswith(b"0\r\n\r\n"):
        try:
            piece = s.recv(65536)
        except ConnectionResetError:
            return data, "reset"
        if not piece:
            return data, "fin"
        data += piece
    return data, "whole"


class Signals(unittest.TestCase):
    def begin(self, mock, stack, is_stream=True, max_tokens=8000):
        s = stack.enter_context(mock.connect())
        before = json.loads(mock.get("/load")[1])["server_load"]
        s.sendall(raw_post(chat(max_tokens=max_tokens, stream=is_stream)))
        until(lambda: json.loads(mock.get("/load")[1])["server_load"] == before + 1, "it was taken")
        return s

    def test_sigterm_aborts_what_runs_as_vllm_does(self):
        with Mock("--itl", "5ms", "--ttft", "5ms", "--max-seqs", "2") as mock, contextlib.ExitStack() as stack:
            stream, plain = self.begin(mock, stack), self.begin(mock, stack, is_stream=False)
            queued = self.begin(mock, stack)
            idle = stack.enter_context(mock.connect())
            until(lambda: mock.metric("weir_mock_generated_tokens_total") > 4, "tokens come")
            mock.process.send_signal(signal.SIGTERM)
            for s in (stream, queued):
                _, parsed, is_whole = events(read_until(s, b"0\r\n\r\n"))
                self.assertEqual(parsed[-2]["choices"][0]["finish_reason"], "abort")
                self.assertTrue(is_whole)
            answer = json.loads(read_all(plain)[0].partition(b"\r\n\r\n")[2])
            self.assertEqual(answer["choices"][0]["finish_reason"], "abort")
            self.assertEqual(read_all(idle), (b"", "fin"))
            self.assertEqual(mock.exit_code(), 0)

    def test_drain_finishes_what_runs_and_refuses_what_comes(self):
        with Mock("--on-term", "drain", "--itl", "40ms") as mock, contextlib.ExitStack() as stack:
            s = self.begin(mock, stack, max_tokens=300)
            mock.process.send_signal(signal.SIGTERM)
            refused = until(lambda: (a := mock.post("/v1/completions", {"prompt": "x"}))[0] == 500 and a, "it drains")
            self.assertIn("cannot schedule new futures after shutdown", refused[1])
            self.assertEqual(mock.get("/health")[0], 200)
            _, parsed, is_whole = events(read_until(s, b"0\r\n\r\n"))
            self.assertEqual(parsed[-2]["choices"][0]["finish_reason"], "length")
            self.assertTrue(is_whole)
            self.assertEqual(mock.exit_code(), 0)

    def test_hang_refuses_and_stays_silent_until_the_client_leaves(self):
        with Mock("--on-term", "hang", "--itl", "5ms") as mock, contextlib.ExitStack() as stack:
            s = self.begin(mock, stack)
            mock.process.send_signal(signal.SIGTERM)
            until(lambda: not can_connect(mock.ports[0]), "the port refuses")
            s.settimeout(0.5)
            with self.assertRaises(TimeoutError):
                while s.recv(65536):
                    pass
            self.assertIsNone(mock.process.poll())
            s.close()
            self.assertEqual(mock.exit_code(), 0)

    def test_exit_is_gone_at_once(self):
        with Mock("--on-term", "exit", "--itl", "5ms") as mock, contextlib.ExitStack() as stack:
            s = self.begin(mock, stack)
            mock.process.send_signal(signal.SIGTERM)
            self.assertEqual(mock.exit_code(), 0)
            self.assertNotIn(b"[DONE]", read_all(s)[0])

    def test_an_address_that_is_taken_is_an_error_that_says_so(self):
        with Mock() as mock:
            flags = [BINARY, "mock", "--listen", f"127.0.0.1:{mock.ports[0]}"]
            second = subprocess.run(flags, capture_output=True, text=True, timeout=LONG)
            self.assertEqual(second.returncode, 1)
            self.assertIn("Address already in use", second.stderr)
            self.assertIn("help: ", second.stderr)


if __name__ == "__main__":
    unittest.main()
