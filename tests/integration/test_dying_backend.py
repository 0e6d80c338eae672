"""A backend that dies while requests are with it, as a real vLLM does under SIGKILL: its kept connections are reset, and for
some moments its port still accepts what it will only reset."""

import concurrent.futures
import threading
import unittest

from harness import ProxyTest
from scripted_backend import PATIENCE, whole


class DyingBackend(ProxyTest):
    def test_request_on_a_kept_connection_goes_to_another_backend(self):
        dying, together, held, let_go = threading.Event(), threading.Barrier(8), threading.Event(), threading.Event()

        def one(connection, _):
            if dying.is_set():
                return connection.reset()
            together.wait(PATIENCE)
            connection.send(whole(b'{"ok":true}'))

        def other(connection, _):
            if not dying.is_set():
                together.wait(PATIENCE)
            elif not held.is_set():  # one request stays here, so that the dying backend is the least loaded
                held.set()
                let_go.wait(PATIENCE)
            connection.send(whole(b'{"ok":true}'))

        first, second = self.backend(one), self.backend(other)
        weir = self.weir(first, second)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            # Four at each of them at once: four kept connections to the one that will die.
            answers_of_all = [future.result().status for future in [pool.submit(weir.ask) for _ in range(8)]]
            self.assertEqual(answers_of_all, [200] * 8)
            dying.set()
            staying = pool.submit(weir.ask)
            self.assertTrue(held.wait(PATIENCE))
            before = len(first.requests)
            self.assertEqual([weir.ask().status for _ in range(10)], [200] * 10)
            self.assertGreater(len(first.requests), before, "the dying backend was never asked, so nothing was shown")
            let_go.set()
            self.assertEqual(staying.result().status, 200)

    def test_only_backend_is_asked_again_over_a_fresh_connection(self):
        connections = []

        def one(connection, _):
            if connections and connections[-1] is connection and len(connections) == 1:
                connection.reset()  # the kept one, as the second request arrives
                return
            connections.append(connection)
            connection.send(whole(b'{"ok":true}'))

        weir = self.weir(self.backend(one), flags=["--workers", "1"])  # the second finds the kept connection
        self.assertEqual([weir.ask().status for _ in range(2)], [200, 200])
        self.assertEqual(len(connections), 2)


if __name__ == "__main__":
    unittest.main()
