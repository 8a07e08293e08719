# SPDX-License-Identifier: GPL-3.0-or-later
"""Families about where a message ends: codings, lengths, chunks, lines, folding."""
from corpus import CHUNKED, chunk, show

HELLO = b"5\r\nhello\r\n0\r\n\r\n"
LARGE = {"statuses": {400, 413}}

BAD_CODINGS = [
    b"xchunked", b"chunkedx", b"x-chunked", b"chunke", b"chunk", b"identity", b"gzip", b"deflate",
    b"compress", b"br", b"", b",", b",chunked", b"chunked,", b"chunked, ", b", chunked", b"chunked,,",
    b"chunked, identity", b"identity, chunked", b"identity,chunked", b"gzip, chunked", b"chunked, gzip",
    b"chunked, chunked", b"chunked,chunked", b"chunked chunked", b"chunked identity", b"chunked;",
    b"chunked;q=1", b"chunked; q=0", b";chunked", b"chunked=1", b'"chunked"', b"'chunked'", b'"chunked',
    b"\\chunked", b"(chunked)", b"chunked (comment)", b"[chunked]", b"{chunked}", b"<chunked>",
    b"chunked\x0b", b"\x0bchunked", b"\x0b chunked", b"chunked\x0c", b"\x0cchunked", b"chunked\x00",
    b"\x00chunked", b"chun\x00ked", b"chunked\x01", b"chunked\x1f", b"chunked\x7f", b"\x7fchunked",
    b"chunked\x80", b"\x85chunked", b"\xa0chunked", b"chunked\xa0", b"\xffchunked", b"\xef\xbb\xbfchunked",
    b"chunk\xe9d", b"ch\xc5\xabnked", b"chunKed\xe2\x84\xaa", b"c hunked", b"chu nked", b"chunk\ted",
    b"chunked\r", b"\rchunked", b"chunked\n", b"chunked\r\rx", b"chunked\n\rX: y", b"chunked_",
    b"-chunked", b"+chunked", b"chunked-", b"trailers, chunked", b"x, chunked", b"chunked, x",
    b"0", b"true", b"*", b"none", b"100", b"chunked/1", b"http/1.1 chunked", b"%63hunked",
    b"=?utf-8?q?chunked?=", b"chunked#", b"chunked!", b"@chunked", b"chunked:chunked",
]
GOOD_CODINGS = [b"chunked", b"Chunked", b"CHUNKED", b"cHuNkEd", b" chunked", b"\tchunked", b"chunked ",
                b"chunked\t", b"  \t chunked \t "]


def transfer_codings(make):
    """Each coding alone and on either side of a Content-Length."""
    attack = chunk(make.smuggled) + b"0\r\n\r\n"
    head = b"%x\r\n" % len(make.smuggled)
    for value in BAD_CODINGS + GOOD_CODINGS:
        line = b"Transfer-Encoding:" + (value if value in GOOD_CODINGS else b" " + value)
        good = "pass" if value in GOOD_CODINGS else "refuse"
        yield f"TE {show(value)}", make.post(line, body=HELLO), good
        yield f"CL, TE {show(value)}", make.post(b"Content-Length: %d" % len(head), line, body=attack), "refuse"
        yield f"TE {show(value)}, CL", make.post(line, b"Content-Length: %d" % len(attack),
                body=attack), "refuse"
        yield f"TE {show(value)}, CL 0", make.post(line, b"Content-Length: 0", body=HELLO), "refuse"
    for method in (b"GET", b"HEAD", b"DELETE", b"OPTIONS", b"PATCH"):
        yield f"{method.decode()} CL and TE", make.post(
            b"Content-Length: 5", CHUNKED, body=attack, method=method), "refuse"
    yield "TE in HTTP/1.0", make.chunked(version=b"HTTP/1.0"), "refuse"
    yield "TE in HTTP/1.0, keep-alive", make.chunked(b"Connection: keep-alive", version=b"HTTP/1.0"), "refuse"


