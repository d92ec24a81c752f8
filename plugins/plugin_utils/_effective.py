# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The effective verdict: what an engine of today will present, and what the registry answers to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from ansible_collections.fleet.certs_d.plugins.module_utils._hosts_toml import served_by
from ansible_collections.fleet.certs_d.plugins.plugin_utils._effective_reason import ends_early, reason
from ansible_collections.fleet.certs_d.plugins.plugin_utils._faults import faults_for, file_of
from ansible_collections.fleet.certs_d.plugins.plugin_utils._go_choice import presented
from ansible_collections.fleet.certs_d.plugins.plugin_utils._hosts_chain import Host, InvalidHosts, hosts_of
from ansible_collections.fleet.certs_d.plugins.plugin_utils._verdict import (
    Row,
    Verdict,
    lets_in,
    of_attempts,
    of_faults,
    outcome,
    unknown,
)

# The programs by which users know an engine.
PROGRAMS = {"docker": "docker", "containers": "podman", "containerd": "containerd"}
# Who reads the host directory of an engine, as _faults has them; docker has two, by its image store.
_READERS = {"containers": ("containers",), "containerd": ("containerd",)}
_DOCKER_READERS = {"classic": ("classic",), "containerd": ("containerd",), None: ("classic", "containerd")}
# What a `.key` may be where it is no file with something in it.
_UNREADABLE = ("not-a-file", "dangling-link", "too-large")


def effective(registry: Mapping[str, Any], *, now: datetime) -> Verdict:
    """One certificate per handshake, that of the first pair that fits what the registry asks for; nothing is retried.

    containerd's resolver alone goes on, from one host of hosts.toml to the next. Where docker does not tell its image
    store, the verdict is known if it is the same with both.
    """
    readers = _READERS.get(registry["engine"]) or _DOCKER_READERS[registry["store"]]
    first, *others = (_Reading(registry, reader, now).verdict() for reader in readers)
    if all(_answer_of(other) == _answer_of(first) for other in others):
        return first
    stores = ["with the classic one", *("with containerd's" for _other in others)]
    told_all = "; ".join(f"{store}: {each['reason']}" for store, each in zip(stores, [first, *others], strict=True))
    return unknown(f"it depends on docker's image store, which no docker tells here; {told_all}")


def _answer_of(verdict: Verdict) -> tuple[Any, ...]:
    return verdict["pair"], verdict["status"], verdict["error"]


