"""Everything at once, by chance: backends that die in every way and clients that leave in every way. Whatever happens,
nobody gets another's bytes, nothing cut looks whole, and weir is as it was afterwards. The seed is printed; WEIR_SEED
gives it again, WEIR_CHAOS_SECONDS a longer run.
"""

import collections
import contextlib
import os
import random
import threading
import time
import unittest

from harness import CHAT, ProxyTest, in_threads
from scripted_backend import DONE, LAST_CHUNK, PATIENCE, STREAM_HEAD, chunk, event, token, whole

SECONDS = float(os.environ.get("WEIR_CHAOS_SECONDS", "6"))
CLIENTS = 24
ENOUGH = 20  # whole answers without which the run has shown nothing


def events_of(name, count):
    return [token(b"%s-%d" % (name, number)) for number in range(count)]


class Actor:
    """What a backend does with a request; the request's body is `NAME COUNT`, COUNT 0 a plain answer."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lock = threading.Lock()

    def choose(self, *things):
        with self.lock:
            return self.random.choice(things)

    def __call__(self, connection, request):
        name, count = request.body.split(b" ")
        count = int(count)
        if count == 0:
            wire = whole(b'{"name":"%s","text":"%s"}' % (name, name * 50))
        else:
            wire = STREAM_HEAD + b"".join(map(chunk, events_of(name, count))) + chunk(DONE) + LAST_CHUNK
        act = self.choose(*["well"] * 12, "pieces", "pieces", "cut", "cut", "reset", "die", "garbage", "stray", "abort",
                          "stall", "close")
        if act == "cut" and count and self.choose(True, False):  # between two events
            connection.send(STREAM_HEAD + b"".join(map(chunk, events_of(name, count)[:self.choose(1, 3, 20)])))
            connection.fin()
        elif act == "pieces":
            connection.send_in_pieces(wire, self.choose(1, 7, 50), 0.0001)
        elif act in ("cut", "reset"):
            connection.send(wire[:int(len(wire) * self.choose(0.1, 0.3, 0.6, 0.95))])
            (connection.fin if act == "cut" else connection.reset)()
        elif act == "die":
            self.choose(connection.fin, connection.reset)()
        elif act == "garbage":
            connection.send(b"\x16\x03\x01 no http\r\n\r\n")
            connection.fin()
        elif act == "stray":
            connection.send(wire + whole(b"stray"))
        elif act == "abort" and count:
            connection.send(STREAM_HEAD + b"".join(map(chunk, events_of(name, count // 2)))
                            + chunk(token(b"half", b'"abort"')) + chunk(DONE) + LAST_CHUNK)
        elif act == "stall":
            time.sleep(0.2)
            connection.send(wire)
        else:
            connection.send(wire)
            if act == "close":
                connection.fin()


class Chaos(ProxyTest):
    def check(self, answer, name, count):
        """What this answer was: whole, cut or an error. Anything else is a failure."""
        if answer.status != 200:
            self.assertIn(answer.status, (502, 503), answer.body)
            self.assertEqual(answer.error["type"], "server_error")
            return "error"
        self.assertNotIn(b"stray", answer.body)
        if count == 0:
            self.assertEqual((answer.end, answer.body), ("whole", b'{"name":"%s","text":"%s"}' % (name, name * 50)))
            return "whole"
        expected = b"".join(events_of(name, count)) + DONE
        if answer.end == "whole":
            self.assertEqual(answer.body, expected)
            return "whole"
        body, _, error = answer.body.partition(event(b"")[:6] + b'{"error"')
        self.assertTrue(expected.startswith(body), (answer.body, expected))
        self.assertEqual("stream_interrupted" in error.decode(), bool(error))
        return "told" if error else "cut"

    def one_client(self, weir, chance, end, counts, names):
        client = None
        while time.monotonic() < end or (counts["whole"] < ENOUGH and time.monotonic() < end + PATIENCE):
            if client is None or client.end or chance.random() < 0.1:
                if client is not None:
                    client.close()
                client = weir.client(receive_buffer=chance.choice((0, 0, 4096)))
            name, count = b"n%d" % next(names), chance.choice((0, 0, 1, 3, 20, 200))
            client.send_request(path=CHAT, body=b"%s %d" % (name, count))
            if chance.random() < 0.15:
                time.sleep(chance.choice((0, 0, 0.001, 0.05)))
                with contextlib.suppress(OSError):
                    chance.choice((client.close, client.reset))()
                client = None
                counts["left"] += 1
                continue
            answer = client.read_answer()
            counts[self.check(answer, name, count)] += 1
            if answer.get("connection") == b"close" or answer.end != "whole":
                client.close()
                client = None
        if client is not None:
            client.close()

    def test_nobody_gets_anothers_bytes_and_nothing_cut_looks_whole(self):
        seed = int(os.environ.get("WEIR_SEED", random.randrange(1 << 30)))
        print(f"\n  WEIR_SEED={seed}", end=" ", flush=True)
        backends = [self.backend(Actor(seed + number)) for number in range(4)]
        weir = self.weir(*backends, flags=["--max-outstanding", "4"])
        counts = collections.Counter()
        names = iter(range(1 << 60))
        end = time.monotonic() + SECONDS
        in_threads(CLIENTS, lambda number: self.one_client(weir, random.Random(seed * 1000 + number), end, counts, names))
        print(dict(counts), end=" ")
        self.assertGreaterEqual(counts["whole"], ENOUGH)


if __name__ == "__main__":
    unittest.main()
