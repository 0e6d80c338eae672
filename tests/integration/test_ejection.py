"""What failed requests make of a backend whose probes are all answered well: it is ejected and tried again."""

import threading
import time
import unittest

from harness import ProxyTest, eventually
from scripted_backend import answers, whole


class Ejection(ProxyTest):
    HEALTH = {"interval": "100ms", "timeout": "20s", "slow_start": "off",
              "eject": {"failures": 3, "base": "300ms", "most": "1s"}}

    def test_backend_that_drops_requests_is_ejected_and_comes_back_when_one_succeeds(self):
        is_ill = threading.Event()
        is_ill.set()

        def sick(connection, _):
            if is_ill.is_set():
                connection.reset()
            else:
                connection.send(whole(b"sick"))

        weir = self.weir_serve(self.backend(sick), self.backend(answers(b"well")), health=self.HEALTH)
        weir.wait_for_log("-> ready(.|\n)*-> ready")
        self.assertEqual({weir.ask().body for _ in range(20)}, {b"well"})
        weir.wait_for_log(r"ready -> ejected \(3 failures in a row: connection closed; tried again in \d+ ms\)")
        is_ill.clear()
        eventually(lambda: weir.ask().body == b"sick", "a request tries the ejected backend")
        weir.wait_for_log("ejected -> ready")

    def test_only_backend_is_never_ejected_and_not_probed_for_each_failure(self):
        backend = self.backend(lambda connection, _: connection.reset())
        begun = time.monotonic()
        weir = self.weir_serve(backend, health={**self.HEALTH, "interval": "1h", "fast_interval": "1h"})
        weir.wait_for_log("-> ready")
        for _ in range(200):
            self.assert_error(weir.ask(), 502, "backend_failed")
        eventually(lambda: backend.probes > 1, "trouble makes it ask")
        # By weir's own clock 100 ms lie between two.
        self.assertLessEqual(backend.probes, (time.monotonic() - begun) / 0.1 + 2)
        self.assertNotIn("-> ejected", weir.log)


if __name__ == "__main__":
    unittest.main()
