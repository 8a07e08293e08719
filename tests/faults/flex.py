# SPDX-License-Identifier: GPL-3.0-or-later
"""Serves directories of MuleSoft documents and shows that each acts as MuleSoft documents it, or is
refused with its reason. The documents follow the examples of MuleSoft's Local Mode guides."""
import argparse
import re
import socket
import ssl
import subprocess
import sys
import time

from flexgateway import Scene, basic, bound, document, free_port, token
from reader import parse_response
from support import add_arguments, wait_for

# address path, rules.path, destinationPath, input, output (None: 404); MuleSoft, "Determining a Request Path".
PATHS = [
    ("", "/api/.*", None, "/api/foo/bar", "/api/foo/bar"),
    ("", "/api(/.*)", None, "/api/foo/bar", "/foo/bar"),
    ("", "/api/.*", "/orders", "/api/foo/bar", "/orders/api/foo/bar"),
    ("", "/api(/.*)", "/orders", "/api/foo/bar", "/orders/foo/bar"),
    ("/api", "/foo/.*", None, "/api/foo/bar", "/foo/bar"),
    ("/api", "/foo(/.*)", None, "/api/foo/bar", "/bar"),
    ("/api", "/foo/.*", "/orders", "/api/foo/bar", "/orders/foo/bar"),
    ("/api", "/foo(/.*)", "/orders", "/api/foo/bar", "/orders/bar"),
    ("/api", "/api/foo/.*", "/orders", "/api/foo/bar", None),
    ("/api", "/foo(/.*)/bar(/.*)", None, "/api/foo/abc/bar/def", "/abc/def"),
    ("/api", "/foo(/.*)/bar(/.*)", "/orders", "/api/foo/abc/bar/def", "/orders/abc/def"),
    # and what people write for an LLM
    ("/openai", "/(.*)", "/v1", "/openai/chat/completions?a=b", "/v1/chat/completions?a=b"),
    ("/openai", "(.*)", "/v1/", "/openai/models", "/v1/models"),
    ("/api", "/foo(/.*)", "/orders", "/api/foo/a%20b%2Fc", "/orders/a%20b%2Fc"),
    ("/api", "/foo(/.*)", "/orders", "/api/f%6fo/bar", None),
]


def checked(gateway):
    """What `gatehouse check` says of documents that can be served."""
    done = gateway.command("check")
    if done.returncode != 0:
        raise SystemExit(f"check: {done.returncode} {done.stdout}{done.stderr}")
    return done.stdout


def paths(scene):
    """Every combination of base path, rule and destination path, as a route policy and inline."""
    documents, ports = [document("Service", "orders", {"address": scene.address}, {})], []
    for number, (base, rule, destination, _, _) in enumerate(PATHS):
        ports += [free_port(), free_port()]
        config = {"destinationRef": {"name": "orders"}}
        route = {"rules": [{"path": rule}]}
        if destination:
            config["destinationPath"] = destination
            route["config"] = {"destinationPath": destination}
        documents += [scene.instance(f"bound-{number}", ports[-2], base, services=None),
                      bound(f"route-{number}", f"bound-{number}", "route", config, rules=[{"path": rule}]),
                      scene.instance(f"inline-{number}", ports[-1], base, services={
                          "orders": {"address": scene.address, "routes": [route]}})]
    gateway = scene.gateway(documents)
    for number, (base, rule, destination, target, output) in enumerate(PATHS):
        for port in ports[2 * number:2 * number + 2]:
            scene.expect(f"{base or '/'} {rule} {destination} {target}", port, target,
                         200 if output else 404, "" if output else "route", upstream=output)
    gateway.remove()


def several_services(scene):
    """Routes by method, header and host, in their order; no route matches: 404."""
    port = free_port()

    def route(name, order, destination, **rule):
        return bound(name, "shop", "route", {"destinationPath": destination, "destinationRef": {"name": "s"}},
                     order=order, rules=[rule] if rule else [])
    gateway = scene.gateway([
        document("Service", "s", {"address": scene.address}, {}),
        scene.instance("shop", port, "/shop", services=None),
        route("last", 9, "/last", methods="GET|PUT", path="/.*"),
        route("beta", 1, "/beta", headers={"x-test": "true|yes"}),
        route("write", 2, "/write", methods="POST", host="shop\\.example\\.org"),
    ])
    scene.expect("by header", port, "/shop/a", 200, upstream="/beta/a", lines=["X-Test: yes"])
    scene.expect("header with another value", port, "/shop/a", 200, upstream="/last/a", lines=["x-test: y"])
    scene.expect("by method", port, "/shop/a", 200, upstream="/last/a", method="PUT", lines=["Content-Length: 0"])
    scene.expect("by host", port, "/shop/a", 200, upstream="/write/a", method="POST", host="shop.example.org",
                 lines=["Content-Length: 0"])
    scene.expect("by another host", port, "/shop/a", 404, "route", method="POST", lines=["Content-Length: 0"])
    scene.expect("a host that no rule names", port, "/shop/a", 421, "host", host="evil.example.org")
    scene.expect("outside the base path", port, "/shopping", 404, "route")
    gateway.remove()


