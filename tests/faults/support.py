# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts what is tested (the gateway, or nginx as a stand-in), and speaks raw HTTP to it."""
import base64
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from reader import Incomplete, Malformed, Message, parse_response

CREDENTIAL = "sk-canary-7Qw3Zt9LxVb2Nf6Rm1Kd8Hs4Jc5Pg0Ya"  # the provider key: may reach the provider only

CONFIG = """apiVersion: gatehouse/v1
kind: Gateway
metadata: {{name: default}}
spec:
  listeners: [{{name: default, address: "127.0.0.1:0"}}]
  admin: none
  workers: 2
  origins: ["https://listed.example"]
  limits: {{{limits}}}
---
apiVersion: gatehouse/v1
kind: Provider
metadata: {{name: openai}}
spec: {{dialect: openai, baseUrl: "http://127.0.0.1:{port}/v1", credential: "env:GATEHOUSE_FAULTS_KEY"}}
---
apiVersion: gatehouse/v1
kind: Route
metadata: {{name: openai}}
spec: {{listener: default, basePath: /openai/v1, provider: openai, dialect: openai, usage: observe}}
"""

NGINX = """daemon off; master_process off; {user} pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_timeout 5s; client_header_timeout {head}; client_body_timeout {body};
  client_max_body_size 0; large_client_header_buffers 4 64k;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
  uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  upstream provider {{ server 127.0.0.1:{provider}; keepalive 32; }}
  server {{
    listen 127.0.0.1:{port};
    location /openai/v1/ {{
      proxy_pass http://provider; proxy_http_version 1.1; proxy_request_buffering off;
      proxy_buffering off; proxy_read_timeout {first};
      proxy_set_header Host 127.0.0.1; proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer {credential}";
    }}
  }}
}}
"""


class Target:
    """A running process that forwards to a provider."""
    name = "none"
    typed = False              # says x-gatehouse-reason
    prefix = b"/openai/v1"     # what /openai/v1 becomes at the provider
    key = "ghk_" + "0" * 36
    port = 0

    def __init__(self, directory=None):
        self.dir = directory or Path(tempfile.mkdtemp(prefix="gatehouse-faults-"))
        self.dir.mkdir(mode=0o700, exist_ok=True)
        self.process = None

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    def output(self):
        """Everything it wrote to stdout and stderr."""
        return b"".join(p.read_bytes() for p in sorted(self.dir.glob("*.log")))

    def rss(self):
        """Resident memory in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024

    def cpu(self):
        """Seconds of processor time used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """SIGTERM, then SIGKILL after 5 s. Returns the exit status."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode if self.process else None

    def remove(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


class Gateway(Target):
    """`gatehouse run` on a configuration, once it is started. `environment` is the whole of it; without
    one it is this process's with the provider key."""
    name, typed, prefix = "gatehouse", True, b"/v1"

    def __init__(self, binary, config, environment=None, directory=None):
        super().__init__(directory)
        self.binary = binary
        self.environment = environment or dict(os.environ, GATEHOUSE_FAULTS_KEY=CREDENTIAL)
        self.config, data = self.dir / "config", self.dir / "data"
        for path in (self.config, data):
            path.mkdir(mode=0o700)
        self.where = ["--config", str(self.config), "--data", str(data)]
        (self.config / "gatehouse.yaml").write_text(config)

    def command(self, *words, options=(), **more):
        """Another command on this configuration, to its end. `options` come behind the directories."""
        return subprocess.run([self.binary, *words, *self.where, *options], env=self.environment,
                              timeout=30, capture_output=True, text=True, **more)

    def add_client(self, name, *options):
        """The key of a new client."""
        done = self.command("client", "add", name, *options)
        if done.returncode != 0 or not done.stdout.strip().startswith("ghk_"):
            raise SystemExit(f"client add: {done.returncode} {done.stdout!r} {done.stderr!r}")
        return done.stdout.strip()

    def start(self, **options):
        """Returns itself when it answers."""
        said = self.dir / "stdout.log"
        with open(self.dir / "stderr.log", "wb") as errors, open(said, "wb") as out:
            self.process = subprocess.Popen([self.binary, "run", *self.where], stderr=errors,
                                            stdout=out, env=self.environment, **options)
        ready = re.compile(rb"^gatehouse: ready http://127\.0\.0\.1:(\d+)\s*$", re.M)
        wait_for(lambda: ready.search(said.read_bytes()) or not self.alive(), 15)
        match = ready.search(said.read_bytes())
        if not match or not self.alive():
            self.stop()
            raise SystemExit(f"the gateway is not ready: {self.output()!r}")
        self.port = int(match[1])
        return self


