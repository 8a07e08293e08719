# SPDX-License-Identifier: GPL-3.0-or-later
"""Families about the head: methods, targets, versions, Host, names, and what must not be steered."""
from corpus import show

BASE = b"/openai/v1/c/@ID@"
OPEN = {"closes": False}  # well-formed but refused: the connection may live on


def controls(make):
    """A control character in each part of the head."""
    for code in [*range(0x20), 0x7f]:
        char = bytes([code])
        spots = {"method": b"GE" + char + b"T " + BASE + b" HTTP/1.1",
                "target": b"GET " + BASE + char + b"x HTTP/1.1",
                 "query": b"GET " + BASE + b"?a=" + char + b"x HTTP/1.1",
                 "version": b"GET " + BASE + b" HTTP/1." + char + b"1",
                 "start": char + b"GET " + BASE + b" HTTP/1.1", "end": b"GET " + BASE + b" HTTP/1.1" + char}
        for name, start in spots.items():
            want = "either" if name == "start" and char in b"\r\n" else "refuse"
            yield f"{show(char)} in {name}", make.raw(start, [make.host_line, make.auth]), want
        for name, line in {"name": b"X-A" + char + b"B: v", "after name": b"X-A" + char + b": v",
                "before name": char + b"X-A: v",
                           "value": b"X-A: a" + char + b"b", "value begin": b"X-A:" + char + b"b",
                           "value end": b"X-A: b" + char,
                           "host": b"X-Y: z\r\nHost" + char + b": evil.example"}.items():
            tab = char == b"\t" and name.startswith("value")
            yield f"{show(char)} in {name}", make.get(None, line), "pass" if tab else "refuse"


def high_bytes(make):
    for text in (b"\x80", b"\x85", b"\x9f", b"\xa0", b"\xc0\xae", b"\xc3\xa9", b"\xe2\x80\xa8", b"\xef\xbc\x8f",
            b"\xf0\x9f\x98\x80",
                 b"\xff", b"\xfe\xff", b"\xc4\x8a", b"\xc4\x8d\xc4\x8a", b"\xe5\x98\x8a\xe5\x98\x8d"):
        yield f"{show(text)} in the path", make.get(BASE + text), "refuse"
        yield f"{show(text)} in the query", make.get(BASE + b"?q=" + text), "refuse"
        yield f"{show(text)} in the method", make.get(method=b"G" + text), "refuse"
        yield f"{show(text)} in a name", make.get(None, b"X-" + text + b": v"), "refuse"
        yield f"{show(text)} in a value", make.get(None, b"X-V: " + text), "either"
        yield f"{show(text)} in Host", make.raw(b"GET " + BASE + b" HTTP/1.1",
                [b"Host: " + text, make.auth]), "refuse", {
            "statuses": {400, 421}}
        yield f"{show(text)} in the version", make.get(version=b"HTTP/1.1" + text), "refuse", {"statuses": {400,
                505}}


def names(make):
    for char in b"\"(),/:;<=>?@[\\]{} ":
        char = bytes([char])
        inside, first = b"X-A" + char + b"B: v", char + b"X: v"
        yield f"{show(char)} in a name", make.get(None, inside), "pass" if char == b":" else "refuse"
        yield f"{show(char)} first in a name", make.get(None, first), "refuse"
        if char != b":":
            yield f"{show(char)} last in a name", make.get(None, b"X-A" + char + b": v"), "refuse"
    for line in (b": v", b":", b"::", b" : v", b"X-A", b"X-A v", b"=", b"\"X\": v", b"GET / HTTP/1.1", b"-",
            b"\xef\xbb\xbfX: v", b"%00: v" + b"\0"):
        yield f"line {show(line)}", make.get(None, line), "refuse"
    for line in (b"!#$%&'*+-.^_`|~: v", b"0: v", b"-: v", b"X:", b"X: ", b"X:\t", b"X: " + b"a" * 3000,
            b"n" * 3000 + b": v", b"X-A:a:b"):
        yield f"line {show(line)}", make.get(None, line), "pass"
    yield "a thousand fields", make.get(None, *[b"X-%d: v" % i for i in range(1000)]), "either"


