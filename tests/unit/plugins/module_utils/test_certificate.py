# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the reader of certificates: cryptography is its oracle."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import (
    InvalidCertificate,
    read_certificate,
    read_certificates,
    told_time,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import fingerprint, normalise
from ansible_collections.fleet.certs_d.tests.unit.material import NOW, Issued, issue

_LONG_OIDS = [
    NameOID.COMMON_NAME,
    NameOID.LOCALITY_NAME,
    NameOID.STATE_OR_PROVINCE_NAME,
    NameOID.ORGANIZATION_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameOID.USER_ID,
    NameOID.STREET_ADDRESS,
    NameOID.TITLE,
    x509.ObjectIdentifier("2.999.1"),
    x509.ObjectIdentifier("1.3.6.1.4.1.99999.128"),
]
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
_ATTRIBUTES = st.builds(x509.NameAttribute, st.sampled_from(_LONG_OIDS), _TEXTS)
_NAMES = st.lists(
    st.lists(_ATTRIBUTES, min_size=1, max_size=2, unique_by=lambda attribute: attribute.oid).map(
        x509.RelativeDistinguishedName
    ),
    max_size=4,
).map(x509.Name)
_TIMES = st.datetimes(datetime(1950, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(subject=_NAMES, times=st.tuples(_TIMES, _TIMES).map(sorted))
@example(subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, '#a,+"\\<>; ')]), times=[NOW, NOW])
@example(subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, " ")]), times=[NOW, NOW])
@example(subject=x509.Name([]), times=[datetime(1950, 1, 1, tzinfo=UTC), datetime(1999, 12, 31, tzinfo=UTC)])
@example(
    subject=x509.Name([]), times=[datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)]
)
def test_the_facts_are_those_of_cryptography(subject: x509.Name, times: list[datetime]) -> None:
    issued = issue(subject, key_type="ed25519", not_before=times[0], not_after=times[1])
    facts = read_certificate(issued.der)
    assert facts.subject == issued.x509.subject.rfc4514_string()
    assert facts.issuer == issued.x509.issuer.rfc4514_string()
    assert facts.not_before == issued.x509.not_valid_before_utc
    assert facts.not_after == issued.x509.not_valid_after_utc
    assert facts.fingerprint.replace(":", "") == issued.x509.fingerprint(hashes.SHA256()).hex()
    assert int.from_bytes(bytes.fromhex(facts.serial_number), "big") == issued.x509.serial_number


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_and_nothing_else_is_raised(der: bytes) -> None:
    with pytest.raises(InvalidCertificate):
        read_certificate(der)


@settings(max_examples=300, deadline=None)
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_damaged_certificate_is_read_or_refused(client: Issued, place: int, byte: int) -> None:
    damaged = bytearray(client.der)
    damaged[place % len(damaged)] = byte
    with contextlib.suppress(InvalidCertificate):
        assert read_certificate(bytes(damaged)).fingerprint == fingerprint(bytes(damaged))


@given(length=st.integers(0, 10_000))
def test_a_certificate_that_is_cut_off_is_refused(client: Issued, length: int) -> None:
    with pytest.raises(InvalidCertificate):
        read_certificate(client.der[: length % len(client.der)])


def test_all_certificates_of_a_text_are_read_in_order(ca: Issued, client: Issued) -> None:
    found = read_certificates(normalise(client.certificate + ca.certificate))
    assert [one.subject for one in found] == ["CN=client", "CN=Test CA"]


@pytest.mark.parametrize("text", ["\n", "junk\n", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"])
def test_a_text_without_a_sound_certificate_is_refused(text: str) -> None:
    with pytest.raises(InvalidCertificate):
        read_certificates(text)


def test_days_left_are_whole_days_and_negative_once_expired(client: Issued) -> None:
    facts = read_certificate(client.der)
    assert facts.as_data(facts.not_after - timedelta(days=2, hours=23))["days_left"] == 2
    assert facts.as_data(facts.not_after + timedelta(hours=1))["days_left"] == -1


def test_times_in_results_are_iso_8601_in_utc() -> None:
    issued = issue(not_before=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), not_after=datetime(2051, 1, 1, tzinfo=UTC))
    data = read_certificate(issued.der).as_data(NOW)
    assert (data["not_before"], data["not_after"]) == ("2026-01-02T03:04:05Z", "2051-01-01T00:00:00Z")


def test_a_year_has_four_digits() -> None:
    assert told_time(datetime(1, 2, 3, 4, 5, 6, tzinfo=UTC)) == "0001-02-03T04:05:06Z"
    assert told_time(datetime(2026, 11, 27, tzinfo=UTC)) == "2026-11-27T00:00:00Z"
