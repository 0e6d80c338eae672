#!/usr/bin/env python3
"""Minutes of everything at once: clients that stream, ask, upload, leave, read slowly, wait and pipeline; backends that are
killed, stopped, continued, told to stop, that decline, break streams and close what is idle. Afterwards weir must be as it
was: descriptors, memory, leases, connections.

    WEIR_BINARY=… soak.py [MINUTES [SEED]]          10 minutes; use a release build, of a sanitizer's memory nothing follows

Prints a table. Ends with 1 if an answer was wrong (another's, or cut and made to look whole), a client waited in vain, or
something is left.
"""
import collections
import itertools
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from harness import BINARY, CHAT, LoadBalancer, eventually, free_port, in_threads  # noqa: E402

MINUTES = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
CLIENTS, BACKENDS, CAP = 32, 4, 6  # more clients than slots: some wait
WARM_UP = min(60.0, MINUTES * 12)  # seconds
GROWN = 2048  # KiB that resident memory may have grown by since the warm-up


class Backend:
    """A `weir mock` that always comes back at the same port."""

    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [BINARY, "mock", "--listen", f"127.0.0.1:{self.port}", "--ttft", "5ms", "--itl", "2ms", "--idle-close", "1s"],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end(self, number):
        self.process.send_signal(number)
        self.process.wait()

    def order(self, fault, count):
        body = json.dumps({"fault": fault, "count": count}).encode()
        try:
            with urllib.request.urlopen(f"{self.url}/mock/fault", body, timeout=10) as answer:
                answer.read()
        except OSError:
            pass  # it is only coming up


class Trouble:
    """One thing after the other goes wrong, with one backend at a time."""

    ORDERS = [("503", 20), ("reset_mid_stream:3", 6), ("fin_mid_stream:5", 6), ("abort:2", 4), ("drop_reused", 10),
              ("error_event:4", 4), ("500", 3)]

    def __init__(self, backends, chance):
        self.backends, self.chance = backends, chance
        self.counts = collections.Counter()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self):
        self._over.set()
        self._thread.join()

    def _run(self):
        while not self._over.wait(self.chance.uniform(0.5, 2.5)):
            backend = self.chance.choice(self.backends)
            what = self.chance.choice(["kill", "term", "stop", "order", "order", "order"])
            self.counts[what] += 1
            if what == "order":
                fault, count = self.chance.choice(self.ORDERS)
                backend.order(fault, count)
            elif what == "stop":
                backend.process.send_signal(signal.SIGSTOP)
                self._over.wait(self.chance.uniform(0.5, 3))
                backend.process.send_signal(signal.SIGCONT)
            else:
                backend.end(signal.SIGKILL if what == "kill" else signal.SIGTERM)
                self._over.wait(self.chance.uniform(0.2, 1.5))
                backend.start()


def is_wrong(outcome):
    return outcome.split()[0].isupper()


class Visitor:
    """One client after the other, of all kinds."""

    KINDS = ["stream"] * 5 + ["plain"] * 3 + ["upload", "leaver", "leaver", "slow", "pipeline"]

    def __init__(self, weir, chance, ids, counts):
        self.weir, self.chance, self.ids, self.counts = weir, chance, ids, counts
        self.client = None

    def visit(self):
        kind = self.chance.choice(self.KINDS)
        if self.client is None or kind == "slow" or self.chance.random() < 0.1:
            self.leave()
            self.client = self.weir.client(receive_buffer=4096 if kind == "slow" else 0)
        outcome = getattr(self, kind)()
        self.counts[kind, outcome] += 1
        if is_wrong(outcome):
            print(f"  {kind}: {outcome}: {self.last.head!r} {self.last.body[-1500:]!r} {self.last.end}", flush=True)
        if self.client is not None and (self.client.end or kind == "slow"):
            self.leave()

    def leave(self, how="close"):
        if self.client is not None:
            getattr(self.client, how)()
        self.client = None

    def send(self, path=CHAT, **body):
        name = f"soak{next(self.ids)}"
        content = json.dumps({"model": "mock", "messages": [{"role": "user", "content": name}], **body}).encode()
        self.client.send_request(path=path, body=content,
                                 fields=[f"X-Request-Id: {name}", "Content-Type: application/json"])
        return name

    def judge(self, answer, name, tokens):
        """whole, cut, told (an error event), error, or a mistake in capitals."""
        self.last = answer
        if answer.get("connection") == b"close":
            self.leave()
        if answer.get("x-request-id") != name.encode():
            return "ANOTHER'S ANSWER"
        if answer.status != 200:
            return f"error {answer.status}" if answer.status in (429, 500, 502, 503, 504) else f"STATUS {answer.status}"
        ids = set(re.findall(rb'"id":"chatcmpl-([^"]+)"', answer.body))
        if ids - {name.encode()}:
            return "ANOTHER'S EVENTS"
        if answer.get("content-type").startswith(b"text/event-stream"):
            done = b"data: [DONE]" in answer.body
            if b'"code": 500' in answer.body:  # the backend's own error event passes, with its end
                return "error event of the backend"
            if answer.end == "whole":
                is_right = done and answer.body.count(b"data: ") == tokens + 2
                return "whole" if is_right else "SHORT BUT LOOKS WHOLE"
            return "DONE BUT CUT" if done else ("told" if b"stream_interrupted" in answer.body else "cut")
        if answer.end != "whole":
            return "cut"
        return "whole" if json.loads(answer.body)["usage"]["completion_tokens"] == tokens else "WRONG ANSWER"

    def stream(self):
        tokens = self.chance.choice([1, 8, 40, 150])
        name = self.send(stream=True, max_tokens=tokens)
        return self.judge(self.client.read_answer(), name, tokens)

    def plain(self):
        name = self.send(max_tokens=20)
        return self.judge(self.client.read_answer(), name, 20)

    def upload(self):
        parts = [self.chance.randbytes(50).hex() * 100] * self.chance.choice([3, 30, 150])
        name = self.send("/v1/embeddings", input=parts)
        answer = self.client.read_answer()
        if answer.status == 200 and answer.end == "whole":
            return "whole" if len(json.loads(answer.body)["data"]) == len(parts) else "WRONG ANSWER"
        return self.judge(answer, name, 0)

    def slow(self):
        name = self.send(stream=True, max_tokens=300)
        answer = self.client.read_head()
        while answer.get("transfer-encoding") == b"chunked" and (data := self.client.read_chunk()) is not None:
            if not data:
                break
            answer.body += data
            time.sleep(0.004)
        else:
            if answer.get("transfer-encoding") == b"chunked":
                answer.end = self.client.end
            else:
                answer.body = self.client._up_to(int(answer.get("content-length")))
        return self.judge(answer, name, 300)

    def pipeline(self):
        names = [self.send(max_tokens=3) for _ in range(3)]
        outcomes = []
        for name in names:
            if self.client is None or self.client.end:
                break
            outcomes.append(self.judge(self.client.read_answer(), name, 3))
        bad = [outcome for outcome in outcomes if outcome != "whole"]
        return bad[0] if bad else "whole"

    def leaver(self):
        self.send(stream=self.chance.random() < 0.8, max_tokens=500)
        when = self.chance.choice(["at once", "soon", "mid-stream"])
        if when == "soon":
            time.sleep(self.chance.uniform(0, 0.05))
        elif when == "mid-stream":
            self.client.wait_until_read()
            time.sleep(self.chance.uniform(0.05, 0.3))
        self.leave(self.chance.choice(["close", "reset"]))
        return "left " + when