class _Reading:
    """How one reader takes what the node has measured of one registry."""

    def __init__(self, registry: Mapping[str, Any], reader: str, now: datetime) -> None:
        self._registry, self._reader, self._now = registry, reader, now
        self._name: str = registry["name"]
        self._program = PROGRAMS[registry["engine"]]
        self._measured: Mapping[str, Any] = registry["measured"]
        self._rows: dict[str | None, Row] = {row["pair"]: row for row in registry["requests"]}

    def verdict(self) -> Verdict:
        if self._reader == "classic" and self._measured["insecure"]:
            return self._insecure()
        try:
            hosts = self._hosts()
        except InvalidHosts as why:
            return self._because_of_hosts_toml(str(why))
        if hosts is None and self._reader == "containerd" and self._may_be_plain():
            return unknown(
                "it depends on containerd's version: without hosts.toml 1.6 asks a loopback address by plain HTTP, "
                "later ones by TLS"
            )
        opened = None if hosts is None else {name for host in hosts for name in self._opened(host)}
        faults = faults_for(self._reader, self._findings(), opened)
        if faults:
            return of_faults(self._name, f"{self._program} refuses", faults)
        return self._alone() if hosts is None else self._chain(hosts)

    def _may_be_plain(self) -> bool:
        """The resolver inside docker is a later one."""
        return self._registry["engine"] == "containerd" and bool(self._measured["loopback"])

    def _findings(self) -> list[Mapping[str, Any]]:
        """The findings that this reader comes upon.

        containerd's resolver finds a missing key in the `.cert`, and looks for no `.key` but that of a `.cert`.
        """
        findings: list[Mapping[str, Any]] = self._registry["findings"]
        if self._reader != "containerd":
            return findings
        loaded = {f"{pair['name']}.cert" for pair in self._measured["pairs"]}
        folders = {file_of(finding) for finding in findings if finding["code"] == "not-a-file"}
        certificates = {*self._measured["files"]} - folders
        return [
            finding
            for finding in findings
            if not (finding["code"] == "key-missing" and file_of(finding) in loaded)
            and not (finding["code"] in _UNREADABLE and _is_nobodys_key(file_of(finding), certificates))
        ]

    def _insecure(self) -> Verdict:
        row = self._measured["insecure_request"]
        if row is None:
            return unknown(f"what {self._name} answers without a certificate was not asked")
        kind = "a loopback address" if self._measured["loopback"] else "a registry that its settings call insecure"
        says = "lets it in" if lets_in(row) else f"does not let it in ({outcome(row)})"
        return of_attempts(
            [row],
            f"{self._program} reads no certs.d for {kind} and presents no certificate; {self._name} {says}",
        )

    def _hosts(self) -> list[Host] | None:
        text = self._measured["hosts_toml"] if self._reader == "containerd" else None
        return None if text is None else hosts_of(text, self._registry["path"], served_by(self._name))

    def _why_unmeasured(self, host: Host) -> str:
        """Why the answer of this host is not known, empty where it is."""
        if host.address != served_by(self._name):
            return f"it names another host, {host.address}"
        roots = {name for name in self._measured["files"] if name.endswith(".crt")}
        return "" if host.roots == roots else "its CA roots are not the .crt files that the registry was asked with"

    @staticmethod
    def _opened(host: Host) -> set[str]:
        return {*host.roots, *(f"{pair}{suffix}" for pair in host.pairs for suffix in (".cert", ".key"))}

    def _alone(self) -> Verdict:
        """One host, all pairs: the way of every directory without hosts.toml."""
        answer = self._answer(self._measured["pairs"])
        return self._unanswered() if answer is None else of_attempts([answer], self._reason([answer]))

    def _chain(self, hosts: Sequence[Host]) -> Verdict:
        """From host to host; a pair of any that can't be loaded fails them all."""
        facts = {pair["name"]: pair for pair in self._measured["pairs"]}
        missing = [f"{pair}: hosts.toml names it" for host in hosts for pair in host.pairs if pair not in facts]
        if missing:
            return of_faults(self._name, f"{self._program} can't load the pairs of", missing)
        attempts: list[Row] = []
        for host in hosts:
            why = self._why_unmeasured(host)
            if why:
                return self._because_of_hosts_toml(why)
            answer = self._answer([facts[pair] for pair in host.pairs])
            if answer is None:
                return self._unanswered()
            attempts.append(answer)
            if not _moves_on(answer):
                break
        return of_attempts(attempts, self._reason(attempts))

    def _answer(self, pairs: Sequence[Mapping[str, Any]]) -> Row | None:
        """The registry's answer to what is presented of these pairs; None where that can't be told."""
        asks_for, nobody = self._measured["asks_for"], self._rows[None]
        possible = [*(self._rows[pair["name"]] for pair in pairs), nobody]
        are_alike = len({outcome(row) for row in possible}) == 1
        if not pairs or (are_alike and ends_early(self._registry, nobody)):
            return nobody
        if asks_for is None:
            return possible[0] if are_alike else None
        return self._rows[presented(pairs, asks_for)]

    def _reason(self, attempts: Sequence[Row]) -> str:
        return reason(self._registry, self._program, attempts, now=self._now)

    def _because_of_hosts_toml(self, why: str) -> Verdict:
        return unknown(f"what {self._program} presents is unknown, because of hosts.toml: {why}")

    def _unanswered(self) -> Verdict:
        why = self._measured["asks_for_why"] or "it did not tell"
        return unknown(f"what {self._program} presents is unknown: which certificates {self._name} asks for: {why}")


def _is_nobodys_key(file: str, certificates: Collection[str]) -> bool:
    return file.endswith(".key") and f"{file.removesuffix('.key')}.cert" not in certificates


def _moves_on(answer: Row) -> bool:
    """containerd's resolver asks the next host after any error."""
    return answer["status"] is None or answer["status"] >= 400