def hosts(make):
    start = b"GET " + BASE + b" HTTP/1.1"
    none = {"statuses": {400, 421}}
    yield "no Host", make.raw(start, [make.auth]), "refuse"
    yield "no Host, HTTP/1.0", make.raw(b"GET " + BASE + b" HTTP/1.0", [make.auth]), "either"
    for value in (b"", b" ", b",", b"a b", b"a\tb", b"a,b", b"@", b"user@" + make.host,
            b"user:pass@" + make.host, make.host + b"@evil.example",
                  make.host + b":1", make.host + b"/", make.host + b"/x", make.host + b"?x", make.host + b"#x",
                  make.host + b"\\x",
                  make.host + b" evil.example", make.host + b", evil.example", make.host + b";x",
                  b"127.0.0.1:x", b"127.0.0.1:-1",
                  b"127.0.0.1:+80", b"127.0.0.1:0x50", b"127.0.0.1:65536", b"127.0.0.1:99999",
                  b"127.0.0.1:999999999999999999999", b"127.0.0.1:8 0",
                  b":80", b"[::1", b"::1]", b"[::1]x", b"[]", b"[::1]:x", b"[[::1]]", b"[::g]",
                  b"http://" + make.host, b"//" + make.host, b"\"localhost\"",
                  b"<localhost>", b"localhost\\", b"localhost^", b"localhost`", b"{localhost}", b"localhost|",
                  b"\x00", b"localhost\x00.evil.example",
                  b"localhost%00", b"localhost%2eevil", b"%6cocalhost", b"localhost..", b".localhost"):
        yield f"Host {show(value)}", make.raw(start, [b"Host: " + value, make.auth]), "refuse", {**none,
                "closes": False}
    for value in (b"evil.example", b"evil.example:80", b"localhost.evil.example", b"127.0.0.1.evil.example",
            b"10.0.0.1", b"0.0.0.0", b"[::]", b"[::2]",
                  b"127.0.0.2", b"127.1", b"2130706433", b"0x7f000001", b"api.openai.com", b"localhost.",
                  b"169.254.169.254", b"xn--lcalhost-54a"):
        yield f"Host {show(value)}", make.raw(start, [b"Host: " + value,
                make.auth]), "refuse", {"statuses": {421}, **OPEN}
    for value in (b"localhost", b"LOCALHOST", b"127.0.0.1", b"[::1]", make.host, make.decoy,
            b" " + make.host + b" "):
        yield f"Host {show(value)}", make.raw(start, [b"Host:" + value, make.auth]), "pass"
    yield "Host with an empty port", make.raw(start, [b"Host: 127.0.0.1:",
            make.auth]), "either", {"meant": make.get(), "closes": False}
    for one in (make.host, b"evil.example", b"", b"localhost"):
        for two in (make.host, b"evil.example", b"", b"localhost"):
            yield f"Host {show(one)} | Host {show(two)}", make.raw(start,
                    [b"Host: " + one, make.auth, b"Host: " + two]), "refuse"
    for name in (b"Host ", b" Host", b"Host\t", b"H\0ost", b"Host\x0b", b"(Host)"):
        yield f"second {show(name)}", make.get(None, name + b": evil.example"), "refuse"
    for name in (b"X-Host", b"Host_", b"Hosts", b"X-Forwarded-Host", b"X-Original-Host",
            b"X-HTTP-Host-Override", b"Forwarded"):
        yield f"{show(name)}", make.get(None, name + b": " + make.decoy), "either"


