"""A TCP relay with network conditions, between a client and weir or between weir and a backend.

    with FaultGate(backend.port) as gate:
        gate.slice = 1          # every byte a write of its own
        gate.delay = 0.05       # seconds that each read lies here before it goes on
        gate.stop_reading()     # the receiver of answers is paused; go_on_reading()
        gate.cut("reset")       # every connection now; also "fin"
"""

import ctypes
import socket
import struct
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)


class FaultGate:
    def __init__(self, port, host="127.0.0.1"):
        self._target = (host, port)
        self.slice = 0  # bytes a write, towards the client; 0 = as they come
        self.delay = 0.0
        self.connections = 0
        self._pairs = []
        self._may_read = threading.Event()
        self._may_read.set()
        self._lock = threading.Lock()
        self._is_stopping = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.url = "http://" + self.address
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.refuse()
        self.cut("fin")

    def refuse(self):
        if self._is_stopping:
            return
        self._is_stopping = True
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._thread.join(10)
        self._listener.close()

    def stop_reading(self):
        self._may_read.clear()

    def go_on_reading(self):
        self._may_read.set()

    def cut(self, how):
        self._may_read.set()
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for sock in pair:
                if how == "reset":
                    self._disconnect(sock)
                else:
                    self._shut(sock)

    @staticmethod
    def _disconnect(sock):
        """RST now, although a thread still reads from it: that is what connect(AF_UNSPEC) does."""
        try:
            libc.connect(sock.fileno(), struct.pack("H14x", socket.AF_UNSPEC), 16)
        except OSError:
            pass

    @staticmethod
    def _shut(sock):
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._target, 5)
            except OSError:
                near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                near.close()
                continue
            for sock in (near, far):
                sock.settimeout(None)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                self._pairs.append((near, far))
            threading.Thread(target=self._relay, args=(near, far), daemon=True).start()

    def _relay(self, near, far):
        upward = threading.Thread(target=self._pump, args=(near, far, False), daemon=True)
        upward.start()
        self._pump(far, near, True)
        upward.join()
        near.close()
        far.close()

    def _pump(self, source, sink, is_answer):
        try:
            while data := source.recv(65536):
                if is_answer:
                    self._may_read.wait()
                if self.delay:
                    time.sleep(self.delay)
                size = self.slice if is_answer and self.slice else len(data)
                for at in range(0, len(data), size):
                    sink.sendall(data[at:at + size])
        except OSError:
            pass
        self._shut(sink)
        self._shut(source)
