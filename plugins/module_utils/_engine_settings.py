# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of an engine that lie outside of certs.d and change how it reaches a registry, as far as they can be read.

A proxy comes from the engine's environment, which systemd makes, or with docker from daemon.json; the environment of a
dockerd that runs is the truth. Nothing of it is needed to measure, so what can't be read is passed over.
"""

from __future__ import annotations

import glob
import ipaddress
import json
import os
import re
import shlex
from typing import Any, Mapping, NamedTuple

from ansible_collections.fleet.certs_d.plugins.module_utils._disk import read_regular_file
from ansible_collections.fleet.certs_d.plugins.module_utils._registry_name import RegistryName

_HTTPS = 443
_SERVICES = {"docker": "docker.service", "containerd": "containerd.service"}
# From the weakest to the strongest (systemd.unit(5)).
_UNIT_ROOTS = ("usr/lib/systemd/system", "lib/systemd/system", "run/systemd/system", "etc/systemd/system")


class Settings(NamedTuple):
    """The proxy variables that the engine has, and the registries that dockerd was told to take for insecure."""

    environment: Mapping[str, str]
    insecure: tuple[str, ...] = ()

    def proxy_of(self, registry: RegistryName) -> str | None:
        """The proxy through which the engine asks the registry, credentials left out; None where it asks straight.

        The rules are those of Go (golang.org/x/net/http/httpproxy): never for loopback, and NO_PROXY may hold names
        with what ends in them, addresses, networks, each with a port, or a star.
        """
        proxy = self._variable("HTTPS_PROXY")
        if not proxy or _is_loopback(registry.address):
            return None
        exceptions = [entry.strip().lower() for entry in self._variable("NO_PROXY").split(",") if entry.strip()]
        return None if any(_covers(entry, registry) for entry in exceptions) else _without_credentials(proxy)

    def takes_for_insecure(self, registry: RegistryName, addresses: tuple[str, ...]) -> bool:
        """Whether dockerd verifies nothing of this registry, and reads no certificates for it.

        An entry is a registry's name as images spell it, port and all, or a network, never a bare address (moby,
        registry/config.go).
        """
        networks = [entry for entry in self.insecure if "/" in entry]
        return registry.text in self.insecure or any(
            _in_network(address, network) for address in addresses for network in networks
        )

    def _variable(self, name: str) -> str:
        return self.environment.get(name) or self.environment.get(name.lower()) or ""


def settings_of(engine: str, system: str = "/") -> Settings:
    """The settings of this engine; `system` is the root of the file system. podman and skopeo have ours."""
    if engine not in _SERVICES:
        return Settings(dict(os.environ))
    environment = _of_process(system) if engine == "docker" else {}
    environment = environment or _of_service(system, _SERVICES[engine])
    if engine != "docker":
        return Settings(environment)
    daemon = _daemon_json(system)
    proxies = daemon.get("proxies")
    stronger = {name.upper().replace("-", "_"): str(value) for name, value in _table(proxies).items() if value}
    found = daemon.get("insecure-registries")
    listed = [*map(str, found if isinstance(found, list) else []), *_insecure_flags(system)]
    return Settings(
        {**environment, **stronger}, tuple(re.sub(r"^https?://", "", entry, flags=re.I) for entry in listed)
    )


def _of_process(system: str) -> dict[str, str]:
    """The environment of the dockerd that runs."""
    pairs = (line.partition("=") for line in _told_by_process(system, "environ"))
    return {name: value for name, equals, value in pairs if equals}


def _insecure_flags(system: str) -> list[str]:
    """The registries that the dockerd that runs was told of on its command line."""
    words = _told_by_process(system, "cmdline")
    joined = [word.partition("=")[2] for word in words if word.startswith("--insecure-registry=")]
    return [*joined, *(after for word, after in zip(words, words[1:]) if word == "--insecure-registry")]


def _told_by_process(system: str, what: str) -> list[str]:
    process = _text(os.path.join(system, "run/docker.pid")).strip()
    if not re.fullmatch(r"[0-9]+", process):
        return []
    return _text(os.path.join(system, "proc", process, what)).split("\0")


def _of_service(system: str, service: str) -> dict[str, str]:
    """What the unit and its drop-ins set, a later one winning."""
    units = [os.path.join(system, root, service) for root in _UNIT_ROOTS]
    places = [os.path.join(system, root, f"{service}.d", "*.conf") for root in _UNIT_ROOTS]
    drop_ins = {os.path.basename(path): path for place in places for path in sorted(glob.glob(place))}
    unit = next((path for path in reversed(units) if os.path.isfile(path)), None)
    environment: dict[str, str] = {}
    for path in [*filter(None, [unit]), *(drop_ins[name] for name in sorted(drop_ins))]:
        for line in _text(path).replace("\\\n", " ").splitlines():
            environment.update(_set_by(line.strip(), system))
    return environment


def _set_by(line: str, system: str) -> dict[str, str]:
    key, _equals, value = line.partition("=")
    if key == "EnvironmentFile":
        lines = _text(os.path.join(system, value.lstrip("-").lstrip("/"))).splitlines()
        return _assignments([each for each in lines if not each.lstrip().startswith(("#", ";"))])
    return _assignments([value]) if key == "Environment" else {}


def _assignments(lines: list[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        try:
            words = shlex.split(line)
        except ValueError:
            continue
        found.update({name: value for name, equals, value in (word.partition("=") for word in words) if equals})
    return found


def _without_credentials(proxy: str) -> str:
    """The proxy's address; whatever stands before the last @ may be a password, however it is written."""
    if "@" not in proxy:
        return proxy
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", proxy)
    return f"{scheme[0] if scheme else ''}***@{proxy.rpartition('@')[2]}"


def _daemon_json(system: str) -> Mapping[str, Any]:
    try:
        return _table(json.loads(_text(os.path.join(system, "etc/docker/daemon.json")) or "{}"))
    except ValueError:
        return {}


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(path: str) -> str:
    try:
        return (read_regular_file(path) or b"").decode("utf-8", "replace")
    except OSError:
        return ""


def _covers(entry: str, registry: RegistryName) -> bool:
    host, port = registry.address.lower(), str(registry.port or _HTTPS)
    name, colon, number = entry.rpartition(":")
    if colon and number.isdigit() and (":" not in name or name.startswith("[")):
        if number != port:
            return False
        entry = name
    entry = entry.strip("[]")
    if entry == "*" or _in_network(host, entry):
        return True
    bare = entry[1:] if entry.startswith("*.") else entry
    return host.endswith(bare) if bare.startswith(".") else host == bare or host.endswith(f".{bare}")


def _in_network(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    return host == "localhost" or _in_network(host, "127.0.0.0/8") or _in_network(host, "::1/128")
