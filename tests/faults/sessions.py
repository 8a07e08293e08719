#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""gatehouse exec: the key of a command dies with it, whatever ends it, and nothing else reaches it."""
import argparse
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

from provider import Provider
from support import CREDENTIAL, Checks, Wire, add_arguments, ask, openai_gateway, request, wait_for

SOON = 1.0  # seconds within which a key has to die

# Says what it was given, then waits to be ended.
WAITING = 'env >"$0.new" && echo $$ >"$0.pid" && mv "$0.new" "$0" && exec sleep 1000'


class Scene:
    def __init__(self, arguments):
        self.checks = Checks(arguments.verbose)
        self.provider = Provider()
        self.gateway = openai_gateway(arguments.gateway, self.provider.port).start()
        self.sessions = self.gateway.dir / "data" / "sessions"

    def words(self, *command, options=()):
        return [self.gateway.binary, "exec", *self.gateway.where, *options, "--", *command]

    def run(self, *command, options=(), **more):
        return subprocess.run(self.words(*command, options=options), capture_output=True, timeout=20,
                              env=self.gateway.environment, **more)

    def files(self):
        return sorted(p.name for p in self.sessions.iterdir())

    def status(self, key):
        return ask(self.gateway, "/models", key=key).answer.status

    def dies(self, name, key, begun):
        dead = wait_for(lambda: self.status(key) == 401, SOON)
        self.checks.check(f"{name}: the key is refused within a second", dead, time.monotonic() - begun)
        self.checks.check(f"{name}: its file is gone", wait_for(lambda: not self.files(), SOON), self.files())


class Command:
    """A waiting command under gatehouse exec."""

    def __init__(self, scene, name):
        said = scene.gateway.dir / f"{name}.env"
        self.process = subprocess.Popen(scene.words("sh", "-c", WAITING, str(said)),
                                        env=scene.gateway.environment, stdin=subprocess.DEVNULL)
        if not wait_for(said.exists, 10):
            raise SystemExit(f"{name}: the command did not start")
        self.environment = dict(line.split("=", 1) for line in said.read_text().splitlines() if "=" in line)
        self.key = self.environment["OPENAI_API_KEY"]
        self.pid = int(Path(f"{said}.pid").read_text())
        said.unlink()  # the test's own copy of the key

    def end(self):
        for process in (self.pid, self.process.pid):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()


def killed(scene):
    """kill -9 of exec: new requests are refused, and so is an open stream's rest."""
    def stream(connection, _):
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while connection.send(b"5\r\nhello\r\n"):
            time.sleep(0.02)
        return False
    scene.provider.scripts["stream"] = stream
    command = Command(scene, "killed")
    scene.checks.check("the key works", scene.status(command.key) == 200)
    for process in (command.pid, command.process.pid):
        words = Path(f"/proc/{process}/cmdline").read_bytes()
        scene.checks.check("no key is in arguments", b"ghk_" not in words, words)
    with Wire(scene.gateway.port) as wire:
        wire.send(request(scene.gateway, "/s/stream/1", key=command.key))
        wire.read(timeout=0.3)
        begun = time.monotonic()
        command.process.kill()
        command.process.wait()
        scene.dies("killed", command.key, begun)
        ended = wait_for(lambda: wire.read(timeout=0.05).ended != "open" and wire.state != "open",
                         max(0.0, begun + SOON - time.monotonic()))
        scene.checks.check("killed: its stream ends within a second", ended, time.monotonic() - begun)
    scene.checks.check("killed: the command itself lives on", Path(f"/proc/{command.pid}").exists())
    command.end()


