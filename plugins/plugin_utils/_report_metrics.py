# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet's report as metrics, in the text format that node_exporter reads from files."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_report import (
    VERIFIED,
    Report,
    answer_of,
)
from ansible_collections.fleet.certs_d.plugins.plugin_utils._report_shape import seconds_of
from ansible_collections.fleet.certs_d.plugins.plugin_utils._verdict import VERDICTS

_HELP = {
    "certs_d_report_made_timestamp_seconds": "When the report was made.",
    "certs_d_host_measured_timestamp_seconds": "When the host was verified, or could not be.",
    "certs_d_host_verified": "Whether all registries of the host are as expected: 1 or 0.",
    "certs_d_expected": "Whether the verdicts of a registry are as expected: 1 or 0.",
    "certs_d_verdict": (
        "Whether the registry lets the host in, by the documented loop, by what engines do today (effective) and by the"
        " engine itself: 1, 0, or NaN where it is unknown."
    ),
    "certs_d_verdict_status": "The HTTP status of a verdict, where there is one.",
    "certs_d_certificate_not_after_seconds": "When a client certificate of the host expires.",
    "certs_d_server_certificate_not_after_seconds": "When a certificate of the registry's chain expires.",
    "certs_d_server_clock_skew_seconds": "How far the clocks of registry and host are apart.",
}
_ANSWERS = {"let in": 1.0, "refused": 0.0, "error": 0.0, "unknown": math.nan}


class Sample(NamedTuple):
    """One line: the metric, its labels, its value."""

    name: str
    labels: dict[str, str]
    value: float


def render(report: Report) -> str:
    """The file's text. All metrics are gauges; a metric without a sample is left out."""
    unique: dict[str, dict[str, str]] = {name: {} for name in _HELP}
    for sample in _samples(report):
        # Two samples of the same labels would make the whole file invalid.
        unique[sample.name].setdefault(_series(sample), _number(sample.value))
    lines = []
    for name, series in unique.items():
        if series:
            lines += [f"# HELP {name} {_HELP[name]}", f"# TYPE {name} gauge"]
            lines += [f"{labels} {value}" for labels, value in series.items()]
    return "\n".join(lines) + "\n"


def _samples(report: Report) -> Iterator[Sample]:
    yield Sample("certs_d_report_made_timestamp_seconds", {}, seconds_of(report["made"]))
    for host in report["hosts"]:
        labels = {"host": host["host"]}
        yield Sample("certs_d_host_measured_timestamp_seconds", labels, seconds_of(host["measured"]))
        yield Sample("certs_d_host_verified", labels, host["state"] == VERIFIED)
        for registry in host["registries"]:
            yield from _of_registry(registry, {**labels, "registry": registry["name"], "engine": registry["engine"]})


def _of_registry(registry: dict[str, Any], labels: dict[str, str]) -> Iterator[Sample]:
    yield Sample("certs_d_expected", labels, registry["expected"] is True)
    for name in VERDICTS:
        verdict = registry["verdicts"][name]
        named = {**labels, "verdict": name}
        yield Sample("certs_d_verdict", {**named, "pair": verdict["pair"] or ""}, _ANSWERS[answer_of(verdict)])
        if verdict["status"] is not None:
            yield Sample("certs_d_verdict_status", named, verdict["status"])
    for pair in registry["client_pairs"]:
        if pair["not_after"]:
            named = {**labels, "pair": pair["name"], "fingerprint": pair["fingerprint"]}
            yield Sample("certs_d_certificate_not_after_seconds", named, seconds_of(pair["not_after"]))
    yield from _of_server(registry["server"] or {"chain": [], "clock_skew": None}, labels)


def _of_server(server: dict[str, Any], labels: dict[str, str]) -> Iterator[Sample]:
    for certificate in server["chain"]:
        if certificate["not_after"]:
            named = {**labels, "subject": certificate["subject"], "fingerprint": certificate["fingerprint"]}
            yield Sample("certs_d_server_certificate_not_after_seconds", named, seconds_of(certificate["not_after"]))
    if server["clock_skew"] is not None:
        yield Sample("certs_d_server_clock_skew_seconds", labels, server["clock_skew"])


def _series(sample: Sample) -> str:
    labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels.items())
    return f"{sample.name}{{{labels}}}" if labels else sample.name


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    """Whole numbers without an exponent, for whoever reads the file."""
    if math.isnan(value):
        return "NaN"
    return str(int(value)) if value == int(value) else repr(float(value))
