# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client pairs of the matrix, each issued for one host directory of one engine of one host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography import x509

from ansible_collections.fleet.certs_d.tests.engines.verdict_cases import DOMAIN
from ansible_collections.fleet.certs_d.tests.tools.issue import facts_of
from ansible_collections.fleet.certs_d.tests.unit.material import (
    CLIENT,
    NOW,
    SERVER,
    Issued,
    KeyType,
    PrivateKey,
    issue,
    issue_ca,
    issue_client,
    issue_server,
    new_key,
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
        self.servers = {
            "server": issue_server(signer=self.authority, names=[f"*.{DOMAIN}", "localhost", "127.0.0.1", "::1"]),
            "over": self._server(not_before=NOW - 30 * _DAY, not_after=NOW - _DAY),
            # Its name stands where names stood long ago.
            "old": self._server(f"server-old.{DOMAIN}", alternative_names=()),
        }
        self._namesake = issue_ca(_NAME)
        self._between = issue_ca("Intermediate", signer=self.authority)
        self._owners: dict[str, Owner] = {}
        self._keys: dict[KeyType, PrivateKey] = {}

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

    def _server(
        self,
        subject: str = "server",
        *,
        alternative_names: Sequence[x509.GeneralName] = (x509.DNSName(f"*.{DOMAIN}"),),
        not_before: datetime = NOW - _DAY,
        not_after: datetime = NOW + _DAY,
    ) -> Issued:
        return issue(
            subject,
            signer=self.authority,
            purposes=[SERVER],
            alternative_names=alternative_names,
            not_before=not_before,
            not_after=not_after,
        )

    def _issue(self, kind: str, subject: str) -> Issued:
        ours = self.authority
        for key_type in _KEY_TYPES:
            if kind.partition("-")[0] == key_type:
                return issue(subject, signer=ours, purposes=[CLIENT], key=self._key(key_type))
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

    def _key(self, key_type: KeyType) -> PrivateKey:
        """One of each type does: it is the certificate that is known again, and RSA takes its time."""
        if key_type not in self._keys:
            self._keys[key_type] = new_key(key_type)
        return self._keys[key_type]


def _key_text(kind: str) -> Callable[[Issued], str]:
    if kind.endswith("traditional"):
        return lambda issued: issued.traditional_key
    if kind == "encrypted":
        return lambda issued: issued.encrypted_key
    return lambda issued: issued.private_key