def environment(scene):
    """What the command is given and what not."""
    command = Command(scene, "environment")
    got = command.environment
    scene.checks.check("a base URL", got["OPENAI_BASE_URL"] == f"http://{scene.gateway.host}/openai/v1", got)
    scene.checks.check("no provider key", CREDENTIAL not in got.values() and "GATEHOUSE_FAULTS_KEY" not in got)
    on_disk = [p for p in scene.gateway.dir.rglob("*") if p.is_file() and command.key.encode() in p.read_bytes()]
    scene.checks.check("no key on disk", not on_disk, on_disk)
    mode = [oct(p.stat().st_mode & 0o777) for p in (scene.sessions, *scene.sessions.iterdir())]
    scene.checks.check("its file is private", mode == ["0o700", "0o600"], mode)
    listed = scene.gateway.command("client", "list").stdout
    scene.checks.check("client list shows it", "\texec-" in listed and "probe" not in listed, listed)
    command.end()
    scene.dies("environment", command.key, time.monotonic())
    opened = scene.run("sh", "-c", "ls /proc/$$/fd").stdout.split()
    scene.checks.check("no descriptor but the standard streams", opened == [b"0", b"1", b"2"], opened)
    ignored = scene.run("sed", "-n", "s/SigIgn:.//p", "/proc/self/status").stdout.strip()
    # posix_spawn of glibc leaves its own two, which a program sets anew with its first thread
    scene.checks.check("no signal is ignored", int(ignored, 16) & ~0x180000000 == 0, ignored)


def orderly(scene):
    """Exit codes, streams, arguments and signals are the command's."""
    data = bytes(range(256)) * 4096
    done = scene.run("cat", input=data)
    scene.checks.check("stdin and stdout pass through", (done.returncode, done.stdout, done.stderr) == (0, data, b""),
                       done.stderr)
    done = scene.run("sh", "-c", "echo problem >&2; exit 7")
    scene.checks.check("exit code and stderr", (done.returncode, done.stderr) == (7, b"problem\n"), done)
    done = scene.run("printf", "%s", b"\xff\xfe --help")
    scene.checks.check("arguments are bytes", done.stdout == b"\xff\xfe --help", done.stdout)
    scene.checks.check("a signal's end", scene.run("sh", "-c", "kill -KILL $$").returncode == 128 + signal.SIGKILL)
    scene.checks.check("no such command", scene.run("no-such-command-here").returncode == 127)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        command = Command(scene, f"signal-{number}")
        command.process.send_signal(number)
        scene.checks.check(f"{number!r} ends command and exec", command.process.wait(5) == 128 + number)
        scene.dies(f"{number!r}", command.key, time.monotonic())
    scene.checks.check("no session is left", scene.files() == [], scene.files())


def terminal(scene):
    """^C comes to the command once, from the terminal."""
    script = "trap 'echo got-INT' INT; echo ready; n=0; while [ $n -lt 30 ]; do sleep 0.05; n=$((n+1)); done; exit 5"
    pid, descriptor = pty.fork()
    if pid == 0:
        words = scene.words("sh", "-c", script)
        os.execve(words[0], words, scene.gateway.environment)
    said = b""
    try:
        while True:
            said += os.read(descriptor, 4096)
            if said.count(b"ready") == 1 and b"^C" not in said:
                os.write(descriptor, b"\x03")
                while b"^C" not in said:
                    said += os.read(descriptor, 4096)
    except OSError:  # how a pseudo-terminal ends
        pass
    os.close(descriptor)
    status = os.waitpid(pid, 0)[1]
    scene.checks.check("^C comes once", said.count(b"got-INT") == 1, said)
    scene.checks.check("the command goes on", os.waitstatus_to_exitcode(status) == 5, status)


def broken(scene):
    """A configuration that is broken meanwhile: keys come and go all the same."""
    before = Command(scene, "before")
    bad = scene.gateway.dir / "config" / "bad.yaml"
    bad.write_text("{")
    wait_for(lambda: b"not reloaded" in scene.gateway.output(), 5)
    after = Command(scene, "after")
    scene.checks.check("a key comes", scene.status(after.key) == 200)
    begun = time.monotonic()
    before.process.kill()
    dead = wait_for(lambda: scene.status(before.key) == 401, SOON)
    scene.checks.check("a key goes", dead, time.monotonic() - begun)
    scene.checks.check("the other stays", scene.status(after.key) == 200)
    bad.unlink()
    for command in (before, after):
        command.end()
    scene.dies("broken", after.key, time.monotonic())


LAB = """apiVersion: gatehouse/v1
kind: Provider
metadata: {name: lab}
spec: {dialect: openai, baseUrl: "https://127.0.0.1:9", credential: none, ca: lab.pem}
---
apiVersion: gatehouse/v1
kind: Route
metadata: {name: lab}
spec: {basePath: /lab, provider: lab}
---
apiVersion: gatehouse/v1
kind: Policy
metadata: {name: lab}
spec: {type: model-access, target: {client: exec, route: lab}, config: {allow: ["small"]}}
"""


