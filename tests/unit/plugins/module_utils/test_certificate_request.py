# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what a server asks a client for, against a real TLS server."""

from __future__ import annotations

import ssl

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils import _certificate_request
from ansible_collections.fleet.certs_d.plugins.module_utils._certificate_request import (
    CUT_SHORT,
    NO_CALLBACK,
    UNREADABLE,
    AsksFor,
    Handshake,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._registry_name import parse_registry_name
from ansible_collections.fleet.certs_d.plugins.module_utils._request import Seen, Trust, ask
from ansible_collections.fleet.certs_d.tests.unit.material import Issued, issue_ca, issue_server
from ansible_collections.fleet.certs_d.tests.unit.scripted_registry import ScriptedRegistry, scripted_registry

VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
BOTH_VERSIONS = pytest.mark.parametrize("tls", VERSIONS)
ECDSA_SHA256, RSA_PSS_SHA256 = 0x0403, 0x0804


def see(registry: ScriptedRegistry, *roots: Issued) -> Seen:
    """What is seen of the server by whom it lets in without a certificate."""
    trust = Trust([root.certificate.encode() for root in roots])
    return ask(parse_registry_name(registry.name), "/v2/", trust=trust, pair=None, timeout=5).seen


@BOTH_VERSIONS
def test_the_cas_that_a_server_names_are_told_byte_for_byte(ca: Issued, tls: str) -> None:
    second = issue_ca("Zweite, ÖA")
    with scripted_registry({None: 200}, ca=ca, version=VERSIONS[tls], names=[ca, second]) as registry:
        asks_for = see(registry, ca).asks_for
    assert asks_for is not None
    assert asks_for.issuers == (ca.x509.subject.public_bytes(), second.x509.subject.public_bytes())
    data = asks_for.as_data()
    assert (data["requested"], data["tls"]) == (True, tls)
    assert data["issuer_names"] == ["CN=Test CA", "CN=Zweite\\, ÖA"]
    assert data["issuers"][0] == ca.x509.subject.public_bytes().hex()


@BOTH_VERSIONS
def test_a_server_that_names_no_ca_takes_any(ca: Issued, tls: str) -> None:
    with scripted_registry({None: 200}, ca=ca, version=VERSIONS[tls]) as registry:
        asks_for = see(registry, ca).asks_for
    assert asks_for is not None
    assert (asks_for.requested, asks_for.issuers) == (True, ())
    assert {ECDSA_SHA256, RSA_PSS_SHA256} <= set(asks_for.signature_schemes)
    assert bool(asks_for.certificate_types) == (tls == "TLSv1.2")


@BOTH_VERSIONS
def test_the_signatures_that_a_server_takes_are_told(ca: Issued, tls: str) -> None:
    with scripted_registry({None: 200}, ca=ca, version=VERSIONS[tls], signatures="ECDSA+SHA256") as registry:
        asks_for = see(registry, ca).asks_for
    assert asks_for is not None
    assert asks_for.signature_schemes == (ECDSA_SHA256,)


@BOTH_VERSIONS
def test_a_server_that_asks_for_nothing_is_known_to(ca: Issued, tls: str) -> None:
    with scripted_registry({None: 200}, ca=ca, version=VERSIONS[tls], asks=False) as registry:
        seen = see(registry, ca)
    assert (seen.asks_for, seen.asks_for_why) == (AsksFor(requested=False, tls=tls), None)


@BOTH_VERSIONS
def test_the_chain_is_told_as_the_server_sends_it(ca: Issued, tls: str) -> None:
    intermediate = issue_ca("Intermediate", signer=ca)
    leaf = issue_server(signer=intermediate)
    server = ChainOf(leaf, intermediate)
    with scripted_registry({None: 200}, ca=ca, version=VERSIONS[tls], server=server) as registry:
        assert see(registry, ca).chain == (leaf.der, intermediate.der)
        assert see(registry).chain == (leaf.der, intermediate.der), "of a server that is not accepted, too"


def test_of_a_server_that_is_not_accepted_tls_1_2_does_not_tell_what_it_asks_for(ca: Issued) -> None:
    with scripted_registry({None: 200}, ca=ca, version=ssl.TLSVersion.TLSv1_2, names=[ca]) as registry:
        seen = see(registry)
    assert (seen.asks_for, seen.asks_for_why) == (None, CUT_SHORT)


def test_a_python_without_the_callback_knows_nothing_and_asks_all_the_same(
    ca: Issued, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_certificate_request, "_CALLBACK", "_no_such_callback")
    with scripted_registry({None: 200}, ca=ca, names=[ca]) as registry:
        trust = Trust([ca.certificate.encode()])
        answer = ask(parse_registry_name(registry.name), "/v2/", trust=trust, pair=None, timeout=5)
    assert answer.status == 200
    assert (answer.seen.asks_for, answer.seen.asks_for_why) == (None, NO_CALLBACK)
    assert len(answer.seen.chain) == 1, "Python's public call tells the server's own certificate"


@pytest.mark.parametrize("version", [0x0303, 0x0304])
@pytest.mark.parametrize("body", ["", "05", "0000", "01400002", "00ffff", "00000a000d0004", "000008002f000400020900"])
def test_what_is_no_certificate_request_is_unknown(version: int, body: str) -> None:
    handshake = Handshake(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    for kind in (11, 13):
        handshake._hear(None, "read", version, 22, kind, b"\r\0\0\0" + bytes.fromhex(body))
    asks_for, why = handshake.asks_for()
    assert (asks_for is None) == (why == UNREADABLE)
    assert handshake.chain() in ([], [b""])


def test_what_the_client_itself_says_is_not_heard() -> None:
    handshake = Handshake(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    handshake._hear(None, "write", 0x0303, 22, 13, b"\r\0\0\1\0")
    assert handshake.asks_for() == (None, CUT_SHORT)


class ChainOf(Issued):
    """A leaf with its intermediate behind it."""

    def __init__(self, leaf: Issued, intermediate: Issued) -> None:
        super().__init__(leaf.x509, leaf.key)
        object.__setattr__(self, "intermediate", intermediate)

    @property
    def certificate(self) -> str:
        intermediate: Issued = object.__getattribute__(self, "intermediate")
        return super().certificate + intermediate.certificate
