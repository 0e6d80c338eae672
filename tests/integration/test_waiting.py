"""The waiting room: when every backend is at its cap requests wait here, in order, and get the first that is free."""

import threading
import time
import unittest

from harness import ProxyTest, eventually, free_port
from scripted_backend import PATIENCE, answers, whole


class Gatekeeper:
    """A backend whose answers the test lets out one by one."""

    def __init__(self, test):
        self.arrived = []
        self._may_answer = threading.Semaphore(0)
        self.backend = test.backend(self._behave)
        test.addCleanup(lambda: [self._may_answer.release() for _ in range(1000)])

    def _behave(self, connection, request):
        self.arrived.append(request.body)
        assert self._may_answer.acquire(timeout=PATIENCE)
        connection.send(whole(b"done " + request.body))

    def let_out(self, count=1):
        for _ in range(count):
            self._may_answer.release()

    def wait_for(self, count):
        eventually(lambda: len(self.arrived) >= count, f"{count} requests arrive, {len(self.arrived)} did")


class InLine(ProxyTest):
    def begin(self, weir, body):
        client = self.client(weir)
        client.send_request(body=body)
        return client

    def test_beyond_the_cap_requests_wait_and_are_served_when_one_frees_up(self):
        gate = Gatekeeper(self)
        weir = self.weir(gate.backend, flags=["--max-outstanding", "2"])
        clients = [self.begin(weir, b"%d" % number) for number in range(5)]
        gate.wait_for(2)
        for client in clients:
            client.wait_until_read()
        time.sleep(0.3)
        self.assertEqual(len(gate.arrived), 2)
        for number in range(5):
            gate.let_out()
            gate.wait_for(min(5, number + 3))
        for number, client in enumerate(clients):
            self.assertEqual(client.read_answer().body, b"done %d" % number)

    def test_line_is_served_in_the_order_of_arrival(self):
        gate = Gatekeeper(self)
        weir = self.weir(gate.backend, flags=["--max-outstanding", "1", "--workers", "1"])
        clients = []
        for number in range(20):
            clients.append(self.begin(weir, b"%d" % number))
            if number == 0:
                gate.wait_for(1)
            clients[-1].wait_until_read()
        for number in range(20):
            gate.let_out()
            self.assertEqual(clients[number].read_answer().body, b"done %d" % number)
        self.assertEqual(gate.arrived, [b"%d" % number for number in range(20)])

    def test_who_leaves_the_line_is_never_sent(self):
        gate = Gatekeeper(self)
        weir = self.weir(gate.backend, flags=["--max-outstanding", "1", "--access-log"])
        first = self.begin(weir, b"first")
        gate.wait_for(1)
        for leave in ("close", "reset"):
            waiting = [self.begin(weir, b"never") for _ in range(10)]
            for client in waiting:
                client.wait_until_read()
            for client in waiting:
                getattr(client, leave)()
        self.assertEqual([line["reason"] for line in weir.access_lines(20)], ["client_gone"] * 20)
        last = self.begin(weir, b"last")
        last.wait_until_read()
        gate.let_out()
        self.assertEqual(first.read_answer().body, b"done first")
        gate.let_out()
        self.assertEqual(last.read_answer().body, b"done last")
        self.assertEqual(gate.arrived, [b"first", b"last"])

    def test_capacity_of_all_backends_is_used_before_anybody_waits(self):
        gates = [Gatekeeper(self) for _ in range(3)]
        weir = self.weir(*[gate.backend for gate in gates], flags=["--max-outstanding", "2"])
        clients = [self.begin(weir, b"x") for _ in range(7)]
        for gate in gates:
            gate.wait_for(2)
        self.assertEqual([len(gate.arrived) for gate in gates], [2, 2, 2])
        gates[1].let_out()
        gates[1].wait_for(3)
        for gate in gates:
            gate.let_out(10)
        for client in clients:
            self.assertEqual(client.read_answer().status, 200)

    def test_least_outstanding_backend_is_chosen(self):
        gates = [Gatekeeper(self) for _ in range(4)]
        weir = self.weir(*[gate.backend for gate in gates])
        clients = []
        for number in range(12):
            clients.append(self.begin(weir, b"x"))
            eventually(lambda: sum(len(gate.arrived) for gate in gates) == len(clients), f"request {number} arrives")
            counts = sorted(len(gate.arrived) for gate in gates)
            self.assertLessEqual(counts[-1] - counts[0], 1)
        for gate in gates:
            gate.let_out(3)
        for client in clients:
            self.assertEqual(client.read_answer().status, 200)

    def test_body_of_a_waiting_request_is_not_lost(self):
        gate = Gatekeeper(self)
        weir = self.weir(gate.backend, flags=["--max-outstanding", "1"])
        first = self.begin(weir, b"first")
        gate.wait_for(1)
        body = bytes(range(256)) * 8000
        second = self.client(weir)
        second.send_request(body=body)
        time.sleep(0.2)  # weir takes in what it will
        gate.let_out(2)
        self.assertEqual(first.read_answer().body, b"done first")
        self.assertEqual(second.read_answer().body, b"done " + body)


