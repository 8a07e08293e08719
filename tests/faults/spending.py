#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits of tokens and money under parallel load, the provider keeping the books: what it charged for is never
above the limit, however many ask at once, whether answers are streams, are cut, or their clients go."""
import argparse
import http.client
import json
import random
import sys
import threading
import time

from provider import Provider, answer
from support import Checks, add_arguments, openai_gateway

CONNECTIONS = 64
STREAMS = 200
TOKENS = 200_000
PROMPT = 20
# 10 USD for a million tokens of output, 1 USD for a million of input.
POLICIES = f"""apiVersion: gatehouse/v1
kind: Policy
metadata: {{name: tokens}}
spec:
  type: token-limit
  rules: [{{path: "/s/(capped|cut|gone)/.*"}}]
  config: {{limits: [{{tokens: {TOKENS}, per: 1h}}], count: output, key: "header:x-part"}}
---
apiVersion: gatehouse/v1
kind: Policy
metadata: {{name: streams}}
spec:
  type: token-limit
  rules: [{{path: "/s/stream/.*"}}]
  config: {{limits: [{{tokens: {TOKENS}, per: 1h}}], count: output}}
---
apiVersion: gatehouse/v1
kind: Prices
metadata: {{name: faults}}
spec:
  models:
    m: {{input: 1 USD, output: 10 USD}}
---
apiVersion: gatehouse/v1
kind: Policy
metadata: {{name: money}}
spec:
  type: budget
  rules: [{{path: "/s/money.*"}}]
  config: {{limits: [{{amount: 1 USD, per: total}}], key: "header:x-part"}}