def openai_gateway(binary, provider_port, **limits):
    """A gateway before an OpenAI provider, with two clients; not yet started."""
    text = ", ".join(f"{name}: {value}" for name, value in limits.items())
    gateway = Gateway(binary, CONFIG.format(limits=text, port=provider_port))
    gateway.key = gateway.add_client("faults")
    gateway.other_key = gateway.add_client("other")
    return gateway


class Nginx(Target):
    """The stand-in: shows that the tests run and that the judge can find faults."""
    name = "nginx"

    def __init__(self, provider_port, headTimeout="30s", bodyTimeout="60s", firstByteTimeout="60s",
                 **_):
        super().__init__()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.other_key = self.key
        path = self.dir / "nginx.conf"
        path.write_text(NGINX.format(
            dir=self.dir, head=headTimeout, body=bodyTimeout, first=firstByteTimeout,
            provider=provider_port, port=self.port, credential=CREDENTIAL,
            user="user root;" if os.geteuid() == 0 else ""))
        with open(self.dir / "out.log", "wb") as out:
            self.process = subprocess.Popen(["/usr/sbin/nginx", "-c", str(path), "-p", str(self.dir)],
                                            stdout=out, stderr=out)
        wait_for(lambda: can_connect(self.port), 5) or self.stop()


def make_target(arguments, provider_port, **limits):
    if arguments.target == "nginx":
        return Nginx(provider_port, **limits)
    return openai_gateway(arguments.gateway, provider_port, **limits).start()


def add_arguments(parser):
    parser.add_argument("--gateway", default="build/release/bin/gatehouse")
    parser.add_argument("--target", choices=["gatehouse", "nginx"], default="gatehouse")
    parser.add_argument("--verbose", action="store_true")


