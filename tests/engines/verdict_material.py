# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client pairs of the matrix, each issued for one host directory of one engine of one host."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from ansible_collections.fleet.certs_d.tests.engines.verdict_cases import DOMAIN
from ansible_collections.fleet.certs_d.tests.tools.issue import facts_of
from ansible_collections.fleet.certs_d.tests.unit.material import (
    CLIENT,
    NOW,
    SERVER,
    Issued,
    KeyType,
    issue,
    issue_ca,
    issue_client,
    issue_server,
)

_NAME = "Authority of the matrix"
_DAY = timedelta(days=1)
_KEY_TYPES: tuple[KeyType, ...] = ("rsa", "rsa1024", "p384", "p521", "ed25519", "secp256k1")


class Owner(NamedTuple):
    """Where a certificate lies: host, root of the host directories, label of the case, name of the pair."""

    host: str
    root: str
    label: str
    pair: str


class Files(NamedTuple):
    """The text of a pair's two files."""

    certificate: str
    key: str


class Material:
    """Issues pairs, and knows them again by their serial numbers."""

    def __init__(self) -> None:
        self.authority = issue_ca(_NAME)
        self.foreign = issue_ca("Foreign")
        self.server = issue_server(signer=self.authority, names=[f"*.{DOMAIN}", "localhost", "127.0.0.1"])
        self._namesake = issue_ca(_NAME)
        self._between = issue_ca("Intermediate", signer=self.authority)
        self._owners: dict[str, Owner] = {}

    def owner(self, serial: str) -> Owner | None:
        """Whose certificate a log names."""
        return self._owners.get(serial)

    def pair(self, kind: str, owner: Owner) -> Files:
        """Issue the pair of an owner. A kind that is a status is what the registry answers to it."""
        subject = f"{kind}-{owner.label}"[:64]
        issued = self._issue(kind, subject)
        self._owners[facts_of(issued.x509)["serial"]] = owner
        further = self._between.certificate if kind == "chain" else ""
        return Files(issued.certificate + further, _key_text(kind)(issued))

    def _issue(self, kind: str, subject: str) -> Issued:
        ours = self.authority
        for key_type in _KEY_TYPES:
            if kind.partition("-")[0] == key_type:
                return issue_client(subject, signer=ours, key_type=key_type)
        if kind == "self":
            return issue(subject, purposes=[CLIENT])
        if kind == "future":
            return issue(subject, signer=ours, purposes=[CLIENT], not_before=NOW + _DAY)
        if kind == "server-use":
            return issue(subject, signer=ours, purposes=[SERVER])
        if kind == "any-use":
            return issue(subject, signer=ours)
        if kind.endswith("expired"):
            signer = self.foreign if kind == "foreign-expired" else ours
            return issue(subject, signer=signer, purposes=[CLIENT], not_before=NOW - 30 * _DAY, not_after=NOW - _DAY)
        signers = {"foreign": self.foreign, "namesake": self._namesake, "chain": self._between}
        return issue_client(subject, signer=signers.get(kind.partition("-")[0], ours))


def _key_text(kind: str) -> Callable[[Issued], str]:
    if kind.endswith("traditional"):
        return lambda issued: issued.traditional_key
    if kind == "encrypted":
        return lambda issued: issued.encrypted_key
    return lambda issued: issued.private_key
