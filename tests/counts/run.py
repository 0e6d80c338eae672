#!/usr/bin/env python3
"""What does weir cost, in counts? Fails when a budget is exceeded (or, where a budget is not reached yet, the limit
that stands beside it here: lower it with every gain).

    run.py WEIR [--only NAME…] [--keep DIR]

WEIR is a release build. Counted are system calls and allocations (count_calls.cpp, preloaded) and user instructions
(valgrind's callgrind); no pace is judged, so a slow or busy machine counts the same. Of rounds that are counted
several times the least is taken: what disturbs only adds.
"""
import argparse
import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from counted import HERE, CountedWeir
from peers import Peers

WIDTH = 32  # connections that take turns together
ROUNDS = 40
TRIES = 4
CHUNK_LIMIT = 1_100  # its budget is reached; a slow machine sweeps more often


@dataclasses.dataclass
class Row:
    what: str
    unit: str
    count: float
    budget: float
    parts: str = ""
    limit: float = 0  # while the budget is not reached yet: what may not be exceeded meanwhile

    @property
    def is_over(self):
        return self.count > max(self.budget, self.limit)

    @property
    def mark(self):
        if self.is_over:
            return "FAILS"
        return "over" if self.count > self.budget else ""


class Bench:
    def __init__(self, binary, library, keep):
        self.binary, self.library, self.keep = binary, library, keep
        self.rows = []

    def add(self, *row, **more):
        self.rows.append(Row(*row, **more))
        row = self.rows[-1]
        print(f"{row.what:48} {row.count:10,.2f} {row.budget:10,.2f} {row.mark:6} {row.parts}", flush=True)


def with_peers(bench, library, tool, use, **more):
    """use(weir, peers) with a backend that takes turns."""
    holder = []
    with Peers(None, lambda: holder[0].still()) as peers:
        with CountedWeir(bench.binary, peers.port, library, tool, **more) as weir:
            holder.append(weir)
            peers.address = weir.address
            use(weir, peers)
            peers.close()  # weir waits for those that have begun


def least(weir, repeat, per):
    """The cheapest of some tries: (calls for each, the parts as text, allocations for each)."""
    best = None
    for _ in range(TRIES):
        before = weir.counts()
        repeat()
        spent = weir.counts() - before
        if best is None or spent.calls < best.calls:
            best = spent
    parts = ", ".join(f"{value / per:.2f} {name}" for name, value in best.items()
                      if value and name not in ("idle_waits", "broken_waits", "allocations", "bytes_in_use"))
    return best, best.calls / per, parts


def count_requests(bench):
    def use(weir, peers):
        clients = peers.connect(WIDTH)
        peers.exchange(clients, 3)
        per = WIDTH * ROUNDS
        spent, calls, parts = least(weir, lambda: peers.exchange(clients, ROUNDS), per)
        bench.add("system calls a keep-alive request", "calls", calls, 4.2, parts)
        bench.add("epoll_ctl a keep-alive request", "calls", spent["controls"] / per, 0)
        bench.add("allocations a keep-alive request", "allocations", spent["allocations"] / per, 0)

    with_peers(bench, bench.library, (), use)


def count_chunks(bench):
    def use(weir, peers):
        clients = peers.connect(WIDTH)
        peers.exchange(clients)
        backends = peers.begin_streams(clients)
        peers.chunks(backends, clients, 3)
        per = WIDTH * ROUNDS
        spent, calls, parts = least(weir, lambda: peers.chunks(backends, clients, ROUNDS), per)
        bench.add("system calls a streamed chunk", "calls", calls, 2.15, parts)
        bench.add("epoll_ctl a streamed chunk", "calls", spent["controls"] / per, 0)
        bench.add("allocations a streamed chunk", "allocations", spent["allocations"] / per, 0)
        peers.end_streams(backends, clients)

        def whole_stream():
            running = peers.begin_streams(clients)
            peers.chunks(running, clients, 2)
            peers.end_streams(running, clients)
        whole_stream()
        spent, _, _ = least(weir, whole_stream, WIDTH)
        bench.add("allocations a stream", "allocations", spent["allocations"] / WIDTH, 0)

    with_peers(bench, bench.library, (), use)


