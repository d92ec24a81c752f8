# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node has told of its host directories, judged on the controller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ansible_collections.fleet.certs_d.plugins.module_utils._engines import ENGINES
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import CATALOGUE, Finding
from ansible_collections.fleet.certs_d.plugins.plugin_utils._check import check
from ansible_collections.fleet.certs_d.plugins.plugin_utils._company import name_findings
from ansible_collections.fleet.certs_d.plugins.plugin_utils._layout import CaRoot, ClientPair, Registry, registry
from ansible_collections.fleet.certs_d.plugins.plugin_utils._x509 import Fault, parse_certificates

Told = Mapping[str, Any]


def judged(directories: Sequence[Told], *, now: datetime, warn_days: int) -> list[dict[str, Any]]:
    """The host directories with their certificates' facts and all their findings, worst first."""
    names = {engine: [each["name"] for each in directories if each["engine"] == engine] for engine in ENGINES}
    beside = {(engine, finding.place): finding for engine in names for finding in name_findings(names[engine])}
    return [_judge(each, beside.get((each["engine"], each["name"])), now, warn_days) for each in directories]


def _judge(told: Told, beside: Finding | None, now: datetime, warn_days: int) -> dict[str, Any]:
    findings = [Finding(*finding) for finding in told["findings"]] + ([beside] if beside else [])
    model = _model(told, findings)
    engine = ENGINES[told["engine"]]
    falls_back = told["has_hosts_toml"] and engine.keeps_fallback is not False
    findings += check([model], now=now, warn_days=warn_days, presenters=[] if falls_back else [engine.name])
    return {
        **{name: told[name] for name in ("engine", "name", "path", "mode", "owner", "group", "symlink_to")},
        "has_hosts_toml": told["has_hosts_toml"],
        "wins": not any(finding.code == "shadowed" for finding in findings),
        "files": told["files"],
        "ca_certificates": [fact for root in model.ca_certificates for fact in _facts(root.name, root.content, now)],
        "client_pairs": [fact for pair in model.client_pairs for fact in _facts(pair.name, pair.certificate, now)[:1]],
        "findings": [finding.as_data() for finding in _worst_first(findings)],
    }


def _model(told: Told, findings: Iterable[Finding]) -> Registry:
    """The layout that lies there; the node has said which keys do not fit."""
    bad = {finding.place for finding in findings if CATALOGUE[finding.code].severity == "error"}
    path = told["path"]
    pairs = [(f"{path}/{pair['name']}.cert", f"{path}/{pair['name']}.key", pair) for pair in told["client_pairs"]]
    return registry(
        told["name"],
        [CaRoot(root["name"], root["content"], f"{path}/{root['name']}.crt") for root in told["ca_certificates"]],
        [
            ClientPair(pair["name"], pair["certificate"], "", cert, key, key_is_elsewhere=not {cert, key} & bad)
            for cert, key, pair in pairs
        ],
    )


def _facts(name: str, content: str, now: datetime) -> list[dict[str, Any]]:
    try:
        chain = parse_certificates(content)
    except Fault:
        return []
    return [{"name": name, **one.facts.as_data(now), "alternative_names": one.alternative_names} for one in chain]


def _worst_first(findings: Iterable[Finding]) -> list[Finding]:
    severities = ("error", "warning", "info")
    return sorted(dict.fromkeys(findings), key=lambda finding: (severities.index(finding.severity), finding.place))
