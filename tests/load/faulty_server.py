#!/usr/bin/env python3
"""A server that speaks vLLM's wire format and breaks its streams on purpose, to see what load testers make of it. It knows the
truth: which answers were whole, which were not, and when it sent each token. Nothing of weir's own is in it.

    faulty_server.py        prints its port on 127.0.0.1, ends with its stdin

POST /fault   {"kind": KIND, "every": 4, "tokens": 30, "first_ms": 100, "gap_ms": 10}: from now on, and forget what was
GET /truth    {"whole", "broken", "unfinished", "whole_tokens", "sent_tokens", "ttft_ms": [..], "gaps_ms": [..], "seconds"}
POST /v1/...  a stream; of every `every` requests the last one is broken as KIND says, at half of its tokens

KINDS below says what each is. Small loads only: it is Python.
"""
import asyncio
import json
import socket
import struct
import sys
import time

KINDS = {
    "none": "nothing",
    "clean_end": "proper HTTP end, no finish_reason, no [DONE]",
    "done_only": "[DONE] without finish_reason",
    "fin": "FIN, last chunk missing",
    "reset": "TCP reset",
    "abort": 'finish_reason "abort", [DONE]',
    "error_event": "error event, [DONE]",
    "error_first": "error event before any text, [DONE]",
    "empty": "200, [DONE] alone",
    "429": "429, Retry-After: 1",
    "503": "503, Retry-After: 1",
    "no_done": "whole, [DONE] missing",
    # of all requests, and none is broken by them
    "late_text": "role event at once, text after `first_ms`",
    "four_a_piece": "4 tokens an event",
    "stall": "one gap of 50 times the others",
}
NEVER_BROKEN = ("none", "late_text", "four_a_piece", "stall")
WORDS = 4  # of an event of four_a_piece
MOST_BODY = 1 << 20


def now_ms():
    return time.monotonic() * 1000


class Truth:
    """What was served since the last order."""

    def __init__(self, kind="none", every=4, tokens=30, first_ms=100.0, gap_ms=10.0):
        self.kind, self.every, self.tokens, self.first_ms, self.gap_ms = kind, every, tokens, first_ms, gap_ms
        self.begun = self.whole = self.broken = self.whole_tokens = self.sent_tokens = 0
        self.ttft_ms, self.gaps_ms = [], []
        self.first_at = self.last_at = now_ms()

    def is_broken(self, number):
        return self.kind not in NEVER_BROKEN and number % self.every == self.every - 1

    def to_json(self):
        return {"whole": self.whole, "broken": self.broken, "unfinished": self.begun - self.whole - self.broken,
                "whole_tokens": self.whole_tokens, "sent_tokens": self.sent_tokens, "ttft_ms": self.ttft_ms,
                "gaps_ms": self.gaps_ms, "seconds": (self.last_at - self.first_at) / 1000}


def event(choice=None, **more):
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1763800000, "model": "tiny",
            "choices": [] if choice is None else [{"index": 0, "logprobs": None, "finish_reason": None, **choice}], **more}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


ERROR = b'data: {"error": {"message": "EngineCore encountered an issue", "type": "InternalServerError", "code": 500}}\n\n'
DONE = b"data: [DONE]\n\n"
ROLE = event({"delta": {"role": "assistant", "content": ""}})
REFUSED = {"429": "429 Too Many Requests", "503": "503 Service Unavailable"}


def finish(reason):
    return event({"delta": {}, "finish_reason": reason})


class Broken(Exception):
    """The connection was ended in the middle."""


