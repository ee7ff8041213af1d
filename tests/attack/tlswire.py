"""Raw bytes over TLS, as a partner sends them: no HTTP library stands between us and the gateway, so that what is wrong on purpose
arrives wrong. Answers are read by a small reader of our own, which is strict: what it cannot read is an error of the gateway.
"""

import socket
import ssl
import time
import warnings
from dataclasses import dataclass, field

CONNECT_SECONDS = 60


class Refused(Exception):
    """The gateway closed or refused the connection: no answer came."""


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes
    raw: bytes = field(repr=False, default=b"")

    @property
    def content_type(self):
        return self.headers.get("content-type", "")


@dataclass(frozen=True)
class Identity:
    """Files of a TLS client certificate (chain) and its key; None: no certificate at all."""

    certificate: str = None
    key: str = None


class Target:
    """Where the gateway listens, and whose certificate it must have."""

    def __init__(self, host, port, ca):
        self.host, self.port, self.ca = host, port, ca
        self._contexts, self._connections = {}, 0

    def context(self, identity, least=ssl.TLSVersion.TLSv1_2, most=ssl.TLSVersion.TLSv1_3, ciphers=None, is_verifying=True):
        """Contexts are made once each: loading files for every connection would take longer than the connection."""
        wanted = (identity, least, most, ciphers, is_verifying)
        if wanted not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_REQUIRED if is_verifying else ssl.CERT_NONE
            if is_verifying:
                context.load_verify_locations(self.ca)
            if ciphers:
                context.set_ciphers(ciphers)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # old versions, on purpose
                context.minimum_version, context.maximum_version = least, most
            if identity is not None and identity.certificate is not None:
                context.load_cert_chain(identity.certificate, identity.key)
            self._contexts[wanted] = context
        return self._contexts[wanted]

    def next_source(self):
        """On this machine every connection has an address of its own: a gateway may log and count by address."""
        self._connections += 1
        n = self._connections % (250 * 250)
        return (f"127.77.{n // 250 + 1}.{n % 250 + 1}", 0) if self.host == "127.0.0.1" else None

    def connect_plain(self, seconds=CONNECT_SECONDS):
        return socket.create_connection((self.host, self.port), timeout=seconds, source_address=self.next_source())

    def connect(self, identity, seconds=CONNECT_SECONDS, session=None, **options):
        context = self.context(identity, **options)
        plain = socket.create_connection((self.host, self.port), timeout=seconds, source_address=self.next_source())
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            return Wire(context.wrap_socket(plain, server_hostname=self.host, session=session))
        except (ssl.SSLError, OSError) as error:
            plain.close()
            raise Refused(f"handshake: {error}") from error


class Wire:
    """One connection."""

    def __init__(self, stream):
        self.stream = stream
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stream.close()

    def send(self, data):
        """False when the gateway has closed its side meanwhile: what it said before can still be read."""
        try:
            self.stream.sendall(data)
            return True
        except (ssl.SSLError, OSError):
            return False

    def _more(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        self.stream.settimeout(left)
        try:
            data = self.stream.recv(65536)
        except TimeoutError:
            raise
        except (ssl.SSLError, OSError) as error:
            raise Refused(f"the connection broke: {error}") from error
        if not data:
            raise Refused("closed without an answer" if not self.rest else "closed within an answer")
        self.rest += data

    def read(self, seconds=60):
        """The next answer. Refused: the connection ended without one. 100 Continue is passed over."""
        deadline = time.monotonic() + seconds
        while True:
            while b"\r\n\r\n" not in self.rest:
                self._more(deadline)
            head, _, after = self.rest.partition(b"\r\n\r\n")
            lines = head.split(b"\r\n")
            version, status, _ = (lines[0] + b"  ").split(b" ", 2)
            if version != b"HTTP/1.1" or not status.isdigit():
                raise AssertionError(f"no HTTP answer: {lines[0][:80]!r}")
            headers = {}
            for line in lines[1:]:
                name, colon, value = line.partition(b":")
                if not colon or name.lower().decode("latin-1") in headers:
                    raise AssertionError(f"a header of the answer is malformed or doubled: {line[:80]!r}")
                headers[name.lower().decode("latin-1")] = value.strip().decode("latin-1")
            if status == b"100":
                self.rest = after
                continue
            n = int(headers.get("content-length", "0"))
            while len(after) < n:
                self.rest = head + b"\r\n\r\n" + after
                self._more(deadline)
                after = self.rest[len(head) + 4 :]
            self.rest = after[n:]
            return Answer(int(status), headers, after[:n], head + b"\r\n\r\n" + after[:n])

    def is_closed(self, seconds=5):
        """Does the gateway close, and say nothing more?"""
        deadline = time.monotonic() + seconds
        try:
            while True:
                if self.rest:
                    return False
                self._more(deadline)
        except Refused:
            return True
        except TimeoutError:
            return False


def post(path, content_type, body, headers=(), host="localhost"):
    """The bytes of an honest request."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body
