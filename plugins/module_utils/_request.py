# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One real request to a registry, on a connection of its own."""

from __future__ import annotations

import contextlib
import http.client
import io
import queue
import re
import socket
import ssl
import threading
import time
from types import MappingProxyType
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate_request import AsksFor, Handshake
from ansible_collections.fleet.certs_d.plugins.module_utils._client_pair import client_context, load_pair
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import certificates, normalise
from ansible_collections.fleet.certs_d.plugins.module_utils._registry_name import RegistryName

_HTTPS, _HTTP = 443, 80
# ssl.VERIFY_X509_PARTIAL_CHAIN, which Python names since 3.10.
_PARTIAL_CHAIN = 0x80000
_LONGEST_HEAD = 65536
_STATUS_LINE = re.compile(rb"HTTP/1\.[0-9] +([1-9][0-9]{2})(?: [^\n]*)?\r?\n")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")

NOT_ACCEPTED = "the registry's certificate is not accepted"


class Trust(NamedTuple):
    """Whom a client takes for a registry: the contents of the `.crt` files, and what they do to the system's roots.

    Since 1.13 docker adds them, and so does every engine of today. Before that any `.crt` replaced the system's roots;
    a file without a certificate in it then left none. Who verifies nothing takes anybody.
    """

    roots: Sequence[bytes] = ()
    replaces: bool = False
    verifies: bool = True


class Seen(NamedTuple):
    """What was seen of the server on the way to its answer, as far as the way went.

    `addresses` are all of its name, `address` the one that took the connection, `silent` those that did not, each with
    the reason; `chain` holds the DER of the server's certificates, its own in front; `received` is this node's time at
    the answer, in seconds since the epoch.
    """

    addresses: tuple[str, ...] = ()
    address: str | None = None
    silent: tuple[str, ...] = ()
    tls_version: str | None = None
    cipher: str | None = None
    chain: tuple[bytes, ...] = ()
    asks_for: AsksFor | None = None
    asks_for_why: str | None = "no connection was made"
    headers: Mapping[str, str] = MappingProxyType({})
    received: float | None = None


class Answer(NamedTuple):
    """What came back: a status, or the error that came in its place; the duration in seconds; what was seen."""

    status: int | None
    error: str | None
    seconds: float
    seen: Seen = Seen()


class _NoHttp(Exception):
    """What came back is no answer of HTTP."""


class _Hung(Exception):
    """The other side has closed the connection before its answer was whole."""


def ask(
    registry: RegistryName,
    path: str,
    *,
    trust: Trust | None,
    pair: tuple[bytes, bytes] | None,
    timeout: float,
) -> Answer:
    """Send one GET and read the head of its answer; whatever goes wrong is the answer's error.

    Without `trust` it goes out in plain HTTP. `timeout` bounds the whole attempt, in seconds, from the look-up of the
    name on; no more than 64 KiB are read.
    """
    started = time.monotonic()
    attempt = _Attempt(registry, path, started + timeout)
    status, error = None, None
    try:
        status = attempt.in_plain() if trust is None else attempt.in_tls(_context(trust, pair))
    except (OSError, UnicodeError, _NoHttp, _Hung) as fault:
        is_late = time.monotonic() - started >= timeout or isinstance(fault, socket.timeout)
        error = f"no answer within {timeout:.3g} s" if is_late else _words(fault)
    return Answer(status, error, round(time.monotonic() - started, 3), attempt.seen())


def _context(trust: Trust, pair: tuple[bytes, bytes] | None) -> ssl.SSLContext:
    context = client_context()
    # Said here because Python before 3.10 leaves it to the system's configuration.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Go looks at no common name since 1.15, and takes whatever stands in a .crt for a root, an intermediate CA too.
    context.hostname_checks_common_name = False
    context.verify_flags |= _PARTIAL_CHAIN
    if not trust.verifies:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if trust.verifies and not (trust.replaces and trust.roots):
        context.load_default_certs()
    for content in trust.roots:
        for block in certificates(normalise(content.decode("utf-8", "replace"))):
            # Clients pass over a damaged root in silence.
            with contextlib.suppress(ssl.SSLError, ValueError):
                context.load_verify_locations(cadata=block.der)
    if pair is not None:
        load_pair(context, *pair)
    return context


