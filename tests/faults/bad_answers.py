# SPDX-License-Identifier: GPL-3.0-or-later
"""What the bad provider says: the answers that are cut, the tables of malformed ones, the scripts."""
from provider import answer

JSON = b'{"id":"x","object":"chat.completion","text":"' + b"0123456789" * 4 + b'"}'
EVENTS = [b"data: {\"n\":%d,\"delta\":\"hello\"}\n\n" % i for i in range(5)] + [b"data: [DONE]\n\n"]


def chunks(parts):
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n"


# kind: (head, body as sent, body as meant)
WHOLE = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: r1\r\nContent-Length: %d\r\n\r\n" % len(JSON), JSON, JSON),
    "chunked": (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    chunks(EVENTS), b"".join(EVENTS)),
    "close": (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n", JSON, JSON),
}

OK = b"HTTP/1.1 200 OK\r\n"
FIVE = b"Content-Length: 5\r\n\r\nhello"
HELLO = b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n"

# Heads that have no reading: 502 provider:response, and nothing of them reaches the client.
BAD_HEADS = {
    "CL and TE": OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked" + HELLO,
    "TE and CL": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5" + HELLO,
    "two CL": OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "two equal CL": OK + b"Content-Length: 5\r\n" + FIVE,
    "CL list": OK + b"Content-Length: 5, 5\r\n\r\nhello",
    "CL empty": OK + b"Content-Length:\r\n\r\nhello",
    "CL +5": OK + b"Content-Length: +5\r\n\r\nhello",
    "CL -5": OK + b"Content-Length: -5\r\n\r\nhello",
    "CL 0x5": OK + b"Content-Length: 0x5\r\n\r\nhello",
    "CL overflow": OK + b"Content-Length: 18446744073709551621\r\n\r\nhello",
    "CL text": OK + b"Content-Length: five\r\n\r\nhello",
    "TE xchunked": OK + b"Transfer-Encoding: xchunked" + HELLO,
    "TE gzip, chunked": OK + b"Transfer-Encoding: gzip, chunked" + HELLO,
    "TE chunked, identity": OK + b"Transfer-Encoding: chunked, identity" + HELLO,
    "TE identity": OK + b"Transfer-Encoding: identity\r\n\r\nhello",
    "TE empty": OK + b"Transfer-Encoding:" + HELLO,
    "two TE": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked" + HELLO,
    "TE vertical tab": OK + b"Transfer-Encoding: \x0bchunked" + HELLO,
    "TE quoted": OK + b'Transfer-Encoding: "chunked"' + HELLO,
    "TE in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked" + HELLO,
    "obs-fold": OK + b"X-A: a\r\n b\r\n" + FIVE,
    "obs-fold tab": OK + b"X-A: a\r\n\tb\r\n" + FIVE,
    "fold first": OK + b" X-A: a\r\n" + FIVE,
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "one bare LF": OK + b"X-A: a\n" + FIVE,
    "bare CR": OK + b"X-A: a\rb\r\n" + FIVE,
    "NUL in value": OK + b"X-A: a\0b\r\n" + FIVE,
    "control in value": OK + b"X-A: a\x01b\r\n" + FIVE,
    "DEL in value": OK + b"X-A: a\x7fb\r\n" + FIVE,
    "space before colon": OK + b"X-A : b\r\n" + FIVE,
    "empty name": OK + b": b\r\n" + FIVE,
    "name with space": OK + b"X A: b\r\n" + FIVE,
    "name with high byte": OK + b"X-\xe9: b\r\n" + FIVE,
    "no colon": OK + b"X-A\r\n" + FIVE,
    "control in reason": b"HTTP/1.1 200 O\x01K\r\n" + FIVE,
    "status 20": b"HTTP/1.1 20 OK\r\n" + FIVE,
    "status 2000": b"HTTP/1.1 2000 OK\r\n" + FIVE,
    "status abc": b"HTTP/1.1 abc OK\r\n" + FIVE,
    "status 099": b"HTTP/1.1 099 OK\r\n" + FIVE,
    "status -20": b"HTTP/1.1 -20 OK\r\n" + FIVE,
    "no status": b"HTTP/1.1\r\n" + FIVE,
    "two spaces": b"HTTP/1.1  200 OK\r\n" + FIVE,
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\n" + FIVE,
    "http/1.1": b"http/1.1 200 OK\r\n" + FIVE,
    "HTTP/1.10": b"HTTP/1.10 200 OK\r\n" + FIVE,
    "ICY": b"ICY 200 OK\r\n" + FIVE,
    "SMTP": b"220 mail.example ESMTP\r\n\r\n",
    "TLS alert": b"\x15\x03\x01\x00\x02\x02\x28\r\n\r\n",
    "HTML": b"<html><body>502</body></html>\r\n\r\n",
    "a request": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "CRLF first": b"\r\n" + OK + FIVE,
    "101 unasked": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: upgrade\r\n\r\nhello",
    "101 websocket unasked": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nhello",
    "100 with CL": b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello" + OK + FIVE,
    "100 with TE": b"HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked" + HELLO + OK + FIVE,
    "204 with TE": b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked" + HELLO,
    "head of 70 KiB": OK + b"X-A: " + b"a" * 70_000 + b"\r\n" + FIVE,
    "70 KiB of fields": OK + b"X-A: aaaaaaaaaa\r\n" * 4200 + FIVE,
    "endless head": OK + b"X-A: aaaaaaaaaa\r\n" * 60_000,
    "endless reason": b"HTTP/1.1 200 " + b"O" * 1_000_000,
    "17 interim answers": b"HTTP/1.1 102 Processing\r\n\r\n" * 17 + OK + FIVE,
    "5000 interim answers": b"HTTP/1.1 100 Continue\r\n\r\n" * 5000,
    "interim answers of 80 KiB": b"".join(b"HTTP/1.1 103 Early Hints\r\nLink: %s\r\n\r\n" % (b"a" * 80_000)
    for _ in range(2)),
}

