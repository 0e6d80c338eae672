#!/usr/bin/env python3
"""Clients that leave mid-stream: does each generation stop, and how soon?

    WEIR_BINARY=… leave_200.py [CLIENTS]

The clients begin streams at `weir mock` through weir, read some of them, and leave all at once. Ends with 1 unless the mock
counts one aborted generation for each.
"""
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from harness import BINARY, Client, LoadBalancer, eventually, free_port  # noqa: E402

BODY = b'{"model":"mock","stream":true,"max_tokens":20000,"messages":[{"role":"user","content":"go on"}]}'


def metric(port, name):
    with Client(("127.0.0.1", port)) as client:
        text = client.ask("GET", "/metrics").body.decode()
    values = re.findall(rf"^{re.escape(name)}(?:\{{[^}}]*\}})? ([0-9.e+]+)$", text, re.MULTILINE)
    return sum(float(value) for value in values)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    port = free_port()
    mock = subprocess.Popen([BINARY, "mock", "--listen", f"127.0.0.1:{port}", "--model", "mock", "--ttft", "20ms",
                             "--itl", "50ms", "--max-seqs", "1000"], stderr=subprocess.DEVNULL)
    try:
        def is_up():
            try:
                return metric(port, "weir_mock_aborted_total") == 0
            except OSError:
                return False
        eventually(is_up, "the mock answers")
        with LoadBalancer("reverse-proxy", "--from", f"http://127.0.0.1:{free_port()}", "--to",
                          f"http://127.0.0.1:{port}", "--admin", "off", "--max-outstanding", "unlimited") as weir:
            clients = [weir.client() for _ in range(count)]
            for client in clients:
                client.send_request(body=BODY, fields=["Content-Type: application/json"])
            for client in clients:
                assert client.read_head().status == 200
                assert client.read_chunk()
            running = metric(port, "vllm:num_requests_running")
            begun = time.monotonic()
            for number, client in enumerate(clients):
                (client.reset if number % 2 else client.close)()
            left = time.monotonic()
            stopped = 0
            while stopped < count and time.monotonic() - left < 10:
                stopped = metric(port, "weir_mock_aborted_total")
            took = time.monotonic() - begun
            print(f"{running:.0f} running, {count} clients left within {(left - begun) * 1000:.0f} ms, "
                  f"{stopped:.0f} generations stopped after {took * 1000:.0f} ms")
            eventually(lambda: weir.descriptors() <= weir.baseline + 2, "connections are closed", 6)
            return 0 if stopped == count else 1
    finally:
        mock.terminate()
        mock.wait(20)


if __name__ == "__main__":
    sys.exit(main())
