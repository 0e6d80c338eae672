"""A second opinion on HTTP/1.1: a reader of messages written from RFC 9110 and 9112 alone, with regular expressions, as
strict as they allow. It shares nothing with weir, so that where the two differ one of them is wrong."""

import dataclasses
import re

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
FIELD = re.compile(rb"(" + TOKEN + rb"):[ \t]*([\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?|)[ \t]*")
REQUEST_LINE = re.compile(rb"(" + TOKEN + rb") ([\x21-\x7e]+) HTTP/1\.([01])")
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*)?")
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?")  # an extension may say anything: nobody reads it
LENGTH = re.compile(rb"[0-9]{1,19}")


class Bad(Exception):
    """Not a message."""


class Cut(Exception):
    """The beginning of one."""


@dataclasses.dataclass
class Message:
    first: tuple
    fields: list
    body: bytes = b""
    size: int = 0  # bytes on the wire

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name]


def read_head(wire, first_line):
    """(Message, where its body begins)."""
    end = wire.find(b"\r\n\r\n")
    head = wire[:end] if end >= 0 else wire
    lines = head.split(b"\r\n")
    if any(b"\r" in line or b"\n" in line or b"\0" in line for line in lines[:-1]):
        raise Bad("a bare CR, LF or NUL in the head")
    if end < 0:
        raise Cut("head")
    if b"\r" in lines[-1] or b"\n" in lines[-1]:
        raise Bad("a bare CR or LF in the head")
    found = first_line.fullmatch(lines[0])
    if not found:
        raise Bad(f"first line {lines[0]!r}")
    fields = []
    for line in lines[1:]:
        field = FIELD.fullmatch(line)
        if not field:
            raise Bad(f"field {line!r}")
        fields.append((field[1], field[2]))
    return Message(found.groups(), fields), end + 4


def framing(message, version):
    """"chunked", a number, or None where nothing is said."""
    codings, lengths = message.all(b"transfer-encoding"), message.all(b"content-length")
    if codings:
        if lengths:
            raise Bad("both framings")
        if version == b"0":
            raise Bad("Transfer-Encoding in HTTP/1.0")
        if len(codings) > 1 or codings[0].lower() != b"chunked":
            raise Bad(f"Transfer-Encoding {codings!r}")
        return "chunked"
    if not lengths:
        return None
    values = {part.strip(b" \t") for line in lengths for part in line.split(b",")}
    if len(values) != 1 or not LENGTH.fullmatch(next(iter(values))):
        raise Bad(f"Content-Length {lengths!r}")
    size = int(next(iter(values)))
    if size >= 2 ** 63:
        raise Bad("Content-Length out of range")
    return size


def read_chunks(message, wire, at):
    while True:
        end = wire.find(b"\r\n", at)
        line = wire[at:end] if end >= 0 else wire[at:].removesuffix(b"\r")
        found = CHUNK_LINE.fullmatch(line)
        if end < 0:
            raise Cut("chunk line") if b"\n" not in line and b"\r" not in line else Bad("chunk line")
        if not found:
            raise Bad(f"chunk line {line!r}")
        size, at = int(found[1], 16), end + 2
        if size == 0:
            return read_trailers(message, wire, at)
        if len(wire) < at + size + 2:
            if not b"\r\n".startswith(wire[at + size:at + size + 2]):
                raise Bad("no CRLF behind the data of a chunk")
            raise Cut("chunk")
        if wire[at + size:at + size + 2] != b"\r\n":
            raise Bad("no CRLF behind the data of a chunk")
        message.body += wire[at:at + size]
        at += size + 2


def read_trailers(message, wire, at):
    while True:
        end = wire.find(b"\r\n", at)
        if end < 0:
            raise Cut("trailers")
        line = wire[at:end]
        at = end + 2
        if not line:
            return at
        if not FIELD.fullmatch(line):
            raise Bad(f"trailer {line!r}")


def read_body(message, wire, at, how):
    if how == "chunked":
        at = read_chunks(message, wire, at)
    else:
        if len(wire) < at + how:
            raise Cut("body")
        message.body, at = wire[at:at + how], at + how
    message.size = at
    return message


def read_request(wire):
    """The first request of `wire`; Bad or Cut."""
    skipped = 0
    while wire.startswith(b"\r\n"):
        wire, skipped = wire[2:], skipped + 2
    if not wire:
        raise Cut("nothing")
    message, at = read_head(wire, REQUEST_LINE)
    version, hosts = message.first[2], message.all(b"host")
    if len(hosts) > 1 or (version == b"1" and not hosts):
        raise Bad(f"Host {hosts!r}")
    read_body(message, wire, at, framing(message, version) or 0)
    message.size += skipped
    return message


def read_response(wire, method, is_ended):
    """The first response of `wire` to a request of that method, behind interim ones; Bad or Cut."""
    skipped = 0
    while True:
        message, at = read_head(wire, STATUS_LINE)
        status = int(message.first[1])
        if status == 101:
            raise Bad("a change of protocol nobody asked for")
        if status >= 200:
            break
        wire, skipped = wire[at:], skipped + at  # RFC 9112 6.3: no body, whatever it announces
    how = framing(message, message.first[0])
    if method == "HEAD" or status in (204, 304):
        how = 0
    if how is None:
        if not is_ended:
            raise Cut("ends with its connection")
        message.body, message.size = wire[at:], len(wire)
    else:
        read_body(message, wire, at, how)
    message.size += skipped
    return message
