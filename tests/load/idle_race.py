#!/usr/bin/env python3
"""A backend closes its idle connection just as the next POST is sent over it: how many clients see an error?

    WEIR_BINARY=… idle_race.py [ROUNDS]

Half of the closes are FIN, half RST; the moment moves from before the request to after it. Ends with 1 if any client saw
anything but its answer.
"""
import pathlib
import queue
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from harness import LoadBalancer, free_port  # noqa: E402
from scripted_backend import ScriptedBackend, whole  # noqa: E402


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    served, victims = [], queue.SimpleQueue()
    random.seed(1)

    def behave(connection, request):
        served.append(connection)
        connection.send(whole(request.body))

    def close_on_command():
        while (victim := victims.get()) is not None:
            connection, how, after = victim
            end = time.perf_counter() + after
            while time.perf_counter() < end:
                pass
            try:
                getattr(connection, how)()
            except OSError:
                pass

    closer = threading.Thread(target=close_on_command, daemon=True)
    closer.start()
    errors, resent = [], 0
    with ScriptedBackend(behave) as backend:
        weir = LoadBalancer("reverse-proxy", "--from", f"http://127.0.0.1:{free_port()}", "--to", backend.url,
                            "--admin", "off")
        weir.backends = [backend]
        with weir, weir.client() as client:
            client.ask(body=b"first")
            for number in range(rounds):
                victims.put((served[-1], ("fin", "reset")[number % 2], random.uniform(0, 0.0006)))
                time.sleep(random.uniform(0, 0.0003))
                body = b"%d" % number
                answer = client.ask(body=body)
                if (answer.status, answer.body, answer.end) != (200, body, "whole"):
                    errors.append((number, answer.status, answer.body[:200]))
                resent += answer.get("x-weir-attempts") != b"1"
            victims.put(None)
            closer.join(10)
        print(f"{rounds} rounds over {len(backend.connections)} backend connections, {resent} sent again, "
              f"{len(errors)} errors seen by clients")
    for error in errors[:10]:
        print("  ", error)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
