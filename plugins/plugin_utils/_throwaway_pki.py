# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The throw-away PKI: a CA, servers' certificates and hosts' client pairs, made where they are missing."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import TIME_FORMAT, Certificate
from ansible_collections.fleet.certs_d.plugins.module_utils._names import file_name_findings, shown
from ansible_collections.fleet.certs_d.plugins.module_utils._registry_name import (
    InvalidRegistryName,
    parse_registry_name,
)
from ansible_collections.fleet.certs_d.plugins.plugin_utils import _key_files as files
from ansible_collections.fleet.certs_d.plugins.plugin_utils._authority import (
    AUTHORITY,
    Material,
    Profile,
    fault_of,
    fault_of_authority,
    is_throw_away,
    issue,
    new_authority,
)
from ansible_collections.fleet.certs_d.plugins.plugin_utils._cryptography import (
    CryptographyMissing,
    require_cryptography,
)

_LONGEST_DAYS = 36500
_SERVER_NAME = re.compile(r"(?:\*\.)?[a-zA-Z0-9_](?:[a-zA-Z0-9_.-]*[a-zA-Z0-9])?")


class PkiError(Exception):
    """The PKI can't be made as asked; the message tells every reason."""


@dataclass(frozen=True)
class Wanted:
    """One certificate that is to exist, and where."""

    certificate_path: str
    key_path: str
    profile: Profile

    def read(self) -> Material:
        """What lies there now; a half that is missing is empty."""
        return Material(files.read_file(self.certificate_path), files.read_file(self.key_path))

    def write(self, material: Material) -> None:
        """Key first: killed before the certificate, the two don't fit, and the next run makes both anew."""
        files.make_folders(os.path.dirname(self.key_path))
        files.write_file(self.key_path, material.private_key, mode=files.KEY_MODE)
        files.write_file(self.certificate_path, material.certificate, mode=files.CERTIFICATE_MODE)


@dataclass(frozen=True)
class Order:
    """All that is to exist: the CA, what it issues, and where copies of its certificate lie."""

    authority: Wanted
    issued: tuple[Wanted, ...]
    copies: tuple[str, ...]
    valid_days: int
    renew_days: int

    @property
    def authority_folder(self) -> str:
        return os.path.dirname(self.authority.key_path)


@dataclass(frozen=True)
class Outcome:
    """One certificate; `fault` says why it is made anew and is empty where it stays."""

    path: str
    subject: str
    fault: str
    before: Certificate | None
    after: Certificate | None

    def as_data(self, now: datetime) -> dict[str, Any]:
        """Its entry in the result. A dry run has no facts of what it does not make."""
        facts = self.after.as_data(now) if self.after else {}
        names = ("fingerprint", "not_before", "not_after", "days_left")
        return {"path": self.path, "subject": self.subject, **{name: facts.get(name) for name in names}}


@dataclass(frozen=True)
class Report:
    """What a run did, or a dry run would do."""

    certificates: tuple[Outcome, ...]
    copies: tuple[str, ...]
    tightened: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether anything was not as wanted."""
        return bool(self.copies or self.tightened or any(each.fault for each in self.certificates))

    def diff(self) -> dict[str, str]:
        """Names and dates of what changes; never a key."""
        anew = [each for each in self.certificates if each.fault]
        before = [_diff_line(each.path, each.before, each.fault) for each in anew if each.fault != "missing"]
        before += [f"{path}: open to others\n" for path in self.tightened]
        after = [_diff_line(each.path, each.after, f"{each.subject}, new") for each in anew]
        after += [f"{path}: a copy of the CA certificate\n" for path in self.copies]
        after += [f"{path}: its owner's alone\n" for path in self.tightened]
        return {"before": "".join(before), "after": "".join(after)}


def order(arguments: Mapping[str, Any], *, path: str, authority: str) -> Order:
    """What a task's validated arguments ask for, or PkiError with all that is wrong with them."""
    faults = list(_faults(arguments))
    if os.path.commonpath((path, authority)) == path:
        faults.insert(0, f"the authority ({authority}) must lie outside of the PKI tree ({path})")
    if faults:
        raise PkiError("\n".join(["the PKI can't be made as asked:", *(f"  - {fault}" for fault in faults)]))
    registries = arguments["registries"]
    names = [str(entry["name"]) for entry in registries]
    return Order(
        authority=_wanted(authority, "ca", ".crt", AUTHORITY),
        issued=tuple(wanted for entry in registries for wanted in _issued(entry, path, authority)),
        copies=tuple(os.path.join(path, name, "all", "ca.crt") for name in names),
        valid_days=arguments["valid_days"],
        renew_days=arguments["renew_days"],
    )