def visit_until(weir, end, counts, round_):
    ids = itertools.count(round_ * 10_000_000)

    def one(index):
        visitor = Visitor(weir, random.Random(SEED * 1000 + round_ * 100 + index), ids, counts)
        while time.monotonic() < end:
            visitor.visit()
        visitor.leave()
    in_threads(CLIENTS, one, end - time.monotonic() + 120)


def status_of(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/status", timeout=60) as answer:
        return json.load(answer)


def levels(weir, port):
    """What must be as before, at rest."""
    def figures():
        status = status_of(port)
        backends = [backend for pool in status["pools"] for backend in pool["backends"]]
        return {"leases": sum(backend["outstanding"] for backend in backends),
                "waiting": sum(pool["waiting"]["length"] for pool in status["pools"]),
                "in flight": status["in_flight"], "clients": status["client_connections"]}
    eventually(lambda: not any(figures().values()), "nothing is under way", 120)
    eventually(lambda: weir.descriptors() <= weir.baseline, "the descriptors are back", 120)
    with open(f"/proc/{weir.process.pid}/status", encoding="ascii") as lines:
        resident = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    # Probes and these questions come and go.
    descriptors = min(time.sleep(0.05) or weir.descriptors() for _ in range(60))
    return {**figures(), "descriptors": descriptors, "resident KiB": resident}


def show(title, counts):
    kinds = sorted({kind for kind, _ in counts})
    print(f"\n{title}: {sum(counts.values())} requests and visits")
    for kind in kinds:
        print(f"  {kind:9}", ", ".join(f"{n} {outcome}" for (what, outcome), n in sorted(counts.items()) if what == kind))


def main():
    print(f"seed {SEED}, {MINUTES:g} minutes, {CLIENTS} clients, {BACKENDS} backends of {CAP} slots", flush=True)
    backends = [Backend() for _ in range(BACKENDS)]
    admin = free_port()
    counts = [collections.Counter(), collections.Counter()]
    try:
        with LoadBalancer("serve", *[backend.url for backend in backends], "--listen", f"127.0.0.1:{free_port()}",
                          "--admin", f"127.0.0.1:{admin}", "--max-outstanding", str(CAP)) as weir:
            eventually(lambda: status_of(admin)["pools"][0]["ready"] == BACKENDS, "all backends are ready")
            taken = []
            for round_, seconds in enumerate((WARM_UP, MINUTES * 60)):
                trouble = Trouble(backends, random.Random(SEED + round_))
                try:
                    visit_until(weir, time.monotonic() + seconds, counts[round_], round_)
                finally:
                    trouble.end()
                taken.append(levels(weir, admin))
                show(("warm-up", "soak")[round_], counts[round_])
                print("  trouble  ", dict(trouble.counts), flush=True)
    finally:
        for backend in backends:
            backend.process.kill()
            backend.process.wait()
    print("\n| at rest | after the warm-up | at the end |\n|---|---|---|")
    for name in taken[0]:
        print(f"| {name} | {taken[0][name]} | {taken[1][name]} |")
    wrong = [outcome for count in counts for _, outcome in count if is_wrong(outcome)]
    grown = taken[1]["resident KiB"] - taken[0]["resident KiB"]
    print(f"\nwrong answers: {wrong or 'none'}; grown by {grown} KiB")
    return 1 if wrong or grown > GROWN else 0


if __name__ == "__main__":
    sys.exit(main())
