# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface of layout, which its action and its module share."""

from __future__ import annotations

from typing import Any

from ansible_collections.fleet.certs_d.plugins.module_utils._engines import ENGINES
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import acceptable_codes

_CA_CERTIFICATE = {
    "name": {"type": "str", "required": True},
    "content": {"type": "str", "required": True},
}
_CLIENT_PAIR = {
    "name": {"type": "str", "required": True},
    "certificate": {"type": "str", "required": True},
    "private_key": {"type": "str", "no_log": True},
    "private_key_path": {"type": "path", "no_log": False},
}
_REGISTRY = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "ca_certificates": {"type": "list", "elements": "dict", "default": [], "options": _CA_CERTIFICATE},
    "client_pairs": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": _CLIENT_PAIR,
        "mutually_exclusive": [["private_key", "private_key_path"]],
    },
}
LAYOUT_ARGUMENTS: dict[str, Any] = {
    "argument_spec": {
        "pki": {"type": "path"},
        "registries": {"type": "list", "elements": "dict", "options": _REGISTRY},
        "private_keys": {"type": "dict", "default": {}, "no_log": True},
        "engines": {"type": "list", "elements": "str", "choices": sorted(ENGINES), "default": ["docker"]},
        "path": {"type": "path"},
        "scope": {"type": "str", "choices": ["system", "user"], "default": "system"},
        "user": {"type": "str"},
        "fallback": {"type": "bool", "default": False},
        "purge": {"type": "str", "choices": ["none", "files", "registries"], "default": "none"},
        "accept": {"type": "list", "elements": "str", "choices": acceptable_codes(), "default": []},
        "warn_days": {"type": "int", "default": 30},
    },
    "mutually_exclusive": [["pki", "registries"]],
    "required_one_of": [["pki", "registries"]],
}