class Refusals(ProxyTest):
    def test_full_waiting_room_is_429_with_retry_after(self):
        gate = Gatekeeper(self)
        weir = self.weir_serve(gate.backend, max_outstanding_per_backend=1, queue={"limit": 2, "timeout": "300s"}, workers=1)
        clients = [self.client(weir) for _ in range(3)]
        for number, client in enumerate(clients):
            client.send_request(body=b"x")
            if number == 0:
                gate.wait_for(1)
            client.wait_until_read()
        answer = weir.ask()
        self.assert_error(answer, 429, "queue_full")
        self.assertEqual(answer.error["type"], "rate_limit_error")
        self.assertTrue(1 <= int(answer.get("retry-after")) <= 60)
        gate.let_out(3)
        for client in clients:
            self.assertEqual(client.read_answer().status, 200)
        gate.let_out()
        self.assertEqual(weir.ask().status, 200)

    def test_waiting_too_long_is_503_queue_timeout(self):
        gate = Gatekeeper(self)
        weir = self.weir_serve(gate.backend, max_outstanding_per_backend=1, queue={"limit": 10, "timeout": "300ms"})
        first = self.client(weir)
        first.send_request(body=b"first")
        gate.wait_for(1)
        begun = time.monotonic()
        answer = weir.ask(body=b"second")
        self.assert_error(answer, 503, "queue_timeout")
        self.assertGreater(time.monotonic() - begun, 0.25)
        self.assertTrue(answer.get("retry-after"))
        gate.let_out()
        self.assertEqual(first.read_answer().status, 200)
        self.assertEqual(gate.arrived, [b"first"])

    def test_nobody_is_refused_for_waiting_in_reverse_proxy(self):
        gate = Gatekeeper(self)
        weir = self.weir(gate.backend, flags=["--max-outstanding", "1"])
        clients = [self.client(weir) for _ in range(200)]
        for client in clients:
            client.send_request(body=b"x")
        gate.let_out(200)
        self.assertEqual({client.read_answer().status for client in clients}, {200})

    def test_line_is_told_when_the_last_backend_goes_down(self):
        def refuse():
            """How the request ended that ran, and how long after the port began to refuse."""
            gate = Gatekeeper(self)
            weir = self.weir_serve(gate.backend, max_outstanding_per_backend=1, health={"interval": "100ms"})
            first, second = self.client(weir), self.client(weir)
            first.send_request(body=b"first")
            gate.wait_for(1)
            second.send_request(body=b"second")
            second.wait_until_read()
            begun = time.monotonic()
            gate.backend.refuse()
            self.assert_error(second.read_answer(), 503, "no_backend_ready")
            gate.let_out()
            return first.read_answer().status, time.monotonic() - begun

        for _ in range(20):
            status, took = refuse()
            if status == 200 or took < 1.5:  # silence behind a port that refuses is borne for no longer
                break
        self.assertEqual(status, 200, "what runs may end")

    def test_line_moves_to_the_backend_that_is_left(self):
        dying, good = Gatekeeper(self), Gatekeeper(self)
        weir = self.weir(dying.backend, good.backend, flags=["--max-outstanding", "1"])
        clients = [self.client(weir) for _ in range(6)]
        for client in clients:
            client.send_request(body=b"x")
        dying.wait_for(1)
        good.wait_for(1)
        dying.backend.refuse()
        dying.backend.connections[0].reset()
        good.let_out(10)
        self.assertEqual({client.read_answer().status for client in clients}, {200})


class Unprobed(ProxyTest):
    def test_backend_that_has_not_been_probed_yet_is_tried(self):
        backend = self.backend(answers(b"ok"), health=None)
        self.assertEqual(self.weir(backend).ask().body, b"ok")

    def test_backend_that_came_back_is_used_again(self):
        port = free_port()
        backend = self.backend(answers(b"one"), port=port)
        weir = self.weir(backend)
        self.assertEqual(weir.ask().body, b"one")
        backend.stop()
        eventually(lambda: weir.ask().status == 503, "503")
        self.backend(answers(b"two"), port=port)
        eventually(lambda: weir.ask().status == 200, "200 again")


if __name__ == "__main__":
    unittest.main()
