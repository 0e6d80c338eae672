#!/usr/bin/env python3
"""Messages broken at random, through the real binary: does weir ever take for whole what a reader of its own, written
from the RFCs alone (strict_judge.py), calls broken? Does anybody get a byte that was another's?

    WEIR_BINARY=… mutations.py [requests|responses|both] [CASES] [SEED]

requests: whatever a client sends, the backend sees well-formed messages only, as many as the judge finds in the client's
bytes, with their bodies; each answer goes to who asked. responses: a broken or cut answer never arrives whole, and the
next request over the same connection gets its own answer. Ends with 1 and the bytes of each case where they differ.
"""
import collections
import json
import os
import pathlib
import random
import socket
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import LoadBalancer, free_port  # noqa: E402
from strict_judge import Bad, Cut, read_request, read_response  # noqa: E402
from test_strict_wire import ANSWERS, CHUNKS, REQUESTS, get, post  # noqa: E402

WIDTH = 16  # clients at once
CANARY = b"GET /canary HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

GOOD_REQUESTS = [
    get(b""), get(b"X:a\r\nY:\t b \t\r\nZ:\r\n"), post(b"Content-Length: 5\r\n", b"hello"),
    post(b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n3;a=\"b\"\r\nyou\r\n0\r\nX-T: y\r\n\r\n"),
    post(b"Content-Length: 5\r\n", b"hello") + get(b"X: second\r\n"),
    get(b"Connection: close, x-mine\r\nX-Mine: 1\r\nTE: trailers\r\n"), b"GET http://b/v1/models HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /v1/completions HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi", post(b"Expect: 100-continue\r\nContent-Length: 2\r\n", b"hi"),
]
GOOD_ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x\r\nyou\r\n0\r\nX-T: y\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"c\r\ndata: {\"a\"}\n\r\n1\r\n\n\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end",
]
CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SEEDS = {
    "requests": GOOD_REQUESTS * 15 + [wire for _, wire, _ in REQUESTS if len(wire) < 4096],
    "responses": GOOD_ANSWERS * 12 + [wire for _, wire in ANSWERS] + [CHUNKED_HEAD + body for _, body in CHUNKS if len(body) < 4096],
}
SPLINTERS = [b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b" ", b"\t", b":", b",", b";", b"0", b"5", b"-", b"+", b"\x0b", b"\x7f", b"\xff",
             b"chunked", b", chunked", b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n",
             b"Transfer-Encoding:chunked\r\n", b"Host: b\r\n", b"0\r\n\r\n", b"5\r\nhello\r\n", b"HTTP/1.1 200 OK\r\n", b"Connection: close\r\n",
             b"GET /smuggled HTTP/1.1\r\nHost: s\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad"]


def mutated(dice, seeds):
    wire = bytearray(dice.choice(seeds))
    for _ in range(dice.choice((1, 1, 1, 2, 2, 3))):
        at = dice.randrange(len(wire) + 1)
        how = dice.randrange(7)
        if how == 0 and at < len(wire):
            wire[at] ^= 1 << dice.randrange(8)
        elif how == 1:
            wire[at:at] = dice.choice(SPLINTERS)
        elif how == 2:
            del wire[at:at + dice.choice((1, 1, 2, 5, 20))]
        elif how == 3:  # a line again, somewhere
            lines = bytes(wire).split(b"\r\n")
            lines.insert(dice.randrange(len(lines) + 1), dice.choice(lines))
            wire = bytearray(b"\r\n".join(lines))
        elif how == 4:  # a line of another message
            lines = bytes(wire).split(b"\r\n")
            lines.insert(dice.randrange(len(lines) + 1), dice.choice(dice.choice(seeds).split(b"\r\n")))
            wire = bytearray(b"\r\n".join(lines))
        elif how == 5:
            wire = wire[:at] if dice.randrange(3) == 0 else wire
        elif at < len(wire):
            wire[at:at + 1] = dice.choice(SPLINTERS)
    return bytes(wire)


def in_pieces(dice, wire):
    cuts = sorted(dice.sample(range(1, len(wire)), min(len(wire) - 1, dice.choice((0, 0, 1, 3))))) if len(wire) > 1 else []
    return [wire[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(wire)])]


class Judged:
    """What went wrong, once each."""

    def __init__(self):
        self.lock = threading.Lock()
        self.differences = []
        self.counts = collections.Counter()

    def differ(self, what, *bytes_seen):
        with self.lock:
            self.differences.append((what, *bytes_seen))

    def count(self, what):
        with self.lock:
            self.counts[what] += 1