def count_memory(bench):
    few, many = 200, 1200

    def idle(weir, peers):
        peers.exchange(peers.connect(few))
        before = weir.counts()
        for _ in range((many - few) // few):
            peers.exchange(peers.connect(few))
        used = (weir.counts() - before)["bytes_in_use"] / (many - few)
        bench.add("bytes an idle client connection", "bytes", used, 768)

    def streams(weir, peers):
        def open_some(count):
            clients = peers.connect(count)
            peers.chunks(peers.begin_streams(clients), clients, 2)
        open_some(few)
        before = weir.counts()
        for _ in range((many - few) // few):
            open_some(few)
        used = (weir.counts() - before)["bytes_in_use"] / (many - few)
        bench.add("bytes an open stream, both its connections", "bytes", used, 2048)

    with_peers(bench, bench.library, (), idle)
    with_peers(bench, bench.library, (), streams)


def count_idling(bench):
    """Probes and sources of backends aside, which this weir does not have, an idle one sleeps."""
    def use(weir, peers):
        peers.exchange(peers.connect(WIDTH), 3)
        seconds, rates = 2, []
        for _ in range(TRIES):  # the first ones may see it close what it kept
            before, begun = weir.wake_ups(), time.monotonic()
            time.sleep(seconds)
            rates.append((weir.wake_ups() - before) / (time.monotonic() - begun))
        bench.add("wake-ups a second of an idle weir, four workers", "wake-ups", min(rates), 2)

    with_peers(bench, None, (), use, workers=4)


def instructions(bench, name, use):
    """Of a whole run of weir."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-counts-"))
    out = folder / f"{name}.callgrind"
    tool = ("valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--error-exitcode=0", "--compress-pos=no")
    with_peers(bench, None, tool, use)
    total = int(re.search(r"^(?:totals|summary): (\d+)", out.read_text(), re.MULTILINE)[1])
    if bench.keep:
        shutil.copy(out, bench.keep)
    shutil.rmtree(folder)
    return total


def count_instructions(bench):
    width = 8

    def requests(rounds):
        return lambda weir, peers: peers.exchange(peers.connect(width), rounds)

    def chunks(rounds):
        def use(weir, peers):
            clients = peers.connect(width)
            backends = peers.begin_streams(clients)
            peers.chunks(backends, clients, rounds)
            peers.end_streams(backends, clients)
        return use

    def difference(name, use, short, long, budget):
        least_spent = float("inf")
        for _ in range(TRIES):  # on a busy machine the loop turns more often for the same
            spent = instructions(bench, name + "_long", use(long)) - instructions(bench, name + "_short", use(short))
            least_spent = min(least_spent, spent / ((long - short) * width))
            if least_spent <= budget:
                break
        return least_spent

    bench.add("user instructions a keep-alive request", "instructions",
              difference("request", requests, 10, 110, 12_000), 12_000)
    bench.add("user instructions a streamed chunk", "instructions",
              difference("chunk", chunks, 10, 210, 1_000), 1_000, limit=CHUNK_LIMIT)


COUNTS = {"requests": count_requests, "chunks": count_chunks, "memory": count_memory, "idling": count_idling,
          "instructions": count_instructions}


def build_library(folder):
    library = folder / "libcount_calls.so"
    subprocess.run(["c++", "-std=c++20", "-O2", "-shared", "-fPIC", "-o", library, HERE / "count_calls.cpp"],
                   check=True)
    return library


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--only", nargs="+", choices=COUNTS, default=list(COUNTS))
    parser.add_argument("--keep", type=pathlib.Path, help="where callgrind's files are kept, for callgrind_annotate")
    options = parser.parse_args()
    if "instructions" in options.only and not shutil.which("valgrind"):
        sys.exit("counts: error: there is no valgrind; help: ./dev install counts")
    with tempfile.TemporaryDirectory(prefix="weir-counts-") as folder:
        bench = Bench(options.binary.resolve(), build_library(pathlib.Path(folder)), options.keep)
        print(f"{'':48} {'count':>10} {'budget':>10}", flush=True)
        for name in options.only:
            COUNTS[name](bench)
    over = [row.what for row in bench.rows if row.is_over]
    if over:
        sys.exit("counts: error: over budget: " + "; ".join(over))


if __name__ == "__main__":
    main()