def coding_names(make):
    """Names that some server takes for Transfer-Encoding."""
    body = b"0\r\n\r\n" + make.smuggled
    for name in (b"Transfer-Encoding ", b"Transfer-Encoding\t", b"Transfer-Encoding\x0b",
            b"Transfer-Encoding\0",
                 b"Transfer-Encoding\xa0", b"Transfer-Encoding\r", b" Transfer-Encoding",
                 b"\tTransfer-Encoding",
                 b"\0Transfer-Encoding", b"\x0bTransfer-Encoding", b"Transfer Encoding",
                 b"Transfer-\xc3\x8bncoding",
                 b"Transfer-Encoding\x7f", b"Transfer-Encoding\x80", b"(Transfer-Encoding)",
                 b"Transfer-Encoding;",
                 b"Transfer-Encoding,", b'"Transfer-Encoding"', b"Transfer\\-Encoding", b"Transfer-Encoding=",
                 b"Transfer-Encoding/", b"Transfer-Encoding@", b"Transfer-Encoding[", b"Transfer-Encoding{",
                 b"Transfer-\r\nEncoding", b"Transfer-\nEncoding", b"X: y\rTransfer-Encoding",
                 b"X: y\nTransfer-Encoding",
                 b"X: y\r Transfer-Encoding", b"X: y\n Transfer-Encoding", b"X: y\0\nTransfer-Encoding"):
        for order in (0, 1):
            lines = [b"Content-Length: %d" % len(body), name + b": chunked"]
            yield f"name {show(name)} {order}", make.post(*(lines[::-1] if order else lines),
                    body=body), "refuse"
    for name in (b"Transfer_Encoding", b"TransferEncoding", b"X-Transfer-Encoding", b"Transfer-Encodings",
                 b"Transfer.Encoding", b"Transfer~Encoding", b"Transfer-Encoding-", b"-Transfer-Encoding",
                 b"Transfer--Encoding", b"Xfer-Encoding", b"Content-Transfer-Encoding", b"Transfer-Encoding1"):
        yield f"unknown name {show(name)}", make.sized(name + b": chunked", body=body), "either"
    for name in (b"transfer-encoding", b"TRANSFER-ENCODING", b"tRANSFER-eNCODING"):
        yield f"case {show(name)}", make.post(name + b": chunked", body=HELLO), "pass"
        yield f"case {show(name)} and CL", make.sized(name + b": chunked", body=body), "refuse"


def two_codings(make):
    values = [b"chunked", b"identity", b"xchunked", b"", b"gzip", b"chunked, chunked", b"x", b"Chunked",
            b"\tchunked"]
    attack = chunk(make.smuggled) + b"0\r\n\r\n"
    for first in values:
        for second in values:
            a, b = b"Transfer-Encoding: " + first, b"Transfer-Encoding: " + second
            yield f"TE {show(first)} | TE {show(second)}", make.post(a, b, body=attack), "refuse"
            if b"chunked" in (first, second):
                yield f"TE {show(first)} | CL | TE {show(second)}", make.post(
                    a, b"Content-Length: 4", b, body=attack), "refuse"


