#!/usr/bin/env python3
"""One of four backends drops each request before its first byte, under load: how many clients see an error? Then one of four
resets each stream in its middle: how many of its clients see that it was cut?

    WEIR_BINARY=… dying_one_of_four.py [REQUESTS [CLIENTS]]

Each once as weir is by default, so that the ill one is soon ejected, and once with "eject": "off" and a budget of 1 (each
request may be sent again), so that it gets its share all the while.

Ends with 1 if any client of the first part saw anything but its whole answer, or any of the second a cut stream that looks
whole, or a whole one cut.
"""
import collections
import json
import pathlib
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from harness import CHAT, LoadBalancer, free_port, in_threads  # noqa: E402
from scripted_backend import DONE, LAST_CHUNK, STREAM_HEAD, ScriptedBackend, chunk, token, whole  # noqa: E402

REQUESTS = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
CLIENTS = int(sys.argv[2]) if len(sys.argv) > 2 else 32
EVENTS = 20


def well(connection, request):
    if request.body == b"plain":
        return connection.send(whole(b'{"ok":1}'))
    connection.send(STREAM_HEAD + b"".join(chunk(token(b"good")) for _ in range(EVENTS)) + chunk(DONE) + LAST_CHUNK)


def drops(connection, request):
    (connection.reset if len(connection.backend.requests) % 2 else connection.fin)()


def resets(connection, request):
    if request.body == b"plain":
        return connection.send(whole(b'{"ok":1}'))
    connection.send(STREAM_HEAD + b"".join(chunk(token(b"bad")) for _ in range(EVENTS // 2)))
    time.sleep(0.01)  # so that some of it arrives
    connection.reset()


def judge(answer, body):
    """whole, cut, retried and so on, or a mistake (in capitals)."""
    if answer.status != 200:
        return f"ERROR {answer.status} {answer.code}"
    if body == b"plain":
        return "whole" if (answer.end, answer.body) == ("whole", b'{"ok":1}') else "WRONG BODY"
    is_whole = answer.end == "whole" or DONE in answer.body
    if b'"bad"' in answer.body:
        return "CUT BUT LOOKS WHOLE" if is_whole else "cut, and visibly so"
    return "whole" if is_whole and answer.body == token(b"good") * EVENTS + DONE else "WHOLE BUT LOOKS CUT"


def run(name, behaviour, **config):
    backends = [ScriptedBackend(one) for one in (behaviour, well, well, well)]
    counts, lock = collections.Counter(), threading.Lock()

    def one_client(index):
        client = weir.client()
        for number in range(REQUESTS // CLIENTS):
            body = (b"plain", b"stream")[(index + number) % 2]
            client.send_request(path=CHAT, body=body)
            answer = client.read_answer()
            with lock:
                counts[judge(answer, body)] += 1
            if answer.end != "whole" or answer.get("connection") == b"close":
                client.close()
                client = weir.client()
        client.close()

    begun = time.monotonic()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"listen": [{"address": f"127.0.0.1:{free_port()}"}], "admin": {"address": "off"},
                   "backends": [backend.url for backend in backends], **config}, file)
        file.flush()
        with LoadBalancer("serve", "-c", file.name) as weir:
            weir.backends = backends
            in_threads(CLIENTS, one_client)
    for backend in backends:
        backend.stop()
    share = len(backends[0].requests)
    print(f"| {name} | {sum(counts.values())} | {share} | " + ", ".join(f"{n} {what}" for what, n in sorted(counts.items()))
          + f" | {time.monotonic() - begun:.1f} s |", flush=True)
    return share > 0 and not any(what.split()[0].isupper() for what in counts), counts


def main():
    print("| one of four | requests | sent to it | what clients saw | took |\n|---|---|---|---|---|")
    constant = {"health": {"eject": "off"}, "retry": {"budget": 1}}
    results = [run("drops before its first byte", drops), run("the same, never ejected", drops, **constant),
               run("resets mid-stream", resets), run("the same, never ejected", resets, **constant)]
    return 0 if all(is_well for is_well, _ in results) and results[3][1]["cut, and visibly so"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
