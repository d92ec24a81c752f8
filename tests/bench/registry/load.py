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
# As a share of all requests, those that met a connection which was being closed.
_FEW = 0.05


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
    """The rates in ApacheBench's report of whole files, or LoadFailed where anything else was answered.

    Apache closes a kept connection when it is short of threads. A client asks again then; ApacheBench counts a failed
    request without a byte, which is none here.
    """
    complete, failed = _number("Complete requests", said), _number("Failed requests", said)
    files = complete - failed
    is_whole = _number("HTML transferred", said) == files * _number("Document Length", said) > 0
    if complete != case.requests or failed > _FEW * complete or _number("Non-2xx responses", said) or not is_whole:
        raise LoadFailed(f"{case}: {said}")
    kibibytes = _number("Transfer rate", said)
    return Rate(_number("Requests per second", said) * files / complete, kibibytes * 1024 / 1e6)


def _number(what: str, said: str) -> float:
    found = re.search(rf"^{what}:\s+([\d.]+)", said, re.MULTILINE)
    return float(found[1]) if found else 0.0