def fill(wanted: Order, *, now: datetime, dry_run: bool) -> Report:
    """Make what is missing or no longer good; a dry run only tells it."""
    try:
        require_cryptography()
        with _lock(wanted.authority_folder, dry_run=dry_run):
            tightened = _tighten(wanted, dry_run=dry_run)
            authority, first = _settle_authority(wanted, now=now, dry_run=dry_run)
            rest = [_settle(each, authority, wanted, now=now, dry_run=dry_run) for each in wanted.issued]
            copies = _copy(authority.certificate, wanted.copies, dry_run=dry_run)
    except CryptographyMissing as error:
        raise PkiError(str(error)) from error
    except OSError as error:
        raise PkiError(f"{error.filename or wanted.authority_folder}: {error.strerror}") from error
    return Report((first, *rest), copies, tightened)


def _settle_authority(wanted: Order, *, now: datetime, dry_run: bool) -> tuple[Material, Outcome]:
    found = wanted.authority.read()
    fault = fault_of_authority(found, now=now, valid_days=wanted.valid_days)
    if not fault:
        return found, _kept(wanted.authority, found)
    if (found.certificate or found.private_key) and not is_throw_away(found.certificate):
        raise PkiError(
            f"{wanted.authority_folder}: this CA can't be used (ca.crt, ca.key: {fault}), and is not replaced because"
            " it was not made here: name another directory as authority, or remove its two files"
        )
    made = new_authority(now=now, valid_days=wanted.valid_days)
    if not dry_run:
        # Certificate first, other than for pairs: a CA that was left unfinished is then known as one made here.
        files.write_file(wanted.authority.certificate_path, made.certificate, mode=files.CERTIFICATE_MODE)
        files.write_file(wanted.authority.key_path, made.private_key, mode=files.KEY_MODE)
    return made, _renewed(wanted.authority, found, None if dry_run else made, fault)


def _settle(each: Wanted, authority: Material, wanted: Order, *, now: datetime, dry_run: bool) -> Outcome:
    found = each.read()
    fault = fault_of(found, each.profile, authority, now=now, renew_days=wanted.renew_days)
    if not fault:
        return _kept(each, found)
    if dry_run:
        return _renewed(each, found, None, fault)
    made = issue(authority, each.profile, now=now, valid_days=wanted.valid_days)
    each.write(made)
    return _renewed(each, found, made, fault)


def _copy(certificate: bytes, paths: Iterable[str], *, dry_run: bool) -> tuple[str, ...]:
    outdated = tuple(path for path in paths if files.read_file(path) != certificate)
    if not dry_run:
        for path in outdated:
            files.make_folders(os.path.dirname(path))
            files.write_file(path, certificate, mode=files.CERTIFICATE_MODE)
    return outdated


def _tighten(wanted: Order, *, dry_run: bool) -> tuple[str, ...]:
    """Keys, and the CA's folder, that somebody opened to others."""
    modes = {wanted.authority_folder: files.AUTHORITY_MODE}
    modes.update({each.key_path: files.KEY_MODE for each in (wanted.authority, *wanted.issued)})
    wide = {path: mode for path, mode in modes.items() if files.is_open_to_others(path)}
    if not dry_run:
        for path, mode in wide.items():
            os.chmod(path, mode)
    return tuple(wide)


