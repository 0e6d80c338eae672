#!/usr/bin/env python3
"""How much user memory does an idle client take, and how much an open stream?

    WEIR_BINARY=… memory_per_connection.py [IDLE [STREAMS [ROUNDS]]]      (5000 5000 5)

Opens IDLE keep-alive clients that have had one answer each, then STREAMS event streams that are sent one chunk in each
of ROUNDS. Memory is what the kernel calls anonymous in smaps_rollup: everything weir has of its own, malloc's gaps and
libevent's tables included, socket buffers not. Beside it stands what a reader of `ps` sees, the resident set.
"""
import contextlib
import os
import pathlib
import resource
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "counts"))
from counted import CountedWeir  # noqa: E402
from peers import Peers  # noqa: E402

BATCH = 250  # connections that are opened together: fewer than any backlog


class Memory:
    def __init__(self, pid):
        fields = dict(line.split(":") for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
        self.anonymous, self.resident = (int(fields[name].split()[0]) * 1024 for name in ("Anonymous", "Rss"))

    def report(self, what, before, count):
        print(f"{what:34} {self.anonymous / 1e6:8.2f} MB {(self.anonymous - before.anonymous) / count:8.0f} bytes each"
              f" (resident: {(self.resident - before.resident) / count:.0f})", flush=True)


def in_batches(count):
    while count > 0:
        yield min(count, BATCH)
        count -= BATCH


def main():
    idle, streams, rounds = [int(word) for word in sys.argv[1:]] + [5000, 5000, 5][len(sys.argv) - 1:]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    needed = idle + 2 * streams + 64
    if hard < needed:
        sys.exit(f"memory_per_connection: error: {needed} descriptors are needed, {hard} may be; help: ulimit -Hn")
    with Peers(None, contextlib.nullcontext) as peers:
        with CountedWeir(os.environ["WEIR_BINARY"], peers.port) as weir:
            peers.address = weir.address
            peers.exchange(peers.connect(BATCH), 2)  # warm
            start = Memory(weir.process.pid)
            print(f"{'with ' + str(BATCH) + ' clients':34} {start.anonymous / 1e6:8.2f} MB")
            for count in in_batches(idle):
                peers.exchange(peers.connect(count))
            with_idle = Memory(weir.process.pid)
            with_idle.report(f"and {idle} idle clients", start, idle)
            running = []
            for count in in_batches(streams):
                clients = peers.connect(count)
                running.append((peers.begin_streams(clients), clients))
            with_streams = Memory(weir.process.pid)
            with_streams.report(f"and {streams} open streams", with_idle, streams)
            for _ in range(rounds):
                for backends, clients in running:
                    peers.chunks(backends, clients)
            after = Memory(weir.process.pid)
            after.report(f"after {rounds} chunks in each", with_idle, streams)
            for backends, clients in running:
                peers.end_streams(backends, clients)
            peers.close()


if __name__ == "__main__":
    main()
