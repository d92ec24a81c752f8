# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node measures of one registry, made up: the input of every verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NAME = "registry.lab:5000"
ROOT = "/etc/docker/certs.d"
REFUSED = "the registry refused the TLS connection: certificate expired"
# How the registry answers a pair, by the pair's name up to its first number or dash.
ANSWERS: dict[str, int | str] = {
    "bad": 403,
    "good": 200,
    "broken": 500,
    "unavailable": 503,
    "expired": REFUSED,
    "denied": 401,
    "missing": 404,
    "teapot": 418,
    "odd": 600,
    "elsewhere": 302,
}
# Every scheme that a server of today asks for.
SCHEMES = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0807, 0x0401, 0x0501, 0x0601)


def row(pair: str | None, answer: int | str) -> dict[str, Any]:
    """A row of the matrix."""
    status, error = (answer, None) if isinstance(answer, int) else (None, answer)
    fingerprint = None if pair is None else f"fingerprint of {pair}"
    return {"pair": pair, "fingerprint": fingerprint, "status": status, "error": error, "seconds": 0.01}


def facts(
    name: str, kind: str = "P-256", *, issuers: Sequence[str] = ("ca1",), bits: int | None = None
) -> dict[str, Any]:
    """What the choice of a pair depends on."""
    return {"name": name, "key_kind": kind, "key_bits": bits, "issuers": list(issuers)}


def asks_for(*issuers: str, tls: str = "TLSv1.3", requested: bool = True, **changes: Any) -> dict[str, Any]:
    """A server's CertificateRequest."""
    return {
        "requested": requested,
        "tls": tls,
        "issuers": list(issuers),
        "issuer_names": [f"CN={issuer}" for issuer in issuers],
        "signature_schemes": list(SCHEMES),
        "certificate_types": [1, 64],
        **changes,
    }


def finding(code: str, file: str, severity: str = "error") -> dict[str, str]:
    """A finding about a file of the host directory."""
    place = f"{ROOT}/{NAME}/{file}"
    return {"code": code, "severity": severity, "place": place, "message": f"{file}: {code}"}


def registry(
    *pairs: str,
    without: int | str = 403,
    findings: Sequence[Mapping[str, str]] = (),
    measured: Mapping[str, Any] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """One registry with these pairs in file-name order, each answered by its name; `without` answers no certificate."""
    rows = [row(pair, ANSWERS[pair.partition("-")[0]]) for pair in pairs]
    return {
        "name": NAME,
        "engine": "docker",
        "path": f"{ROOT}/{NAME}",
        "findings": list(findings),
        "client_pairs": [
            {
                "name": each["pair"],
                "fingerprint": each["fingerprint"],
                "days_left": place * 10,
                "not_before": "2026-01-01T00:00:00Z",
                "not_after": "2027-01-01T00:00:00Z",
            }
            for place, each in enumerate(rows, 1)
        ],
        "requests": [*rows, row(None, without)],
        "measured": {
            "files": ["ca.crt", *(f"{pair}{suffix}" for pair in pairs for suffix in (".cert", ".key"))],
            "hosts_toml": None,
            "pairs": [facts(pair) for pair in pairs],
            "asks_for": asks_for(),
            "asks_for_why": None,
            "trust": {"replacing": None, "adding": None},
            "loopback": False,
            "listed_insecure": False,
            "insecure": False,
            "insecure_request": None,
            **(measured or {}),
        },
        "store": "classic",
        "server": None,
        "asked": None,
        "asked_why": "docker does not run here",
        **changes,
    }
