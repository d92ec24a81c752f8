# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is odd about the files of a registry taken together, and about registries beside each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

from ansible_collections.fleet.certs_d.plugins.module_utils._findings import Finding
from ansible_collections.fleet.certs_d.plugins.module_utils._names import shown
from ansible_collections.fleet.certs_d.plugins.plugin_utils._layout import ClientPair, Registry
from ansible_collections.fleet.certs_d.plugins.plugin_utils._x509 import Parsed

_HTTPS = ":443"


class Chains(NamedTuple):
    """A registry with its certificates parsed; a pair whose certificates can't be read has an empty chain."""

    registry: Registry
    roots: Sequence[Parsed]
    pairs: Sequence[tuple[ClientPair, Sequence[Parsed]]]


def name_findings(names: Sequence[str]) -> Iterator[Finding]:
    """What is odd about the names of a host's registries."""
    for one, other in combinations(names, 2):
        if one != other and _as_people_read(one) == _as_people_read(other):
            yield Finding("registry-twin", shown(other), f"beside {shown(one)}")
    for name in names:
        if name.endswith(_HTTPS) and name.removesuffix(_HTTPS) not in names:
            yield Finding("port-443", shown(name))


def company_findings(chains: Chains, *, presenters: Sequence[str]) -> Iterator[Finding]:
    """What is odd about the files of one registry."""
    yield from _names_that_differ_by_case(chains.registry)
    yield from _unexpected_order(chains.registry)
    yield from _same_certificate_twice(chains)
    for pair, chain in chains.pairs:
        yield from _gaps(pair, chain, chains)
    if presenters:
        yield from _never_presented(chains, presenters)


def _as_people_read(name: str) -> str:
    """What a person takes for the same registry."""
    return name.lower().removesuffix(_HTTPS)


def _names_that_differ_by_case(registry: Registry) -> Iterator[Finding]:
    roots = [(root.name, root.source) for root in registry.ca_certificates]
    pairs = [(pair.name, pair.certificate_source or pair.key_source) for pair in registry.client_pairs]
    for files in (roots, pairs):
        for (one, _source), (other, source) in combinations(files, 2):
            if one != other and one.lower() == other.lower():
                yield Finding("name-case", source, f"beside {shown(one)}")


def _unexpected_order(registry: Registry) -> Iterator[Finding]:
    """One finding, at the first pair that stands where a reader would not look for it."""
    expected = sorted(registry.client_pairs, key=lambda pair: _as_readers_sort(pair.name))
    for pair, other in zip(registry.client_pairs, expected, strict=True):
        if pair is not other:
            order = ", ".join(shown(each.name) for each in registry.client_pairs)
            yield Finding("name-order", pair.certificate_source or pair.key_source, f"the order is {order}")
            return


def _as_readers_sort(name: str) -> list[tuple[int, str]]:
    """Numbers count as numbers, and case does not."""
    parts = re.findall(r"\d+|\D+", name.lower())
    return [(int(part), "") if part.isascii() and part.isdigit() else (-1, part) for part in parts]


def _same_certificate_twice(chains: Chains) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for pair, chain in chains.pairs:
        if chain:
            first = seen.setdefault(chain[0].facts.fingerprint, pair.name)
            if first != pair.name:
                yield Finding("duplicate-certificate", pair.certificate_source, f"as {shown(first)}")


def _gaps(pair: ClientPair, chain: Sequence[Parsed], chains: Chains) -> Iterator[Finding]:
    """Certificates whose issuer does not follow, though it does not stand for itself.

    That the last one's issuer is no root is known only where a `.crt` of the registry holds it.
    """
    for one, following in pairwise(chain):
        if one.issuer != following.subject:
            yield Finding("chain-incomplete", pair.certificate_source, f"{one.facts.issuer} does not follow")
    for last in chain[-1:]:
        if any(root.subject == last.issuer and not root.is_self_issued for root in chains.roots):
            yield Finding("chain-incomplete", pair.certificate_source, f"{last.facts.issuer} is missing at its end")


def _never_presented(chains: Chains, presenters: Iterable[str]) -> Iterator[Finding]:
    """Go's TLS presents the first pair that fits the server's issuers and signature algorithms, and no other."""
    earlier: list[tuple[ClientPair, Sequence[Parsed]]] = []
    for pair, chain in chains.pairs:
        winners = [first.name for first, other in earlier if chain and _fits_whenever(other, chain)]
        if winners:
            detail = f"{', '.join(presenters)}: {shown(winners[0])} fits whenever it does"
            yield Finding("never-presented", pair.certificate_source, detail)
        elif chain:
            earlier.append((pair, chain))


def _fits_whenever(one: Sequence[Parsed], other: Sequence[Parsed]) -> bool:
    """Whether a server that takes the other chain takes the one, too, so that the one is presented if it is first."""
    return one[0].key_kind == other[0].key_kind and {each.issuer for each in other} <= {each.issuer for each in one}
