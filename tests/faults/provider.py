# SPDX-License-Identifier: GPL-3.0-or-later
"""A provider that records every byte it receives and answers by script.

The script is named by the target: /…/s/NAME/SERIAL[/ARGUMENT…]. Every other target gets `default`.
A script is a function (connection, message) -> bool: True keeps the connection. An early script is
called when the head is there; with None it lets the body be read first.
"""
import socket
import ssl
import struct
import threading
import time

from reader import Incomplete, Malformed, parse_head, parse_request


def answer(status=b"200 OK", body=b"{}", *lines):
    """An answer with its Content-Length."""
    head = [b"HTTP/1.1 " + status, b"Content-Type: application/json", *lines,
            b"Content-Length: %d" % len(body)]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


class Connection:
    """One accepted connection, seen from the provider."""

    def __init__(self, owner, sock, number):
        self.owner, self.sock, self.number = owner, sock, number
        self.received = bytearray()  # everything, for the leak checks
        self.pending = bytearray()   # not yet read as a message
        self.served = 0
        self.fault = None            # why the strict reader could not read what came
        self.gone = None             # monotonic time when the peer's end was seen
        self.cut = False             # the peer ended inside a message

    def send(self, data):
        try:
            self.sock.sendall(data)
            return True
        except OSError:
            self.gone = self.gone or time.monotonic()
            return False

    def reset(self):
        """RST instead of FIN."""
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.sock.close()
        return False

    def finish(self):
        """FIN, then close."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
        return False

    def receive(self):
        """More bytes; False at the peer's end."""
        try:
            data = self.sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.gone = self.gone or time.monotonic()
            return False
        self.received += data
        self.pending += data
        with self.owner.lock:
            self.owner.bytes += len(data)
        return True

    def wait_gone(self, seconds):
        """True when the peer ends within that time."""
        self.sock.settimeout(0.02)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                data = self.sock.recv(65536)
                if not data:
                    break
                self.received += data
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            self.sock.settimeout(None)
            return False
        self.gone = time.monotonic()
        return True


class Provider:
    """Listens until stop(), on a port of its own or the one given."""

    def __init__(self, backlog=512, tls=None, port=0):
        """`tls`: an ssl.SSLContext with its certificate; plain without."""
        self.tls = tls
        self.lock = threading.Lock()
        self.connections = []
        self.bytes = 0      # of all connections
        self.records = []   # (connection number, Message, monotonic time), complete requests
        self.scripts = {}   # run when the request is complete
        self.early = {}     # run when its head is
        self.default = lambda connection, message: connection.send(answer())
        self.listener = socket.create_server(("127.0.0.1", port), backlog=backlog)
        self.port = self.listener.getsockname()[1]
        self.open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.open = False
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for connection in list(self.connections):
            connection.finish()

    def seen(self, text):
        """The complete requests whose target contains `text`."""
        with self.lock:
            return [m for _, m, _ in self.records if text.encode() in m.target]

    def connection_of(self, text, seconds=2.0):
        """The connection on which `text` was received, waiting for it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for connection in reversed(list(self.connections)):
                if text.encode() in connection.received:
                    return connection
            time.sleep(0.005)
        return None

    def _accept(self):
        while self.open:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self, sock, len(self.connections))
            with self.lock:
                self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _script(self, table, message):
        parts = message.target.split(b"?")[0].split(b"/s/", 1)
        return table.get(parts[1].split(b"/")[0].decode("latin-1")) if len(parts) == 2 else None

    def _serve(self, connection):
        try:
            if self.tls:
                connection.sock = self.tls.wrap_socket(connection.sock, server_side=True)
            while self._next(connection):
                connection.served += 1
        except ssl.SSLError as error:
            connection.fault = str(error)
        finally:
            connection.cut = bool(connection.pending)
            connection.finish()

    def _next(self, connection):
        """Reads and answers one request."""
        while True:
            try:
                message = parse_request(connection.pending)
                break
            except Malformed as error:
                connection.fault = str(error)
                connection.send(answer(b"400 Bad Request", b"{}", b"Connection: close"))
                return False
            except Incomplete:
                early = self._early(connection)
                if early is not None:
                    return early
            if not connection.receive():
                return False
        del connection.pending[:message.size]
        with self.lock:
            self.records.append((connection.number, message, time.monotonic()))
        script = self._script(self.scripts, message) or self._script(self.early, message)
        return bool((script or self.default)(connection, message))

    def _early(self, connection):
        """Answers by an early script where the head is there; else None."""
        try:
            head = parse_head(connection.pending)
        except (Incomplete, Malformed):
            return None
        script = self._script(self.early, head)
        result = script(connection, head) if script else None
        return None if result is None else bool(result)