def lengths(make):
    """A Content-Length that is not one decimal number."""
    bad = [b"", b" ", b"+5", b"-5", b"-0", b"+0", b"0x5", b"0X5", b"5h", b"5,5", b"5, 5", b"5,", b",5", b"5 5",
            b"5\t5",
           b"5;", b"5;q=1", b"5.0", b"5.", b".5", b"5e0", b"5E0", b"5_0", b"0_5", b"0b101", b"0o5", b"five",
           b"chunked",
           b"5\x00", b"\x005", b"5\x0b", b"\x0b5", b"5\x0c", b"\x0c5", b"5\x7f", b"5\x80", b"\xa05", b"5\xa0",
           b"\xd9\xa5", b"\xef\xbc\x95", b'"5"', b"'5'", b"(5)", b"5(c)", b"5#", b"5/5", b"5:5", b"$5", b"5%",
           b"%35",
           b"5\r", b"\r5", b"5\n", b"\n5", b"5\r0", b"NaN", b"inf", b"null", b"-1", b"--5", b"+-5", b"1 0",
           b"5L", b"5u",
           b"18446744073709551616", b"18446744073709551621", b"99999999999999999999", b"36893488147419103237",
           b"340282366920938463463374607431768211461", b"9" * 300, b"0" * 300 + b"x"]
    big = [b"9223372036854775807", b"9223372036854775808", b"18446744073709551615", b"4294967301",
            b"1099511627781",
           b"9999999999999999999"]
    for value in bad:
        for method in (b"POST", b"GET"):
            yield f"{method.decode()} CL {show(value)}", make.post(
                b"Content-Length: " + value, body=b"hello", method=method), "refuse", LARGE
    for value in big:
        yield f"CL {show(value)}", make.post(b"Content-Length: " + value, body=b"hello"), "refuse", LARGE
    for value in (b"05", b"005", b"0" * 10 + b"5", b"0" * 15 + b"5", b"0" * 64 + b"5"):
        yield f"CL {show(value)}", make.post(b"Content-Length: " + value, body=b"hello"), "either", {
            "meant": make.post(b"Content-Length: 5", body=b"hello")}
    for value in (b"5", b"  5", b"\t5", b"5 ", b"5\t"):
        yield f"CL {show(value)}", make.post(b"Content-Length:" + value, body=b"hello"), "pass"
    for method in (b"GET", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS"):
        yield f"{method.decode()} CL 0", make.sized(body=b"", method=method), "pass"
        yield f"{method.decode()} with body", make.sized(method=method), "pass"
        yield f"{method.decode()} chunked", make.chunked(method=method), "pass"
    yield "HEAD with body", make.sized(method=b"HEAD"), "pass"
    for name in (b"Content-Length ", b" Content-Length", b"Content-Length\t", b"Content-Length\0",
            b"Content-Length\x0b",
                 b"Content Length", b"Content-Length;", b"X: y\nContent-Length", b"X: y\rContent-Length"):
        yield f"name {show(name)}", make.post(name + b": %d" % len(make.smuggled), body=make.smuggled), "refuse"
    for name in (b"Content_Length", b"ContentLength", b"X-Content-Length", b"Content-Length-"):
        yield f"unknown name {show(name)}", make.sized(name + b": 1"), "either"


def two_lengths(make):
    values = [b"5", b"0", b"05", b"6", b"", b"x", b"-1", b"%d" % (5 + len(make.smuggled)), b"5, 5", b"+5"]
    for first in values:
        for second in values:
            yield f"CL {show(first)} | CL {show(second)}", make.post(
                b"Content-Length: " + first, b"X-Between: 1", b"Content-Length: " + second,
                body=b"hello" + make.smuggled), "refuse", LARGE


def line_ends(make):
    """Each line of a request with another end than CRLF."""
    bases = {"get": make.get(None, b"X-One: 1"), "sized": make.sized(b"X-One: 1"),
             "chunked": make.chunked(b"X-One: 1", body=b"5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n")}
    ends = [b"\n", b"\r", b"\r\r\n", b"\n\r", b"\n\n", b"\0\r\n", b"\r\0\n", b"\r \n", b"\x0b\r\n", b"\x0c",
            b"\x85", b"\r\n\0",
            b"\xe2\x80\xa8", b"\x1e", b"\r\t\r\n"]
    for name, base in bases.items():
        places = [i for i in range(len(base)) if base.startswith(b"\r\n", i)]
        for index, at in enumerate(places):
            for end in ends:
                yield f"{name} line {index} ends in {show(end)}", base[:at] + end + base[at + 2:], "either"
        for end in (b"\n", b"\r"):
            yield f"{name} all lines end in {show(end)}", base.replace(b"\r\n", end), "refuse"
    for lead, want in ((b"\r\n", "either"), (b"\r\n\r\n", "either"), (b"\n", "refuse"), (b"\r", "refuse"),
            (b" ", "refuse"),
                       (b"\t", "refuse"), (b"\0", "refuse"), (b" \r\n", "refuse"), (b"\xef\xbb\xbf", "refuse")):
        yield f"{show(lead)} before the request", lead + bases["get"], want, {"meant": bases["get"]}


def folding(make):
    """obs-fold is refused wherever it stands."""
    for fold in (b"\r\n ", b"\r\n\t", b"\r\n  ", b"\r\n \t", b"\r\n\t ", b"\n ", b"\n\t", b"\r "):
        for name, line in {"value": b"X-One: a" + fold + b"b", "empty": b"X-One:" + fold + b"b",
                "tail": b"X-One: a" + fold,
                           "coding": b"X-One: a" + fold + b"Transfer-Encoding: chunked",
                           "TE": b"Transfer-Encoding:" + fold + b"chunked",
                           "TE2": b"Transfer-Encoding: chunked" + fold + b", x",
                           "CL": b"Content-Length:" + fold + b"5", "CL2": b"Content-Length: 5" + fold + b"5",
                           "connection": b"Connection: close," + fold + b"X-Y"}.items():
            yield f"fold {show(fold)} in {name}", make.post(line, body=HELLO), "refuse"
        yield f"fold {show(fold)} in Host", make.raw(
            b"GET " + make.path + b" HTTP/1.1", [b"Host:" + fold + make.host, make.auth]), "refuse"
        yield f"fold {show(fold)} first", make.raw(
            b"GET " + make.path + b" HTTP/1.1" + fold + b"X: y", [make.host_line, make.auth]), "refuse"
        yield f"fold {show(fold)} in the trailer", make.chunked(body=b"0\r\nX-T: a" + fold + b"b\r\n\r\n"), "refuse"


def chunk_sizes(make):
    data = b"hello\r\n0\r\n\r\n"
    bad = [b"", b" ", b"0x5", b"0X5", b"+5", b"-5", b"-0", b"5h", b"5x", b"g", b"5_0", b"_5", b"5.", b"5,",
            b"5 5", b" 5", b"\t5",
           b"5 ", b"5\t", b"5\x0b", b"\x0b5", b"5\0", b"\x005", b"5\x80", b"\xff5", b"\xef\xbc\x95", b'"5"',
           b"'5'", b"(5)",
           b"5#", b"5%", b"5:", b"5/", b"5=", b"5\\", b"0o5", b"5L", b"$5", b"\r5", b"5\r", b"\n5",
           b"10000000000000005", b"100000000000000000000005", b"f" * 17, b"f" * 40, b"1" + b"0" * 100 + b"5"]
    for size in bad:
        yield f"chunk size {show(size)}", make.chunked(body=size + b"\r\n" + data), "refuse", LARGE
        yield f"second chunk size {show(size)}", make.chunked(body=b"2\r\nab\r\n" + size + b"\r\n" + data), "refuse", LARGE
    for size in (b"ffffffffffffffff", b"8000000000000000", b"7fffffffffffffff", b"fffffffffffffffb",
            b"8000000000000005"):
        yield f"chunk size {size.decode()}", make.chunked(body=size + b"\r\n" + data), "refuse", LARGE
    for size in (b"05", b"005", b"0" * 15 + b"5", b"0" * 16 + b"5", b"0" * 300 + b"5"):
        yield f"chunk size {show(size)}", make.chunked(body=size + b"\r\n" + data), "either", {"meant": make.chunked()}
    for body in (b"A\r\n0123456789\r\n0\r\n\r\n", b"a\r\n0123456789\r\n0\r\n\r\n", b"0\r\n\r\n",
            b"1\r\na\r\n" * 40 + b"0\r\n\r\n"):
        yield f"good chunks {show(body)}", make.chunked(body=body), "pass"
    for last in (b"00", b"000", b"0" * 16):
        yield f"last chunk {show(last)}", make.chunked(body=b"5\r\nhello\r\n" + last + b"\r\n\r\n"), "either"
    for body in (b"5\r\nhello0\r\n\r\n", b"5\r\nhell\r\n0\r\n\r\n", b"5\r\nhello!\r\n0\r\n\r\n",
            b"5\r\nhello\n0\r\n\r\n",
                 b"5\r\nhello\r0\r\n\r\n", b"5\r\nhello\r\n\r\n0\r\n\r\n", b"5\nhello\r\n0\r\n\r\n",
                 b"5\rhello\r\n0\r\n\r\n",
                 b"5\r\nhello\r\n0\n\r\n", b"5\r\nhello\r\n0\r\n\n", b"5\r\nhello\r\n0\n\n",
                 b"5\r\nhello\r\n0\r\r",
                 b"5\r\nhello\r\n0\r\n\r" + b"x", b"\r\n5\r\nhello\r\n0\r\n\r\n", b"5\r\nhello \r\n0\r\n\r\n",
                 b"5\r\nhello\r\n-0\r\n\r\n", b"5\r\nhello\r\n0 \r\n\r\n", b"5\r\nhello\r\n0x0\r\n\r\n",
                 b"hello", b"{}\r\n\r\n",
                 b"5\r\nhello\r\n\r\n", b"5\r\nhello\r\n0\r\nGET / HTTP/1.1\r\n\r\n"):
        yield f"chunks {show(body)}", make.chunked(body=body), "refuse"


def chunk_extensions(make):
    for ext in (b";a", b";a=b", b';a="b"', b';a="b;c"', b';a="\\""', b";a;b;c=1", b"; a", b" ;a", b"\t;a=b",
            b"; a = b", b';a=""',
                b';a="\xe9"', b";" + b"a" * 200, b";a=" + b"1" * 4000, b";a=b" * 500):
        yield f"extension {show(ext)}", make.chunked(body=b"5" + ext + b"\r\nhello\r\n0\r\n\r\n"), "either"
        yield f"extension {show(ext)} on the last", make.chunked(body=b"5\r\nhello\r\n0" + ext + b"\r\n\r\n"), "either"
    for ext in (b";", b";;", b";a;", b";=b", b";a=", b"; ", b';a="b', b';a="b\nc"', b";a=b\rc", b";a\n",
            b"\n;a", b";a\0", b";\0", b";a\x0b",
                b';a="\0"', b';a="\x7f"', b";a b", b";a=b c", b";(a)", b";a@b", b",a", b"=a", b"a;b",
                b';a="b"c', b";\xe9", b";a=\xe9", b";a\r",
                b";a=b\n0\r\n\r\n", b";a\nxx", b";\n" + b"0\r\n\r\n" + make.smuggled):
        yield f"extension {show(ext)}", make.chunked(body=b"5" + ext + b"\r\nhello\r\n0\r\n\r\n"), "refuse"
        yield f"extension {show(ext)} on the last", make.chunked(body=b"5\r\nhello\r\n0" + ext + b"\r\n\r\n"), "refuse"


def trailers(make):
    """Trailers may be dropped or passed on; what frames, routes or authorises never is."""
    for line in (b"X-T: 1", b"X-T:", b"Digest: x=y", b"Content-Length: 5", b"Transfer-Encoding: chunked",
            b"Host: evil.example",
                 b"Authorization: Bearer sk-evil", b"x-api-key: sk-evil", b"Connection: close",
                 b"Content-Encoding: gzip",
                 b"Content-Type: text/html", b"Trailer: X", b"Cookie: a=b", b"Upgrade: h2c",
                 b"Expect: 100-continue",
                 b"Transfer-Encoding: x", b"Content-Length: x", b"Proxy-Authorization: x",
                 b"X-A: 1\r\nX-B: 2\r\nX-C: 3"):
        for size in (b"0", b"5\r\nhello\r\n0"):
            body = size + b"\r\n" + line + b"\r\n\r\n"
            yield f"trailer {show(line)}", make.chunked(body=body), "either"
            yield f"trailer {show(line)}, announced", make.chunked(
                b"Trailer: " + line.split(b":")[0], body=body), "either"
    for line in (b"X T: 1", b"X-T : 1", b": 1", b"X-T", b" X-T: 1", b"X-T: a\nb", b"X-T: a\rb", b"X-T: \0",
            b"X-T: \x7f", b"X\0: 1",
                 b"X-T\xe9: 1", b"GET / HTTP/1.1", b"X-T: 1\nX-U: 2", b"\tX-T: 1", b"X(T): 1"):
        yield f"trailer {show(line)}", make.chunked(body=b"0\r\n" + line + b"\r\n\r\n"), "refuse"


FAMILIES = [transfer_codings, coding_names, two_codings, lengths, two_lengths, line_ends, folding, chunk_sizes,
            chunk_extensions, trailers]