def absolute(make):
    """Absolute-form: the authority is checked against Host, never connected to."""
    for scheme in (b"http://", b"HTTP://"):
        yield f"{show(scheme)} agrees", make.get(scheme + make.host + BASE), "pass"
        yield f"{show(scheme)} agrees, query", make.get(scheme + make.host + BASE + b"?a=b"), "pass"
        for authority in (b"evil.example", make.decoy, b"localhost", make.host + b"0", b"user@" + make.host,
                b"u:p@" + make.host, b"", b"127.0.0.1",
                          make.host + b"@" + make.decoy, b"[::1]", make.host + b":80", b"evil.example:80",
                          b"@" + make.host):
            yield f"{show(scheme)} {show(authority)}", make.get(scheme + authority + BASE), "refuse", {"statuses": {400, 421}}
            yield f"{show(scheme)} {show(authority)}, as Host", make.raw(
                b"GET " + scheme + authority + BASE + b" HTTP/1.1", [b"Host: " + authority, make.auth]), (
                    "either" if authority in (make.decoy, b"localhost", b"127.0.0.1", b"[::1]",
                    make.host + b"0") else "refuse"), {"statuses": {400, 421}, **OPEN}
        yield f"{show(scheme)} without Host", make.raw(b"GET " + scheme + make.host + BASE + b" HTTP/1.1",
                [make.auth]), "refuse"
    for target in (b"https://" + make.host + BASE, b"ftp://" + make.host + BASE, b"ws://" + make.host + BASE,
            b"file:///etc/passwd", b"gopher://" + make.decoy,
                   b"http:" + BASE, b"http:/" + make.host + BASE, b"http:///" + BASE,
                   b"http:\\\\" + make.host + BASE, b"http//" + make.host, b"://x",
                   b"data:x", b"javascript:1", b"http://" + make.host + b"\\" + BASE,
                   b"http://" + make.host + b"#" + BASE, b"http://[::1" + BASE):
        want = "either" if target.startswith(b"https") else "refuse"
        yield f"target {show(target)}", make.get(target), want, {"statuses": {400, 404, 421}, **OPEN}


def targets(make):
    exact = [b"", b"?", b"?a=b", b"?a=b?c", b"?a=b/../c", b"/", b"//", b"//x", b"/a//b", b"/%2F", b"/%2f",
            b"/%20", b"/%00", b"/%0d%0aX:%20y", b"/a%0aHost:b",
             b"/...", b"/.a", b"/a.", b"/..a", b"/a..", b"/~", b"/a;b", b"/a;b=c/d", b"/a,b", b"/a:b", b"/a@b",
             b"/a!b", b"/a$b", b"/a'b", b"/a(b)", b"/a*b", b"/a+b",
             b"/a=b", b"/a&b", b"/%41", b"/%e9", b"/%C3%A9", b"/%25%32%65", b"/%252e%252e/", b"?q=%2e%2e/",
             b"?u=http://evil.example/", b"?a=%zz", b"/x" * 500,
             b"?" + b"a=b&" * 500, b"?a=%0d%0a", b"/models/x:generateContent", b"?alt=sse", b"?%", b"?a[]=b",
             b"?a={}", b'?a="b"', b"?a=<b>", b"?a=b|c", b"?a=^`"]
    for tail in exact:
        safe = not any(c in tail
                for c in b'[]{}"<>|^`') and b"%zz" not in tail and not tail.endswith(b"%") and b"%00" not in tail and b"%0" not in tail
        yield f"tail {show(tail)}", make.get(BASE + tail), "pass" if safe else "either"
    for tail in (b"/..", b"/../", b"/../x", b"/.", b"/./", b"/./x", b"/x/..", b"/x/../y", b"/%2e%2e/",
            b"/%2E%2E/x", b"/.%2e/", b"/%2e./", b"/%2e", b"/%2E/x", b"/%2e%2E",
                 b"/../../../../etc/passwd", b"/x/./y", b"//..//", b"/..?q", b"/.?q", b"/../../smuggled/@ID@",
                 b"/%2e%2e/%2e%2e/smuggled/@ID@"):
        yield f"dots {show(tail)}", make.get(BASE + tail), "refuse", OPEN
    for tail in (b"#", b"#x", b"?a#b", b" ", b" x", b"?a b", b"\tx", b" HTTP/1.1 x", b"\x0bx", b"%0a b"):
        yield f"tail {show(tail)}", make.get(BASE + tail), "refuse"
    for tail in (b"\\", b"\\..\\x", b"/%", b"/%z", b"/%zz", b"/%u002e", b"/%5c..%5c", b"/..%2f", b"/..%5c",
            b"/..;/x", b"/.;/", b"/%c0%ae%c0%ae/", b"/{x}", b"/<x>", b'/"x"',
                 b"/x|y", b"/x^y", b"/x`y", b"/[x]", b"\\/evil.example"):
        yield f"tail {show(tail)}", make.get(BASE + tail), "either"
    for target in (b"*", b"", b" ", b"openai/v1/c/@ID@", b"?", b"c", b"@evil.example/", b"\\openai\\v1",
            b"evil.example:443", make.decoy, b"127.0.0.1", b".", b"..", b"#"):
        yield f"target {show(target)}", make.get(target or b" "), "refuse", {"statuses": {400, 404}}
    for target in (b"//evil.example" + BASE, b"//" + make.decoy + BASE, b"/\\evil.example" + BASE,
            b"/@evil.example" + BASE, b"/http://" + make.decoy + BASE, b"//" + BASE,
                   b"/", b"/openai", b"/openai/v1x/c/@ID@", b"/openai/v10/c/@ID@", b"/OPENAI/v1/c/@ID@",
                   b"/openai//v1/c/@ID@", b"/openai%2fv1/c/@ID@", b"/%6fpenai/v1/c/@ID@",
                   b"/openai/v1;/c/@ID@", b"/openai/v1%20/c/@ID@", b"/healthz", b"/metrics", b"/readyz",
                   b"/admin", b"/config", b"/openai/v1%00/c/@ID@"):
        yield f"no route {show(target)}", make.get(target), "refuse", {"statuses": {400, 404}, **OPEN}
    yield "OPTIONS *", make.get(b"*", method=b"OPTIONS"), "refuse", {"statuses": {400, 404, 405}, **OPEN}
    for gap in (b"  ", b"\t", b" \t", b"\x0b", b"\x0c", b"\xa0", b"\r", b"   "):
        yield f"gap {show(gap)} before the target", make.raw(b"GET" + gap + BASE + b" HTTP/1.1",
                [make.host_line, make.auth]), "refuse"
        yield f"gap {show(gap)} behind the target", make.raw(b"GET " + BASE + gap + b"HTTP/1.1",
                [make.host_line, make.auth]), "refuse"