def shared_port(scene):
    """Two ApiInstances on one port, and the key that is asked for without the label."""
    port = free_port()
    gateway = scene.gateway([
        scene.instance("bin", port, "/api/bin/"), scene.instance("json", port, "/api/json/", labels={})])
    scene.expect("the first", port, "/api/bin/get", 200, upstream="/get")
    scene.expect("the second asks for a key", port, "/api/json/users/1", 401, "client-key:missing")
    scene.expect("neither", port, "/api/xml", 404, "route")
    said = checked(gateway)
    scene.checks.check("check says which one asks for a key", re.search(
        r"flex\.yaml:3:\d+: warning: ApiInstance \"json\" asks for a virtual key", said), said)
    key = gateway.add_client("c", "--route", "json")
    wait_for(lambda: scene.ask(port, "/api/json/a", lines=[f"x-api-key: {key}"])[0] == 200, 5)
    message, _ = scene.expect("with a key", port, "/api/json/users/1", 200, upstream="/users/1",
                              lines=[f"x-api-key: {key}", "Authorization: Bearer sk-own"])
    scene.checks.check("the client's own credential passes", message and
                       message.get(b"authorization") == b"Bearer sk-own", message)
    scene.checks.check("the key does not", key.encode() not in b"".join(
        bytes(c.received) for c in scene.provider.connections), "it is there")
    gateway.remove()


def basic_auth(scene):
    """Inline, bound, by selector with rules, and from the environment."""
    inline, direct, selected, other, environment = (free_port() for _ in range(5))
    reference, config = "http-basic-authentication-flex", {"username": "chris", "password": "adm:in"}
    policy = {"policyRef": {"name": reference, "namespace": "default"}, "config": config}
    secured = {"gatehouse/public": "true", "secured": "yes"}
    gateway = scene.gateway([
        scene.instance("inline", inline, policies=[policy]),
        scene.instance("direct", direct), bound("direct-auth", "direct", reference, config, order=2),
        scene.instance("selected", selected, labels=secured), scene.instance("other", other),
        bound("auto", {"kind": "Selector", "selector": {"kind": "ApiInstance", "labels": {"secured": "yes"}}},
              reference, config, rules=[{"methods": "GET"}]),
        scene.instance("environment", environment, policies=[
            {"policyRef": {"name": reference},
             "config": {"username": "$FLEX_USERNAME", "password": "$FLEX_PASSWORD"}}]),
    ], {"FLEX_USERNAME": "reader", "FLEX_PASSWORD": "from-the-environment"})
    right, wrong = [basic("chris", "adm:in")], [basic("chris", "admin")]
    for name, port in {"inline": inline, "bound": direct, "selected": selected}.items():
        scene.expect(f"{name}, right", port, "/a", 200, upstream="/a", lines=right)
        for what, lines in {"nothing": [], "wrong": wrong}.items():
            status, reason, message, said = scene.ask(port, "/a", lines=lines)
            scene.checks.check(f"{name}, {what}", status == 401 and reason.startswith("basic-auth") and not message
                               and said.get(b"www-authenticate"), (status, reason))
    scene.expect("outside the rules", selected, "/a", 200, method="POST", lines=["Content-Length: 0"])
    scene.expect("without the label", other, "/a", 200)
    scene.expect("from the environment", environment, "/a", 200,
                 lines=[basic("reader", "from-the-environment")])
    scene.checks.check("not as written", scene.ask(environment, "/a", lines=[
        basic("$FLEX_USERNAME", "$FLEX_PASSWORD")])[0] == 401, "let in")
    scene.checks.check("no password is printed", b"adm:in" not in gateway.output() and
                       "adm:in" not in checked(gateway), "found")
    gateway.remove()


