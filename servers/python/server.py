#!/usr/bin/env python3
"""A contender in another language, in one file of the standard library: its part of the contract in servers/README.md.

It serves `GET /`, `/stats` and `/xhr`, `POST /publish`, `WS /ws/echo` and `/ws/broadcast`. What it does not serve stands in
its contender.toml. One event loop, whatever WORKERS says: threads of Python take turns.
"""

import argparse
import asyncio
import base64
import binascii
import collections
import hashlib
import json
import os
import platform
import resource
import socket
import struct
from urllib.parse import parse_qsl

SETTINGS = {"PORT": 9001, "WORKERS": 1, "PROCESSES": 1, "PUBLICATION_BYTES": 64 << 10, "ECHO_BYTES": 1 << 20, "REPLAY_WINDOW": 1024,
            "HEARTBEAT_MS": 15_000, "TCP_KEEPALIVE_S": 60, "TCP_USER_TIMEOUT_MS": 30_000}
FAREWELL_S = 1.0
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def settings():
    """Flags, or environment variables of the same names."""
    parser = argparse.ArgumentParser(description="A contender: serves its part of servers/README.md")
    parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
    for name, default in SETTINGS.items():
        flag = "--" + name.lower().replace("_", "-")
        parser.add_argument(flag, type=int, default=int(os.environ.get(name, default)))
    return parser.parse_args()


class Refused(Exception):
    """Why a request is refused, with its status, or a WebSocket is closed, with its code."""

    def __init__(self, code, reason):
        super().__init__(reason)
        self.code = code


class Hub:
    """The newest publications, as frames, and who is told of the next: each from a place of its own."""

    def __init__(self, window):
        self.frames = collections.deque(maxlen=window)
        self.newest = self.lagged = 0
        self.subscribers = set()

    def publish(self, text, event=None):
        self.newest += 1
        publication = {"id": self.newest, "event": event, "data": text} if event else {"id": self.newest, "data": text}
        self.frames.append(frame(TEXT, to_json(publication)))
        receipt = {"id": self.newest, "subscribers": len(self.subscribers)}
        for subscriber in list(self.subscribers):
            if self.newest - subscriber.cursor > self.frames.maxlen:
                self.lagged += 1
                self.subscribers.remove(subscriber)
                subscriber.lagged.set()
            subscriber.news.set()
        return receipt


class Subscriber:
    """A place in the stream of publications."""

    def __init__(self, hub, after):
        oldest = hub.newest - len(hub.frames)
        self.cursor = hub.newest if after is None else min(max(after, oldest), hub.newest)
        self.news, self.lagged = asyncio.Event(), asyncio.Event()
        hub.subscribers.add(self)

    async def next(self, hub):
        while self.cursor == hub.newest:
            self.news.clear()
            await self.news.wait()
        if self.lagged.is_set():
            await lagging(self)
        self.cursor += 1
        return hub.frames[self.cursor - hub.newest - 1]


