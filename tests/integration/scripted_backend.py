"""A backend that does exactly what a test says, byte by byte, and remembers what it was sent.

    def behaviour(connection, request):        # in a thread of its own, once a request
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    with ScriptedBackend(behaviour) as backend:
        …
        backend.requests[0].fields

Weir's own probes are answered by `health` and neither seen by the behaviour nor remembered. A behaviour that returns
leaves the connection open for the next request; fin() and reset() close it.

What was received is written down before a byte is sent: whoever has seen an answer finds its request (and its probe)
here. Nothing else is certain at that moment: what a behaviour does after it has sent, and when it sees that the other side
has left, is to be waited for (wait_for).
"""

import os
import socket
import struct
import threading
import time

PROBE = b"weir-probe"
PATIENCE = 60.0  # of everything that waits; far beyond what any test needs


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(data):
    return b"data: " + data + b"\n\n"


LAST_CHUNK = b"0\r\n\r\n"
DONE = event(b"[DONE]")
STREAM_HEAD = (b"HTTP/1.1 200 OK\r\nserver: uvicorn\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
               b"transfer-encoding: chunked\r\n\r\n")


def token(text, finish=b"null"):
    """A chat event as vLLM sends it."""
    return event(b'{"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"'
                 + text + b'"},"finish_reason":' + finish + b"}]}")


def whole(body, fields=b"content-type: application/json\r\n", status=b"200 OK"):
    """The bytes of a plain answer."""
    return b"HTTP/1.1 " + status + b"\r\n" + fields + b"content-length: %d\r\n\r\n" % len(body) + body


def answers(body=b'{"ok":true}', **rest):
    """A behaviour: every request gets this plain answer."""
    return lambda connection, request: connection.send(whole(body, **rest))


def streams(*texts, end=DONE):
    """A behaviour: every request gets these tokens as an event stream with a proper end."""
    wire = STREAM_HEAD + b"".join(chunk(token(text)) for text in texts) + chunk(end) + LAST_CHUNK
    return lambda connection, request: connection.send(wire)


class Left(Exception):
    """The other side closed: an end of the script, no mistake."""


class Request:
    """A request as it came: `head` and `body_on_wire` are its bytes, `body` is without framing."""

    def __init__(self, head):
        self.head = head
        lines = head[:-4].split(b"\r\n")
        self.line = lines[0]
        self.method, self.target, self.version = lines[0].split(b" ")
        self.fields = [tuple(line.split(b": ", 1)) for line in lines[1:]]
        self.body = b""
        self.body_on_wire = b""
        self.connection = -1  # the number of the one it came over
        self.came_at = None

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower().encode()]

    def get(self, name):
        values = self.all(name)
        return values[0] if values else None


class Connection:
    def __init__(self, backend, sock, number):
        self.backend = backend
        self.sock = sock
        self.number = number  # of all that carried a request, from 0
        self.buffer = b""
        self.left_at = None  # when the other side's close was seen
        self.is_closed = False
        sock.settimeout(PATIENCE)

    def send(self, data):
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError, OSError) as error:
            self._note_left()
            raise Left from error

    def send_in_pieces(self, data, size, pause=0.0):
        """Each piece a segment of its own, as far as that can be had."""
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(data), size):
            self.send(data[at:at + size])
            if pause:
                time.sleep(pause)

    def fin(self):
        self.is_closed = True
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        self.sock.close()

    def reset(self):
        self.is_closed = True
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _note_left(self):
        if self.left_at is None:
            self.left_at = time.monotonic()

    def receive(self, size=65536):
        """b'' never: Left instead."""
        try:
            data = self.sock.recv(size)
        except TimeoutError as error:
            raise AssertionError("the backend waited in vain for bytes") from error
        except OSError as error:
            self._note_left()
            raise Left from error
        if not data:
            self._note_left()
            raise Left
        return data

    def wait_for_leaving(self):
        """Until the other side closes; when that was."""
        try:
            while True:
                self.receive()
        except Left:
            return self.left_at

    def _until(self, mark):
        while mark not in self.buffer:
            self.buffer += self.receive()
        end = self.buffer.index(mark) + len(mark)
        taken, self.buffer = self.buffer[:end], self.buffer[end:]
        return taken

    def _exactly(self, size):
        parts, have = [], 0
        while have < size:
            self.buffer = self.buffer or self.receive()
            taken, self.buffer = self.buffer[:size - have], self.buffer[size - have:]
            parts.append(taken)
            have += len(taken)
        return b"".join(parts)

    def receive_head(self):
        return Request(self._until(b"\r\n\r\n"))

    def receive_body(self, request):
        if request.get("transfer-encoding") == b"chunked":
            while True:
                line = self._until(b"\r\n")
                size = int(line, 16)
                data = self._exactly(size)
                request.body += data
                request.body_on_wire += line + data + self._exactly(2)
                if size == 0:
                    return
        request.body = request.body_on_wire = self._exactly(int(request.get("content-length") or 0))


