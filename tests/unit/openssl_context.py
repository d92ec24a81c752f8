# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server's SSL context of Python can't be told: which CAs and signature algorithms it asks clients for.

Apache and nginx say both. OpenSSL is called by ctypes, on the context that Python's object holds behind its head.
"""

from __future__ import annotations

import _ssl
import ctypes
import ssl
from pathlib import Path
from tempfile import TemporaryDirectory

from ansible_collections.fleet.certs_d.tests.unit.material import Issued

_SET_CLIENT_SIGALGS_LIST = 102
# Looks into the libraries, too, that the module was linked with.
_OPENSSL = ctypes.CDLL(_ssl.__file__)


def name_cas(context: ssl.SSLContext, cas: list[Issued]) -> None:
    """Have the server name these CAs in its CertificateRequest; by itself Python's server names none."""
    load = _OPENSSL.SSL_load_client_CA_file
    load.restype, load.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
    give = _OPENSSL.SSL_CTX_set_client_CA_list
    give.restype, give.argtypes = None, [ctypes.c_void_p, ctypes.c_void_p]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "cas.pem"
        file.write_text("".join(ca.certificate for ca in cas))
        names = load(str(file).encode())
    assert names
    give(_pointer(context), names)


def take_signatures(context: ssl.SSLContext, algorithms: str) -> None:
    """Have the server take no other signatures of clients, in OpenSSL's words: `ECDSA+SHA256`."""
    control = _OPENSSL.SSL_CTX_ctrl
    control.restype = ctypes.c_long
    control.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_char_p]
    assert control(_pointer(context), _SET_CLIENT_SIGALGS_LIST, 0, algorithms.encode()) == 1


def _pointer(context: ssl.SSLContext) -> int:
    """The SSL_CTX, the first field behind the head that every object has."""
    address = ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value
    assert address
    return address
