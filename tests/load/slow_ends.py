#!/usr/bin/env python3
"""Two hundred megabytes that one end is slow to take: how much memory does weir need meanwhile?

    WEIR_BINARY=… slow_ends.py [MEGABYTES]

A client that reads nothing while its backend pushes an answer or a stream, and a backend that reads nothing while a client
uploads; then all of it is taken and counted. Memory is what the kernel says of the process: resident and anonymous, at the
pause, and the peak of the whole transfer. Ends with 1 if it grew by 1 MiB, or a byte is missing. Use a release build.
"""
import pathlib
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from harness import CHAT, LoadBalancer, free_port  # noqa: E402
from scripted_backend import LAST_CHUNK, STREAM_HEAD, ScriptedBackend, chunk, event, whole  # noqa: E402

SIZE = (int(sys.argv[1]) if len(sys.argv) > 1 else 200) * 1_000_000
BLOCK = b"x" * 50_000
MOST = 1024  # KiB


def kibibytes(weir, name):
    with open(f"/proc/{weir.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name + ":"))


def forget_peak(weir):
    with open(f"/proc/{weir.process.pid}/clear_refs", "w", encoding="ascii") as refs:
        refs.write("5")


class Transfer:
    """`sent` bytes of SIZE by the end that pushes; the other may `go`."""

    def __init__(self):
        self.sent, self.go = 0, threading.Event()

    def push(self, send, wrap=lambda block: block):
        while self.sent < SIZE:
            send(wrap(BLOCK))
            self.sent += len(BLOCK)

    def wait_until_paused(self):
        level = -1
        while level != self.sent:
            level = self.sent
            time.sleep(1)
        return level


def download(weir, transfer, path):
    client = weir.client(receive_buffer=65536)
    client.send_request(path=path)
    client.read_head()
    return client


def take_download(client):
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    got, left = len(client.buffer), client.buffer
    while not left.endswith(LAST_CHUNK) and got < SIZE:
        data = client.sock.recv(1 << 20)
        if not data:
            break
        got += len(data)
        left = (left + data)[-8:]
    return got


def run(name, kind, path):
    transfer = Transfer()

    def behave(connection, request):
        if request.target == b"/warm":
            connection.receive_body(request)
            return connection.send(whole(b"w"))
        if kind == "upload":
            transfer.go.wait(300)
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            taken, connection.buffer = len(connection.buffer), b""
            while taken < SIZE:
                taken += len(connection.receive(1 << 20))
            return connection.send(whole(b"%d" % taken))
        if kind == "stream":
            connection.send(STREAM_HEAD)
            transfer.push(connection.send, lambda block: chunk(event(block)))
            return connection.send(LAST_CHUNK)
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n" % SIZE)
        transfer.push(connection.send)

    backend = ScriptedBackend(behave, reads_bodies=False, receive_buffer=65536)
    with LoadBalancer("reverse-proxy", "--from", f"http://127.0.0.1:{free_port()}", "--to", backend.url, "--admin",
                      "off") as weir:
        weir.backends = [backend]
        for _ in range(20):
            weir.ask(path="/warm", body=bytes(100_000))
        before = {what: kibibytes(weir, what) for what in ("VmRSS", "RssAnon")}
        forget_peak(weir)
        if kind == "upload":
            client = weir.client()
            client.sock.settimeout(300)
            client.send(f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {SIZE}\r\n\r\n".encode())
            pushing = threading.Thread(target=transfer.push, args=(client.send,), daemon=True)
            pushing.start()
        else:
            client = download(weir, transfer, path)
        level = transfer.wait_until_paused()
        grown = {what: kibibytes(weir, what) - size for what, size in before.items()}
        transfer.go.set()
        if kind == "upload":
            is_whole = client.read_answer().body == b"%d" % SIZE
        else:
            is_whole = take_download(client) >= SIZE
        peak = kibibytes(weir, "VmHWM") - before["VmRSS"]
        client.close()
    backend.stop()
    print(f"| {name} | {level / 1e6:.1f} MB | {grown['VmRSS']} KiB | {grown['RssAnon']} KiB | {peak} KiB | "
          f"{'all' if is_whole else 'NOT ALL'} of {SIZE // 1_000_000} MB |", flush=True)
    return is_whole and max(*grown.values(), peak) < MOST and level < SIZE // 2


def main():
    print("| | paused at | resident | anonymous | peak of the transfer | arrived |\n|---|---|---|---|---|---|")
    results = [run("client reads nothing, plain answer", "plain", "/file"),
               run("client reads nothing, event stream", "stream", CHAT),
               run("backend reads nothing, upload", "upload", "/upload"),
               run("backend reads nothing, chat", "upload", CHAT)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