class ScriptedBackend:
    """`health`: bytes that answer a probe, None to answer nothing. `reads_bodies=False`: the behaviour reads them."""

    def __init__(self, behaviour, *, health=whole(b""), port=0, host="127.0.0.1", path=None, reads_bodies=True,
                 receive_buffer=0):
        self.behaviour = behaviour
        self.health = health
        self.reads_bodies = reads_bodies
        self.requests = []
        self.connections = []  # that carried a request
        self.mistakes = []
        self.probes = 0
        self.last_probe = None
        self._changed = threading.Condition()
        self._open = set()
        self._is_stopping = False
        if path is not None:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(path)
            self.address = "unix:" + path
        else:
            self._listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            if receive_buffer:
                self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            if port:  # of free_port(), or of one that has ended
                self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((host, port))
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # for whoever comes after it
            self.port = self._listener.getsockname()[1]
            self.address = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        self.path = path
        self.url = self.address if path is not None else "http://" + self.address
        self._listener.listen(512)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def refuse(self):
        """From now on the port refuses; what is connected stays."""
        if self._is_stopping:
            return
        self._is_stopping = True
        try:
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        except OSError:
            pass
        self._thread.join(PATIENCE)
        self._listener.close()

    def stop(self):
        self.refuse()
        self.drop_connections()
        if self.path is not None and os.path.exists(self.path):
            os.unlink(self.path)

    def drop_connections(self):
        with self._changed:
            open_now = list(self._open)
        for sock in open_now:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def wait_for(self, condition, what):
        """Until condition() holds; looked at whenever something happened here."""
        end = time.monotonic() + PATIENCE
        with self._changed:
            while not condition():
                if time.monotonic() > end:
                    raise AssertionError("in vain: " + what)
                self._changed.wait(0.05)  # not everything that a condition may look at tells us of itself

    def wait_for_requests(self, count):
        self.wait_for(lambda: len(self.requests) >= count, f"{count} requests, there are {len(self.requests)}")

    def wait_for_probes(self, count):
        """Until so many have come: answered they are a moment later, and judged by weir later still."""
        self.wait_for(lambda: self.probes >= count, f"{count} probes, there were {self.probes}")

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._changed:
                self._open.add(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        connection = Connection(self, sock, -1)
        try:
            while not connection.is_closed:
                self._serve_one(connection)
        except Left:
            pass
        except Exception as error:  # a mistake of the script or a failed assertion: the test's to tell
            if not self._is_stopping:
                self.mistakes.append(error)
        finally:
            with self._changed:
                self._open.discard(sock)
                self._changed.notify_all()
            sock.close()

    def _serve_one(self, connection):
        request = connection.receive_head()
        if request.get("user-agent") == PROBE:
            health = self.health() if callable(self.health) else self.health
            with self._changed:
                self.probes += 1
                self.last_probe = request
                self._changed.notify_all()
            if health is None:
                connection.wait_for_leaving()
                raise Left
            connection.send(health)
            connection.fin()
            return
        if self.reads_bodies:
            connection.receive_body(request)
        with self._changed:
            if connection.number < 0:
                connection.number = len(self.connections)
                self.connections.append(connection)
            request.connection = connection.number
            request.came_at = time.monotonic()
            self.requests.append(request)
            self._changed.notify_all()
        self.behaviour(connection, request)