def methods(make):
    for method in (b"GET", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"HEAD"):
        yield f"method {method.decode()}", make.get(method=method), "pass"
    for method in (b"get", b"Get", b"PURGE", b"M-SEARCH", b"QUERY", b"X", b"BREW", b"PRI", b"!", b"A" * 30,
            b"A" * 300, b"SEARCH", b"LOCK", b"TRACK", b"DEBUG"):
        yield f"method {show(method)}", make.get(method=method), "either"
    for method in (b"TRACE", b"CONNECT"):
        yield f"method {method.decode()}", make.get(method=method), "refuse", {"statuses": {405, 400}, **OPEN}
    yield "CONNECT authority", make.raw(b"CONNECT " + make.decoy + b" HTTP/1.1",
            [b"Host: " + make.decoy]), "refuse", {"statuses": {405, 400}, **OPEN}
    yield "CONNECT own", make.raw(b"CONNECT " + make.host + b" HTTP/1.1",
            [make.host_line, make.auth]), "refuse", {"statuses": {405, 400}, **OPEN}
    for method in (b"", b"GE T", b"GET:", b"GET,", b"(GET)", b"GET/", b'"GET"', b"GET\\", b"G@T", b"G[T",
            b"G{T", b"G=T", b"G;T", b"G<T", b"\xef\xbb\xbfGET", b"GET GET"):
        yield f"method {show(method)}", make.get(method=method), "refuse"


