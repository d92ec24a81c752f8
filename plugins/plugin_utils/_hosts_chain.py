# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts that a hosts.toml sends containerd's resolver to, one after another."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class InvalidHosts(Exception):
    """The file says something whose effect was never measured; the text tells what."""


class Host(NamedTuple):
    """One stop on the way: the registry's address, the stems of its client pairs, the file names of its CA roots."""

    address: str
    pairs: tuple[str, ...]
    roots: frozenset[str]


def hosts_of(text: str, path: str) -> list[Host] | None:
    """The hosts in the order in which a pull asks them; None where the file is read as if it were not there.

    That is so of a file that can't be decoded: containerd logs it and reads the directory docker-style. `path` is the
    host directory, below which file names are relative. Raises InvalidHosts.
    """
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    tables = whole.get("host") or {}
    if not isinstance(tables, Mapping) or not all(isinstance(table, Mapping) for table in tables.values()):
        raise InvalidHosts("[host] holds no tables")
    if not tables:
        raise InvalidHosts("it has no [host] table, and containerd 1.6 and 1.7 read such a file as none")
    hosts = [_host(url, table, path) for url, table in tables.items() if _pulls(table)]
    return [*hosts, _host(str(whole["server"]), whole, path)] if "server" in whole else hosts


def _pulls(table: Mapping[str, Any]) -> bool:
    return "pull" in table.get("capabilities", ["pull"])


def _host(url: str, table: Mapping[str, Any], path: str) -> Host:
    parts = urlsplit(url if "://" in url else f"https://{url}")
    if parts.scheme != "https":
        raise InvalidHosts(f"{url} is not asked by TLS")
    if table.get("skip_verify"):
        raise InvalidHosts(f"{url} has skip_verify")
    roots = (_in_directory(name, path) for name in _listed(table.get("ca", [])))
    pairs = (_pair(entry, path) for entry in _listed(table.get("client", [])))
    return Host(parts.netloc, tuple(pairs), frozenset(roots))


def _listed(value: Any) -> list[Any]:
    """Both keys take a string in place of a list."""
    return value if isinstance(value, list) else [value]


def _pair(entry: Any, path: str) -> str:
    if not isinstance(entry, list) or len(entry) != 2:
        raise InvalidHosts(f"client names {_told(entry)}, which is no list of a certificate and its key")
    certificate, key = (_in_directory(name, path) for name in entry)
    stem = certificate.removesuffix(".cert")
    if (certificate, key) != (f"{stem}.cert", f"{stem}.key"):
        raise InvalidHosts(f"client names {certificate} and {key}, which are no pair NAME.cert and NAME.key")
    return stem


def _in_directory(name: Any, path: str) -> str:
    """The file's name in the host directory."""
    if not isinstance(name, str):
        raise InvalidHosts(f"{_told(name)} is no file name")
    inside = name.removeprefix(f"{path}/").removeprefix("./")
    if "/" in inside:
        raise InvalidHosts(f"{name} does not lie in the host directory")
    return inside


def _told(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, Iterable) and not isinstance(value, str) else str(value)
