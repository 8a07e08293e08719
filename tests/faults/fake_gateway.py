# SPDX-License-Identifier: GPL-3.0-or-later
"""A small gateway built on the strict reader, right by default and wrong on request.

It checks the tests, not the product: without a bug the corpus must find nothing, with each of
BUGS it must find something.
"""
import re
import socket
import threading

from judge import HOP, own
from reader import ABSOLUTE, Incomplete, Malformed, parse_request, parse_response
from support import CREDENTIAL

BUGS = {
    "raw-head": "the head is copied, not written anew",
    "bare-lf": "a bare LF ends a line",
    "prefer-length": "Content-Length wins over Transfer-Encoding",
    "first-length": "the first of two Content-Length counts",
    "any-coding": "every coding that contains chunked counts",
    "keep-open": "a malformed request is answered and the next bytes are read on",
    "key-through": "the virtual key stays in the request",
    "named-length": "Connection may drop Content-Length",
    "unfold": "obs-fold is joined",
    "decode-target": "the target is decoded once",
    "follow-authority": "the request goes where its absolute target says",
    "two-answers": "a POST is answered twice",
    "lose-field": "x-test is lost",
    "no-host-check": "any Host is answered to",
}
CODES = {400: b"request", 401: b"client-key:unknown", 404: b"route", 405: b"request:method", 421: b"host"}


class FakeGateway:
    name, typed, prefix = "fake", True, b"/v1"
    key, other_key = "ghk_" + "k" * 36, "ghk_" + "o" * 36

    def __init__(self, provider_port, bug=""):
        self.provider_port, self.bug, self.process = provider_port, bug, None
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def alive(self):
        return True

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            with sock:
                self._loop(sock)
        except OSError:
            pass

    def _loop(self, sock):
        data = b""
        sock.settimeout(3)
        while True:
            try:
                message = self._parse(data)
            except Malformed:
                sock.sendall(self._refusal(400, self.bug != "keep-open"))
                end = data.find(b"\r\n\r\n")
                if self.bug != "keep-open" or end < 0:
                    return
                data = data[end + 4:]
                continue
            except Incomplete:
                more = sock.recv(65536)
                if not more:
                    return
                data += more
                continue
            raw, data = data[:message.size], data[message.size:]
            answer = self._answer(message, raw)
            sock.sendall(answer)
            if b"Connection: close" in answer:
                return
            if self.bug == "two-answers" and message.method == b"POST":
                sock.sendall(answer)
            if b"close" in b",".join(message.all(b"connection")).lower() or message.start[2] == b"HTTP/1.0":
                return

    def _parse(self, data):
        view = data
        if self.bug == "bare-lf":
            view = re.sub(rb"(?<!\r)\n", b"\r\n", data)
        elif self.bug == "unfold":
            view = re.sub(rb"\r\n[ \t]+", b" ", data)
        elif self.bug == "prefer-length" and b"Content-Length" in data:
            view = re.sub(rb"Transfer-Encoding", b"X-Anything-Really", data)
        elif self.bug == "first-length":
            view = re.sub(rb"(Content-Length:[^\r]*\r\n.*?)Content-Length", rb"\1X-ntent-Length", data,
                    flags=re.S)
        elif self.bug == "any-coding":
            view = re.sub(rb"(Transfer-Encoding:)[^\r\n]*chunked[^\r\n]*", rb"\1 chunked", data)
        grown = len(view) - len(data)
        if re.search(rb"\r\n[0-9a-fA-F]{13,16}(;[^\r]*)?\r\n|Length: [0-9]{8,}", view):
            raise Malformed("too large")
        message = parse_request(view)
        message.size -= grown
        return message

    def _refusal(self, status, close=False):
        return (b"HTTP/1.1 %d No\r\nContent-Length: 0\r\nx-gatehouse-reason: %s\r\n%s\r\n"
                % (status, CODES[status], b"Connection: close\r\n" if close else b""))

    def _refused(self, message):
        """The status with which it is refused, or 0."""
        hosts = message.all(b"host")
        host = re.sub(rb":\d*$", b"", hosts[0].lower()) if hosts else b""
        if host not in (b"localhost", b"127.0.0.1", b"[::1]") and self.bug != "no-host-check":
            return 421
        if message.method in (b"CONNECT", b"TRACE"):
            return 405
        absolute = ABSOLUTE.fullmatch(message.target)
        path = (absolute[3] if absolute else message.target).split(b"?")[0]
        if any(re.sub(rb"(?i)%2e", b".", part) in (b".", b"..") for part in path.split(b"/")):
            return 400
        if not path.startswith(b"/openai/v1/"):
            return 404
        keys = {v for v in message.all(b"authorization") if b"ghk_" in v}
        if len(keys) > 1:
            return 400
        return 0 if keys == {b"Bearer " + self.key.encode()} else 401

    def _answer(self, message, raw):
        status = self._refused(message)
        if status:
            return self._refusal(status, status == 400)
        absolute = ABSOLUTE.fullmatch(message.target)
        port = self.provider_port
        if absolute and self.bug == "follow-authority" and re.search(rb":\d{2,5}$", absolute[2]):
            port = int(absolute[2].rsplit(b":", 1)[1]) % 65536
        with socket.create_connection(("127.0.0.1", port), 3) as sock:
            sock.settimeout(3)
            sock.sendall(self._written(message, raw))
            data = b""
            while True:
                try:
                    reply = parse_response(data, 0, message.method, False)
                    if reply.complete:
                        return data[:reply.size]
                except Incomplete:
                    pass
                more = sock.recv(65536)
                if not more:
                    return self._refusal(400, True)
                data += more

    def _written(self, message, raw):
        absolute = ABSOLUTE.fullmatch(message.target)
        target = b"/v1" + (absolute[3] if absolute else message.target)[len(b"/openai/v1"):]
        if self.bug == "decode-target":
            target = re.sub(rb"%([0-9a-fA-F]{2})", lambda m: bytes([int(m[1], 16)]), target)
        if self.bug == "raw-head":
            return re.sub(rb"Bearer \S+", b"Bearer " + CREDENTIAL.encode(), raw.replace(b"/openai/v1", b"/v1"))
        named = {token.strip().lower() for value in message.all(b"connection") for token in value.split(b",")}
        lines = [message.method + b" " + target + b" HTTP/1.1", b"Host: provider.test",
                 b"Authorization: Bearer " + CREDENTIAL.encode()]
        for name, value in message.fields:
            low = name.lower()
            if self.bug == "key-through" and low == b"authorization":
                lines.append(b"X-Old: " + value)
            if low in HOP or own(low) or low in named or (self.bug == "lose-field" and low == b"x-test"):
                continue
            lines.append(name + b": " + value)
        dropped = self.bug == "named-length" and b"content-length" in named
        if message.framing != "none" and not dropped:
            lines.append(b"Content-Length: %d" % len(message.body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + message.body
