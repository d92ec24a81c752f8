# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host directory is meant to hold: files with their modes, made from the layout's plain data."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any, Callable, Iterable, Mapping, NamedTuple, Sequence

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import (
    TIME_FORMAT,
    Certificate,
    InvalidCertificate,
    read_certificates,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._client_pair import pair_fault
from ansible_collections.fleet.certs_d.plugins.module_utils._disk import TooLarge
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import Finding
from ansible_collections.fleet.certs_d.plugins.module_utils._host_directory import HostDirectory
from ansible_collections.fleet.certs_d.plugins.module_utils._names import (
    directory_name_findings,
    file_name_findings,
    shown,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import normalise

DIRECTORY_MODE = 0o755
PUBLIC_MODE = 0o644
_KEY_MODE = 0o600


class WantedFile(NamedTuple):
    """One file: its name, its bytes, its mode."""

    name: str
    content: bytes
    mode: int


class WantedPair(NamedTuple):
    """A client pair whose certificates could be read, the leaf first; the key is None where none is known yet."""

    name: str
    certificate: str
    chain: tuple[Certificate, ...]
    private_key: str | None


class WantedRoots(NamedTuple):
    """One `.crt` file and the CA roots in it."""

    name: str
    content: str
    roots: tuple[Certificate, ...]


class WantedDirectory(NamedTuple):
    """One host directory; roots and pairs stand in the order of their files, `further` are those of the engine.

    A directory that is not to be there is wanted, too: nothing is left of it then.
    """

    name: str
    ca_roots: tuple[WantedRoots, ...]
    client_pairs: tuple[WantedPair, ...]
    further: tuple[WantedFile, ...] = ()
    is_present: bool = True

    @property
    def files(self) -> tuple[WantedFile, ...]:
        """All files in the order of the bytes of their names."""
        files = [*self.further, *(_public_file(roots.name + ".crt", roots.content) for roots in self.ca_roots)]
        for pair in self.client_pairs:
            files.append(_public_file(pair.name + ".cert", pair.certificate))
            files.append(WantedFile(pair.name + ".key", (pair.private_key or "").encode(), _KEY_MODE))
        return tuple(sorted(files, key=lambda file: os.fsencode(file.name)))

    def as_data(self, now: datetime) -> dict[str, Any]:
        """The directory's certificates as they stand in results."""
        return {
            "ca_certificates": [
                {"name": file.name, **root.as_data(now)} for file in self.ca_roots for root in file.roots
            ],
            "client_pairs": [{"name": pair.name, **pair.chain[0].as_data(now)} for pair in self.client_pairs],
        }


class Keys:
    """Where the keys of wanted pairs come from, before any host directory is looked into."""

    def __init__(self, given: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> None:
        """`given` maps a certificate's fingerprint to its PEM key; `read_file` reads a file of the node."""
        self._given = given
        self._read_file = read_file

    def of(self, leaf: Certificate, path: str | None) -> str | None:
        """The PEM key of a certificate, or None where neither option nor file has one; may raise OSError."""
        if path is None:
            return self._given.get(leaf.fingerprint)
        content = self._read_file(path)
        return None if content is None else content.decode("utf-8", "replace")


def read_wanted(registries: Iterable[Mapping[str, Any]], keys: Keys) -> tuple[list[WantedDirectory], list[Finding]]:
    """Make host directories of the layout's data."""
    wanted: list[WantedDirectory] = []
    findings: list[Finding] = []
    for registry in registries:
        name = registry["name"]
        findings += directory_name_findings(name, shown(name))
        if name in [other.name for other in wanted]:
            findings.append(Finding("duplicate-registry", shown(name)))
        roots = [_roots(entry, f"{name}/{entry['name']}.crt", findings) for entry in registry["ca_certificates"] or ()]
        pairs = [_pair(entry, f"{name}/{entry['name']}", keys, findings) for entry in registry["client_pairs"] or ()]
        wanted.append(
            WantedDirectory(
                name,
                tuple(sorted(roots, key=_file_order)),
                tuple(sorted(pairs, key=_file_order)),
                is_present=registry["state"] != "absent",
            )
        )
    return wanted, findings


def with_installed_keys(
    wanted: WantedDirectory, found: Sequence[HostDirectory]
) -> tuple[WantedDirectory, list[Finding]]:
    """The directory whose pairs without a key have the installed one, where it fits; the first that is found wins."""
    findings: list[Finding] = []
    pairs = []
    for pair in wanted.client_pairs:
        if pair.private_key is None and pair.chain:
            key = _installed_key(pair, found)
            if key is None:
                detail = "none is given, and none that fits is installed"
                findings.append(Finding("key-missing", f"{wanted.name}/{pair.name}.cert", detail))
            pair = pair._replace(private_key=key)
        pairs.append(pair)
    return wanted._replace(client_pairs=tuple(pairs)), findings


def node_faults(wanted: Iterable[WantedDirectory], now: datetime) -> list[Finding]:
    """What only the node can tell, by its own OpenSSL and its own clock."""
    findings: list[Finding] = []
    for directory in wanted:
        for pair in directory.client_pairs:
            place = f"{directory.name}/{pair.name}"
            findings += _pair_faults(pair, place)
            findings += [finding for leaf in pair.chain[:1] for finding in _date_faults(leaf, place + ".cert", now)]
        for file in directory.ca_roots:
            place = f"{directory.name}/{file.name}.crt"
            findings += [finding for root in file.roots for finding in _date_faults(root, place, now)]
    return findings


def _file_order(entry: WantedRoots | WantedPair) -> bytes:
    suffix = ".crt" if isinstance(entry, WantedRoots) else ".cert"
    return os.fsencode(entry.name + suffix)


def _public_file(name: str, text: str) -> WantedFile:
    return WantedFile(name, text.encode(), PUBLIC_MODE)


def _roots(entry: Mapping[str, Any], place: str, findings: list[Finding]) -> WantedRoots:
    text, found = _read(entry["content"], place, findings)
    findings += file_name_findings(entry["name"], ".crt", place)
    return WantedRoots(entry["name"], text, found)


def _pair(entry: Mapping[str, Any], place: str, keys: Keys, findings: list[Finding]) -> WantedPair:
    text, chain = _read(entry["certificate"], place + ".cert", findings)
    findings += file_name_findings(entry["name"], ".cert", place + ".cert")
    key = _key(chain[0], entry["private_key_path"], place + ".key", keys, findings) if chain else None
    return WantedPair(entry["name"], text, chain, None if key is None else normalise(key))


def _key(leaf: Certificate, path: str | None, place: str, keys: Keys, findings: list[Finding]) -> str | None:
    try:
        key = keys.of(leaf, path)
    except OSError as error:
        code = "too-large" if isinstance(error, TooLarge) else "unreadable"
        findings.append(Finding(code, place, f"{path} on the node: {error.strerror}"))
        return None
    if key is None and path is not None:
        findings.append(Finding("not-a-file", place, f"{path} on the node"))
    return key


def _read(content: str, place: str, findings: list[Finding]) -> tuple[str, tuple[Certificate, ...]]:
    text = normalise(content)
    try:
        return text, tuple(read_certificates(text))
    except InvalidCertificate as error:
        findings.append(Finding("certificate-junk", place, str(error)))
        return text, ()


def _installed_key(pair: WantedPair, found: Sequence[HostDirectory]) -> str | None:
    keys = [file.content for directory in found for file in directory.files if file.name == pair.name + ".key"]
    fitting = (key for key in keys if key and pair_fault(pair.certificate.encode(), key) is None)
    key = next(fitting, None)
    return None if key is None else key.decode("utf-8", "replace")


def _pair_faults(pair: WantedPair, place: str) -> list[Finding]:
    if pair.private_key is None:
        return []
    leaf = next(iter(pair.chain), None)
    fault = pair_fault(pair.certificate.encode(), pair.private_key.encode(), leaf)
    return [Finding(fault, place + (".cert" if fault == "certificate-junk" else ".key"))] if fault else []


def _date_faults(certificate: Certificate, place: str, now: datetime) -> list[Finding]:
    facts = certificate.as_data(now)
    clock = f"the node's clock says {now.strftime(TIME_FORMAT)}"
    if now > certificate.not_after:
        return [Finding("expired", place, f"on {facts['not_after']}; {clock}")]
    if now < certificate.not_before:
        return [Finding("not-yet-valid", place, f"before {facts['not_before']}; {clock}")]
    return []
