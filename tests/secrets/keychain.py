#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the vault against a real gnome-keyring that is absent, empty, locked, stopped and killed.

usage: keychain.py --gateway PROGRAM

Prints what was measured; exit code 1 with the reason where something does not hold.
"""
import argparse
import http.client
import json
import os
import pty
import re
import select
import signal
import ssl
import subprocess
import termios
import time
import urllib.error
import urllib.request
from pathlib import Path

from session import Session, seconds_until  # and the way to those below
from provider import Provider
from support import Gateway, encodings

KEYS = {"first": "sk-canary-first-7Qw3Zt9LxVb2Nf6Rm1Kd8Hs4",
        "renewed": "sk-canary-renewed-Jc5Pg0YaTr6Eu2Iw9Ox3Lz",
        "second": "sk-canary-second-Bn8Mv4Cx1Zq7Wp5Ks2Dj6Fh",
        "third": "sk-canary-third-Gt3Yh9Uj1Ik5Ol7Pa2Sw8De",
        "fourth": "sk-canary-fourth-Vr4Tb8Yn2Um6Ix0Oc5Pz7Al",
        "secure": "sk-canary-secure-Lh8Kf3Sd6Aq1We9Rt4Yu7Io"}

GATEWAY = """apiVersion: gatehouse/v1
kind: Gateway
metadata: {name: default}
spec: {listeners: [{name: default, address: "127.0.0.1:0"}], admin: none, workers: 2}
"""
ROUTE = """---
apiVersion: gatehouse/v1
kind: Provider
metadata: {{name: {name}}}
spec: {{dialect: openai, baseUrl: "{url}/v1", credential: "keychain:{name}"{more}}}
---
apiVersion: gatehouse/v1
kind: Route
metadata: {{name: {name}}}
spec: {{basePath: /{name}, provider: {name}, dialect: openai, usage: observe, public: true}}
"""


def require(holds, what):
    if not holds:
        raise SystemExit(f"FAIL: {what}")


class KeychainGateway(Gateway):
    """One that knows of nothing but the session."""

    def __init__(self, session, program, provider, name):
        super().__init__(program, GATEWAY, session.environment, session.dir / name)
        self.session, self.provider = session, provider

    def add(self, reference, url=None, more=""):
        # At once and whole: a file that is watched is read as soon as it is there.
        written = self.session.dir / f"{reference}.new"
        url = url or f"http://127.0.0.1:{self.provider.port}"
        written.write_text(ROUTE.format(name=reference, url=url, more=more))
        written.rename(self.config / f"{reference}.yaml")

    def seconds_to_start(self):
        began = time.monotonic()
        self.start(cwd=self.session.cwd)
        self.session.processes.append(self.process)
        return time.monotonic() - began

    def ask(self, reference):
        """(status, reason, text) of a request that needs the key `reference`."""
        try:
            with urllib.request.urlopen(f"http://{self.host}/{reference}/models", timeout=5) as answer:
                return answer.status, None, answer.read().decode()
        except urllib.error.HTTPError as answer:
            text = answer.read().decode()
            return answer.code, answer.headers.get("x-gatehouse-reason"), text

    def refusal(self, reference, part, seconds=1.0):
        """Waits until requests get a 503 that says `part`; the seconds until then."""
        def is_refused():
            status, reason, text = self.ask(reference)
            return (status, reason) == (503, "credential") and part in text
        return seconds_until(is_refused, seconds, f"a 503 for {reference} that says “{part}”, "
                             f"not {self.ask(reference)}")

    def served(self, reference, key, seconds=1.0):
        """Waits until the provider gets `key`; the seconds until then."""
        def is_served():
            return (self.ask(reference)[0] == 200 and self.provider.records[-1][1].get(
                b"authorization") == f"Bearer {KEYS[key]}".encode())
        return seconds_until(is_served, seconds, f"{reference} with its key, not "
                             f"{self.ask(reference)}")


class Test:
    def __init__(self, session, program):
        self.session, self.program = session, program
        self.provider = Provider()
        self.gateway = KeychainGateway(session, program, self.provider, "gateway")

    def secret(self, *words, given=""):
        return self.session.run(self.program, "secret", *words, given=given)

    def set(self, name, key):
        done = self.secret("set", name, given=KEYS[key] + "\n")
        require(done.returncode == 0, f"secret set: {done.stderr}")

    def recovered(self, what, seconds, limit=1.0):
        print(f"  {what}: {seconds * 1000:.0f} ms")
        require(seconds <= limit, f"{what} took {seconds:.3f} s")

    def since(self, act, wait):
        """The seconds from the beginning of `act` to what `wait` waits for."""
        began = time.monotonic()
        act()
        wait()
        return time.monotonic() - began

    def check_is_quick(self, state):
        began = time.monotonic()
        done = self.session.run(self.program, "check", *self.gateway.where)
        passed = time.monotonic() - began
        require(done.returncode == 0 and "warning: keychain:" in done.stdout,
                f"check with a keychain that is {state}: {done.returncode} {done.stdout}")
        require(passed < 2, f"check with a keychain that is {state} took {passed:.1f} s")

    def absent(self):
        print("nothing there, then one thing after the other")
        self.gateway.add("openai")
        passed = self.gateway.seconds_to_start()
        require(passed < 1, f"ready after {passed:.1f} s without a bus")
        self.gateway.refusal("openai", "there is no session bus")
        self.check_is_quick("absent")
        self.session.start_bus()
        self.gateway.refusal("openai", "nothing on the session bus offers the Secret Service", 5)
        require(self.secret("set", "openai", given="sk-x\n").returncode == 3, "set without a service")
        self.recovered("service came", self.since(
            lambda: self.session.start_keyring(unlocked=False),
            lambda: self.gateway.refusal("openai", "no default collection")))
        require(self.secret("set", "openai", given="sk-x\n").returncode == 3, "set, no collection")
        self.recovered("collection made", self.since(
            lambda: self.session.start_keyring(unlocked=True),
            lambda: self.gateway.refusal("openai", "secret set openai")))
        self.recovered("key set", self.since(
            lambda: self.set("openai", "first"), lambda: self.gateway.served("openai", "first")))

    def locked(self):
        print("locked")
        self.session.lock()
        require(self.gateway.ask("openai")[0] == 200, "a key that was read serves on")
        require(self.secret("set", "openai", given="sk-x\n").returncode == 3, "set while locked")
        self.check_is_quick("locked")
        late = KeychainGateway(self.session, self.program, self.provider, "late")
        late.add("openai")
        passed = late.seconds_to_start()
        require(passed < 1.5, f"ready after {passed:.1f} s with a locked keychain")
        late.refusal("openai", "the keychain is locked")
        self.recovered("unlocked", self.since(
            self.session.unlock, lambda: late.served("openai", "first")))
        self.session.end(late.process, signal.SIGTERM)
        require(late.process.returncode == 0, f"the end of the gateway: {late.process.returncode}")

    def changed(self):
        print("changed and removed by somebody else")
        self.recovered("renewed", self.since(
            lambda: self.set("openai", "renewed"), lambda: self.gateway.served("openai", "renewed")))
        self.recovered("removed", self.since(
            lambda: require(self.secret("remove", "openai").returncode == 0, "remove"),
            lambda: self.gateway.refusal("openai", "secret set openai")))
        require(self.secret("remove", "openai").returncode == 1, "remove what is not there")
        self.set("openai", "first")
        self.gateway.served("openai", "first")

    def over_tls(self):
        """A TLS connection copies what it writes: heads, and bodies that wait for it to open."""
        print("to a provider with TLS")
        pem = self.session.dir / "provider.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", pem, "-out", pem.with_suffix(".crt")], capture_output=True, check=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem.with_suffix(".crt"), pem)
        provider = Provider(tls=context)
        self.set("secure", "secure")
        self.gateway.add("secure", f"https://localhost:{provider.port}", f", ca: {pem.with_suffix('.crt')}")
        seconds_until(lambda: self.gateway.ask("secure")[0] == 200, 5, "the route over TLS")
        for size in (1, 1_000, 100_000, 600_000):
            for body in (b"x" * size, (b"x" * 500 for _ in range(size // 500))):  # then with chunks
                wire = http.client.HTTPConnection(self.gateway.host, timeout=10)
                wire.request("POST", "/secure/files", body, {"Content-Type": "text/plain"})
                answer = wire.getresponse()
                require(answer.status == 200, f"over TLS: {answer.status} {answer.read()}")
                wire.close()
        bearers = {message.get(b"authorization") for _, message, _ in provider.records}
        require(bearers == {f"Bearer {KEYS['secure']}".encode()}, f"over TLS: {bearers}")
        # It is not stopped: a TLS socket that this thread closed while its own still reads would
        # send its alert to whatever descriptor has that number next.

    def killed(self):
        print("killed")
        self.set("second", "second")
        self.session.end(self.session.keyring)
        require(self.gateway.ask("openai")[0] == 200, "a key that was read serves on")
        self.gateway.add("second")
        self.gateway.refusal("second", "nothing on the session bus offers the Secret Service", 5)
        self.recovered("started again, unlocked", self.since(
            lambda: self.session.start_keyring(unlocked=True),
            lambda: self.gateway.served("second", "second")))

    def stopped(self):
        print("not answering, then killed in the middle of a read")
        self.set("third", "third")
        self.session.keyring.send_signal(signal.SIGSTOP)
        self.gateway.add("third")
        self.gateway.refusal("third", "has not answered yet", 5)
        self.check_is_quick("not answering")
        self.gateway.refusal("third", "does not answer", 7)
        require(self.gateway.ask("openai")[0] == 200, "a key that was read serves on")
        self.session.keyring.send_signal(signal.SIGCONT)
        print(f"  goes on: {self.gateway.served('third', 'third', 5) * 1000:.0f} ms")
        self.set("fourth", "fourth")
        self.session.keyring.send_signal(signal.SIGSTOP)
        self.gateway.add("fourth")
        self.gateway.refusal("fourth", "has not answered yet", 5)
        self.session.end(self.session.keyring)
        self.recovered("started again, unlocked", self.since(
            lambda: self.session.start_keyring(unlocked=True),
            lambda: self.gateway.served("fourth", "fourth")))

    def bus_lost(self):
        """What is held serves on. GLib may hold on to the bus that has gone: then the user is told so."""
        print("the session bus killed and started again")
        self.session.end(self.session.bus)
        self.session.end(self.session.keyring)
        for name in ("openai", "second", "third", "fourth"):
            require(self.gateway.ask(name)[0] == 200, f"{name} serves on without a bus")
        (self.gateway.config / "fourth.yaml").unlink()
        seconds_until(lambda: self.gateway.ask("fourth")[0] == 404, 5, "the route's end")
        self.gateway.add("fourth")
        self.gateway.refusal("fourth", "the session bus", 5)
        self.session.start_bus()
        self.session.start_keyring(unlocked=True)
        def is_known():
            status, _, text = self.gateway.ask("fourth")
            return status == 200 or "start the gateway again to read the keychain" in text
        seconds_until(is_known, 6, "the keychain of the new bus, or what to do")
        require(self.gateway.ask("openai")[0] == 200, "a key that was read serves on")
        require(self.gateway.process.poll() is None, "the gateway outlives the bus")

    def listed(self):
        self.set("spare", "third")
        self.gateway.add("absent")
        done = self.secret("list", "--json", *self.gateway.where)
        listed = json.loads(done.stdout)
        states = {row["reference"]: (row["state"], row["configured"], row["stored"])
                  for row in listed["secrets"]}
        require(done.returncode == 0 and listed["keychain"]["state"] == "readable", done.stdout)
        require(states == {"keychain:openai": ("readable", True, True),
                           "keychain:second": ("readable", True, True),
                           "keychain:third": ("readable", True, True),
                           "keychain:fourth": ("readable", True, True),
                           "keychain:secure": ("readable", True, True),
                           "keychain:absent": ("missing", True, False),
                           "keychain:spare": ("readable", False, True)}, done.stdout)
        require(self.secret("list", *self.gateway.where).returncode == 0, "list")
        self.session.lock()
        done = self.secret("list", "--json", *self.gateway.where)
        require(json.loads(done.stdout)["keychain"]["state"] == "locked", done.stdout)

    def refused_input(self):
        for what, given in {"nothing": "", "a line end": "\n", "two lines": "sk-1\nsk-2\n",
                            "17 KiB": "x" * 17 * 1024, "a tab": "sk\t1", "not ASCII": "sk-é",
                            "a space at its end": "sk-1 \n"}.items():
            done = self.secret("set", "openai", given=given)
            require(done.returncode == 1 and "the secret " in done.stderr, f"set took {what}")
        require(self.secret("set", "a/b", given="sk-1").returncode == 2, "set took the name a/b")

    def typed(self):
        """On a terminal: a prompt, nothing of what is typed, and the echo back whatever happens."""
        for end in ("a line", "a signal"):
            terminal, inner = pty.openpty()
            process = self.session.start("terminal", self.program, "secret", "set", "typed",
                                         stdin=inner, start_new_session=True)
            errors = self.session.logs / "terminal.err"
            seconds_until(lambda: not termios.tcgetattr(inner)[3] & termios.ECHO, 5, "a hidden prompt")
            require("Key for keychain:typed" in errors.read_text(), errors.read_text())
            if end == "a line":
                os.write(terminal, KEYS["third"].encode() + b"\n")
                require(process.wait(10) == 0, "a typed key is taken")
            else:
                process.send_signal(signal.SIGINT)
                require(process.wait(10) == -signal.SIGINT, "SIGINT ends the prompt")
            require(termios.tcgetattr(inner)[3] & termios.ECHO, f"the echo is back after {end}")
            shown = os.read(terminal, 4096) if select.select([terminal], [], [], 0)[0] else b""
            require(KEYS["third"].encode() not in shown, "the terminal shows the key")
            os.close(terminal)
            os.close(inner)
        require(self.secret("remove", "typed").returncode == 0, "the typed key is there")

    def nowhere(self):
        """The keys are in no file, no output, no arguments and no environment."""
        process = Path(f"/proc/{self.gateway.process.pid}")
        places = {str(p): p.read_bytes() for p in self.session.dir.rglob("*") if p.is_file()}
        require(any(p.endswith(".keyring") for p in places), "the keyring's file is not looked at")
        for name in ("cmdline", "environ"):
            places[str(process / name)] = (process / name).read_bytes()
        for key in KEYS.values():
            for encoding, text in encodings(key).items():
                for place, content in places.items():
                    require(text not in content, f"a key, {encoding}, is in {place}")
        print(f"{len(KEYS)} keys in {len(encodings('x' * 40))} encodings in none of {len(places)} places")


    def only_in_locked_pages(self):
        """The memory of the gateway, after all those reads and requests."""
        if b"__asan_init" in Path(self.program).read_bytes():
            print("memory is not looked at: sanitizers lock none")
            return
        process = Path(f"/proc/{self.gateway.process.pid}")
        try:
            memory = open(process / "mem", "rb", 0)
            mappings = (process / "smaps").read_text()
        except PermissionError:
            print("memory is not looked at: only root may, since the gateway forbids it")
            return
        locked = other = 0
        for mapping in re.finditer(r"^(\w+)-(\w+) r.*\n(?:\w+:.*\n)*?VmFlags:(.*)$", mappings, re.M):
            begin, end = int(mapping[1], 16), int(mapping[2], 16)
            try:
                memory.seek(begin)
                content = memory.read(end - begin)
            except OSError:  # the kernel's own, such as [vvar]
                continue
            count = sum(content.count(text) for key in KEYS.values() for text in encodings(key).values())
            if " lo " in mapping[3]:
                locked += count
            else:
                other += count
        print(f"{locked} copies of keys in locked pages, {other} elsewhere")
        require(locked > 0 and other == 0, "keys are in locked pages only")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gateway", required=True)
    program = str(Path(parser.parse_args().gateway).resolve())
    session = Session()
    try:
        test = Test(session, program)
        for part in (test.absent, test.locked, test.changed, test.over_tls, test.killed,
                     test.stopped, test.bus_lost, test.typed, test.listed, test.refused_input,
                     test.nowhere, test.only_in_locked_pages):
            part()
    except SystemExit:
        for log in sorted((*session.logs.iterdir(), *session.dir.glob("*/*.log"))):
            print(f"-- {log.name}\n{log.read_text(errors='replace')[-2000:]}")
        raise
    finally:
        session.close()
    print("the keychain's tests passed")


if __name__ == "__main__":
    main()