class RawBackend:
    """Reads requests with the judge alone and answers by answer_of(request): (bytes, whether it closes then)."""

    def __init__(self, judged, answer_of):
        self.judged, self.answer_of = judged, answer_of
        self.seen = collections.defaultdict(list)  # by the client's address
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            sock, _ = self.listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        wire, is_probe = b"", False
        with sock:
            while True:
                try:
                    request = read_request(wire)
                except Cut:
                    try:
                        more = sock.recv(65536)
                    except OSError:
                        return
                    if not more:
                        return
                    wire += more
                    continue
                except Bad as why:
                    self.judged.differ(f"the backend was sent a broken request: {why}", wire)
                    return
                wire = wire[request.size:]
                is_probe = request.all(b"user-agent") == [b"weir-probe"]
                address = request.all(b"x-forwarded-for")
                if not is_probe and len(address) != 1:
                    self.judged.differ("the backend was sent a request without X-Forwarded-For", wire)
                    return
                if not is_probe:
                    self.seen[address[0].split(b",")[-1].strip()].append(request)
                answer, closes = (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", False) if is_probe else self.answer_of(request)
                try:
                    for piece in answer if isinstance(answer, list) else [answer]:
                        sock.sendall(piece)
                except OSError:
                    return
                if closes:
                    return


class Client:
    """One connection from an address of its own, and all that came over it."""

    quiet = 0.4  # seconds without a byte, and the message will not end

    def __init__(self, address, number=None):
        self.sock = socket.socket()
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if number is not None:
            self.name = b"127.%d.%d.%d" % (1 + number // 62500, number // 250 % 250 + 1, number % 250 + 1)
            self.sock.bind((self.name.decode(), 0))
        self.sock.settimeout(30)
        self.sock.connect(address)
        self.buffer, self.is_ended = b"", False

    def send(self, pieces):
        try:
            for piece in pieces:
                self.sock.sendall(piece)
        except OSError:
            pass  # it has been refused; why stands in the answer

    def read_until(self, is_enough):
        """Until that, the end of the connection, or quiet."""
        self.sock.settimeout(self.quiet)
        while not self.is_ended and not is_enough():
            try:
                more = self.sock.recv(65536)
            except TimeoutError:
                return
            except OSError:
                more = b""
            self.is_ended = not more
            self.buffer += more


def all_requests(wire):
    """What the judge finds in the bytes of a client, up to the first that is broken or cut."""
    found = []
    while True:
        try:
            found.append(read_request(wire))
        except (Bad, Cut) as why:
            return found, why
        wire = wire[found[-1].size:]


def all_answers(wire, is_ended):
    found = []
    while wire:
        try:
            found.append(read_response(wire, "GET", is_ended))
        except Cut:
            break
        wire = wire[found[-1].size:]
    return found


def judge_requests(judged, weir, backend, number, dice):
    wire = mutated(dice, SEEDS["requests"]) + CANARY
    client = Client(weir.address, number)
    with client.sock:
        client.send(in_pieces(dice, wire))
        client.read_until(lambda: False)
    meant, why = all_requests(wire)
    try:
        answers = all_answers(client.buffer, client.is_ended)
    except Bad as broken:
        judged.differ(f"the client was sent a broken answer: {broken}", wire, client.buffer)
        return
    seen = backend.seen.get(client.name, [])
    passed = [answer for answer in answers if answer.all(b"x-from")]
    judged.count("as many as the judge finds" if len(seen) == len(meant) else "fewer")
    judged.counts["requests passed on"] += len(seen)
    if len(seen) > len(meant):
        judged.differ(f"{len(seen)} requests were passed on, the judge finds {len(meant)}: {why}", wire)
    for one, other in zip(seen, meant):
        if (one.first[0], one.body) != (other.first[0], other.body):
            judged.differ("a request was changed", wire, one.first[0] + b" " + one.body)
    if [answer.body for answer in passed] != [b"%s %d" % (client.name, place) for place in range(len(passed))]:
        judged.differ("an answer went to another", wire, client.buffer)
    if len(passed) != len(seen) and client.is_ended and b"Expect" not in wire:
        judged.differ(f"{len(seen)} requests were passed on, {len(passed)} answered", wire, client.buffer)


def judge_response(judged, weir, answers, number, dice):
    wire, closes = mutated(dice, SEEDS["responses"]), dice.randrange(2) == 0
    answers[number] = (in_pieces(dice, wire) or [b""], closes)
    try:
        meant = read_response(wire, "GET", closes)
    except (Bad, Cut) as why:
        meant, reason = None, why
    client = Client(weir.address)
    got = []

    def is_whole():
        try:
            got[:] = [read_response(client.buffer, "GET", client.is_ended)]
        except Cut:
            return False
        return True

    with client.sock:
        try:
            client.send([b"GET /case HTTP/1.1\r\nHost: a\r\nX-Case: %d\r\n\r\n" % number])
            client.read_until(is_whole)
            is_passed = is_whole() and not got[0].body.startswith(b'{"error":{"message":"backend ')
            judged.count("passed on" if is_passed else "refused or cut")
            if is_passed and meant is None:
                judged.differ(f"a broken answer arrived whole: {reason}", wire, client.buffer)
            if is_passed and meant and (got[0].first[1], got[0].body) != (meant.first[1], meant.body):
                judged.differ("an answer was changed", wire, client.buffer)
            if not got or client.is_ended:
                return
            client.buffer = client.buffer[got[0].size:]
            if client.buffer:
                judged.differ("bytes behind an answer", wire, client.buffer)
            client.send([b"GET /canary HTTP/1.1\r\nHost: a\r\nX-Case: canary %d\r\n\r\n" % number])
            client.read_until(is_whole)
            if is_whole() and got[0].first[1] == b"200" and got[0].body != b"canary %d" % number:
                judged.differ("the next request got bytes of the broken answer", wire, client.buffer)
        except Bad as broken:
            judged.differ(f"the client was sent a broken answer: {broken}", wire, client.buffer)


def in_turns(cases, work, seed):
    """work(number, dice) for every case, WIDTH at once."""
    numbers, lock = iter(range(cases)), threading.Lock()

    def turns():
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            work(number, random.Random(f"{seed} {number}"))

    threads = [threading.Thread(target=turns) for _ in range(WIDTH)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run(kind, cases, seed, directory):
    judged, answers = Judged(), {}

    def to_requests(request):
        name = request.all(b"x-forwarded-for")[0].split(b",")[-1].strip()
        body = b"%s %d" % (name, len(backend.seen[name]) - 1)
        return b"HTTP/1.1 200 OK\r\nX-From: backend\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body), False

    def to_responses(request):
        case = request.all(b"x-case")[0]
        if case.isdigit():
            return answers[int(case)]
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(case), case), False

    backend = RawBackend(judged, to_requests if kind == "requests" else to_responses)
    config = {"listen": [{"address": f"127.0.0.1:{free_port()}"}], "admin": {"address": "off"}, "backends": [backend.url],
              "paths": "all", "retry": {"attempts": 1}, "health": {"eject": "off", "timeout": "60s"}}
    path = os.path.join(directory, "weir.json")
    pathlib.Path(path).write_text(json.dumps(config), encoding="utf-8")
    weir = LoadBalancer("serve", "-c", path)
    try:
        weir.wait_for_log("-> ready")
        in_turns(cases, lambda number, dice: judge_requests(judged, weir, backend, number, dice) if kind == "requests"
                 else judge_response(judged, weir, answers, number, dice), f"{seed} {kind}")
        if weir.process.poll() is not None:
            judged.differ(f"weir ended with {weir.process.returncode}", weir.log[-4000:].encode())
    finally:
        weir.kill()
    backend.listener.close()
    passed = judged.counts["requests passed on"] + judged.counts["passed on"]
    if passed * 10 < cases and not judged.differences and Client.quiet < 10:
        Client.quiet *= 5
        print(f"only {passed} of {cases} were passed on; once more with more patience", flush=True)
        return run(kind, cases, seed, directory)
    if passed * 10 < cases:
        judged.differ(f"only {passed} of {cases} were passed on: this tests nothing")
    print(f"{kind}: {cases} cases of seed {seed}: {dict(judged.counts)}, {len(judged.differences)} differences")
    for difference in judged.differences[:20]:
        print("  ", *difference, sep="\n      ")
    return not judged.differences


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "both"
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    seed = sys.argv[3] if len(sys.argv) > 3 else "1"
    with tempfile.TemporaryDirectory() as directory:
        fine = [run(each, cases, seed, directory) for each in ("requests", "responses") if kind in (each, "both")]
    return 0 if fine and all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
