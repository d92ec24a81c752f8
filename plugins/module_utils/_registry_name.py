# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name of a registry, spelled as in image names: `host[:port]`."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_SPLIT = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[^:]*))?", re.DOTALL)


class InvalidRegistryName(ValueError):
    """The reason why no image name can begin with this text."""


class RegistryName(NamedTuple):
    """A registry name and its two parts; `port` is None where the name spells none (engines then use 443)."""

    text: str
    host: str
    port: int | None

    @property
    def address(self) -> str:
        """The host as sockets want it: an IPv6 literal without its brackets."""
        return self.host.strip("[]")


def parse_registry_name(text: str) -> RegistryName:
    """Split a registry name, or raise InvalidRegistryName with the reason.

    The grammar is that of image references (github.com/distribution/reference). Case and `:443` stay as
    spelled, because engines compare bytes.
    """
    if not text:
        raise InvalidRegistryName("it is empty")
    parts = _SPLIT.fullmatch(text)
    if parts is None:
        raise InvalidRegistryName("it is not host[:port] as in image names")
    host, port = parts["host"], parts["port"]
    _check_host(host)
    number = None if port is None else _port_number(port)
    if number is None and "." not in host and host != "localhost" and host == host.lower() and host[0] != "[":
        raise InvalidRegistryName(
            "engines take the first part of an image name for a registry only if it has a dot or a port or is localhost"
        )
    return RegistryName(text, host, number)


def _check_host(host: str) -> None:
    if host.startswith("["):
        try:
            ipaddress.IPv6Address(host[1:-1] if "%" not in host else "")
        except ValueError:
            raise InvalidRegistryName(f"{host} is no IPv6 address in brackets") from None
    elif not _HOST.fullmatch(host):
        raise InvalidRegistryName("its host is not made of letters, digits, inner dashes and single dots")


def _port_number(port: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise InvalidRegistryName("its port is not a number from 1 to 65535")
    return int(port)
