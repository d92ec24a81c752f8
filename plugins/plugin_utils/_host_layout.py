# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layout of one host, read and judged: what the lookup `host_layout` and the action `layout` share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ansible.errors import AnsibleError, AnsibleFileNotFound
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import AnsibleVaultError

from ansible_collections.fleet.certs_d.plugins.module_utils._engines import DEFAULT_DIRECTORY, ENGINES
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import (
    CATALOGUE,
    Finding,
    errors,
    report,
    warnings,
)
from ansible_collections.fleet.certs_d.plugins.plugin_utils._check import check
from ansible_collections.fleet.certs_d.plugins.plugin_utils._company import name_findings
from ansible_collections.fleet.certs_d.plugins.plugin_utils._cryptography import CryptographyMissing
from ansible_collections.fleet.certs_d.plugins.plugin_utils._groups import groups_by_precedence
from ansible_collections.fleet.certs_d.plugins.plugin_utils._layout import LayoutError, Registry
from ansible_collections.fleet.certs_d.plugins.plugin_utils._pki_tree import Place, Unreadable, VaultLocked, read_tree


class Terms(NamedTuple):
    """By which rules a layout is judged: the time, the days before an expiry is told, the codes taken on purpose.

    `engines` are those that get the layout, with or without the fallback; none where that is not known.
    """

    now: datetime
    warn_days: int = 30
    accept: Sequence[str] = ()
    engines: Sequence[str] = ()
    fallback: bool = False


class Judged(NamedTuple):
    """A layout that can be used, and what is to be told of it all the same."""

    registries: tuple[Registry, ...]
    warnings: tuple[str, ...]


def read_host_layout(*, pki: str, task_vars: Mapping[str, Any], loader: DataLoader, terms: Terms) -> Judged:
    """What the PKI tree holds for the task's host, or LayoutError with all faults of it."""
    host = str(task_vars["inventory_hostname"])
    root = _find_tree(pki, task_vars, loader)
    groups = {name: hosts for name, hosts in (task_vars.get("groups") or {}).items() if name != "all"}
    known = {"groups": groups, "hosts": set(task_vars["groups"]["all"])} if groups else {}
    place = Place(host, groups_by_precedence(task_vars), known)
    registries, findings = read_tree(root, place, read_text=_reader(loader))
    return judge(registries, findings, terms, host)


def judge(registries: tuple[Registry, ...], findings: Iterable[Finding], terms: Terms, host: str) -> Judged:
    """The registries as they are, or LayoutError with these findings and all that X.509 adds to them."""
    engines = [ENGINES[name] for name in terms.engines]
    presenters = [each.name for each in engines if not terms.fallback or each.keeps_fallback is False]
    present = [each for each in registries if each.state == "present"]
    found = [*findings, *name_findings([each.name for each in present]), *_unread(present, terms.engines)]
    try:
        found += check(present, now=terms.now, warn_days=terms.warn_days, presenters=presenters)
    except CryptographyMissing as error:
        raise LayoutError(str(error)) from error
    faults = errors(found, terms.accept)
    if faults:
        number = "1 fault" if len(set(faults)) == 1 else f"{len(set(faults))} faults"
        raise LayoutError(report(f"{host}: {number} in its registry certificates:", _in_order(faults)))
    return Judged(registries, tuple(f"{host}: {each.sentence()}" for each in _in_order(warnings(found, terms.accept))))


def _unread(registries: Iterable[Registry], engines: Sequence[str]) -> list[Finding]:
    """`_default` where an engine is to get it that does not know it."""
    reason = "only containerd reads it: lay it in a task with engines: [containerd]"
    names = [each.name for each in registries if each.name == DEFAULT_DIRECTORY]
    return [Finding("registry-name", name, reason) for name in names if set(engines) - {"containerd"}]


def _in_order(findings: Iterable[Finding]) -> list[Finding]:
    codes = list(CATALOGUE)
    return sorted(dict.fromkeys(findings), key=lambda finding: (finding.place, codes.index(finding.code)))


def _find_tree(pki: str, task_vars: Mapping[str, Any], loader: DataLoader) -> str:
    """A relative path is looked for where Ansible looks for files: role, playbook, each with and without `files`.

    The last place is the working directory, which a path on the command line means.
    """
    search_path = task_vars.get("ansible_search_path") or [loader.get_basedir()]
    try:
        return str(loader.path_dwim_relative_stack(search_path, "files", pki, is_role="role_path" in task_vars))
    except AnsibleFileNotFound:
        return os.path.abspath(pki) if os.path.isdir(pki) else pki


def _reader(loader: DataLoader) -> Callable[[str], str]:
    """A reader that decrypts Vault files in memory."""

    def read_text(path: str) -> str:
        try:
            # Latin-1 takes any byte, so that a DER file becomes a finding and no complaint of the loader.
            content = loader.get_text_file_contents(path, encoding="latin-1")
        except (AnsibleError, OSError) as error:
            raise (VaultLocked() if isinstance(error, AnsibleVaultError) else Unreadable(_reason(error))) from None
        return str(content).encode("latin-1").decode("utf-8", "replace")

    return read_text


def _reason(error: BaseException) -> str:
    """Why a file could not be read, in words that can't quote it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__
    return type(error).__name__