def versions(make):
    wrong = {"statuses": {400, 505}}
    for version in (b"HTTP/0.9", b"HTTP/1.2", b"HTTP/1.9", b"HTTP/2.0", b"HTTP/2", b"HTTP/3", b"HTTP/0.0",
            b"HTTP/9.9", b"HTTP/1", b"HTTP/1.", b"HTTP/.1", b"HTTP/", b"HTTP", b"http/1.1",
                    b"Http/1.1", b"HTTP/1.10", b"HTTP/01.1", b"HTTP/1.01", b"HTTP/1.1.1", b"HTTP/11",
                    b"HTTP/1,1", b"HTTP /1.1", b"HTTP/ 1.1", b"HTTP/1 .1", b"HTTP\\1.1", b"HTTPS/1.1",
                    b"XTTP/1.1",
                    b"ICY/1.1", b"HTTP-1.1", b"HTTP/+1.1", b"HTTP/-1.1", b"HTTP/1.-1", b"HTTP/1.1a",
                    b"aHTTP/1.1", b"HTTP/x.y", b"HTTP/1.1 ", b"HTTP/1.1\t", b"HTTP/1.1 x", b"HTTP/\xd9\xa1.1",
                    b"RTSP/1.0",
                    b"SIP/2.0", b"HTTP/4294967297.1", b"HTTP/1.4294967297", b"\"HTTP/1.1\"", b"HTTP/1.1;x"):
        yield f"version {show(version)}", make.get(version=version), "refuse", wrong
    for start in (b"GET " + BASE, b"GET " + BASE + b" ", b"GET  HTTP/1.1", b"GET", b"GET ", b"", b" ",
            b"HTTP/1.1", b"HTTP/1.1 200 OK", BASE, b"GET" + BASE + b"HTTP/1.1", b"GET HTTP/1.1 " + BASE):
        lead = start == b""
        yield f"request line {show(start)}", make.raw(start, [make.host_line,
                make.auth]), "refuse" if not lead else "either", wrong
    yield "HTTP/0.9", b"GET " + BASE + b"\r\n", "refuse", wrong
    yield "h2c preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0", "refuse", wrong
    yield "TLS hello", bytes.fromhex("16030100c8010000c40303") + b"\0" * 64 + b"\r\n\r\n", "refuse", wrong
    for upgrade in (b"h2c", b"HTTP/2.0", b"TLS/1.0", b"foo", b"h2c, foo", b"websocketx"):
        for connection in (b"Upgrade", b"Upgrade, HTTP2-Settings", b"keep-alive", b""):
            yield f"Upgrade {upgrade.decode()}, Connection {connection.decode()}", make.get(
                None, b"Connection: " + connection, b"Upgrade: " + upgrade,
                b"HTTP2-Settings: AAMAAABkAAQAAP__"), "either"
    for line in (b"Connection: close", b"Connection: keep-alive", b"Keep-Alive: timeout=5"):
        yield f"HTTP/1.0 {line.decode()}", make.get(None, line, version=b"HTTP/1.0"), "either"
        yield f"HTTP/1.0 {line.decode()} body", make.sized(line, version=b"HTTP/1.0"), "either"


def connection_named(make):
    """What Connection names is dropped, except what frames, routes and authorises."""
    critical = [b"Content-Length", b"Host", b"Authorization", b"Transfer-Encoding", b"Content-Type",
            b"Connection", b"Date", b"Expect", b"Cookie", b"x-api-key", b"Accept",
                b"Cache-Control", b"X-Forwarded-For", b"Content-Encoding", b"Trailer", b"TE", b"Upgrade",
                b"Via"]
    for name in critical:
        for value in (name, name.lower(), b"close, " + name, b"keep-alive, " + name, name + b", " + name,
                b"," + name + b",", b"\"" + name + b"\"", name + b"\t,x"):
            yield f"Connection {show(value)} sized", make.sized(b"Connection: " + value), "either"
        yield f"Connection {show(name)} chunked", make.chunked(b"Connection: " + name), "either"
        yield f"Connection | Connection {show(name)}", make.sized(b"Connection: keep-alive",
                b"Connection: " + name), "either"
    for line in (b"X-Secret: 1", b"Keep-Alive: timeout=5", b"TE: trailers", b"TE: gzip",
            b"Proxy-Connection: keep-alive", b"Proxy-Authorization: Basic eDp5", b"Proxy-Authenticate: x",
            b"Trailer: X"):
        name = line.split(b":")[0]
        yield f"hop-by-hop {name.decode()}", make.sized(b"Connection: " + name, line), "pass"
        yield f"unnamed {name.decode()}", make.sized(line), "pass"
    for value in (b"close", b"Close", b"keep-alive, close", b"close, close"):
        yield f"Connection {show(value)}", make.get(None, b"Connection: " + value), "either"