def headers(scene):
    """Header injection with an expression, and header removal."""
    port, refused = free_port(), free_port()
    inject = {"policyRef": {"name": "header-injection-flex"}, "config": {
        "inboundHeaders": [{"key": "x-path", "value": "#[attributes.method ++ ' ' ++ attributes.requestPath]"}],
        "outboundHeaders": [{"key": "x-answered-by", "value": "gateway"}]}}
    remove = {"policyRef": {"name": "header-removal-flex"}, "config": {
        "inboundHeaders": ["Cache-Control", "X-Internal.*"], "outboundHeaders": []}}
    payload = {"policyRef": {"name": "header-injection-flex"}, "config": {
        "inboundHeaders": [{"key": "x", "value": "#[payload.id]"}], "outboundHeaders": []}}
    gateway = scene.gateway([scene.instance("h", port, "/base", policies=[inject, remove]),
                             scene.instance("p", refused, policies=[payload])])
    message, said = scene.expect("headers", port, "/base/a?b=c", 200, upstream="/a?b=c", lines=[
        "Cache-Control: no-cache", "x-internal-id: 1", "x-kept: 1"])
    fields = {name.lower(): value for name, value in message.fields} if message else {}
    scene.checks.check("injected", fields.get(b"x-path") == b"GET /base/a", fields)
    scene.checks.check("removed", not {b"cache-control", b"x-internal-id"} & fields.keys() and
                       b"x-kept" in fields, fields)
    scene.checks.check("injected into the answer", said.get(b"x-answered-by") == b"gateway", said.fields)
    scene.expect("an expression that is not evaluated", refused, "/a", 503, "header-injection:unloaded")
    text = checked(gateway)
    scene.checks.check("and check says where", re.search(
        r"flex\.yaml:3:\d+: warning: .*payload.*not evaluated at character 3", text), text)
    gateway.remove()


def addresses(scene):
    """An allowlist reads x-forwarded-for, as theirs does, and a blocklist likewise."""
    allow, block = free_port(), free_port()
    gateway = scene.gateway([
        scene.instance("allow", allow, policies=[{"policyRef": {"name": "ip-allowlist-flex"}, "config": {
            "ips": ["192.168.1.1", "192.168.3.1/30", "192.168.2"]}}]),
        scene.instance("block", block, policies=[{"policyRef": {"name": "ip-blocklist-flex"}, "config": {
            "ips": ["192.168.3.1/30"], "ipExpression": "#[attributes.headers['x-forwarded-for']]"}}]),
    ])
    for address, isListed in {"192.168.1.1": True, "192.168.3.2": True, "192.168.2.77": True,
                              "192.168.1.2": False, "10.0.0.1": False}.items():
        scene.expect(f"allowlist, {address}", allow, "/a", 200 if isListed else 403,
                     "" if isListed else "ip-allow", lines=[f"X-Forwarded-For: {address}"])
    scene.expect("blocklist, listed", block, "/a", 403, "ip-block", lines=["x-forwarded-for: 192.168.3.3"])
    scene.expect("blocklist, another", block, "/a", 200, lines=["x-forwarded-for: 192.168.4.1"])
    gateway.remove()


def jwt(scene):
    """A bearer token with a shared secret."""
    port, secret = free_port(), b"0123456789abcdef0123456789abcdef"
    gateway = scene.gateway([scene.instance("jwt", port, policies=[{
        "policyRef": {"name": "jwt-validation-flex"}, "config": {
            "jwtOrigin": "httpBearerAuthenticationHeader", "signingMethod": "hmac", "signingKeyLength": 256,
            "jwtKeyOrigin": "text", "textKey": secret.decode(), "skipClientIdValidation": True,
            "mandatoryExpClaim": True, "validateAudClaim": False, "mandatoryNbfClaim": False}}])])
    now = int(time.time())
    good = token(secret, sub="me", exp=now + 600)
    scene.expect("a good token", port, "/a", 200, lines=[f"Authorization: Bearer {good}"])
    for name, bad in {"no token": None, "another key": token(b"x" * 32, exp=now + 600),
                      "expired": token(secret, exp=now - 600), "no exp": token(secret, sub="me")}.items():
        status, reason, message, _ = scene.ask(port, "/a", lines=[f"Authorization: Bearer {bad}"] if bad else [])
        scene.checks.check(name, status in (400, 401) and reason.startswith("jwt") and not message, (status, reason))
    gateway.remove()


