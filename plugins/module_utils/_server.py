# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry as a node sees it: a pure function of what came back to its requests."""

from __future__ import annotations

import contextlib
import re
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Mapping, NamedTuple, Sequence
from urllib.parse import urlsplit

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import (
    InvalidCertificate,
    read_certificate,
    told_time,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._certificate_details import alternative_names, name_fits
from ansible_collections.fleet.certs_d.plugins.module_utils._names import shown
from ansible_collections.fleet.certs_d.plugins.module_utils._registry_name import RegistryName
from ansible_collections.fleet.certs_d.plugins.module_utils._request import Answer, Seen

_SOON_DAYS = 30
_MUCH_SKEW = 60.0
_LONGEST_CHALLENGE = 4096
_REALM = re.compile(r"\brealm=\"([^\"\s]+)\"", re.IGNORECASE)
_PORTS = {"https": 443, "http": 80}


class Heard(NamedTuple):
    """All that came back: to the requests of the matrix, and to those of both protocols; None was not asked."""

    answers: Sequence[Answer]
    v1: Answer | None = None
    v2: Answer | None = None

    def all(self) -> list[Answer]:
        """Each of them."""
        return [*self.answers, *(answer for answer in (self.v2, self.v1) if answer is not None)]


def server_as_seen(registry: RegistryName, heard: Heard, *, proxy: str | None, now: datetime) -> dict[str, Any]:
    """The facts and what is to be said of them; what did not show is null."""
    seen = _clearest([answer.seen for answer in heard.all()])
    chain = _chain(seen, now)
    names = chain[0]["names"] if chain else []
    asks_for = next((answer.seen.asks_for for answer in heard.all() if answer.seen.asks_for is not None), None)
    realm = _token_realm(heard)
    facts = {
        "address": seen.address,
        "tls_version": seen.tls_version,
        "cipher": seen.cipher,
        "chain": chain,
        "names": names,
        "name_fits": name_fits(registry.address, names) if chain else None,
        "days_left": chain[0]["days_left"] if chain else None,
        "asks_for": None if asks_for is None else asks_for.in_words(),
        "clock_skew": _clock_skew(heard),
        "v1": heard.v1.status if heard.v1 else None,
        "v2": heard.v2.status if heard.v2 else None,
        "token_realm": realm,
        "token_realm_elsewhere": realm is not None
        and _origin(realm) != (registry.address.lower(), registry.port or 443),
        "proxy": proxy,
    }
    return {**facts, "warnings": [*_of_certificates(registry, facts), *_of_ways(facts, seen.silent)]}


def _clearest(sights: Sequence[Seen]) -> Seen:
    """The one that went furthest."""
    return max(sights, key=lambda seen: (seen.tls_version is not None, bool(seen.chain), seen.address is not None))


def _chain(seen: Seen, now: datetime) -> list[dict[str, Any]]:
    chain = []
    for der in seen.chain:
        try:
            certificate, names = read_certificate(der), alternative_names(der)
        except InvalidCertificate:
            break
        chain.append(
            {
                "subject": shown(certificate.subject),
                "issuer": shown(certificate.issuer),
                "not_after": told_time(certificate.not_after),
                "days_left": (certificate.not_after - now).days,
                "names": names,
                "fingerprint": certificate.fingerprint,
            }
        )
    return chain


def _clock_skew(heard: Heard) -> float | None:
    """By how many seconds the registry's clock is ahead of this node's; its Date tells whole seconds."""
    for seen in (answer.seen for answer in heard.all()):
        if seen.received is not None and "date" in seen.headers:
            with contextlib.suppress(TypeError, ValueError, IndexError, OverflowError):
                date = parsedate_to_datetime(seen.headers["date"])
                date = date if date.tzinfo else date.replace(tzinfo=timezone.utc)
                return round(date.timestamp() - seen.received, 1)
    return None


def _token_realm(heard: Heard) -> str | None:
    for answer in heard.all():
        challenges = answer.seen.headers.get("www-authenticate", "") if answer.status == 401 else ""
        _others, _bearer, parameters = challenges[:_LONGEST_CHALLENGE].lower().partition("bearer ")
        found = _REALM.search(challenges[:_LONGEST_CHALLENGE][-len(parameters) :]) if parameters else None
        if found:
            return shown(found[1])
    return None


def _origin(url: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return None


def _of_certificates(registry: RegistryName, facts: Mapping[str, Any]) -> list[str]:
    warnings = []
    if facts["name_fits"] is False:
        told = (
            f"is for {', '.join(facts['names'])}" if facts["names"] else "has no alternative name, so it is for nobody"
        )
        warnings.append(f"the registry's certificate {told}, not for {registry.address}: issue one with this name")
    for certificate in facts["chain"]:
        days = certificate["days_left"]
        if days < _SOON_DAYS:
            when = "has expired on" if days < 0 else "expires on"
            warnings.append(
                f"the registry's certificate {certificate['subject']} {when} {certificate['not_after']}: renew it"
            )
    return warnings


def _of_ways(facts: Mapping[str, Any], silent: Sequence[str]) -> list[str]:
    warnings = []
    if facts["address"] is not None:
        warnings += [
            f"{each}, while {facts['address']} takes connections: correct the name's addresses" for each in silent
        ]
    skew = facts["clock_skew"]
    if skew is not None and abs(skew) > _MUCH_SKEW:
        side = "ahead of" if skew > 0 else "behind"
        warnings.append(f"the registry's clock is {abs(skew):.0f} s {side} this node's: set both by NTP")
    if facts["token_realm_elsewhere"]:
        warnings.append(f"the token server {facts['token_realm']} gets the registry's client certificate, too")
    if facts["proxy"] is not None:
        warnings.append(f"the engine asks through the proxy {facts['proxy']}, while these requests went straight")
    return warnings
