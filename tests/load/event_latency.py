#!/usr/bin/env python3
"""How much later does an event of a stream arrive through weir than directly?

    WEIR_BINARY=… event_latency.py [EVENTS [STREAMS]]

A backend in a process of its own writes the time into each event; the clients note when it arrives. Prints both
distributions in microseconds. The first event of each stream, whose head was held for it, has a row of its own.
"""
import multiprocessing
import os
import pathlib
import selectors
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from harness import LoadBalancer, free_port  # noqa: E402
from scripted_backend import LAST_CHUNK, STREAM_HEAD, chunk, event  # noqa: E402

PAUSE = 0.005  # between two events of a stream


def serve(listener, events):
    """One connection a thread of execution would blur the times: one loop for all of them."""
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    streams = {}
    while True:
        for key, _ in selector.select(0 if streams else None):
            if key.fileobj is listener:
                sock = listener.accept()[0]
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(sock, selectors.EVENT_READ, [b""])
                continue
            try:
                data = key.fileobj.recv(65536)
            except OSError:
                data = b""
            if not data:
                selector.unregister(key.fileobj)
                streams.pop(key.fileobj, None)
                key.fileobj.close()
            elif data.startswith(b"GET /health"):
                key.fileobj.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            elif b"\r\n\r\n" in data:
                key.fileobj.sendall(STREAM_HEAD)
                streams[key.fileobj] = [0, time.monotonic() + 0.05]
        now = time.monotonic()
        for sock, state in list(streams.items()):
            if now < state[1]:
                continue
            if state[0] == events:
                del streams[sock]
                sock.sendall(LAST_CHUNK)
                continue
            state[0] += 1
            state[1] += PAUSE
            sock.sendall(chunk(event(b'{"t":%020d}' % time.monotonic_ns())))
        time.sleep(0.0002)


def measure(address, streams):
    """Microseconds from the writing of each event to its reading: of first events, of the others."""
    selector = selectors.DefaultSelector()
    for _ in range(streams):
        sock = socket.create_connection(address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(b"GET /v1/stream HTTP/1.1\r\nHost: a\r\n\r\n")
        selector.register(sock, selectors.EVENT_READ, [b"", 0])
    first, rest = [], []
    while selector.get_map():
        for key, _ in selector.select():
            data = key.fileobj.recv(65536)
            now = time.monotonic_ns()
            state = key.data
            state[0] += data
            while (at := state[0].find(b'{"t":')) >= 0 and len(state[0]) >= at + 26:
                (rest if state[1] else first).append((now - int(state[0][at + 5:at + 25])) / 1000)
                state[1] += 1
                state[0] = state[0][at + 26:]
            if not data or state[0].endswith(LAST_CHUNK):
                selector.unregister(key.fileobj)
                key.fileobj.close()
    return first, rest


def row(name, values):
    values = sorted(values)
    at = [values[min(len(values) - 1, int(len(values) * share))] for share in (0.5, 0.9, 0.99)]
    print(f"{name:24} {len(values):7} {at[0]:9.0f} {at[1]:9.0f} {at[2]:9.0f} {values[-1]:9.0f}")
    return at


def main():
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    streams = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    backend = multiprocessing.get_context("fork").Process(target=serve, args=(listener, events), daemon=True)
    backend.start()
    try:
        address = listener.getsockname()
        with LoadBalancer("reverse-proxy", "--from", f"http://127.0.0.1:{free_port()}", "--to",
                          f"http://127.0.0.1:{address[1]}", "--admin", "off") as weir:
            print(f"{os.path.basename(os.path.realpath(weir.process.args[0]))}: {streams} streams of {events} events, "
                  f"{PAUSE * 1000:.0f} ms apart; microseconds")
            print(f"{'':24} {'events':>7} {'p50':>9} {'p90':>9} {'p99':>9} {'max':>9}")
            direct_first, direct = measure(address, streams)
            first, through = measure(weir.address, streams)
            row("first event, direct", direct_first)
            row("first event, weir", first)
            without, with_weir = row("events, direct", direct), row("events, weir", through)
            print(f"added: p50 {with_weir[0] - without[0]:.0f}, p99 {with_weir[2] - without[2]:.0f}")
            backend.terminate()
            backend.join()
    finally:
        if backend.is_alive():
            backend.terminate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