def can_connect(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def wait_for(condition, seconds, step=0.01):
    """The first true value of the condition, False after that time."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            return False
        time.sleep(step)
    return value


@dataclass
class Outcome:
    """What a client saw on one connection."""
    finals: list = field(default_factory=list)    # complete answers, or one cut short at the end
    interims: list = field(default_factory=list)  # 1xx
    ended: str = "open"                           # open, eof, reset, timeout
    fault: str = ""                               # the answer was not well-formed
    rest: bytes = b""
    seconds: float = 0.0

    @property
    def answer(self):
        return self.finals[0] if self.finals else Message((b"", b"0", b""), [], complete=False)

    def __str__(self):
        said = ", ".join(f"{m.status} {m.reason}{'' if m.complete else ' (cut)'}" for m in self.finals)
        return f"[{said or 'no answer'}; {self.ended}{'; ' + self.fault if self.fault else ''}]"


class Wire:
    """A raw client connection."""
    heard = bytearray()  # all that any client was answered, for the leak checks

    def __init__(self, port, timeout=5.0, buffer=None):
        self.sock = socket.socket()
        if buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.sock.settimeout(timeout)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.timeout, self.data, self.state = timeout, bytearray(), "open"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        """False where the peer has closed: its answer may still be read."""
        try:
            self.sock.sendall(data)
            return True
        except OSError:
            return False

    def _more(self, end):
        left = end - time.monotonic()
        try:
            self.sock.settimeout(max(left, 0.001))
            data = self.sock.recv(262144) if left > 0 else None
        except TimeoutError:
            data = None
        except OSError:
            self.state = "reset"
            return False
        if data is None:
            self.state = "timeout"
            return False
        if not data:
            self.state = "eof"
        self.data += data
        Wire.heard += data
        return bool(data)

    def read(self, methods=(b"GET",), until_end=False, timeout=None):
        """Reads an answer for each method (interim ones aside), or all to the end of the connection."""
        outcome, begun = Outcome(), time.monotonic()
        end = begun + (timeout or self.timeout)
        self.state, at, cut = "open", 0, None
        while until_end or len(outcome.finals) < len(methods):
            index = min(len(outcome.finals), len(methods) - 1)
            try:
                message = parse_response(self.data, at, methods[index], self.state == "eof")
                cut = None if message.complete else message
            except Incomplete:
                message = cut = None
            except Malformed as error:
                outcome.fault = str(error)
                break
            if message and message.complete:
                at = message.size
                (outcome.interims if message.status < 200 else outcome.finals).append(message)
                if message.framing == "close":
                    break
                continue
            if self.state != "open" or not self._more(end):
                if self.state == "eof" and message and message.framing == "close":
                    continue
                break
        if cut:
            outcome.finals.append(cut)
        outcome.rest = bytes(self.data[at:]) if not cut else b""
        del self.data[:at]
        outcome.ended, outcome.seconds = self.state, time.monotonic() - begun
        return outcome


def request(target, path, method="GET", lines=(), body=None, key=None, host=None, version="1.1"):
    """A well-formed request; `body` bytes get a Content-Length."""
    head = [f"{method} /openai/v1{path} HTTP/{version}", f"Host: {host or target.host}",
            f"Authorization: Bearer {key or target.key}", *lines]
    if body is not None:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def ask(target, path, method="GET", timeout=5.0, **more):
    """One exchange on a connection of its own."""
    with Wire(target.port, timeout) as wire:
        wire.send(request(target, path, method, **more))
        return wire.read([method.encode()])


def encodings(key):
    """What a leak of the key could look like. The last eight characters stand for any tail that tells
    too much."""
    raw = key.encode()
    found = {"raw": raw, "hex": raw.hex().encode(), "HEX": raw.hex().upper().encode(),
             "percent": "".join(f"%{b:02x}" for b in raw).encode(),
             "PERCENT": "".join(f"%{b:02X}" for b in raw).encode(),
             "json": "".join(f"\\u{b:04x}" for b in raw).encode(), "reversed": raw[::-1],
             "UTF-16": key.encode("utf-16-le"),
             "sha256": hashlib.sha256(raw).hexdigest().encode(),
             "sha256 base64": base64.b64encode(hashlib.sha256(raw).digest()).rstrip(b"="),
             "tail": raw[-8:]}
    for shift in range(3):
        # Within other bytes base64 has three alignments; the ends depend on the neighbours.
        whole = base64.b64encode(b"x" * shift + raw)
        found[f"base64+{shift}"] = whole[(4 if shift else 0):-4]
        found[f"base64url+{shift}"] = base64.urlsafe_b64encode(b"x" * shift + raw)[(4 if shift else 0):-4]
    return found


class Checks:
    """Counts, and says what failed."""

    def __init__(self, verbose=False):
        self.passed, self.failures, self.verbose = 0, [], verbose

    def check(self, name, good, seen=""):
        if good:
            self.passed += 1
            if self.verbose:
                print(f"ok   {name}")
        else:
            self.failures.append(name)
            print(f"FAIL {name}: {seen}", flush=True)
        return bool(good)

    def no_leak(self, target):
        """No key in what the process printed or answered. Call when it has stopped."""
        for name, secret in {"provider key": CREDENTIAL, "virtual key": target.key,
                "other key": target.other_key}.items():
            self.check(f"{name} is not printed", secret.encode() not in target.output(), "found")
            self.check(f"{name} is in no answer", secret.encode() not in Wire.heard, "found")

    def end(self):
        print(f"{self.passed} passed, {len(self.failures)} failed", flush=True)
        return 1 if self.failures else 0
