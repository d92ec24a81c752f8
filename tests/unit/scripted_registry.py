# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TLS server on loopback that answers each client certificate as a script says, and keeps its own log."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import ssl
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

from ansible_collections.fleet.certs_d.tests.unit.material import Issued, issue_server
from ansible_collections.fleet.certs_d.tests.unit.openssl_context import name_cas, take_signatures

Trouble = Literal["reset", "close", "hang", "trickle", "garbage", "endless", "redirect", "informed", "endless head"]
Script = Mapping[str | None, int | Trouble]

_WAIT = 20


class Seen(NamedTuple):
    """A line of the server's log: what it was presented and what it did; `refused` where TLS ended the matter."""

    fingerprint: str | None
    answer: int | Trouble | Literal["refused"]
    request: str = ""
    host: str = ""


class ScriptedRegistry:
    """One thread per connection; one answer per connection."""

    def __init__(
        self, script: Script, context: ssl.SSLContext, listener: socket.socket, headers: Sequence[str] = ()
    ) -> None:
        self.log: list[Seen] = []
        self.peers: list[tuple[str, int]] = []
        self.port = int(listener.getsockname()[1])
        self._script = script
        self._context = context
        self._listener = listener
        self._headers = "".join(f"{line}\r\n" for line in headers)
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def name(self) -> str:
        return f"localhost:{self.port}"

    def answers(self) -> list[tuple[str | None, int | str]]:
        """The log, once every connection has come to its end."""
        for thread in self._threads[1:]:
            thread.join(_WAIT)
        return [(seen.fingerprint, seen.answer) for seen in self.log]

    def asked(self, path: str = "/v2/") -> list[tuple[str | None, int | str]]:
        """The same of the requests for this path, and of the refused handshakes, which came to none."""
        self.answers()
        wanted = f"GET {path} HTTP/1.1"
        return [(seen.fingerprint, seen.answer) for seen in self.log if seen.request in ("", wanted)]

    def stop(self) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(_WAIT)

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                plain, peer = self._listener.accept()
            except OSError:
                return
            self.peers.append(peer[:2])
            thread = threading.Thread(target=self._serve, args=(plain,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        plain.settimeout(_WAIT)
        try:
            secure = self._context.wrap_socket(plain, server_side=True)
        except OSError:
            self.log.append(Seen(None, "refused"))
            plain.close()
            return
        with secure, contextlib.suppress(OSError):
            der = secure.getpeercert(binary_form=True)
            fingerprint = _fingerprint(der)
            head = _read_head(secure)
            answer = self._script[fingerprint]
            host = next(line.partition(": ")[2] for line in head if line.lower().startswith("host:"))
            self.log.append(Seen(fingerprint, answer, head[0], host))
            self._answer(secure, answer)

    def _answer(self, secure: ssl.SSLSocket, answer: int | Trouble) -> None:
        if isinstance(answer, int):
            head = f"HTTP/1.1 {answer} So\r\n{self._headers}Content-Length: 2\r\nConnection: close\r\n"
            secure.sendall(f"{head}\r\n{{}}".encode())
        elif answer == "garbage":
            secure.sendall(os.urandom(4096))
        elif answer == "redirect":
            secure.sendall(b"HTTP/1.1 307 So\r\nLocation: https://localhost:1/v2/\r\nContent-Length: 0\r\n\r\n")
        elif answer == "informed":
            secure.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 204 So\r\n\r\n")
        elif answer == "endless head":
            self._drip(secure, b"HTTP/1.1 200 OK\r\n", b"X-Long: " + b"a" * 8192 + b"\r\n")
        elif answer == "reset":
            secure.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif answer == "hang":
            self._stopped.wait(_WAIT)
        elif answer == "trickle":
            self._drip(secure, b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a")
        elif answer == "endless":
            secure.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            self._drip(secure, b"", b"1000\r\n" + b"a" * 4096 + b"\r\n")

    def _drip(self, secure: ssl.SSLSocket, head: bytes, drop: bytes) -> None:
        secure.sendall(head)
        while not self._stopped.wait(0.05):
            secure.sendall(drop)


@contextlib.contextmanager
def scripted_registry(
    script: Script,
    *,
    ca: Issued,
    server: Issued | None = None,
    insists: bool = False,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    family: socket.AddressFamily = socket.AF_INET,
    headers: Sequence[str] = (),
    asks: bool = True,
    names: Sequence[Issued] = (),
    signatures: str | None = None,
) -> Iterator[ScriptedRegistry]:
    """Serve on a free port; clients are signed by the CA, None in the script stands for no certificate.

    `names` are the CAs that it names in its CertificateRequest, `signatures` the only ones that it takes there;
    without `asks` it sends none. `headers` come with each answer.
    """
    with TemporaryDirectory() as folder:
        context = _context(Path(folder), server or issue_server(signer=ca), ca)
    context.verify_mode = ssl.CERT_REQUIRED if insists else ssl.CERT_OPTIONAL if asks else ssl.CERT_NONE
    if names:
        name_cas(context, list(names))
    if signatures is not None:
        take_signatures(context, signatures)
    context.minimum_version = context.maximum_version = version
    listener = socket.socket(family)
    listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
    listener.listen()
    registry = ScriptedRegistry(script, context, listener, headers)
    try:
        yield registry
    finally:
        registry.stop()


def _context(folder: Path, server: Issued, ca: Issued) -> ssl.SSLContext:
    file = folder / "server.pem"
    file.write_text(server.certificate + server.private_key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    context.load_verify_locations(cadata=ca.certificate)
    return context


def _fingerprint(der: bytes | None) -> str | None:
    return hashlib.sha256(der).digest().hex(":") if der else None


def _read_head(secure: ssl.SSLSocket) -> list[str]:
    head = b""
    while b"\r\n\r\n" not in head:
        head += secure.recv(4096) or b"\r\n\r\n"
    return head.decode().splitlines()