def expectations(make):
    for value in (b"100-continue", b"100-Continue", b"100-CONTINUE"):
        yield f"Expect {show(value)}", make.sized(b"Expect: " + value), "pass"
        yield f"Expect {show(value)} chunked", make.chunked(b"Expect: " + value), "pass"
        yield f"Expect {show(value)} GET", make.get(None, b"Expect: " + value), "either"
        yield f"Expect {show(value)} 1.0", make.sized(b"Expect: " + value, version=b"HTTP/1.0"), "either"
    for value in (b"", b"x", b"100", b"100-continue, x", b"100-continue;q=1", b"200-ok",
            b"100-continue 100-continue", b"y 100-continue", b"100-continued", b"x=100-continue",
            b"\"100-continue\""):
        yield f"Expect {show(value)}", make.sized(b"Expect: " + value), "either"
        yield f"Expect 100-continue | Expect {show(value)}", make.sized(b"Expect: 100-continue",
                b"Expect: " + value), "either"


def steering(make):
    """Nothing that the client writes chooses where the credential goes."""
    url = b"http://" + make.decoy
    for name in (b"api_base", b"base_url", b"api_key", b"api_version", b"extra_headers", b"url", b"endpoint",
            b"host", b"proxy", b"callback", b"webhook", b"upstream", b"provider", b"organization"):
        yield f"body {name.decode()}", make.sized(body=b'{"model":"m","' + name + b'":"' + url + b'"}'), "pass"
        yield f"query {name.decode()}", make.get(BASE + b"?" + name + b"=" + url), "pass"
        yield f"query {name.decode()} and body", make.sized(body=b'{"' + name + b'":"' + url + b'"}',
                path=BASE + b"?" + name + b"=" + url), "pass"
        yield f"field {name.decode()}", make.get(None, name.replace(b"_", b"-") + b"-x: " + url), "pass"
    for name in (b"X-Forwarded-Host", b"X-Forwarded-Server", b"X-Forwarded-For", b"X-Forwarded-Proto",
            b"X-Forwarded-Port", b"X-Original-URL", b"X-Rewrite-URL", b"X-Host", b"Forwarded", b"X-Real-IP",
                 b"X-HTTP-Method-Override", b"X-Method-Override", b"X-Upstream", b"X-Base-Url", b"x-api-base",
                 b"X-Accel-Redirect", b"Destination", b"Referer", b"Via", b"X-Proxy-URL", b"Proxy",
                 b"Max-Forwards", b"x-gatehouse-provider", b"x-gatehouse-request-id", b"OpenAI-Organization",
                 b"X-Envoy-Original-Path"):
        for value in (make.decoy, url + b"/openai/v1/smuggled/@ID@"):
            yield f"{name.decode()}: {show(value)}", make.get(None, name + b": " + value), "either"
    for line in (b"Authorization: Bearer sk-evil", make.auth, b"Authorization: Basic eDp5", b"Authorization:",
            b"Authorization : Bearer x", b"authorization: Bearer sk-evil",
                 b"Authorization: Bearer " + make.other_key):
        yield f"second {show(line)}", make.get(None, line), "refuse" if b" :" in line else "either"
        yield f"first {show(line)}", make.raw(b"GET " + BASE + b" HTTP/1.1",
                [make.host_line, line, make.auth]), "refuse" if b" :" in line else "either"


def pipelines(make):
    """Several requests in one write: as many at the provider, in order, each its own."""
    bodies = {"get": make.get, "sized": make.sized, "chunked": make.chunked,
            "empty": lambda **m: make.sized(body=b"", **m),
              "fake": lambda **m: make.sized(body=make.smuggled, **m),
              "fake chunk": lambda **m: make.chunked(body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(make.smuggled),
              make.smuggled), **m)}
    for one, first in bodies.items():
        for two, second in bodies.items():
            for three, third in bodies.items():
                yield f"{one}, {two}, {three}", first(path=BASE + b"/1") + second(path=BASE + b"/2") + third(path=BASE + b"/3"), "pass"
    for one, first in bodies.items():
        yield f"{one} and a bad one", first(path=BASE) + b"GET  / HTTP/1.1\r\n\r\n", "either"
        yield f"{one} and CRLF", first(path=BASE) + b"\r\n", "either", {"meant": first(path=BASE)}
        yield f"{one} and garbage", first(path=BASE) + b"\0\xff\r\n\r\n", "either"
        yield f"{one} and CL.TE", first(path=BASE) + make.post(b"Content-Length: 4",
                b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + make.smuggled), "either"


FAMILIES = [controls, high_bytes, names, hosts, absolute, targets, methods, versions, connection_named,
        expectations, steering, pipelines]
