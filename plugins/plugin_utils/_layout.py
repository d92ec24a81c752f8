# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A layout: the registries of one host with their CA roots and ordered client pairs, as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.fleet.certs_d.plugins.module_utils._findings import Finding
from ansible_collections.fleet.certs_d.plugins.module_utils._names import (
    directory_name_findings,
    file_name_findings,
    shown,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import certificates, fingerprint, normalise


class LayoutError(Exception):
    """A layout that can't be used; its message tells every fault, ready for the user."""


@dataclass(frozen=True)
class CaRoot:
    """One `NAME.crt`; `source` is what errors call it."""

    name: str
    content: str
    source: str


@dataclass(frozen=True)
class ClientPair:
    """`NAME.cert` and `NAME.key`; a half that is missing is empty.

    `key_is_elsewhere` where the node has the key, or is to say that it has none: at `private_key_path`, or installed.
    """

    name: str
    certificate: str
    private_key: str = field(repr=False)
    certificate_source: str
    key_source: str
    private_key_path: str = ""
    key_is_elsewhere: bool = False


@dataclass(frozen=True)
class Registry:
    """One host directory; its files stand in the order in which engines read them. `state` is present or absent."""

    name: str
    ca_certificates: tuple[CaRoot, ...]
    client_pairs: tuple[ClientPair, ...]
    state: str = "present"


def registry(name: str, roots: Iterable[CaRoot], pairs: Iterable[ClientPair], state: str = "present") -> Registry:
    """A registry whose files are put into the order of the bytes of their names, suffix included."""
    return Registry(
        name=name,
        ca_certificates=tuple(sorted(roots, key=lambda root: _bytes(f"{root.name}.crt"))),
        client_pairs=tuple(sorted(pairs, key=lambda pair: _bytes(f"{pair.name}.cert"))),
        state=state,
    )


def from_data(entries: Sequence[Mapping[str, Any]]) -> tuple[tuple[Registry, ...], list[Finding]]:
    """The layout that a task gives as data, its PEM in normal form; faults are told, not raised."""
    found = tuple(_registry_from_data(entry) for entry in entries)
    findings = [Finding("duplicate-registry", shown(name)) for name in _repeated(each.name for each in found)]
    for each in found:
        findings += _name_findings(each)
    return found, findings


def to_data(registries: Iterable[Registry]) -> list[dict[str, Any]]:
    """The layout as `from_data` takes it, private keys included."""
    return [
        {
            "name": each.name,
            "ca_certificates": _roots_as_data(each),
            "client_pairs": [
                {"name": pair.name, "certificate": pair.certificate, "private_key": pair.private_key}
                for pair in each.client_pairs
            ],
        }
        for each in registries
    ]


def without_private_keys(registries: Iterable[Registry]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """A checked layout without any key, and the keys by the fingerprint of the first certificate of their pair."""
    data, private_keys = [], {}
    for each in registries:
        pairs = [
            {"name": pair.name, "certificate": pair.certificate}
            | ({"private_key_path": pair.private_key_path} if pair.private_key_path else {})
            for pair in each.client_pairs
        ]
        data.append(
            {"name": each.name, "state": each.state, "ca_certificates": _roots_as_data(each), "client_pairs": pairs}
        )
        private_keys.update(
            {fingerprint(_leaf(pair)): pair.private_key for pair in each.client_pairs if pair.private_key}
        )
    return data, private_keys


def _registry_from_data(entry: Mapping[str, Any]) -> Registry:
    name = _text(entry.get("name"))
    return registry(
        name,
        [_root_from_data(root, shown(name)) for root in entry.get("ca_certificates") or ()],
        [_pair_from_data(pair, shown(name)) for pair in entry.get("client_pairs") or ()],
        _text(entry.get("state")) or "present",
    )


def _root_from_data(root: Mapping[str, Any], parent: str) -> CaRoot:
    name = _text(root.get("name"))
    return CaRoot(name=name, content=normalise(_text(root.get("content"))), source=_source(parent, name, ".crt"))


def _pair_from_data(pair: Mapping[str, Any], parent: str) -> ClientPair:
    name = _text(pair.get("name"))
    private_key = _half(pair.get("private_key"))
    return ClientPair(
        name=name,
        certificate=_half(pair.get("certificate")),
        private_key=private_key,
        certificate_source=_source(parent, name, ".cert"),
        key_source=_source(parent, name, ".key"),
        private_key_path=_text(pair.get("private_key_path")),
        key_is_elsewhere=not private_key,
    )


def _name_findings(each: Registry) -> list[Finding]:
    """What is wrong with the names of a registry given as data, and with halves that it does not give."""
    findings = directory_name_findings(each.name, shown(each.name))
    for root in each.ca_certificates:
        findings += file_name_findings(root.name, ".crt", root.source)
    for pair in each.client_pairs:
        findings += file_name_findings(pair.name, ".cert", pair.certificate_source)
        if not pair.certificate:
            findings.append(Finding("certificate-missing", pair.key_source))
    sources = [root.source for root in each.ca_certificates] + [pair.certificate_source for pair in each.client_pairs]
    return findings + [Finding("duplicate-name", source) for source in _repeated(sources)]


def _roots_as_data(each: Registry) -> list[dict[str, str]]:
    return [{"name": root.name, "content": root.content} for root in each.ca_certificates]


def _leaf(pair: ClientPair) -> bytes:
    return certificates(pair.certificate)[0].der


def _source(parent: str, name: str, suffix: str) -> str:
    return f"{parent}/{shown(name)}{suffix}"


def _half(value: object) -> str:
    text = _text(value)
    return normalise(text) if text else ""


def _text(value: object) -> str:
    """Strings that come through Ansible carry tags, which end here."""
    return "" if value is None else str(value)


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
