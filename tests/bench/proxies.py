# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxies under measurement: their configurations, processes, CPU time and memory."""

import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

CORES = sorted(os.sched_getaffinity(0))
CLIENT_CORE, PROXY_CORE = CORES[0], CORES[-1]
PATH = "/openai/v1/chat/completions"

# With client-key, which is always there.
POLICIES = """---
apiVersion: gatehouse/v1
kind: Policy
metadata: {name: models}
spec: {type: model-access, config: {allow: ["gpt-*", "o4-*"], deny: ["*-preview"]}}
---
apiVersion: gatehouse/v1
kind: Policy
metadata: {name: json}
spec: {type: json-threat, config: {}}
---
apiVersion: gatehouse/v1
kind: Policy
metadata: {name: size}
spec: {type: request-size, config: {max: 1MiB}}
---
apiVersion: gatehouse/v1
kind: Policy
metadata: {name: headers}
spec:
  type: header-injection
  config: {request: [{name: x-team, value: core}], response: [{name: x-served-by, value: gatehouse}]}
"""

# All of them count and none is reached.
QUOTAS = """---
apiVersion: gatehouse/v1
kind: Policy
metadata: {name: rate}
spec: {type: rate-limit, config: {limits: [{requests: 1000000000, per: 1m}]}}
---
apiVersion: gatehouse/v1
kind: Policy
metadata: {name: spike}
spec: {type: spike-control, config: {requests: 1000000, per: 1s}}
---
apiVersion: gatehouse/v1
kind: Policy
metadata: {name: tokens}
spec: {type: token-limit, config: {limits: [{tokens: 1000000000000, per: 1m}]}}
---
apiVersion: gatehouse/v1
kind: Policy
metadata: {name: money}
spec: {type: budget, config: {limits: [{amount: 10000000 USD, per: month}], unknownPrice: allow}}
---
apiVersion: gatehouse/v1
kind: Policy
metadata: {name: seats}
spec: {type: concurrency, config: {max: 10000}}
---
apiVersion: gatehouse/v1
kind: Policy
metadata: {name: json}
spec: {type: json-threat, config: {}}
"""
DOCUMENTS = {"policies": POLICIES, "quotas": QUOTAS}


class CannotRun(Exception):
    """Something that is measured with could not be started."""


def spawn(core, command, **options):
    """Starts a command bound to one core, before others' work on this machine if that is allowed.

    Where the kernel shares the cores out by session (autogroup), a process's own nice value means
    nothing beside other sessions: each command gets a session, whose value is set instead.
    """
    os.sched_setaffinity(0, {core})
    try:
        command = [str(part) for part in command]
        process = subprocess.Popen(command, start_new_session=True, **options)
    finally:
        os.sched_setaffinity(0, {CLIENT_CORE})
    try:
        os.setpriority(os.PRIO_PROCESS, process.pid, -10)
        pathlib.Path(f"/proc/{process.pid}/autogroup").write_text("-10")
    except OSError:
        pass
    return process


def cpu_ns(pid):
    """The CPU time of all threads of a process, ended ones too (clock_getcpuclockid)."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def waited_ns(pid):
    """How long the threads of a process were ready but waited for the core: others' noise."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[1])
        except OSError:
            pass
    return total


def memory_kib(pid):
    """Rss and what is private to the process, in KiB."""
    values = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split(":")
        values[name] = int(value.split()[0])
    return values["Rss"], values["Private_Clean"] + values["Private_Dirty"]


def children(parent):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z" and int(fields[1]) == parent:
            found.append(int(entry.name))
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Proxy:
    """One proxy, started afresh for each scenario. `kind`: small, large, stream, or policies or quotas,
    which are small with policies of the gateway in force."""

    name = ""
    reloads = True

    def __init__(self, directory, provider_port):
        self.directory = directory / self.name
        self.directory.mkdir(parents=True)
        self.provider_port = provider_port
        self.port = free_port()
        self.key = "none"
        self.kind = "small"
        self.process = None

    def version(self):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def configure(self, generation=0):
        """Writes the configuration; `generation` changes something that `applied` can see."""
        raise NotImplementedError

    def applied(self, generation):
        return self.ask(f"/openai/probe{generation}/chat/completions") == self.probe_status

    def launch(self):
        log = open(self.directory / "output.log", "ab")
        self.process = spawn(PROXY_CORE, self.command(), stdin=subprocess.DEVNULL, stdout=log,
                             stderr=log, env=self.environment())
        log.close()

    def environment(self):
        return dict(os.environ)

    def start(self, kind):
        """Returns the seconds from before the fork to the first proxied answer."""
        self.kind = kind
        self.configure()
        begin = time.perf_counter()
        self.launch()
        while self.ask() != 200:
            if self.process.poll() is not None or time.perf_counter() - begin > 20:
                tail = (self.directory / "output.log").read_text(errors="replace")[-2000:]
                self.stop()
                raise CannotRun(f"{self.name} does not answer:\n{tail}")
            time.sleep(0.0002)
        return time.perf_counter() - begin

    def ask(self, path=PATH):
        """The status of one small request on a connection of its own; None where there is none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            body = b'{"messages":[],"model":"gpt-4o-mini"}'
            connection.request("POST", path, body=body, headers={
                "Content-Type": "application/json", "Authorization": "Bearer " + self.key})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def serving(self):
        return [self.process.pid]

    def cpu_ns(self):
        return sum(cpu_ns(pid) for pid in self.serving())

    def waited_ns(self):
        return sum(waited_ns(pid) for pid in self.serving())

    def memory_kib(self):
        return [sum(parts) for parts in zip(*(memory_kib(pid) for pid in self.serving()))]

    def whole_memory_kib(self):
        """Of every process, nginx's master too."""
        pids = {self.process.pid, *self.serving()}
        return [sum(parts) for parts in zip(*(memory_kib(pid) for pid in pids))]


