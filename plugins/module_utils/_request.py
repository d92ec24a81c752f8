# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One real request to a registry, on a connection of its own."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from typing import Iterable, Iterator, NamedTuple

from ansible_collections.fleet.certs_d.plugins.module_utils._client_pair import client_context, load_pair
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import certificates, normalise
from ansible_collections.fleet.certs_d.plugins.module_utils._registry_name import RegistryName

_HTTPS = 443
_LONGEST_ANSWER = 64 * 1024


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
    """Send one GET and read its answer; whatever goes wrong is the answer's error.

    Any `.crt` replaces the system's roots, as it did in docker before 1.13; a file without a certificate in it
    then leaves none. `timeout` bounds the whole attempt, in seconds.
    """
    started = time.monotonic()
    status, error = None, None
    try:
        status = _status(registry, path, _context(list(roots), pair), timeout)
    except (OSError, http.client.HTTPException, UnicodeError) as fault:
        error = _words(fault, timed_out=time.monotonic() - started >= timeout, timeout=timeout)
    return Answer(status, error, round(time.monotonic() - started, 3))


def _context(roots: list[bytes], pair: tuple[bytes, bytes] | None) -> ssl.SSLContext:
    context = client_context()
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


def _status(registry: RegistryName, path: str, context: ssl.SSLContext, timeout: float) -> int:
    plain = socket.create_connection((registry.address, registry.port or _HTTPS), timeout=timeout)
    with plain, _deadline(plain, timeout), context.wrap_socket(plain, server_hostname=registry.address) as secure:
        connection = http.client.HTTPConnection(registry.text)
        connection.sock = secure
        connection.request("GET", path, headers={"User-Agent": "fleet.certs_d", "Connection": "close"})
        response = connection.getresponse()
        response.read(_LONGEST_ANSWER)
        return response.status


@contextlib.contextmanager
def _deadline(connection: socket.socket, seconds: float) -> Iterator[None]:
    """A socket's timeout begins anew with every byte; this one does not."""
    # The TLS socket takes the plain one's place and leaves it detached, so that only a copy can still be shut.
    copy = connection.dup()

    def shut() -> None:
        with contextlib.suppress(OSError):
            copy.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, shut)
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
    if isinstance(fault, ssl.SSLError):
        return f"TLS: {(fault.reason or str(fault)).replace('_', ' ').lower()}"
    if isinstance(fault, http.client.RemoteDisconnected):
        return "the registry closed the connection without an answer"
    if isinstance(fault, (http.client.HTTPException, UnicodeError)):
        return "the answer is no HTTP"
    return getattr(fault, "strerror", None) or str(fault) or type(fault).__name__