def to_json(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def frame(opcode, payload):
    """One whole frame of a server (RFC 6455, section 5.2)."""
    length = len(payload)
    if length < 126:
        return bytes([0x80 | opcode, length]) + payload
    return struct.pack("!BBH" if length < 65536 else "!BBQ", 0x80 | opcode, 126 if length < 65536 else 127, length) + payload


def whole_number(text):
    """Digits and nothing else; none of them counts beyond 64 bits."""
    return int(text[:5000]) if text.isascii() and text.isdigit() else None


class Connection:
    """One client: some requests, and perhaps a WebSocket."""

    def __init__(self, server, reader, writer):
        self.options, self.hub = server.options, server.hub
        self.reader, self.writer = reader, writer

    async def serve(self):
        try:
            while await self.request():
                pass
            self.writer.write_eof()
            async with asyncio.timeout(FAREWELL_S):
                # What is left unread would have TCP reset the connection before the client has read the answer.
                while await self.reader.read(65536):
                    pass
        except (OSError, EOFError, TimeoutError):
            pass
        finally:
            self.writer.transport.abort()

    async def send(self, *parts):
        self.writer.writelines(parts)
        await self.writer.drain()

    async def answer(self, status, body, head_only=False, close=False):
        reasons = {200: "OK", 202: "Accepted", 404: "Not Found", 405: "Method Not Allowed", 413: "Content Too Large"}
        head = f"HTTP/1.1 {status} {reasons.get(status, 'Bad Request')}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        head += "Connection: close\r\n\r\n" if close else "\r\n"
        await self.send(head.encode(), b"" if head_only else body)

    async def request(self):
        """Answers one request. Is there to be another?"""
        method = b""
        try:
            try:
                head = await self.reader.readuntil(b"\r\n\r\n")
            except asyncio.LimitOverrunError:
                raise Refused(431, "a head of more than 64 KiB") from None
            method, target, fields = parse_head(head)
            path, _, query = target.partition("?")
            query = dict(reversed(parse_qsl(query, keep_blank_values=True)))
            if path in ("/ws/echo", "/ws/broadcast") and method == b"GET":
                await self.websocket(path, query, fields)
                return False
            body = await self.body(fields, self.options.publication_bytes)
        except Refused as refused:
            # Where the next request would begin is not known.
            await self.answer(refused.code, to_json({"error": str(refused)}), method == b"HEAD", close=True)
            return False
        close = "close" in tokens(fields, "connection") or head.partition(b"\r\n")[0].endswith(b"HTTP/1.0")
        try:
            status, answer = self.route(method, path, query, body)
        except Refused as refused:
            status, answer = refused.code, {"error": str(refused)}
        await self.answer(status, to_json(answer), method == b"HEAD", close)
        return not close

    async def body(self, fields, limit):
        lengths, coding = fields.get("content-length"), fields.get("transfer-encoding")
        if coding is None and lengths is None:
            return b""
        if lengths is not None and (coding is not None or whole_number(lengths) is None):
            raise Refused(400, "not an HTTP/1.1 request")
        if lengths is not None and whole_number(lengths) > limit:
            raise Refused(413, f"longer than {limit} bytes")
        if fields.get("expect", "").lower() == "100-continue":
            await self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if lengths is not None:
            return await self.reader.readexactly(whole_number(lengths))
        if coding.lower() != "chunked":
            raise Refused(400, "not an HTTP/1.1 request")
        body = bytearray()
        try:
            while True:
                size = (await self.reader.readuntil(b"\r\n"))[:-2].partition(b";")[0].strip()
                if not size or size.strip(b"0123456789abcdefABCDEF"):
                    raise Refused(400, "not an HTTP/1.1 request")
                if len(body) + int(size, 16) > limit:
                    raise Refused(413, f"longer than {limit} bytes")
                if int(size, 16) == 0:
                    while await self.reader.readuntil(b"\r\n") != b"\r\n":
                        pass
                    return bytes(body)
                body += await self.reader.readexactly(int(size, 16))
                if await self.reader.readexactly(2) != b"\r\n":
                    raise Refused(400, "not an HTTP/1.1 request")
        except asyncio.LimitOverrunError:
            raise Refused(400, "not an HTTP/1.1 request") from None

    def route(self, method, path, query, body):
        expected = {"/": b"GET", "/stats": b"GET", "/xhr": b"GET", "/publish": b"POST", "/ws/echo": b"GET", "/ws/broadcast": b"GET"}
        if path not in expected:
            raise Refused(404, "no such path")
        if method != expected[path]:
            raise Refused(405, "method not allowed on this path")
        if path == "/":
            return 200, {"contender": "python", "framework": "asyncio", "version": platform.python_version(), "workers": 1}
        if path == "/stats":
            subscribers = {"websocket": len(self.hub.subscribers), "sse": 0, "long_poll": 0}
            return 200, {"subscribers": subscribers, "publications": self.hub.newest, "dropped": {"lagged": self.hub.lagged}}
        if path == "/xhr":
            count = whole_number(query.get("count", ""))
            if count is None or not 1 <= count <= 1 << 53:
                raise Refused(400, "count: expected a whole number from 1 to 2^53")
            return 200, {"count": count - 1}
        event = query.get("event")
        if event is not None and not is_event_name(event):
            raise Refused(400, "event: expected 1 to 128 bytes without control characters, and neither open nor error")
        try:
            return 202, self.hub.publish(body.decode(), event)
        except UnicodeDecodeError:
            raise Refused(400, "not UTF-8") from None

    async def websocket(self, path, query, fields):
        after = query.get("after")
        if path == "/ws/broadcast" and after is not None and whole_number(after) is None:
            raise Refused(400, "after: expected the id of a publication, a whole number")
        accept = accept_key(fields)
        subscriber = Subscriber(self.hub, whole_number(after) if after else None) if path == "/ws/broadcast" else None
        head = f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        try:
            await self.send(head.encode())
            if subscriber is None:
                await self.echo()
            else:
                await self.first_of(self.publications(subscriber), self.heartbeats(), self.publish(), lagging(subscriber))
        except Refused as refused:
            async with asyncio.timeout(FAREWELL_S):
                await self.send(frame(CLOSE, struct.pack("!H", refused.code) + str(refused).encode()))
        finally:
            self.hub.subscribers.discard(subscriber)

    async def first_of(self, *coroutines):
        """Runs them side by side until one ends, and ends as it did."""
        tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def echo(self):
        while (message := await self.message(self.options.echo_bytes)) is not None:
            await self.send(frame(*message))

    async def publications(self, subscriber):
        while True:
            await self.send(await subscriber.next(self.hub))

    async def heartbeats(self):
        period_s = self.options.heartbeat_ms / 1000
        while True:
            await asyncio.sleep(period_s or 3600)
            if period_s:
                await self.send(frame(PING, b""))

    async def publish(self):
        while (message := await self.message(self.options.publication_bytes)) is not None:
            if message[0] == BINARY:
                raise Refused(1003, "only text is read here")
            self.hub.publish(message[1].decode())

    async def message(self, limit):
        """The next message, as opcode and bytes; None after a close. Pings and the close are answered."""
        kind, collected = None, bytearray()
        while True:
            fin, opcode, payload = await self.frame(limit - len(collected))
            if opcode == PING:
                await self.send(frame(PONG, payload))
            elif opcode == CLOSE:
                check_close(payload)
                await self.send(frame(CLOSE, payload[:2]))
                return None
            elif opcode != PONG:
                if (opcode == 0) == (kind is None):
                    raise Refused(1002, "protocol error")
                kind = opcode or kind
                collected += payload
                if fin:
                    check_text(collected if kind == TEXT else b"")
                    return kind, bytes(collected)

    async def frame(self, limit):
        first, second = await self.reader.readexactly(2)
        fin, opcode, length = first & 0x80, first & 0x0F, second & 0x7F
        if first & 0x70 or opcode not in (0, TEXT, BINARY, CLOSE, PING, PONG) or not second & 0x80:
            raise Refused(1002, "protocol error")
        if opcode >= CLOSE and (not fin or length > 125):
            raise Refused(1002, "protocol error")
        if length == 126:
            (length,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
        if opcode < CLOSE and length > limit:
            raise Refused(1009, "message too big")
        key = await self.reader.readexactly(4)
        payload = await self.reader.readexactly(length)
        # A whole frame at a time: byte by byte takes Python a hundred times as long.
        mask = int.from_bytes((key * (length // 4 + 1))[:length], "little")
        return fin, opcode, (int.from_bytes(payload, "little") ^ mask).to_bytes(length, "little")


async def lagging(subscriber):
    """Ends with a refusal when the subscriber has fallen too far behind, though it may be sent to at the moment."""
    await subscriber.lagged.wait()
    raise Refused(1013, "fell too far behind")


def check_text(text):
    try:
        text.decode()
    except UnicodeDecodeError:
        raise Refused(1007, "not UTF-8") from None


def check_close(payload):
    code = struct.unpack("!H", payload[:2])[0] if len(payload) > 1 else 1000
    valid = code in (1000, 1001, 1002, 1003) or 1007 <= code <= 1014 or 3000 <= code <= 4999
    if len(payload) == 1 or not valid:
        raise Refused(1002, "protocol error")
    check_text(payload[2:])


def parse_head(head):
    """Method, target and fields; names in lower case, values of the same name joined by commas (RFC 9110, section 5.3)."""
    try:
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        method, target, version = first.split(" ")
    except ValueError:
        raise Refused(400, "not an HTTP/1.1 request") from None
    fields = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip() or any(c in line for c in "\r\n\0"):
            raise Refused(400, "not an HTTP/1.1 request")
        name, value = name.lower(), value.strip(" \t")
        fields[name] = f"{fields[name]},{value}" if name in fields else value
    if version not in ("HTTP/1.1", "HTTP/1.0") or not target:
        raise Refused(400, "not an HTTP/1.1 request")
    return method.encode(), target, fields


def tokens(fields, name):
    return {token.strip().lower() for token in fields.get(name, "").split(",")}


def accept_key(fields):
    """The answer to an opening handshake (RFC 6455, section 4.2)."""
    key = fields.get("sec-websocket-key", "")
    try:
        valid = len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        valid = False
    upgrades = "websocket" in tokens(fields, "upgrade") and "upgrade" in tokens(fields, "connection")
    if not (valid and upgrades and fields.get("sec-websocket-version") == "13"):
        raise Refused(400, "expected a WebSocket upgrade, version 13")
    return base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()


def is_event_name(name):
    controls = any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in name)
    return 1 <= len(name.encode()) <= 128 and not controls and name not in ("open", "error")


class Server:
    def __init__(self, options):
        self.options, self.hub = options, Hub(options.replay_window)

    async def accept(self, reader, writer):
        await Connection(self, reader, writer).serve()

    async def run(self):
        listener = socket.create_server((self.options.host, self.options.port), backlog=4096)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self.options.tcp_user_timeout_ms)
        if self.options.tcp_keepalive_s:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL):
                listener.setsockopt(socket.IPPROTO_TCP, option, self.options.tcp_keepalive_s)
        server = await asyncio.start_server(self.accept, sock=listener, backlog=4096)
        await server.serve_forever()


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(Server(settings()).run())
