"""What systemd is told: READY once the port accepts, STOPPING when the drain begins."""

import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import unittest

from harness import free_port


class ServiceManager(unittest.TestCase):
    def test_ready_when_listening_and_stopping_when_draining(self):
        with tempfile.TemporaryDirectory() as place, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            path = str(pathlib.Path(place) / "notify")
            notify.bind(path)
            notify.settimeout(60)
            port = free_port()
            weir = subprocess.Popen(
                [os.environ["WEIR_BINARY"], f"http://127.0.0.1:{free_port()}", "--listen", f"127.0.0.1:{port}", "--admin", "off"],
                env={**os.environ, "NOTIFY_SOCKET": path}, stderr=subprocess.DEVNULL)
            try:
                self.assertIn(b"READY=1", notify.recv(4096))
                socket.create_connection(("127.0.0.1", port), timeout=60).close()
                weir.send_signal(signal.SIGTERM)
                self.assertIn(b"STOPPING=1", notify.recv(4096))
                self.assertEqual(weir.wait(60), 0)
            finally:
                weir.kill()
                weir.wait()


if __name__ == "__main__":
    unittest.main()
