# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix on the engines' hosts: its host directories, and one run of verify_fallback over all of them."""

from __future__ import annotations

import contextlib
import json
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.fleet.certs_d.plugins.module_utils._hosts_toml import hosts_toml
from ansible_collections.fleet.certs_d.tests.engines.verdict_cases import CASES, PORTS, Case
from ansible_collections.fleet.certs_d.tests.engines.verdict_material import Material, Owner
from ansible_collections.fleet.certs_d.tests.engines.verdict_registry import UNPACK, packed
from ansible_collections.fleet.certs_d.tests.fleet.running import ENGINES, PROJECT, run, ssh, ssh_command, tool

HOSTS = ("sid", "engine13", "engine12")
ROOTS = {
    "docker": "/etc/docker/certs.d",
    "containers": "/etc/containers/certs.d",
    "containerd": "/etc/containerd/certs.d",
}
# By the program that is asked, the engine whose host directories it reads.
ENGINE_OF = {"docker": "docker", "skopeo": "containers", "podman": "containers", "ctr": "containerd"}
# podman is asked where there is no skopeo: it is hidden from the node's Python.
_WITHOUT_SKOPEO = "/root/without-skopeo"
_HIDE_SKOPEO = f"""mkdir -p {_WITHOUT_SKOPEO}
ln -sf /usr/bin/* {_WITHOUT_SKOPEO}
rm {_WITHOUT_SKOPEO}/skopeo
printf '#!/bin/sh\\nPATH={_WITHOUT_SKOPEO}:/usr/sbin exec /usr/bin/python3 "$@"\\n' > {_WITHOUT_SKOPEO}.python
chmod 0755 {_WITHOUT_SKOPEO}.python
"""
_FORWARD = Path(__file__).with_name("node_forward.py")
_LOOPBACK = ("127.0.0.1", "localhost")
# The lab mounts the file, so that it can't be replaced by another.
_NAMES = "/etc/hosts"
_KEEP = f"sed '/# matrix$/d' {_NAMES} > /tmp/hosts && cat /tmp/hosts > {_NAMES}"
_ARGUMENTS = {
    "registries": [case.registry for case in CASES.values()],
    # Three hosts share two cores.
    "timeout": 60,
    "timeout_total": 600,
}


def lay_directories(host: str, material: Material, registry: str) -> None:
    """Lay the whole matrix for every engine of a host, in place of whatever stands there.

    `registry` is the address of the one that all names lead to.
    """
    files = {
        f"{root}/{path}".lstrip("/"): text for root in ROOTS.values() for path, text in _files(host, root, material)
    }
    names = "".join(
        f"{registry} {case.registry.partition(':')[0]} # matrix\\n" for case in CASES.values() if _named(case)
    )
    spoil = "".join(
        f"(cd {shlex.quote(f'{root}/{case.place}')}; host={case.registry.partition(':')[0]}; {case.then})\n"
        for root in ROOTS.values()
        for case in CASES.values()
        if case.then
    )
    files["root/matrix.sh"] = f"""set -e
shopt -s failglob
{_KEEP}
printf '{names}' >> {_NAMES}
{_HIDE_SKOPEO}{spoil}"""
    line = f"rm -rf {' '.join(ROOTS.values())}; {UNPACK} && bash /root/matrix.sh"
    ssh(ENGINES, host, line, given=packed(files)).good()


def remove_directories(host: str) -> None:
    """Nothing of the matrix is left."""
    ours = [*ROOTS.values(), "/root/matrix.sh", _WITHOUT_SKOPEO, f"{_WITHOUT_SKOPEO}.python"]
    ssh(ENGINES, host, f"rm -rf {' '.join(ours)}; {_KEEP}").good()


@contextlib.contextmanager
def registry_on_loopback(host: str, registry: str) -> Iterator[None]:
    """The registry stands on the host's own loopback address, too."""
    ports = sorted({str(PORTS[case.server]) for case in CASES.values() if not _named(case)})
    line = f"exec python3 -c {shlex.quote(_FORWARD.read_text())} {registry} {' '.join(ports)}"
    with subprocess.Popen(
        ssh_command(ENGINES, host, line), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as forward:
        assert forward.stdin
        assert forward.stdout
        assert forward.stdout.readline() == "ready\n"
        yield
        forward.stdin.close()


def verify(folder: Path, image: str) -> dict[tuple[str, str, str], Any]:
    """What verify_fallback tells of all registries on all hosts at once, by host, program that was asked for the image,
    and registry."""
    return _verify(folder / "first", image, {"docker": "docker", "containers": "skopeo", "containerd": "ctr"})


def verify_without_skopeo(folder: Path, image: str) -> dict[tuple[str, str, str], Any]:
    """The same of podman alone."""
    python = f"ansible_python_interpreter={_WITHOUT_SKOPEO}.python"
    return _verify(folder / "second", image, {"containers": "podman"}, "-e", python)


def _verify(told: Path, image: str, programs: Mapping[str, str], *options: str) -> dict[tuple[str, str, str], Any]:
    given = json.dumps({**_ARGUMENTS, "image": image, "engines": list(programs)})
    words = (",".join(HOSTS), "-i", ENGINES, "-m", "fleet.certs_d.verify_fallback", "-a", given, "--tree", told)
    # It fails on every host, as many of these directories get nobody in.
    said = run(tool("ansible"), *words, *options, ANSIBLE_COLLECTIONS_PATH=str(PROJECT.parents[2]))
    assert all((told / host).exists() for host in HOSTS), said.output
    return {
        (host, programs[entry["engine"]], entry["name"]): entry
        for host in HOSTS
        for entry in _entries((told / host).read_text())
    }


def _entries(text: str) -> list[dict[str, Any]]:
    result = json.loads(text)
    assert "registries" in result, text
    return list(result["registries"])


def _named(case: Case) -> bool:
    return case.host not in _LOOPBACK


def _files(host: str, root: str, material: Material) -> Iterator[tuple[str, str]]:
    yield ".foreign.crt", material.foreign.certificate
    for case in CASES.values():
        yield f"{case.place}/ca.crt", material.authority.certificate
        for pair, kind in case.pairs.items():
            files = material.pair(kind, Owner(host, root, case.label, pair))
            yield f"{case.place}/{pair}.cert", files.certificate
            yield f"{case.place}/{pair}.key", files.key
        if case.hosts is not None or case.toml:
            yield f"{case.place}/hosts.toml", _hosts_toml(case)


def _hosts_toml(case: Case) -> str:
    if case.hosts is None:
        return case.text
    return hosts_toml(case.registry, roots=["ca.crt"], pairs=case.hosts, fallback=True)
