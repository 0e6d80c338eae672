"""A tiny server to be started by `weir launch --serve`: asks for the key in VLLM_API_KEY, answers chats, whole or streamed.

    pretend_server.py --port N [--host H] [--load-time S] [--die-at-start CODE] [--ignore-sigterm] [--tokens N] [--pause S]
"""

import argparse
import http.server
import json
import os
import signal
import sys
import time


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        if self.path == "/v1/models":
            return self.answer(200, {"object": "list", "data": [{"id": "pretend", "object": "model"}]})
        self.answer(200 if self.path == "/health" else 404, {})

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = os.environ.get("VLLM_API_KEY")
        if key and self.headers.get("Authorization") != f"Bearer {key}":
            return self.answer(401, {"error": "Unauthorized"})
        usage = {"prompt_tokens": 3, "completion_tokens": OPTIONS.tokens, "total_tokens": 3 + OPTIONS.tokens}
        if not request.get("stream"):
            return self.answer(200, {"choices": [{"message": {"content": str(os.getpid())}, "finish_reason": "stop"}],
                                     "usage": usage})
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        events = [json.dumps({"choices": [{"delta": {"content": "x"}}]})] * OPTIONS.tokens
        events += [json.dumps({"choices": [], "usage": usage}), "[DONE]"]
        for event in events:
            data = f"data: {event}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()
            time.sleep(OPTIONS.pause)
        self.wfile.write(b"0\r\n\r\n")


def main():
    if OPTIONS.die_at_start is not None:
        print("cannot load the model: out of memory", file=sys.stderr)
        return OPTIONS.die_at_start
    signal.signal(signal.SIGTERM, signal.SIG_IGN if OPTIONS.ignore_sigterm else lambda *_: os._exit(0))
    print("loading", flush=True)
    time.sleep(OPTIONS.load_time)
    server = Server((OPTIONS.host, OPTIONS.port), Handler)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--load-time", type=float, default=0)
    parser.add_argument("--die-at-start", type=int)
    parser.add_argument("--ignore-sigterm", action="store_true")
    parser.add_argument("--tokens", type=int, default=3)
    parser.add_argument("--pause", type=float, default=0)
    OPTIONS = parser.parse_args()
    sys.exit(main())
