# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layout of one host, read and judged: what the lookup `host_layout` and the action `layout` share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from ansible.errors import AnsibleError, AnsibleFileNotFound
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import AnsibleVaultError

from ansible_collections.fleet.certs_d.plugins.module_utils._findings import CATALOGUE, Finding, errors, report
from ansible_collections.fleet.certs_d.plugins.plugin_utils._cryptography import CryptographyMissing
from ansible_collections.fleet.certs_d.plugins.plugin_utils._groups import groups_by_precedence
from ansible_collections.fleet.certs_d.plugins.plugin_utils._layout import LayoutError, Registry
from ansible_collections.fleet.certs_d.plugins.plugin_utils._pki_tree import Unreadable, VaultLocked, read_tree
from ansible_collections.fleet.certs_d.plugins.plugin_utils._x509 import check


def read_host_layout(
    *, pki: str, task_vars: Mapping[str, Any], loader: DataLoader, now: datetime
) -> tuple[Registry, ...]:
    """What the PKI tree holds for the task's host, or LayoutError with all faults of it."""
    host = str(task_vars["inventory_hostname"])
    root = _find_tree(pki, task_vars, loader)
    registries, findings = read_tree(root, groups=groups_by_precedence(task_vars), host=host, read_text=_reader(loader))
    return checked(registries, findings, now, host)


def checked(
    registries: tuple[Registry, ...], findings: Iterable[Finding], now: datetime, host: str
) -> tuple[Registry, ...]:
    """The registries as they are, or LayoutError with these findings and all that X.509 adds to them."""
    try:
        faults = errors([*findings, *check(registries, now=now)])
    except CryptographyMissing as error:
        raise LayoutError(str(error)) from error
    if faults:
        codes = list(CATALOGUE)
        told = sorted(dict.fromkeys(faults), key=lambda finding: (finding.place, codes.index(finding.code)))
        number = "1 fault" if len(told) == 1 else f"{len(told)} faults"
        raise LayoutError(report(f"{host}: {number} in its registry certificates:", told))
    return registries


def _find_tree(pki: str, task_vars: Mapping[str, Any], loader: DataLoader) -> str:
    """A relative path is looked for where Ansible looks for files: role, playbook, each with and without `files`."""
    search_path = task_vars.get("ansible_search_path") or [loader.get_basedir()]
    try:
        return str(loader.path_dwim_relative_stack(search_path, "files", pki, is_role="role_path" in task_vars))
    except AnsibleFileNotFound:
        return pki


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