def unloaded(scene):
    """What has no counterpart, or cannot be read, keeps its door shut and the others open."""
    limit, log, weighted, fine, custom = (free_port() for _ in range(5))
    gateway = scene.gateway([
        document("Service", "s", {"address": scene.address}, {}),
        scene.instance("ldap", limit, policies=[{"policyRef": {"name": "ldap-authentication-flex"},
                                                 "config": {}, "rules": [{"path": "/private.*"}]}]),
        scene.instance("log", log, policies=[{"policyRef": {"name": "http-basic-authentication-flex"},
                                              "config": {"username": "u", "password": "$FLEX_IS_NOT_SET"}}]),
        scene.instance("weighted", weighted, services=None),
        bound("weights", "weighted", "route-weighted", {"routes": [
            {"weight": 75, "destinationRef": {"name": "s"}}, {"weight": 25, "destinationRef": {"name": "s"}}]}),
        scene.instance("fine", fine), scene.instance("custom", custom),
        document("PolicyBinding", "optional", {"targetRef": {"name": "custom"}, "policyRef": {
            "name": "my-policy"}}, {"gatehouse/onError": "allow"}),
        document("Configuration", "logs", {"logging": {"runtimeLogs": {"logLevel": "info"}}}),
        document("Extension", "my-policy", {}),
    ])
    scene.expect("where it applies", limit, "/private/a", 503, "ldap-authentication-flex:unloaded")
    scene.expect("where it does not", limit, "/public", 200)
    _, said = scene.expect("a variable that is not set", log, "/a", 503, "basic-auth:unloaded")
    scene.checks.check("strangers are not told which", b"log says why" in said.body and
                       b"FLEX_IS_NOT_SET" not in said.body, said.body)
    scene.expect("weights", weighted, "/a", 503, "route-weighted:unloaded")
    scene.expect("one without such a policy", fine, "/a", 200)
    scene.expect("one whose owner lets it pass", custom, "/a", 200)
    said = checked(gateway)
    for what in ("ldap-authentication-flex", "FLEX_IS_NOT_SET", "several services", "my-policy",
                 '"logging" is kept', 'kind "Extension"'):
        line = next((line for line in said.splitlines() if what in line), "")
        scene.checks.check(f"check: {what}", re.match(r"\S+flex\.yaml:\d+:\d+: warning: ", line), said)
    gateway.remove()


def cors(scene):
    """A preflight is answered by the gateway, and an origin that is not listed is refused."""
    port = free_port()
    gateway = scene.gateway([scene.instance("cors", port, policies=[{"policyRef": {"name": "cors-flex"}, "config": {
        "publicResource": False, "supportCredentials": True, "originGroups": [{
            "origins": ["https://app.example.org"], "accessControlMaxAge": 60,
            "allowedMethods": [{"methodName": "GET", "isAllowed": True}, {"methodName": "PUT", "isAllowed": False}],
            "headers": ["x-allow"], "exposedHeaders": ["x-expose"]}]}}])])
    preflight = ["Origin: https://app.example.org", "Access-Control-Request-Method: GET"]
    status, _, message, said = scene.ask(port, "/a", method="OPTIONS", lines=preflight)
    scene.checks.check("preflight", status in (200, 204) and not message and said.get(
        b"access-control-allow-origin") == b"https://app.example.org", (status, said.fields))
    status, _, _, said = scene.ask(port, "/a", lines=preflight[:1])
    scene.checks.check("its request", status == 200 and said.get(b"access-control-allow-origin") ==
                       b"https://app.example.org", (status, said.fields))
    status, _, message, _ = scene.ask(port, "/a", lines=["Origin: https://evil.example.org"])
    scene.checks.check("another origin", status == 403 and not message, status)
    gateway.remove()


def tls(scene):
    """A certificate in the document, for both ApiInstances of the port."""
    port = free_port()
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
                           "/CN=localhost", "-keyout", "/dev/stdout"], capture_output=True, text=True, check=True)
    key, crt = re.findall(r"-----BEGIN [^-]*-----.*?-----END [^-]*-----\n", made.stdout, re.S)
    gateway = scene.gateway([
        scene.instance("a", port, "/a", scheme="https"), scene.instance("b", port, "/b", scheme="https"),
        bound("tls", {"kind": "Selector", "selector": {"kind": "ApiInstance"}}, "tls", {
            "certificate": {"key": key, "crt": crt}, "alpn": ["http/1.1", "h2"], "minversion": "1.1"})])
    context = ssl.create_default_context(cadata=crt)
    context.check_hostname = False
    for path in ("/a", "/b"):
        with socket.create_connection(("127.0.0.1", port), 5) as plain, context.wrap_socket(plain) as wire:
            wire.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            data = b""
            while more := wire.recv(65536):
                data += more
        scene.checks.check(f"over TLS, {path}", parse_response(data, 0, b"GET", True).status == 200, data)
    scene.checks.check("the key is not printed", b"PRIVATE KEY" not in gateway.output(), "found")
    gateway.remove()