class _Attempt:
    """One connection, and what is seen on it."""

    def __init__(self, registry: RegistryName, path: str, deadline: float) -> None:
        self._registry = registry
        self._path = path
        self._deadline = deadline
        self._seen = Seen()
        self._handshake: Handshake | None = None

    def in_tls(self, context: ssl.SSLContext) -> int:
        """The status that the answer has."""
        name = self._registry.address
        plain = self._connect(self._registry.port or _HTTPS)
        self._handshake = Handshake(context)
        with plain, _cut_off(plain, self._deadline), context.wrap_socket(plain, server_hostname=name) as secure:
            self._handshake.end()
            cipher = secure.cipher()
            self._note(
                tls_version=secure.version(),
                cipher=cipher[0] if cipher else None,
                chain=tuple(filter(None, [secure.getpeercert(binary_form=True)])),
            )
            with _refusal_told(secure):
                secure.sendall(self._request())
            return self._answer(secure)

    def in_plain(self) -> int:
        """The same without TLS."""
        plain = self._connect(self._registry.port or _HTTP)
        with plain, _cut_off(plain, self._deadline):
            plain.sendall(self._request())
            return self._answer(plain)

    def seen(self) -> Seen:
        """What was seen until now."""
        if self._handshake is not None:
            asks_for, why = self._handshake.asks_for()
            self._note(asks_for=asks_for, asks_for_why=why)
            self._note(chain=tuple(self._handshake.chain()) or self._seen.chain)
        return self._seen

    def _note(self, **facts: Any) -> None:
        self._seen = self._seen._replace(**facts)

    def _request(self) -> bytes:
        lines = [f"GET {self._path} HTTP/1.1", f"Host: {self._registry.text}"]
        return "\r\n".join([*lines, "User-Agent: fleet.certs_d", "Connection: close", "", ""]).encode("ascii")

    def _connect(self, port: int) -> socket.socket:
        """Connect to the first address that takes it; those that are left share the time that is left."""
        found = _addresses(self._registry.address, port, self._deadline)
        self._note(addresses=tuple(dict.fromkeys(str(address[0]) for *_kind, address in found)))
        fault: OSError = OSError("the name has no address")
        for place, (family, kind, protocol, _canonical, address) in enumerate(found):
            try:
                connection = self._connected(family, kind, protocol, address, parts=len(found) - place)
            except OSError as error:
                fault = error
                words = "no answer" if isinstance(error, socket.timeout) else error.strerror
                self._note(silent=(*self._seen.silent, f"{address[0]}: {words}"))
            else:
                self._note(address=str(address[0]))
                return connection
        raise fault

    def _connected(self, family: int, kind: int, protocol: int, address: Any, *, parts: int) -> socket.socket:
        """A connection made in one of so many parts of the time that is left."""
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(_left(self._deadline) / parts)
            connection.connect(address)
            connection.settimeout(_left(self._deadline))
        except OSError:
            connection.close()
            raise
        return connection

    def _answer(self, connection: socket.socket) -> int:
        """The status of the first answer that is more than information (RFC 9110, 15.2)."""
        data, read = b"", 0
        while True:
            end = _END_OF_HEAD.search(data)
            if end is None:
                more = self._more(connection, data)
                data, read = data + more, read + len(more)
                if read > _LONGEST_HEAD:
                    raise _NoHttp
                continue
            line = _STATUS_LINE.match(data)
            if line is None:
                raise _NoHttp
            status = int(line[1])
            if not 100 <= status < 200:
                self._note(headers=_headers(data[line.end() : end.end()]), received=time.time())
                return status
            data = data[end.end() :]

    def _more(self, connection: socket.socket, data: bytes) -> bytes:
        if not b"HTTP/".startswith(data[:5]):
            raise _NoHttp
        more = connection.recv(_LONGEST_HEAD)
        if time.monotonic() >= self._deadline:
            # Cut off, which looks like the end of the answer.
            raise socket.timeout
        if not more:
            raise _NoHttp if data else _Hung
        return more


def _headers(lines: bytes) -> dict[str, str]:
    """By their names in lower case; where one comes twice, the first."""
    try:
        found = http.client.parse_headers(io.BytesIO(lines))
    except http.client.HTTPException:
        return {}
    return {name.lower(): str(value) for name, value in reversed(found.items())}


@contextlib.contextmanager
def _refusal_told(secure: ssl.SSLSocket) -> Iterator[None]:
    """In TLS 1.3 a client has long finished the handshake when its certificate is refused.

    Then the server may have hung up before the request was sent; its alert is still there to be read.
    """
    try:
        yield
    except OSError:
        secure.recv(1)
        raise


def _addresses(host: str, port: int, deadline: float) -> list[tuple[Any, ...]]:
    """The resolver knows no deadline, so it is asked in a thread that may outlive the question."""
    answers: queue.Queue[list[tuple[Any, ...]] | Exception] = queue.Queue()

    def look_up() -> None:
        try:
            answers.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=look_up, daemon=True).start()
    try:
        found = answers.get(timeout=_left(deadline))
    except queue.Empty:
        raise socket.timeout from None
    if isinstance(found, Exception):
        raise found
    return found


def _left(deadline: float) -> float:
    """Never 0, which would make a socket non-blocking."""
    return max(deadline - time.monotonic(), 0.001)


@contextlib.contextmanager
def _cut_off(connection: socket.socket, deadline: float) -> Iterator[None]:
    """A socket's timeout begins anew with every byte; this one does not."""
    # The TLS socket takes the plain one's place and leaves it detached, so that only a copy can still be shut.
    copy = connection.dup()

    def shut() -> None:
        with contextlib.suppress(OSError):
            copy.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(_left(deadline), shut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        copy.close()


def _words(fault: Exception) -> str:
    """The fault in a person's words, without OpenSSL's line numbers."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"{NOT_ACCEPTED}: {fault.verify_message}"
    if isinstance(fault, (_Hung, ssl.SSLEOFError, ConnectionResetError, BrokenPipeError)):
        return "the registry closed the connection without an answer"
    if isinstance(fault, ssl.SSLError):
        return _tls_words(fault.reason or str(fault))
    if isinstance(fault, _NoHttp):
        return "the answer is no HTTP"
    if isinstance(fault, UnicodeError):
        return "no host can have this name"
    return getattr(fault, "strerror", None) or str(fault) or type(fault).__name__


def _tls_words(reason: str) -> str:
    """OpenSSL names an alert after the oldest protocol that had it: SSLV3_ALERT_CERTIFICATE_EXPIRED."""
    _protocol, is_alert, alert = reason.partition("_ALERT_")
    words = (alert if is_alert else reason).replace("_", " ").lower()
    return f"the registry refused the TLS connection: {words}" if is_alert else f"TLS: {words}"
