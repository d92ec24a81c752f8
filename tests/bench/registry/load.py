# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load on a registry: what is fetched, by how many clients, and what ApacheBench says of it."""

from __future__ import annotations

import re
from typing import NamedTuple

# How a file comes to the client: sent by plain Apache, by Apache once the gate has said yes, or by the gate itself.
PLAIN, GATE, PIPE = "plain Apache", "the role", "through the gate's pipe"
PORTS = {PLAIN: 5601, GATE: 5600, PIPE: 5602}
BLOB, MANIFEST = "100 MB blob", "manifest"


class LoadFailed(Exception):
    """Requests that were not answered with the file."""


class Case(NamedTuple):
    """One measurement: which way, what is fetched, how many clients at once and how many requests in all."""

    way: str
    what: str
    clients: int
    requests: int


class Rate(NamedTuple):
    """What was measured: requests and megabytes (of a million bytes) per second."""

    requests: float
    megabytes: float


def cases(*, quick: bool) -> list[Case]:
    """All that is measured in one round; the three ways of the same lie side by side."""
    requests = {BLOB: (4, 32), MANIFEST: (50, 64)} if quick else {BLOB: (20, 64), MANIFEST: (300, 1000)}
    return [
        Case(way, what, clients, number)
        for what, numbers in requests.items()
        for clients, number in zip((1, 32), numbers, strict=True)
        for way in PORTS
    ]


def command(case: Case, path: str, *, host: str, pair: str) -> str:
    """The shell line that has a node fetch a path; `pair` is a file with certificate and key."""
    load = f"ab -q -k -s 120 -n {case.requests} -c {case.clients} -E {pair}"
    return f"{load} https://{host}:{PORTS[case.way]}{path}"


def rate(case: Case, said: str) -> Rate:
    """The rates in ApacheBench's report, or LoadFailed where not every request got the file."""
    complete = _number(r"^Complete requests:\s+(\d+)", said)
    refused = _number(r"^(?:Failed requests|Non-2xx responses):\s+([1-9]\d*)", said)
    if complete != case.requests or refused:
        raise LoadFailed(f"{case}: {said}")
    kibibytes = _number(r"^Transfer rate:\s+([\d.]+)", said)
    return Rate(_number(r"^Requests per second:\s+([\d.]+)", said), kibibytes * 1024 / 1e6)


def _number(pattern: str, said: str) -> float:
    found = re.search(pattern, said, re.MULTILINE)
    return float(found[1]) if found else 0.0
