# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client pair in the hands of OpenSSL, through the standard library."""

from __future__ import annotations

import contextlib
import os
import ssl
from typing import Iterator, NoReturn

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import (
    Certificate,
    InvalidCertificate,
    read_certificates,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import normalise

# A key of another kind than its certificate's finds no certificate of its kind: the second and third reason.
_MISMATCHES = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")


class _Encrypted(Exception):
    """OpenSSL asked for a passphrase."""


def pair_fault(certificate: bytes, private_key: bytes, leaf: Certificate | None = None) -> str | None:
    """None where engines can load the PEM key with the PEM certificate, else the code of the finding.

    `leaf` is the first certificate, for whoever has read it already.
    """
    try:
        load_pair(client_context(), certificate, private_key)
    except _Encrypted:
        return "key-encrypted"
    except ssl.SSLError as error:
        if error.reason in _MISMATCHES:
            return "key-mismatch"
        return "key-junk" if leaf or _leaf(certificate) else "certificate-junk"
    leaf = leaf or _leaf(certificate)
    return None if leaf is None or leaf.engines_know_its_key else "key-curve"


def client_context() -> ssl.SSLContext:
    """A client's context that takes keys of any strength: engines present weak ones, too, and the server judges."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def load_pair(context: ssl.SSLContext, certificate: bytes, private_key: bytes) -> None:
    """Have the context present the pair.

    Both stay in memory: OpenSSL reads them through anonymous files, so that a key touches no disk here.
    """
    with _memory_file(certificate) as certificate_path, _memory_file(private_key) as key_path:
        context.load_cert_chain(certificate_path, key_path, password=_refuse)


def _leaf(content: bytes) -> Certificate | None:
    try:
        return read_certificates(normalise(content.decode("utf-8", "replace")))[0]
    except InvalidCertificate:
        return None


def _refuse() -> NoReturn:
    """Without a password function OpenSSL would prompt on the terminal and wait for ever."""
    raise _Encrypted


@contextlib.contextmanager
def _memory_file(content: bytes) -> Iterator[str]:
    descriptor = os.memfd_create("pem", os.MFD_CLOEXEC)
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as stream:
            stream.write(content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