def replaced(scene):
    """A file that the configuration in force names is being replaced when a command ends."""
    config = scene.gateway.dir / "config"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=lab",
                    "-keyout", str(scene.gateway.dir / "lab.key"), "-out", str(config / "lab.pem")],
                   check=True, capture_output=True)
    (config / "lab.yaml").write_text(LAB)
    announced = scene.gateway.dir / "data" / "running.yaml"
    loaded = wait_for(lambda: "name: lab" in announced.read_text(), 5)
    scene.checks.check("a policy for exec needs no client of that name", loaded, scene.gateway.output())
    command = Command(scene, "replaced")
    (config / "lab.pem").write_bytes(b"-----BEGIN CERT")
    begun = time.monotonic()
    command.process.kill()
    command.process.wait()
    scene.dies("replaced", command.key, begun)
    command.end()
    for name in ("lab.yaml", "lab.pem"):
        (config / name).unlink()


def faulty(scene):
    """client revoke and rotate while another file has a fault: the running gateway takes them all the same."""
    gateway = scene.gateway
    keys = {name: gateway.add_client(name) for name in ("lost", "turned")}
    for name, key in keys.items():
        scene.checks.check(f"{name} is known", wait_for(lambda: scene.status(key) == 200, 5))
    bad = gateway.dir / "config" / "bad.yaml"
    bad.write_text("{")
    new = None
    for words in (("revoke", "lost"), ("rotate", "turned")):
        done = subprocess.run([gateway.binary, "client", *words, *gateway.where], capture_output=True, text=True,
                              timeout=20)
        scene.checks.check(f"{words}: the fault is said", done.returncode == 0 and "has errors" in done.stderr, done)
        new = done.stdout.strip()
    for name, key in keys.items():
        scene.checks.check(f"{name}: the key before is refused within a second",
                           wait_for(lambda: scene.status(key) == 401, SOON))
    scene.checks.check("the key after works", scene.status(new) == 200)
    before = gateway.output().count(b"gatehouse: reloaded")
    bad.unlink()
    wait_for(lambda: gateway.output().count(b"gatehouse: reloaded") > before, 5)
    seen = scene.status(keys["lost"]), scene.status(new)
    scene.checks.check("and when the fault is mended, too", seen == (401, 200), seen)


def revoked(scene):
    """client revoke ends the keys of its running commands."""
    command = Command(scene, "revoked")
    scene.gateway.command("client", "revoke", "exec", check=True)
    scene.dies("revoked", command.key, time.monotonic())
    command.end()
    done = scene.run("true", options=["--client", "nobody"])
    scene.checks.check("an unknown client is refused", done.returncode == 1, done.stderr)


def restarted(scene):
    """A command outlives its gateway; without one, exec says so at once."""
    command = Command(scene, "restarted")
    scene.gateway.process.kill()
    scene.gateway.process.wait()
    begun = time.monotonic()
    done = scene.run("true")
    scene.checks.check("a killed gateway is known to be gone",
                       done.returncode == 3 and b"gatehouse run" in done.stderr, done)
    scene.checks.check("and nobody is waited for", time.monotonic() - begun < 1.0, time.monotonic() - begun)
    scene.gateway.start()
    scene.checks.check("its key works with the next one", scene.status(command.key) == 200)
    command.end()
    scene.dies("restarted", command.key, time.monotonic())
    scene.gateway.stop()
    scene.checks.check("a stopped one is gone too", scene.run("true").returncode == 3)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    arguments = parser.parse_args()
    if arguments.target != "gatehouse":
        print("only for gatehouse")
        return 0
    # A shell's background job ignores them, and so would all that is started here.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    scene = Scene(arguments)
    try:
        for part in (killed, environment, orderly, terminal, broken, replaced, faulty, revoked, restarted):
            part(scene)
        scene.checks.no_leak(scene.gateway)
        scene.checks.check("no key is printed", b"ghk_" not in scene.gateway.output(), "found")
    finally:
        scene.gateway.remove()
        scene.provider.stop()
    return scene.checks.end()


if __name__ == "__main__":
    sys.exit(main())
