"""Clients and a backend that take turns with weir: nothing is sent before what was sent before has arrived.

All of them live in one thread. While a round is being sent weir stands still (`still` is a context manager that stops
and continues it), so a round of 32 requests is always one wake-up with 32 readable sockets, on a slow machine as well.
"""
import selectors
import socket

PATIENCE = 120.0  # for one answer, also under valgrind on a busy machine

BODY = (b'{"model": "meta-llama/Llama-3.1-8B-Instruct", "messages": [{"role": "system", "content": "You are a helpful '
        b'assistant."}, {"role": "user", "content": "' + b"Tell me about the sea and its weirs. " * 11
        + b'"}], "temperature": 0.7, "max_tokens": 128, "stream": false}')
REQUEST_FIELDS = (b"Host: 127.0.0.1:8080\r\nAccept: application/json\r\nAccept-Encoding: gzip, deflate\r\n"
                  b"Connection: keep-alive\r\nContent-Type: application/json\r\nUser-Agent: OpenAI/Python 1.52.0\r\n"
                  b"X-Stainless-Lang: python\r\nX-Stainless-Retry-Count: 0\r\n"
                  b"Authorization: Bearer sk-0123456789abcdef\r\n")
REQUEST = (b"POST /v1/chat/completions HTTP/1.1\r\n" + REQUEST_FIELDS + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)

ANSWER_BODY = (b'{"id":"chatcmpl-0123456789abcdef","object":"chat.completion","created":1700000000,"model":"m","choices":'
               b'[{"index":0,"message":{"role":"assistant","content":"The sea is wide."},"finish_reason":"stop"}],'
               b'"usage":{"prompt_tokens":120,"total_tokens":125,"completion_tokens":5}}')
ANSWER = (b"HTTP/1.1 200 OK\r\ndate: Sun, 01 Jun 2025 10:00:00 GMT\r\nserver: uvicorn\r\ncontent-length: %d\r\n"
          b"content-type: application/json\r\n\r\n" % len(ANSWER_BODY) + ANSWER_BODY)

STREAM_HEAD = (b"HTTP/1.1 200 OK\r\ndate: Sun, 01 Jun 2025 10:00:00 GMT\r\nserver: uvicorn\r\n"
               b"content-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n")
EVENT = (b'data: {"id":"chatcmpl-0123456789abcdef01234567","object":"chat.completion.chunk",'
         b'"created":1700000000,"model":"m","choices":[{"index":0,"delta":{"content":" sea"},"logprobs":null,'
         b'"finish_reason":null}]}\n\n')
CHUNK = b"%x\r\n%s\r\n" % (len(EVENT), EVENT)
STREAM_END = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
assert len(EVENT) == 204 and len(BODY) == 618, (len(EVENT), len(BODY))


def message_length(data):
    """Of the message with a Content-Length at the front of data; 0 while its head is not whole."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return 0
    for line in data[:end].split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return end + 4 + int(value)
    return end + 4


class Peers:
    def __init__(self, address, still):
        self.address = address
        self.still = still
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.listener.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.received = {}  # by connection of the backend
        self.clients = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.selector.close()
        for sock in [self.listener, *self.received, *self.clients]:
            sock.close()

    @property
    def port(self):
        return self.listener.getsockname()[1]

    def connect(self, count):
        clients = []
        for _ in range(count):
            sock = socket.create_connection(self.address, timeout=PATIENCE)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            clients.append(sock)
        self.clients += clients
        return clients

    def send_all(self, socks, data):
        with self.still():
            for sock in socks:
                sock.sendall(data)

    def take_requests(self, count):
        """The connections on which so many whole requests came."""
        arrived = []
        while len(arrived) < count:
            ready = self.selector.select(PATIENCE)
            if not ready:
                raise SystemExit(f"counts: error: {len(arrived)} of {count} requests came through to the backend")
            for key, _ in ready:
                if key.fileobj is self.listener:
                    self.accept()
                elif self.take(key.fileobj):
                    arrived.append(key.fileobj)
        return arrived

    def accept(self):
        sock = self.listener.accept()[0]
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(sock, selectors.EVENT_READ)
        self.received[sock] = b""

    def take(self, sock):
        try:
            data = sock.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:  # a probe, or an idle connection that weir gave up
            self.selector.unregister(sock)
            del self.received[sock]
            sock.close()
            return False
        data = self.received[sock] + data
        length = message_length(data)
        is_whole = length > 0 and len(data) >= length
        self.received[sock] = data[length:] if is_whole else data
        return is_whole

    @staticmethod
    def await_bytes(socks, length):
        """So many bytes on each, whatever they are; length = None: one message."""
        for sock in socks:
            data = b""
            while (len(data) < length if length else len(data) < (message_length(data) or 1)):
                piece = sock.recv(65536)
                if not piece:
                    raise SystemExit(f"counts: error: weir closed a client's connection behind {data[-200:]!r}")
                data += piece
            if length is None and not data.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"counts: error: not what the backend answered: {data[:200]!r}")

    def exchange(self, clients, rounds=1):
        for _ in range(rounds):
            self.send_all(clients, REQUEST)
            self.send_all(self.take_requests(len(clients)), ANSWER)
            self.await_bytes(clients, None)

    def begin_streams(self, clients):
        """A stream to each client, its first event sent; the backend's connections."""
        self.send_all(clients, REQUEST)
        backends = self.take_requests(len(clients))
        self.send_all(backends, STREAM_HEAD + CHUNK)
        for client in clients:
            data = b""
            while not data.endswith(CHUNK):
                data += client.recv(65536)
        return backends

    def chunks(self, backends, clients, rounds=1):
        for _ in range(rounds):
            self.send_all(backends, CHUNK)
            self.await_bytes(clients, len(CHUNK))

    def end_streams(self, backends, clients):
        self.send_all(backends, STREAM_END)
        self.await_bytes(clients, len(STREAM_END))
