# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of a registry as a node sees it."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate_request import AsksFor
from ansible_collections.fleet.certs_d.plugins.module_utils._registry_name import parse_registry_name
from ansible_collections.fleet.certs_d.plugins.module_utils._request import Answer, Seen
from ansible_collections.fleet.certs_d.plugins.module_utils._server import Heard, server_as_seen
from ansible_collections.fleet.certs_d.tests.unit.material import NOW, Issued, issue, issue_server

NAME = parse_registry_name("reg.lab:5000")


def see(*seen: Seen, status: int | None = 200, proxy: str | None = None) -> dict[str, Any]:
    return server_as_seen(NAME, Heard([Answer(status, None, 0.1, each) for each in seen]), proxy=proxy, now=NOW)


def test_the_clearest_sight_tells(ca: Issued) -> None:
    server = issue_server(signer=ca, names=["reg.lab"])
    clear = Seen(address="10.0.0.1", tls_version="TLSv1.2", cipher="C", chain=(server.der, ca.der))
    found = see(Seen(), Seen(address="10.0.0.2"), clear)
    assert (found["address"], found["tls_version"], found["cipher"]) == ("10.0.0.1", "TLSv1.2", "C")
    assert [each["subject"] for each in found["chain"]] == ["CN=server", "CN=Test CA"]
    assert (found["names"], found["name_fits"], found["days_left"]) == (["reg.lab"], True, 60)
    assert found["warnings"] == []


def test_a_name_that_does_not_fit_is_told(ca: Issued) -> None:
    (warning,) = see(Seen(chain=(issue_server(signer=ca, names=["a.lab", "b.lab"]).der,)))["warnings"]
    assert "is for a.lab, b.lab, not for reg.lab" in warning
    (warning,) = see(Seen(chain=(issue("reg.lab", signer=ca).der,)))["warnings"]
    assert "has no alternative name" in warning


@pytest.mark.parametrize(("days", "words"), [(-1, "has expired on"), (5, "expires on")])
def test_an_expiry_is_told(ca: Issued, days: int, words: str) -> None:
    old = issue("old", signer=ca, not_before=NOW - timedelta(days=9), not_after=NOW + timedelta(days=days, hours=1))
    server = issue_server(signer=ca, names=["reg.lab"])
    (warning,) = see(Seen(chain=(server.der, old.der)))["warnings"]
    assert f"CN=old {words}" in warning


@pytest.mark.parametrize(("seconds", "words"), [(0, None), (300, "ahead of"), (-300, "behind")])
def test_a_clock_that_is_off_is_told(seconds: int, words: str | None) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    found = see(Seen(headers={"date": date}, received=NOW.timestamp()))
    assert found["clock_skew"] == seconds
    assert [f"300 s {words}" in warning for warning in found["warnings"]] == [True] * bool(words)


@pytest.mark.parametrize(
    "date",
    [
        "",
        "junk",
        "Thu, 99 Foo 2026 00:00:00 GMT",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 01 Jan 2026 00:00:00 +99999999999999",
    ],
)
def test_a_date_that_is_none_tells_nothing(date: str) -> None:
    assert see(Seen(headers={"date": date}, received=1.0))["clock_skew"] is None


@pytest.mark.parametrize(
    ("realm", "elsewhere"),
    [
        ("https://reg.lab:5000/token", False),
        ("https://REG.lab:5000/token", False),
        ("https://reg.lab/token", True),
        ("https://auth.lab/token", True),
        ("https://auth.lab:x/token", True),
    ],
)
def test_a_token_server_elsewhere_is_told(realm: str, elsewhere: bool) -> None:
    headers = {"www-authenticate": f'Bearer service="a",realm="{realm}",scope="b"'}
    found = see(Seen(headers=headers), status=401)
    assert (found["token_realm"], found["token_realm_elsewhere"]) == (realm, elsewhere)
    assert [f"{realm} gets the registry's client certificate" in each for each in found["warnings"]] == [
        True
    ] * elsewhere


def test_basic_authentication_has_no_token_server() -> None:
    assert see(Seen(headers={"www-authenticate": 'Basic realm="here"'}), status=401)["token_realm"] is None


def test_ways_that_differ_are_told() -> None:
    found = see(Seen(address="10.0.0.1", silent=("fd00::1: Connection refused",)), proxy="http://p:1")
    first, second = found["warnings"]
    assert first.startswith("fd00::1: Connection refused, while 10.0.0.1 takes connections")
    assert "through the proxy http://p:1" in second


def test_a_long_challenge_is_no_work() -> None:
    headers = {"www-authenticate": "bearer " * 9_000 + 'realm="https://auth.lab"'}
    assert see(Seen(headers=headers), status=401)["token_realm"] is None


def test_a_realm_beside_others_is_that_of_the_bearer() -> None:
    headers = {"www-authenticate": 'Basic realm="basic", Bearer realm="https://auth.lab/token"'}
    realm = see(Seen(headers=headers), status=401)["token_realm"]
    assert realm == "https://auth.lab/token"


def test_what_a_terminal_would_obey_is_escaped(ca: Issued) -> None:
    realm = 'Bearer realm="https://t\x1b[31mX"'
    old = issue("\x1b[31mred", signer=ca, not_after=NOW + timedelta(days=1))
    found = see(Seen(headers={"www-authenticate": realm}, chain=(old.der,)), status=401)
    assert found["chain"][0]["subject"] != "CN=\x1b[31mred"
    assert all(warning.isprintable() for warning in found["warnings"])
    assert found["token_realm"].isprintable()


def test_where_no_certificate_was_seen_no_name_is_judged() -> None:
    found = see(Seen(), status=None)
    assert found["name_fits"] is None
    assert found["warnings"] == []


def test_what_it_asks_for_is_told_in_words(ca: Issued) -> None:
    name = ca.x509.subject.public_bytes()
    asks_for = AsksFor(True, "TLSv1.3", (name,), (0x0403, 0x1234))
    assert see(Seen(asks_for=asks_for))["asks_for"] == {
        "requested": True,
        "issuers": ["CN=Test CA"],
        "signature_schemes": ["ecdsa_secp256r1_sha256", "0x1234"],
    }
    assert see(Seen())["asks_for"] is None