class Direct(Proxy):
    """No proxy at all: what the client and the provider take by themselves."""

    name = "direct"
    reloads = False

    def version(self):
        return "client and provider alone"

    def start(self, kind):
        self.port = self.provider_port
        return 0.0

    def serving(self):
        return []

    def memory_kib(self):
        return [0, 0]


class Nginx(Proxy):
    name = "nginx"
    probe_status = 204
    binary = shutil.which("nginx")

    def version(self):
        return subprocess.run([self.binary, "-v"], capture_output=True, text=True).stderr.strip()

    def configure(self, generation=0):
        extra = {"large": "proxy_request_buffering off;",
                 "stream": "proxy_buffering off;"}.get(self.kind, "")
        probe = f"location /openai/probe{generation}/ {{ return 204; }}" if generation else ""
        temporary = "".join(f"{name}_temp_path {self.directory}/{name};\n" for name in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.geteuid() == 0 else ""
        (self.directory / "nginx.conf").write_text(f"""
{user} worker_processes 1; daemon off; pid {self.directory}/nginx.pid;
error_log {self.directory}/error.log error; worker_rlimit_nofile 20000;
events {{ worker_connections 19500; }}
http {{
    access_log off; client_max_body_size 64m;
    keepalive_timeout 600s; keepalive_requests 1000000000;
    {temporary}
    upstream provider {{
        server 127.0.0.1:{self.provider_port}; keepalive 128; keepalive_requests 1000000000;
        keepalive_timeout 600s;
    }}
    server {{
        listen 127.0.0.1:{self.port} backlog=4096;
        {probe}
        location / {{
            proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_read_timeout 300s; {extra}
        }}
    }}
}}
""")

    def command(self):
        return [self.binary, "-p", self.directory, "-e", self.directory / "error.log", "-c",
                self.directory / "nginx.conf"]

    def serving(self):
        return children(self.process.pid)


class HaProxy(Proxy):
    name = "haproxy"
    reloads = False  # its reload is another process that takes the sockets over
    binary = shutil.which("haproxy")

    def version(self):
        out = subprocess.run([self.binary, "-v"], capture_output=True, text=True).stdout
        return out.splitlines()[0]

    def configure(self, generation=0):
        extra = "option http-no-delay" if self.kind == "stream" else ""
        (self.directory / "haproxy.cfg").write_text(f"""
global
    nbthread 1
    maxconn 9500
    tune.pool-low-fd-ratio 90
    tune.pool-high-fd-ratio 95
defaults
    mode http
    timeout connect 5s
    timeout client 300s
    timeout server 300s
    timeout http-keep-alive 600s
    http-reuse always
    {extra}
listen proxy
    bind 127.0.0.1:{self.port} backlog 4096
    server provider 127.0.0.1:{self.provider_port}
""")

    def command(self):
        return [self.binary, "-db", "-q", "-f", self.directory / "haproxy.cfg"]


class Gatehouse(Proxy):
    name = "gatehouse"
    probe_status = 200
    binary = None

    def version(self):
        return subprocess.run([self.binary, "--version"], capture_output=True,
                              text=True).stdout.strip()

    def places(self):
        return ["--config", self.directory / "config", "--data", self.directory / "data"]

    def environment(self):
        return {**os.environ, "XDG_CONFIG_HOME": str(self.directory / "xdg"),
                "XDG_DATA_HOME": str(self.directory / "xdg")}

    def configure(self, generation=0):
        config = self.directory / "config"
        if generation:
            # A new file in the place of the old one, as editors and deployments write it.
            fresh = self.directory / "probe.yaml"
            fresh.write_text(self.route("probe", f"/openai/probe{generation}"))
            os.replace(fresh, config / "probe.yaml")
            return
        if config.exists():
            return
        config.mkdir()
        secret = self.directory / "provider.key"
        secret.write_text("sk-bench-0123456789abcdefghijklmnopqrstuvwxyz\n")
        secret.chmod(0o600)
        (config / "bench.yaml").write_text(f"""apiVersion: gatehouse/v1
kind: Gateway
metadata: {{name: default}}
spec:
  listeners: [{{name: default, address: "127.0.0.1:{self.port}"}}]
  admin: none
  workers: 1
---
apiVersion: gatehouse/v1
kind: Provider
metadata: {{name: bench}}
spec:
  dialect: openai
  baseUrl: "http://127.0.0.1:{self.provider_port}/v1"
  credential: "file:{secret}"
---
""" + self.route("bench", "/openai/v1") + DOCUMENTS.get(self.kind, ""))
        command = [self.binary, "client", "add", "bench", *self.places()]
        added = subprocess.run(command, capture_output=True, text=True, env=self.environment())
        key = re.search(r"ghk_[0-9A-Za-z]{36}", added.stdout)
        if added.returncode != 0 or key is None:
            raise CannotRun(f"gatehouse client add: {added.stdout}{added.stderr}")
        self.key = key.group()

    @staticmethod
    def route(name, path):
        return f"""apiVersion: gatehouse/v1
kind: Route
metadata: {{name: {name}}}
spec: {{listener: default, basePath: {path}, provider: bench, dialect: openai}}
"""

    def command(self):
        return [self.binary, "run", *self.places()]
