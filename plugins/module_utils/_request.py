# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One real request to a registry, on a connection of its own."""

from __future__ import annotations

import contextlib
import http.client
import queue
import socket
import ssl
import threading
import time
from typing import Any, Iterable, Iterator, NamedTuple

from ansible_collections.fleet.certs_d.plugins.module_utils._client_pair import client_context, load_pair
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import certificates, normalise
from ansible_collections.fleet.certs_d.plugins.module_utils._registry_name import RegistryName

_HTTPS = 443
# ssl.VERIFY_X509_PARTIAL_CHAIN, which Python names since 3.10.
_PARTIAL_CHAIN = 0x80000


class Answer(NamedTuple):
    """What came back: a status, or the error that came in its place; the duration in seconds."""

    status: int | None
    error: str | None
    seconds: float


def ask(
    registry: RegistryName,
    path: str,
    *,
    roots: Iterable[bytes],
    pair: tuple[bytes, bytes] | None,
    timeout: float,
) -> Answer:
    """Send one GET and read the head of its answer; whatever goes wrong is the answer's error.

    Any `.crt` replaces the system's roots, as it did in docker before 1.13; a file without a certificate in it
    then leaves none. `timeout` bounds the whole attempt, in seconds, from the look-up of the name on.
    """
    started = time.monotonic()
    status, error = None, None
    try:
        status = _status(registry, path, _context(list(roots), pair), started + timeout)
    except (OSError, http.client.HTTPException, UnicodeError) as fault:
        error = _words(fault, timed_out=time.monotonic() - started >= timeout, timeout=timeout)
    return Answer(status, error, round(time.monotonic() - started, 3))


def _context(roots: list[bytes], pair: tuple[bytes, bytes] | None) -> ssl.SSLContext:
    context = client_context()
    # Said here because Python before 3.10 leaves it to the system's configuration.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Go takes whatever stands in a .crt for a root, an intermediate CA too.
    context.verify_flags |= _PARTIAL_CHAIN
    if not roots:
        context.load_default_certs()
    for content in roots:
        for block in certificates(normalise(content.decode("utf-8", "replace"))):
            # Clients pass over a damaged root in silence.
            with contextlib.suppress(ssl.SSLError, ValueError):
                context.load_verify_locations(cadata=block.der)
    if pair is not None:
        load_pair(context, *pair)
    return context


def _status(registry: RegistryName, path: str, context: ssl.SSLContext, deadline: float) -> int:
    plain = _connect(registry, deadline)
    with plain, _cut_off(plain, deadline), context.wrap_socket(plain, server_hostname=registry.address) as secure:
        connection = http.client.HTTPConnection(registry.address)
        connection.sock = secure
        # http.client would leave the port out where it is that of plain HTTP.
        headers = {"Host": registry.text, "User-Agent": "fleet.certs_d", "Connection": "close"}
        with _refusal_told(secure):
            connection.request("GET", path, headers=headers)
        status = connection.getresponse().status
        if time.monotonic() >= deadline:
            # Cut off within the head, which http.client takes for its end.
            raise socket.timeout
        return status


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


def _connect(registry: RegistryName, deadline: float) -> socket.socket:
    """Connect to the first address that takes it; those that are left share the time that is left."""
    addresses = _addresses(registry, deadline)
    fault: OSError = OSError("the name has no address")
    for place, (family, kind, protocol, _canonical, address) in enumerate(addresses):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(_left(deadline) / (len(addresses) - place))
            connection.connect(address)
            connection.settimeout(_left(deadline))
        except OSError as error:
            connection.close()
            fault = error
        else:
            return connection
    raise fault


def _addresses(registry: RegistryName, deadline: float) -> list[tuple[Any, ...]]:
    """The resolver knows no deadline, so it is asked in a thread that may outlive the question."""
    answers: queue.Queue[list[tuple[Any, ...]] | Exception] = queue.Queue()

    def look_up() -> None:
        try:
            answers.put(list(socket.getaddrinfo(registry.address, registry.port or _HTTPS, type=socket.SOCK_STREAM)))
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


def _words(fault: Exception, *, timed_out: bool, timeout: float) -> str:
    """The fault in a person's words, without OpenSSL's line numbers."""
    if timed_out or isinstance(fault, socket.timeout):
        return f"no answer within {timeout:g} s"
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"the registry's certificate is not accepted: {fault.verify_message}"
    if isinstance(fault, (ssl.SSLEOFError, ConnectionResetError, BrokenPipeError)):
        return "the registry closed the connection without an answer"
    if isinstance(fault, ssl.SSLError):
        return _tls_words(fault.reason or str(fault))
    if isinstance(fault, http.client.HTTPException):
        return "the answer is no HTTP"
    if isinstance(fault, UnicodeError):
        return "no host can have this name"
    return getattr(fault, "strerror", None) or str(fault) or type(fault).__name__


def _tls_words(reason: str) -> str:
    """OpenSSL names an alert after the oldest protocol that had it: SSLV3_ALERT_CERTIFICATE_EXPIRED."""
    _protocol, is_alert, alert = reason.partition("_ALERT_")
    words = (alert if is_alert else reason).replace("_", " ").lower()
    return f"the registry refused the TLS connection: {words}" if is_alert else f"TLS: {words}"