class Answer:
    """One stream."""

    def __init__(self, writer, truth, wants_usage):
        self.writer, self.truth, self.wants_usage = writer, truth, wants_usage
        self.number = truth.begun
        if self.number == 0:
            truth.first_at = now_ms()
        truth.begun += 1
        self.read_at = now_ms()
        self.sent = 0
        self.last_at = None

    def send(self, *events):
        self.writer.write(b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in events))

    def token(self, count):
        if self.writer.transport.is_closing():
            raise ConnectionError
        at = now_ms()
        self.send(event({"delta": {"content": " river" * count}}))
        self.sent += count
        self.truth.sent_tokens += count
        if self.last_at is None:
            self.truth.ttft_ms.append(at - self.read_at)
        else:
            self.truth.gaps_ms.append(at - self.last_at)
        self.last_at = at

    def refuse(self, status):
        body = b'{"error": {"message": "the pool is full", "type": "overloaded", "code": %s}}' % status[:3].encode()
        self.writer.write(f"HTTP/1.1 {status}\r\nRetry-After: 1\r\nContent-Type: application/json\r\n"
                          f"Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def usage(self):
        if self.wants_usage:
            self.send(event(usage={"prompt_tokens": 8, "completion_tokens": self.sent, "total_tokens": 8 + self.sent}))

    def cut(self, kind):
        if kind == "reset":
            self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()
            raise Broken
        if kind == "fin":
            raise Broken
        if kind == "abort":
            self.send(finish("abort"))
            self.usage()
        if kind in ("error_event", "error_first"):
            self.send(ERROR)
        if kind != "clean_end":
            self.send(DONE)
        self.writer.write(b"0\r\n\r\n")

    async def run(self):
        truth, is_broken = self.truth, self.truth.is_broken(self.number)
        kind = truth.kind
        if is_broken and kind in REFUSED:
            self.refuse(REFUSED[kind])
            return False
        self.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n")
        if is_broken and kind == "empty":
            self.send(DONE)
            self.writer.write(b"0\r\n\r\n")
            return False
        if kind == "late_text" or (is_broken and kind == "error_first"):
            self.send(ROLE)
        due = self.read_at + truth.first_ms
        step = WORDS if kind == "four_a_piece" else 1
        last = truth.tokens // 2 if is_broken and kind != "no_done" else truth.tokens
        if is_broken and kind == "error_first":
            last = 0
        elif kind != "late_text":
            await asyncio.sleep(max(0, due - now_ms()) / 1000)
            self.send(ROLE)
        while self.sent < last:
            await asyncio.sleep(max(0, due - now_ms()) / 1000)
            self.token(min(step, last - self.sent))
            due += truth.gap_ms * step * (50 if kind == "stall" and self.sent == last // 2 else 1)
        if is_broken and kind != "no_done":
            self.cut(kind)
            return False
        self.send(finish("length"))
        self.usage()
        if not is_broken:
            self.send(DONE)
        self.writer.write(b"0\r\n\r\n")
        return not is_broken


class Server:
    def __init__(self):
        self.truth = Truth()

    async def serve(self, reader, writer):
        try:
            while await self.exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, Broken):
            pass
        finally:
            writer.close()

    async def exchange(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])}
        body = await reader.readexactly(min(int(fields.get("content-length", 0)), MOST_BODY))
        method, path, _ = head.split(" ", 2)
        if path == "/fault":
            self.truth = Truth(**json.loads(body))
        elif method == "POST" and path.startswith("/v1/"):
            truth = self.truth
            options = json.loads(body).get("stream_options") or {}
            answer = Answer(writer, truth, options.get("include_usage", False))
            is_whole = False
            try:
                is_whole = await answer.run()
                await writer.drain()
            except ConnectionError:
                return False  # the tester left: neither whole nor broken by us
            except Broken:
                pass
            truth.whole += is_whole
            truth.broken += not is_whole
            truth.whole_tokens += answer.sent if is_whole else 0
            truth.last_at = now_ms()
            if truth.is_broken(answer.number) and truth.kind in ("reset", "fin"):
                raise Broken
            return True
        reply = {"/truth": self.truth.to_json(), "/fault": {}, "/v1/models": {"object": "list", "data": [{"id": "tiny"}]}}.get(path)
        text = json.dumps(reply or {}).encode()
        writer.write(f"HTTP/1.1 {'404 Not Found' if reply is None else '200 OK'}\r\nContent-Type: application/json\r\n"
                     f"Content-Length: {len(text)}\r\n\r\n".encode() + text)
        return True


async def main():
    server = await asyncio.start_server(Server().serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
