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


def hosts_of(text: str, path: str, registry: str) -> list[Host] | None:
    """The hosts in the order in which a pull of a tag asks them; None where the file is read as if it were not there.

    That is so of a file that can't be decoded, and of an empty one: containerd reads the directory docker-style then.
    The root of the file is the last host, `server` where it has one, else the registry itself. `path` is the host
    directory, below which file names are relative. Raises InvalidHosts.
    """
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    except RecursionError:
        raise InvalidHosts("it is nested too deep") from None
    if not text:
        return None
    tables = whole.get("host") or {}
    if not isinstance(tables, Mapping) or not all(isinstance(table, Mapping) for table in tables.values()):
        raise InvalidHosts("[host] holds no tables")
    if not tables:
        raise InvalidHosts("it has no [host] table, and containerd 1.6 and 1.7 read such a file as none")
    listed = [*tables.items(), (str(whole.get("server") or registry), whole)]
    hosts = [_host(url, table, path) for url, table in listed if _pulls(table)]
    if not hosts:
        raise InvalidHosts("none of its hosts has the capabilities pull and resolve")
    return hosts


def _pulls(table: Mapping[str, Any]) -> bool:
    """An empty list is as none, and means all; case does not matter (containerd, parseHostConfig)."""
    named = table.get("capabilities") or ["pull", "resolve"]
    if not isinstance(named, list):
        raise InvalidHosts("capabilities is no list")
    return {"pull", "resolve"} <= {str(name).lower() for name in named}


def _host(url: str, table: Mapping[str, Any], path: str) -> Host:
    scheme, address, folder = _parts(url if "://" in url else f"https://{url}")
    if scheme != "https":
        raise InvalidHosts(f"{address} is not asked by TLS")
    if folder.strip("/") not in ("", "v2") or table.get("override_path"):
        raise InvalidHosts(f"{address} is asked for another path than /v2")
    if table.get("skip_verify"):
        raise InvalidHosts(f"{address} has skip_verify")
    roots = (_in_directory(name, path) for name in _listed(table.get("ca", [])))
    pairs = (_pair(entry, path) for entry in _listed(table.get("client", [])))
    return Host(address, tuple(pairs), frozenset(roots))


def _parts(url: str) -> tuple[str, str, str]:
    """Scheme, host with port, and path; credentials are nobody's business."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise InvalidHosts("the name of one of its hosts is no URL") from None
    return parts.scheme, parts.netloc.rpartition("@")[2], parts.path


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
