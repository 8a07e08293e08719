# SPDX-License-Identifier: GPL-3.0-or-later
"""A desktop session of its own for a test: a home, a session bus and a real gnome-keyring."""
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "faults"))
from support import wait_for  # of the fault tests, which are run by themselves

PASSWORD = "correct horse battery staple"
LOGIN = "/org/freedesktop/secrets/collection/login"

# Without service directories: nothing is started but by the test.
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


def seconds_until(condition, seconds, what):
    """How long it took; SystemExit where it stays false."""
    began = time.monotonic()
    if not wait_for(condition, seconds, 0.005):
        raise SystemExit(f"FAIL: {what}: not within {seconds} s")
    return time.monotonic() - began


class Session:
    """All files below one directory; every process that it starts is ended by its pid."""

    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="gatehouse-keychain-"))
        self.home, self.runtime = self.dir / "home", self.dir / "runtime"
        self.logs, self.cwd = self.dir / "logs", self.dir / "cwd"
        for folder in (self.home, self.runtime, self.logs, self.cwd):
            folder.mkdir(mode=0o700)
        # The bus is found by its socket, so that it can come after the gateway.
        kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS")
                if name in os.environ}
        self.environment = {**kept, "HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.runtime)}
        self.processes = []
        self.bus = self.keyring = None

    def start(self, name, *command, **options):
        with open(self.logs / f"{name}.out", "ab") as out, open(self.logs / f"{name}.err", "ab") as err:
            process = subprocess.Popen(command, env=self.environment, cwd=self.cwd, stdout=out,
                                       stderr=err, **options)
        self.processes.append(process)
        return process

    def run(self, *command, given=""):
        """A command that ends by itself, within 20 s; its output is kept with the other logs."""
        done = subprocess.run(command, env=self.environment, cwd=self.cwd, input=given, text=True,
                              capture_output=True, timeout=20)
        with open(self.logs / "commands", "a", encoding="utf-8") as log:
            log.write(done.stdout + done.stderr)
        return done

    def end(self, process, number=signal.SIGKILL):
        if process is not None and process.poll() is None:
            process.send_signal(number)
            process.wait(10)

    def start_bus(self):
        place = self.runtime / "bus"
        place.unlink(missing_ok=True)
        config = self.dir / "bus.conf"
        config.write_text(BUS.format(socket=place))
        self.bus = self.start("bus", "dbus-daemon", "--nofork", "--nopidfile",
                              f"--config-file={config}")
        seconds_until(place.exists, 5, "the session bus")

    def start_keyring(self, unlocked):
        """gnome-keyring in the foreground, instead of one that runs; with its login keyring open (made,
        the first time), or as where nobody logged in."""
        replace = ["--replace"] if self.keyring is not None and self.keyring.poll() is None else []
        if unlocked:
            self.keyring = self.start("keyring", "gnome-keyring-daemon", "--foreground", *replace,
                                      "--unlock", "--components=secrets", stdin=subprocess.PIPE)
            self.keyring.stdin.write(PASSWORD.encode())
            self.keyring.stdin.close()
        else:
            self.keyring = self.start("keyring", "gnome-keyring-daemon", "--foreground",
                                      "--components=secrets", stdin=subprocess.DEVNULL)

    def unlock(self):
        """Opens the login keyring of the running daemon over its control socket, as PAM does at a login;
        `gnome-keyring-daemon --unlock` would start another daemon."""
        password = PASSWORD.encode()
        request = struct.pack(">III", 12 + len(password), 1, len(password)) + password
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(10)
            control.connect(str(self.runtime / "keyring" / "control"))
            control.sendall(b"\0")
            control.sendall(request)
            answer = control.recv(8)
        if answer != struct.pack(">II", 8, 0):
            raise SystemExit(f"FAIL: the keyring is not unlocked: {answer}")

    def call(self, member, *arguments):
        return self.run("dbus-send", f"--bus=unix:path={self.runtime}/bus", "--print-reply",
                        "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets", member,
                        *arguments)

    def lock(self):
        done = self.call("org.freedesktop.Secret.Service.Lock", f"array:objpath:{LOGIN}")
        if not re.search(r'object path "/org/freedesktop/secrets/collection/login"', done.stdout):
            raise SystemExit(f"FAIL: the keyring is not locked: {done.stdout}{done.stderr}")

    def close(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
            self.end(process, signal.SIGTERM)
        shutil.rmtree(self.dir, ignore_errors=True)
