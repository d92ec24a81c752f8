# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the certificates and keys of a layout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import TIME_FORMAT
from ansible_collections.fleet.certs_d.plugins.module_utils._disk import LARGEST
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import Finding
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import extra_blocks, holds_private_key
from ansible_collections.fleet.certs_d.plugins.plugin_utils._company import Chains, company_findings
from ansible_collections.fleet.certs_d.plugins.plugin_utils._cryptography import require_cryptography
from ansible_collections.fleet.certs_d.plugins.plugin_utils._layout import CaRoot, ClientPair, Registry
from ansible_collections.fleet.certs_d.plugins.plugin_utils._x509 import (
    Fault,
    Parsed,
    parse_certificates,
    public_key_of,
)


def check(
    registries: Iterable[Registry], *, now: datetime, warn_days: int = 0, presenters: Iterable[str] = ()
) -> list[Finding]:
    """All findings of all registries, in the order of registries and files.

    `presenters` are the engines that present one pair and no other.
    """
    require_cryptography()
    registries = list(registries)
    checker = _Checker(now, timedelta(days=warn_days))
    for registry in registries:
        chains = Chains(
            registry,
            roots=[parsed for root in registry.ca_certificates for parsed in checker.root(root)],
            pairs=[(pair, checker.pair(pair)) for pair in registry.client_pairs],
        )
        checker.findings += company_findings(chains, presenters=list(presenters))
    return checker.findings


class _Checker:
    """Looks at file after file, and keeps what it finds."""

    def __init__(self, now: datetime, soon: timedelta) -> None:
        self.findings: list[Finding] = []
        self._now = now
        self._soon = soon

    def root(self, root: CaRoot) -> list[Parsed]:
        """The certificates of a `.crt`; none where they can't be read."""
        self._tell(_exposed(root.content, root.source))
        chain = self._certificates(root.content, root.source)
        self._tell(self._dates(chain, root.source))
        self._tell(Finding("leaf-in-crt", root.source, one.facts.subject) for one in chain if not one.vouches)
        return chain

    def pair(self, pair: ClientPair) -> list[Parsed]:
        """The chain of a `.cert`. A half that is missing was told by whoever read the layout."""
        chain: list[Parsed] = []
        if pair.certificate:
            self._tell(_exposed(pair.certificate, pair.certificate_source))
            chain = self._certificates(pair.certificate, pair.certificate_source)
        key = self._key(pair)
        if chain and key and key != chain[0].public_key:
            self._tell([Finding("key-mismatch", pair.key_source, f"the certificate is {chain[0].facts.subject}")])
        if chain:
            self._tell(self._dates(chain, pair.certificate_source))
            fits = key == chain[0].public_key if pair.private_key else pair.key_is_elsewhere
            self._tell(_use(chain[0], pair.certificate_source, key_fits=fits))
            self._tell(_strength(chain, pair.certificate_source))
        return chain

    def _tell(self, findings: Iterable[Finding]) -> None:
        self.findings += findings

    def _is_too_large(self, content: str, source: str) -> bool:
        """Whether whoever reads the file on the node would not take its bytes, which are told then."""
        too_large = len(content.encode("utf-8", "surrogatepass")) > LARGEST
        self._tell([Finding("too-large", source)] if too_large else [])
        return too_large

    def _certificates(self, content: str, source: str) -> list[Parsed]:
        if self._is_too_large(content, source):
            return []
        try:
            return parse_certificates(content)
        except Fault as fault:
            self._tell([Finding(fault.code, source, fault.detail)])
            return []

    def _key(self, pair: ClientPair) -> bytes:
        """The public half of the key, empty where there is none to be had."""
        if not pair.private_key or self._is_too_large(pair.private_key, pair.key_source):
            return b""
        more = extra_blocks(pair.private_key)
        if more:
            self._tell([Finding("key-blocks", pair.key_source, ", ".join(more))])
        try:
            return public_key_of(pair.private_key)
        except Fault as fault:
            self._tell([Finding(fault.code, pair.key_source, fault.detail)])
            return b""

    def _dates(self, chain: list[Parsed], source: str) -> Iterator[Finding]:
        for one in chain:
            prefix = f"{one.facts.subject}, " if len(chain) > 1 else ""
            start, end = one.facts.not_before, one.facts.not_after
            if self._now > end:
                yield Finding("expired", source, f"{prefix}{_moment(end)}, {_duration(self._now - end)} ago")
            elif end - self._now < self._soon:
                yield Finding("expires-soon", source, f"{prefix}{_moment(end)}, in {_duration(end - self._now)}")
            if self._now < start:
                yield Finding(
                    "not-yet-valid", source, f"{prefix}from {_moment(start)}, in {_duration(start - self._now)}"
                )


def _exposed(content: str, source: str) -> Iterator[Finding]:
    if holds_private_key(content):
        yield Finding("key-exposed", source)


def _moment(when: datetime) -> str:
    return when.strftime(TIME_FORMAT)


def _duration(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    for size, unit in ((60 * 24, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            number = minutes // size
            return f"{number} {unit}{'s' if number > 1 else ''}"
    return "less than a minute"


def _use(leaf: Parsed, source: str, *, key_fits: bool) -> Iterator[Finding]:
    """Whether a certificate is one that clients present.

    `openssl req -x509`, by which the document makes its client certificate, says CA:TRUE, as a CA root does that was
    wrongly named .cert. The latter has no key of its own beside it, or was issued by another CA, or says keyCertSign.
    """
    if leaf.claims_ca and (leaf.signs_certificates or not leaf.is_self_issued or not key_fits):
        yield Finding("ca-in-cert", source, leaf.facts.subject)
    else:
        yield from (Finding("no-client-use", source, lack) for lack in leaf.lacks_for_clients)


def _strength(chain: list[Parsed], source: str) -> Iterator[Finding]:
    leaf = chain[0]
    if leaf.weak_key:
        yield Finding("key-weak", source, leaf.weak_key)
    if leaf.unknown_curve:
        yield Finding("key-curve", source, leaf.unknown_curve)
    for one in chain:
        if one.broken_hash:
            prefix = f"{one.facts.subject}, " if len(chain) > 1 else ""
            yield Finding("signature-weak", source, f"{prefix}{one.broken_hash}")