"""


class Books:
    """What the provider charged for, by the part of the test."""

    def __init__(self):
        self.lock, self.tokens, self.requests, self.micro = threading.Lock(), {}, {}, {}

    def charge(self, part, output):
        with self.lock:
            self.tokens[part] = self.tokens.get(part, 0) + output
            self.micro[part] = self.micro.get(part, 0) + 10 * output

    def seen(self, part):
        with self.lock:
            self.requests[part] = self.requests.get(part, 0) + 1
            self.micro[part] = self.micro.get(part, 0) + PROMPT  # of input, a millionth each


def usage(output, prompt=PROMPT):
    return {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}


def part_of(message):
    return message.target.split(b"/s/")[1].split(b"/")[0].decode()


def whole(books):
    """Writes between a tenth and all of what the request allows."""
    def script(connection, message):
        body, part = json.loads(message.body), part_of(message)
        output = random.randint(body["max_tokens"] // 10, body["max_tokens"])
        books.seen(part)
        books.charge(part, output)
        if part == "cut":  # it has charged for an answer that never arrives
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{")
            return connection.reset()
        if part == "gone":
            time.sleep(0.05)
        text = {"model": body["model"], "choices": [{"message": {"content": "x"}, "finish_reason": "stop"}],
                "usage": usage(output)}
        return connection.send(answer(body=json.dumps(text).encode()))
    return script


def stream(books, wanted, per_event=20, pause=0.002):
    """Writes without an end in sight, four bytes a token, and says what that was at the end only."""
    def event(data):
        text = b"data: " + (data if isinstance(data, bytes) else json.dumps(data).encode()) + b"\n\n"
        return b"%x\r\n%s\r\n" % (len(text), text)

    def script(connection, message):
        part, model = part_of(message), json.loads(message.body)["model"]
        books.seen(part)
        if not connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                               b"Transfer-Encoding: chunked\r\n\r\n"):
            return False
        written, total = 0, random.randint(wanted // 2, wanted)
        chunk = event({"model": model, "choices": [{"index": 0, "delta": {"content": "word" * per_event}}]})
        while written < total:
            written += per_event
            books.charge(part, per_event)
            if not connection.send(chunk) or connection.wait_gone(pause):
                return False
        finish = {"model": model, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        last = {"model": model, "choices": [], "usage": usage(written)}
        return connection.send(event(finish) + event(last) + event(b"[DONE]") + b"0\r\n\r\n")
    return script


class Load:
    """So many clients that ask until nothing is left for them."""

    def __init__(self, gateway, part, clients, body, turns=1000, leaves=False):
        self.gateway, self.part, self.body, self.turns, self.leaves = gateway, part, body, turns, leaves
        self.lock, self.results, self.cut = threading.Lock(), [], 0
        self.start = threading.Barrier(clients)
        threads = [threading.Thread(target=self._run, args=(number,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _run(self, number):
        self.start.wait()
        connection = None
        for turn in range(self.turns):
            connection = connection or http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=90)
            try:
                connection.request("POST", f"/openai/v1/s/{self.part}/{number}-{turn}/chat/completions",
                                   body=json.dumps(self.body),
                                   headers={"authorization": f"Bearer {self.gateway.key}", "x-part": self.part})
                if self.leaves and turn % 2:
                    time.sleep(0.01)
                    connection.close()
                    connection = None
                    continue
                response = connection.getresponse()
                text = response.read()
            except (OSError, http.client.HTTPException):
                connection = None
                continue
            with self.lock:
                self.results.append((response.status, response.getheader("x-gatehouse-reason")))
                self.cut += b'"error"' in text and response.status == 200
            if response.status == 429:
                return


def tokens(checks, gateway, books, provider):
    for part, leaves in (("capped", False), ("cut", False), ("gone", True)):
        provider.scripts[part] = whole(books)
        load = Load(gateway, part, CONNECTIONS, {"model": "m", "max_tokens": 1000}, leaves=leaves)
        charged = books.tokens.get(part, 0)
        print(f"   {part}: {charged} of {TOKENS} tokens in {books.requests.get(part, 0)} requests")
        checks.check(f"{part}: no token beyond the limit", 0 < charged <= TOKENS, charged)
        refused = [result for result in load.results if result[0] == 429]
        checks.check(f"{part}: all were refused in the end",
                     len(refused) == CONNECTIONS and all(reason == "token-limit" for _, reason in refused), refused[:3])
        if part == "capped":
            checks.check("capped: what was not used can be", charged > TOKENS - 2 * 1000, charged)
    provider.scripts["stream"] = stream(books, 4000)
    learn(gateway, "stream", {"model": "m", "stream": True})
    load = Load(gateway, "stream", STREAMS, {"model": "m", "stream": True}, turns=1)
    charged = books.tokens["stream"]
    print(f"   stream: {charged} of {TOKENS} tokens, {load.cut} of {STREAMS} streams cut")
    checks.check("stream: at most 1 % beyond the limit", charged <= TOKENS * 1.01, charged)
    checks.check("stream: most of the limit is used", charged >= TOKENS * 0.5, charged)
    checks.check("stream: cut ones say so", load.cut > 0, load.results[:3])


def learn(gateway, part, body):
    """Some answers first, so that it is known how long words are."""
    Load(gateway, part, 4, body, turns=2)


def money(checks, gateway, books, provider):
    """A dollar for two hundred clients that stream, with caps in their requests and without."""
    for part, cap in (("moneycapped", 1000), ("money", None)):
        provider.scripts[part] = stream(books, cap or 4000)
        body = {"model": "m", "stream": True} | ({"max_tokens": cap} if cap else {})
        learn(gateway, part, body)
        load = Load(gateway, part, STREAMS, body, turns=1)
        spent = books.micro[part]
        refused = sum(status == 429 for status, _ in load.results)
        print(f"   {part}: {spent / 1e6:.4f} of 1 USD, {load.cut} of {STREAMS} streams cut, {refused} refused")
        allowed = 1_000_000 if cap else 1_010_000
        checks.check(f"{part}: no more than the budget is spent", spent <= allowed, spent)
        checks.check(f"{part}: most of it is", spent >= 600_000, spent)
        checks.check(f"{part}: the others are refused or cut", refused + load.cut > 0, load.results[:3])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    arguments = parser.parse_args()
    if arguments.target == "nginx":
        print("limits are for the gateway alone")
        return 0
    checks, provider, books = Checks(arguments.verbose), Provider(), Books()
    gateway = openai_gateway(arguments.gateway, provider.port)
    (gateway.config / "spending.yaml").write_text(POLICIES)
    try:
        gateway.start()
        tokens(checks, gateway, books, provider)
        money(checks, gateway, books, provider)
        checks.check("the gateway is alive", gateway.alive(), gateway.output()[-500:])
    finally:
        gateway.remove()
        provider.stop()
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
