# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet records, in the shape that verify_fallback returns: made up, and always the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_table import Record

MADE = "2026-11-26T12:00:00Z"
HOSTILE = '"><img src=x onerror=alert(1)><script>alert("x")</script>{{ 7 * 7 }}\\'
_NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
_UNKNOWN: dict[str, Any] = {"pair": None, "fingerprint": None, "status": None, "error": None, "attempts": []}


def after(days: float) -> str:
    """A time that many days after the sample's present."""
    return (_NOW + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def pair(name: str, days: float, *, owner: str = "node1") -> dict[str, Any]:
    """The facts of a client pair."""
    digest = hashlib.sha256(f"{owner} {name}".encode("utf-8", "surrogatepass")).hexdigest()
    return {
        "name": name,
        "fingerprint": ":".join(digest[place : place + 2] for place in range(0, 64, 2)),
        "serial_number": "01",
        "subject": f"CN={owner}",
        "issuer": "CN=Client CA",
        "not_before": after(-300),
        "not_after": after(days),
        "days_left": int(days),
    }


def verdict(reason: str, *attempts: tuple[dict[str, Any] | None, int | str]) -> dict[str, Any]:
    """A verdict whose last attempt stands; without an attempt it is unknown."""
    rows = [
        {
            "pair": certificate and certificate["name"],
            "fingerprint": certificate and certificate["fingerprint"],
            "status": answer if isinstance(answer, int) else None,
            "error": None if isinstance(answer, int) else answer,
            "seconds": 0.021,
        }
        for certificate, answer in attempts
    ]
    if not rows:
        return {**_UNKNOWN, "reason": reason}
    gets_in = rows[-1]["status"] == 200
    last = {**rows[-1], "reason": reason, "attempts": rows}
    return last if gets_in else {**last, "pair": None, "fingerprint": None}


def registry(
    pairs: list[dict[str, Any]], *verdicts: dict[str, Any], name: str = "registry.example:5000", **other: Any
) -> dict[str, Any]:
    """One entry of a verification; the verdicts are documented, effective, engine."""
    documented, effective, engine = verdicts
    entry = {
        "name": name,
        "engine": "docker",
        "path": f"/etc/docker/certs.d/{name}",
        "findings": [],
        "client_pairs": pairs,
        "requests": documented["attempts"],
        "store": "classic",
        "server": server(),
        "verdicts": {"documented": documented, "effective": effective, "engine": engine},
        "expected": effective["status"] == 200,
        "complaint": None if effective["status"] == 200 else f"{effective['reason']}. Expected: 200.",
    }
    return {**entry, **other}


def server(**other: Any) -> dict[str, Any]:
    """What the node has seen of the registry."""
    facts: dict[str, Any] = {
        "address": "192.0.2.10",
        "tls_version": "TLSv1.3",
        "cipher": "TLS_AES_256_GCM_SHA384",
        "chain": [
            {
                "subject": "CN=registry.example",
                "issuer": "CN=Server CA",
                "not_after": after(200),
                "days_left": 200,
                "names": ["registry.example"],
                "fingerprint": "5e:" * 31 + "5e",
            }
        ],
        "names": ["registry.example"],
        "name_fits": True,
        "days_left": 200,
        "clock_skew": 0.4,
        "v1": 404,
        "v2": 200,
        "token_realm": None,
        "token_realm_elsewhere": False,
        "proxy": None,
        "warnings": [],
    }
    return {**facts, **other}


def verified(host: str, *registries: dict[str, Any]) -> Record:
    """A host whose registries were asked."""
    good = all(each["expected"] for each in registries)
    return Record(host, "", {"verified": good, "changed": False, "registries": list(registries)})


def good(host: str, days: float = 89, **other: Any) -> dict[str, Any]:
    """A registry that lets the host in with its only pair."""
    only = pair("20-node", days, owner=host)
    told = verdict("registry.example:5000 lets in this host with 20-node", (only, 200))
    asked = verdict("dockerd was let in by registry.example:5000", (None, 200))
    return registry([only], told, told, asked, **other)


def spoiled(host: str) -> dict[str, Any]:
    """An expired pair stands first: only the documented loop gets in."""
    old, new = pair("10-old", -3, owner=host), pair("20-node", 300, owner=host)
    refused = "the registry refused the TLS connection: certificate expired"
    return registry(
        [old, new],
        verdict("the documented loop would get in with 20-node, after 10-old", (old, refused), (new, 200)),
        verdict(
            "docker would present 10-old (expired 3 days ago); the registry refuses it; 20-node would be accepted:"
            " remove or rename 10-old",
            (old, refused),
        ),
        verdict("remote error: tls: expired certificate", (None, "remote error: tls: expired certificate")),
        findings=[{"code": "expired", "severity": "error", "place": "10-old.cert", "message": "10-old.cert: expired"}],
    )


def forbidden(host: str) -> dict[str, Any]:
    """The registry answers 403 to all that the host has."""
    only = pair("20-node", 12, owner=host)
    told = verdict("registry.example:5000 does not let this host in: 20-node (403)", (only, 403))
    asked = verdict("denied: requested access to the resource is denied", (None, 403))
    return registry([only], told, told, asked)


def unasked(host: str, days: float = 89, **other: Any) -> dict[str, Any]:
    """A sound registry of an engine that does not run there."""
    only = pair("20-node", days, owner=host)
    told = verdict("registry.example:5000 lets in this host with 20-node", (only, 200))
    return registry([only], told, told, verdict("skopeo is not installed here"), engine="containers", **other)


def small() -> list[Record]:
    """One host of each kind, one of them with everything hostile that can be named."""
    return [
        verified("node1", good("node1"), unasked("node1")),
        verified("node2", spoiled("node2")),
        verified("node10", forbidden("node10")),
        verified("node3", hostile()),
        Record("ghost", "unreachable: Failed to connect to the host via ssh: No route to host", {}),
        Record("node4", "2 findings\n  - a.cert: no key\n  - b.cert: junk", {}),
        Record("node5", "", {}),
        Record("node6", "", {"verified": False, "registries": [], "changed": False}),
        Record(f"zz{HOSTILE}", f"unreachable: {HOSTILE}", {}),
    ]


def plausible() -> list[Record]:
    """A small fleet for a picture: most is sound, and some of it is not."""
    sound = [
        verified(host, good(host, days), unasked(host, days))
        for host, days in (
            ("build1", 61),
            ("build2", 61),
            ("node1", 203),
            ("node4", 203),
            ("node5", 171),
            ("node6", 340),
        )
    ]
    return [
        *sound,
        verified("node2", spoiled("node2")),
        verified("node3", forbidden("node3")),
        Record("node7", "unreachable: Failed to connect to the host via ssh: No route to host", {}),
    ]


def hostile() -> dict[str, Any]:
    """Every text of a registry tries to leave its place."""
    only = {**pair(HOSTILE, 25, owner="node3"), "subject": HOSTILE}
    told = verdict(HOSTILE, (only, HOSTILE))
    return registry(
        [only],
        told,
        told,
        told,
        name=HOSTILE,
        engine=HOSTILE,
        complaint=HOSTILE,
        findings=[{"code": HOSTILE, "severity": "error", "place": HOSTILE, "message": HOSTILE}],
        server=server(address=HOSTILE, warnings=[HOSTILE], names=[HOSTILE]),
    )


def large(hosts: int) -> list[Record]:
    """A fleet of that many hosts with two registries each; one host in fifty is spoiled, one unreachable."""
    return list(_large(hosts))


def _large(hosts: int) -> Iterator[Record]:
    for number in range(1, hosts + 1):
        host = f"node{number:04}.fleet.example"
        mirror = good(host, 30 + number % 400, name="mirror.example")
        if number % 50 == 0:
            yield verified(host, spoiled(host), mirror)
        elif number % 50 == 25:
            yield Record(host, "unreachable: Failed to connect to the host via ssh: Connection timed out", {})
        else:
            yield verified(host, good(host, 5 + number % 700), mirror)