@contextlib.contextmanager
def _lock(folder: str, *, dry_run: bool) -> Iterator[None]:
    """Forks of one run, where the task lacks `run_once`, make one CA and not one each."""
    if dry_run:
        yield
        return
    files.make_folders(folder, mode=files.AUTHORITY_MODE)
    with files.locked(folder):
        yield


def _kept(each: Wanted, found: Material) -> Outcome:
    facts = found.facts()
    subject = facts.subject if facts else each.profile.subject
    return Outcome(each.certificate_path, subject, "", facts, facts)


def _renewed(each: Wanted, found: Material, made: Material | None, fault: str) -> Outcome:
    after = made.facts() if made else None
    return Outcome(each.certificate_path, each.profile.subject, fault, found.facts(), after)


def _issued(entry: Mapping[str, Any], path: str, authority: str) -> Iterator[Wanted]:
    name = str(entry["name"])
    names = _server_names(entry)
    server = Profile("server", common_name=names[0], organization=name, names=names)
    yield _wanted(os.path.join(authority, "servers", name), "server", ".crt", server)
    for host in dict.fromkeys(_texts(entry.get("hosts"))):
        for pair in dict.fromkeys(_texts(entry["pairs"])):
            client = Profile("client", common_name=host, unit=pair, organization=name)
            yield _wanted(os.path.join(path, name, "hosts", host), pair, ".cert", client)


def _wanted(folder: str, stem: str, suffix: str, profile: Profile) -> Wanted:
    return Wanted(os.path.join(folder, stem + suffix), os.path.join(folder, stem + ".key"), profile)


def _server_names(entry: Mapping[str, Any]) -> tuple[str, ...]:
    given = tuple(dict.fromkeys(_texts(entry.get("server_names"))))
    return given or (parse_registry_name(str(entry["name"])).address,)


def _faults(arguments: Mapping[str, Any]) -> Iterator[str]:
    valid_days, renew_days = arguments["valid_days"], arguments["renew_days"]
    if valid_days > _LONGEST_DAYS:
        yield f"valid_days ({valid_days}) must be at most {_LONGEST_DAYS}, a hundred years"
    if not 0 <= renew_days < valid_days:
        yield f"renew_days ({renew_days}) must be from 0 to less than valid_days ({valid_days}), or nothing ever stays"
    names = [str(entry["name"]) for entry in arguments["registries"]]
    yield from (f"{shown(name)}: the registry is given twice" for name, times in Counter(names).items() if times > 1)
    for entry in arguments["registries"]:
        yield from _faults_of_registry(entry)


def _faults_of_registry(entry: Mapping[str, Any]) -> Iterator[str]:
    name = str(entry["name"])
    try:
        parse_registry_name(name)
    except InvalidRegistryName as error:
        yield f"{shown(name)}: no image name can name this registry ({error})"
    for server_name in _texts(entry.get("server_names")):
        if not _is_server_name(server_name):
            yield f"{shown(name)}: {shown(server_name)} is neither a DNS name nor an IP address"
    for what, texts in (("host", entry.get("hosts")), ("pair", entry["pairs"])):
        for text in _texts(texts):
            for finding in file_name_findings(text, ".cert", shown(text)):
                yield f"{shown(name)}: the {what} {shown(text)} can't be the name of a file ({finding.detail})"


def _is_server_name(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return bool(_SERVER_NAME.fullmatch(name)) and ".." not in name
    return True


def _texts(values: Iterable[Any] | None) -> list[str]:
    return [str(value) for value in values or ()]


def _diff_line(path: str, facts: Certificate | None, otherwise: str) -> str:
    if facts is None:
        return f"{path}: {otherwise}\n"
    dates = f"{facts.not_before.strftime(TIME_FORMAT)} to {facts.not_after.strftime(TIME_FORMAT)}"
    return f"{path}: {facts.subject}, {dates}, {facts.fingerprint}\n"