# Published examples of configs; those whose policy has a counterpart here must load. Source: MuleSoft, the pages
# "Included Policies" of gateway/1.8, section "Resource Configuration Example".
EXAMPLES = {
    "http-basic-authentication-flex": {"username": "user", "password": "test"},
    "ip-allowlist-flex": {"ips": ["192.168.1.1", "192.168.3.1/30", "192.168.2", "192.160"]},
    "ip-blocklist-flex": {"ips": ["192.168.1.1", "192.168.3.1/30", "192.168.2", "192.160"]},
    "header-injection-flex": {"inboundHeaders": [{"key": "key1", "value": "#[attributes.requestPath]"}],
                              "outboundHeaders": [{"key": "key1", "value": "#[attributes.requestPath]"}]},
    "header-removal-flex": {"inboundHeaders": ["Cache-Control", "Access-Control.*"], "outboundHeaders": ["Date"]},
    "json-threat-protection-flex": {"maxContainerDepth": 5, "maxObjectEntryCount": 10, "maxObjectEntryNameLength": 100,
                                    "maxArrayElementCount": 1000, "maxStringValueLength": 1000},
    "cors-flex": {"publicResource": True, "supportCredentials": False},
    "jwt-validation-flex": {
        "jwtOrigin": "httpBearerAuthenticationHeader", "signingMethod": "rsa", "signingKeyLength": 256,
        "jwtKeyOrigin": "jwks", "jwksUrl": "https://login.example.org/jwks", "jwksServiceTimeToLive": 60,
        "skipClientIdValidation": True, "validateAudClaim": False, "mandatoryExpClaim": True},
    "oauth2-token-introspection-flex": {
        "introspectionURL": "https://login.example.org/introspect", "authorizationValue": "Basic dXNlcjp0ZXN0",
        "validatedTokenTTL": 600, "authenticationTimeout": 10000, "skipClientIdValidation": True,
        "consumerBy": "client_id", "scopes": "READ WRITE", "scopeValidationCriteria": "AND", "maxCacheEntries": 1000},
    "native-ext-authz-flex": {
        "uri": "https://login.example.org:443", "serverType": "http", "serverVersion": "v3", "requestTimeout": 5000,
        "includePeerCertificate": False},
    "rate-limiting-flex": {"rateLimits": [{"maximumRequests": 3, "timePeriodInMilliseconds": 6000}],
                           "keySelector": "#[attributes.queryParams['identifier']]", "exposeHeaders": True,
                           "clusterizable": False},
    "spike-control-flex": {"maximumRequests": 10, "timePeriodInMilliseconds": 1000, "delayTimeInMillis": 1000,
                           "delayAttempts": 1, "queuingLimit": 5, "exposeHeaders": True},
    "response-timeout-flex": {"timeout": 15},
    "message-logging-flex": {"loggingConfiguration": [{"itemName": "log", "itemData": {
        "message": "#[attributes.requestPath]", "level": "INFO", "firstSection": True, "secondSection": False}}]},
}


def examples(scene):
    """Every published config whose policy is there loads; the others say that they do not."""
    ports = {reference: free_port() for reference in EXAMPLES}
    gateway = scene.gateway([scene.instance(reference, ports[reference], policies=[
        {"policyRef": {"name": reference}, "config": config}]) for reference, config in EXAMPLES.items()])
    said = checked(gateway)
    for number, (reference, port) in enumerate(ports.items()):
        lines = [line for line in said.splitlines() if f"flex.yaml:{2 * number + 1}:" in line]
        isThere = not any(f'no counterpart of "{reference}"' in line for line in lines)
        left = [line for line in lines if "not loaded" in line]
        status, reason, _, _ = scene.ask(port, "/a")
        isShut = status == 503 and reason.endswith(":unloaded")
        scene.checks.check(f"example of {reference}, {'loaded' if isThere else 'refused'}",
                           not left and isShut != isThere, (status, reason, lines))
    gateway.remove()


def main():
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    arguments = parser.parse_args()
    if arguments.target == "nginx":
        print("MuleSoft's documents are for the gateway alone")
        return 0
    scene = Scene(arguments)
    for part in (paths, several_services, shared_port, basic_auth, headers, addresses, jwt, cors, unloaded, tls,
                 examples):
        part(scene)
    scene.provider.stop()
    return scene.checks.end()


if __name__ == "__main__":
    sys.exit(main())