# Bodies behind a good chunked head: the client never sees a complete answer, and at most `hello`.
BAD_CHUNKS = [b"zz\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\nzz\r\n", b"0x5\r\nhello\r\n0\r\n\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n",
              b"5 \r\nhello\r\n0\r\n\r\n", b" 5\r\nhello\r\n0\r\n\r\n", b"\r\n5\r\nhello\r\n0\r\n\r\n",
              b"5\nhello\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n",
              b"5\r\nhello0\r\n\r\n", b"5\r\nhelloX\r\n0\r\n\r\n", b"5\r\nhello\r\n0\n\n",
              b"5\r\nhello\r\n0\r\n\n", b"5\r\nhello\r\n\r\n",
              b"10000000000000005\r\nhello\r\n0\r\n\r\n", b"f" * 17 + b"\r\nhello", b"5;\r\nhello\r\n0\r\n\r\n",
              b"5;a\nb\r\nhello\r\n0\r\n\r\n",
              b"5;a=\"b\r\nhello\r\n0\r\n\r\n", b"5\0\r\nhello\r\n0\r\n\r\n", b"5_0\r\nhello\r\n0\r\n\r\n",
              b"5\r\nhello\r\n0\r\nX T: 1\r\n\r\n",
              b"5\r\nhello\r\n0\r\nX-T: a\nb\r\n\r\n", b"5\r\nhello\r\n0\r\nX-T: \0\r\n\r\n",
              b"5\r\nhello\r\n0\r\n X-T: a\r\n\r\n", b"5;" + b"a" * 200_000 + b"\r\nhello\r\n0\r\n\r\n",
              b"5\r\nhello\r\n0\r\n" + b"X-T: aaaaaaaa\r\n" * 20_000 + b"\r\n"]

# Answers that are well-formed, however odd: (bytes, status, body, ends the connection)
ODD = {
    "100 then 200": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + FIVE, 200, b"hello"),
    "102, 103 then 200": (b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + FIVE, 200, b"hello"),
    "16 interim answers": (b"HTTP/1.1 102 Processing\r\n\r\n" * 16 + OK + FIVE, 200, b"hello"),
    "no reason phrase": (b"HTTP/1.1 200 \r\n" + FIVE, 200, b"hello"),
    "high bytes in reason": (b"HTTP/1.1 200 \xc3\xa9\r\n" + FIVE, 200, b"hello"),
    "status 299": (b"HTTP/1.1 299 Odd\r\n" + FIVE, 299, b"hello"),
    "status 418": (b"HTTP/1.1 418 Teapot\r\n" + FIVE, 418, b"hello"),
    "status 599": (b"HTTP/1.1 599 Odd\r\n" + FIVE, 599, b"hello"),
    "status 429": (b"HTTP/1.1 429 Slow\r\nRetry-After: 1\r\n" + FIVE, 429, b"hello"),
    "CL 0": (OK + b"Content-Length: 0\r\n\r\n", 200, b""),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "304": (b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n", 304, b""),
    "304 with CL": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, b""),
    "chunk extension": (OK + b"Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0;c\r\n\r\n", 200, b"hello"),
    "trailers": (OK + b"Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n",
    200, b"hello"),
    "trailers that frame": (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n", 200,
    b"hello"),
    "empty value": (OK + b"X-A:\r\n" + FIVE, 200, b"hello"),
    "head of 60 KiB": (OK + b"X-A: " + b"a" * 60_000 + b"\r\n" + FIVE, 200, b"hello"),
    "CHUNKED": (OK + b"Transfer-Encoding: CHUNKED" + HELLO, 200, b"hello"),
}


def good(connection, message):
    serial = message.target.rsplit(b"/", 1)[1]
    return connection.send(answer(b"200 OK", b'{"serial":%s}' % serial, b"X-Serial: " + serial))


def say(data, keep=False):
    """A script that sends these bytes, then FIN unless the connection is kept."""
    def script(connection, _):
        connection.send(data)
        return keep or connection.finish()
    return script


def cut(connection, message):
    """/s/cut/SERIAL/KIND/OFFSET/MODE"""
    _, kind, offset, mode = message.target.split(b"/s/cut/")[1].decode().split("/")
    head, body, _ = WHOLE[kind]
    connection.send((head + body)[:int(offset)])
    return connection.reset() if mode == "reset" else connection.finish()


def cut_fault(kind, offset, mode, outcome, typed):
    """Why the client saw something wrong, or an empty string."""
    head, sent, meant = WHOLE[kind]
    mine = outcome.answer
    if outcome.fault:
        return f"malformed answer: {outcome.fault}"
    if mine.status == 502 and (offset < len(head) or mode == "reset"):
        allowed = ("provider:closed",) if offset == 0 else ("provider:closed", "provider:response")
        return "" if mine.complete and (not typed or mine.reason in allowed) else "reason"
    if offset < len(head):
        return "not 502"
    if mine.status != 200:
        return "not 200"
    if not meant.startswith(mine.body):
        return f"not a prefix: {mine.body!r}"
    whole = offset == len(head) + len(sent)
    if mine.complete and not whole and (kind != "close" or mode == "reset"):
        return "a cut answer looks complete"
    if mine.complete and kind == "close" and mine.body != sent[:offset - len(head)]:
        return f"bytes lost: {len(mine.body)} of {offset - len(head)}"
    if not mine.complete and mode == "end" and (whole or kind == "close"):
        return "a complete answer looks cut"
    return "" if mine.complete or outcome.ended in ("eof", "reset") else "the connection stays open"
