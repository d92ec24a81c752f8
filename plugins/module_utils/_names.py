# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether registries and files may be named so, and how messages spell their names."""

from __future__ import annotations

import re

from ansible_collections.fleet.certs_d.plugins.module_utils._engines import DEFAULT_DIRECTORY
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import Finding
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import holds_private_key
from ansible_collections.fleet.certs_d.plugins.module_utils._registry_name import (
    InvalidRegistryName,
    parse_registry_name,
)

_LONGEST_FILE_NAME = 255
_LONGEST_SHOWN = 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def registry_name_findings(name: str, place: str) -> list[Finding]:
    """The reason why no image name can begin with this name, if there is one."""
    try:
        parse_registry_name(name)
    except InvalidRegistryName as error:
        return [Finding("registry-name", place, str(error))]
    return []


def directory_name_findings(name: str, place: str) -> list[Finding]:
    """The same for the name of a host directory: containerd's `_default` is one, and names no registry."""
    return [] if name == DEFAULT_DIRECTORY else registry_name_findings(name, place)


def file_name_findings(stem: str, suffix: str, place: str) -> list[Finding]:
    """The reason why engines can't find a file of this name in a host directory, if there is one."""
    reason = _file_name_fault(stem, suffix)
    return [Finding("file-name", place, reason)] if reason else []


def shown(text: str) -> str:
    """A name as messages spell it: control characters and undecodable bytes are escaped, an empty one is seen."""
    if holds_private_key(text):
        return "(a private key where a name belongs)"
    text = text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
    return text if text.strip() and text.isprintable() else repr(text)


def _file_name_fault(stem: str, suffix: str) -> str:
    if not stem.strip():
        return "it is blank"
    if stem.startswith("."):
        return "engines read hidden files too, people overlook them"
    if "/" in stem or _CONTROL.search(stem):
        return "it holds a slash or a control character"
    try:
        length = len((stem + suffix).encode())
    except UnicodeEncodeError:
        return "it is not UTF-8"
    return f"it is {length} bytes long, {_LONGEST_FILE_NAME} at most" if length > _LONGEST_FILE_NAME else ""
