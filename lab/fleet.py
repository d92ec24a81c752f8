# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers of one fleet, and the network between them."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from lab import inotify
from lab.engine import Engine
from lab.inventory import inventory
from lab.parts import Host, Kind, Parts
from lab.system import LabError, need, run, step, succeeds

_LABEL = "certs-d-lab.fleet"
_MADE = "certs-d-lab.made"
_START_SECONDS = 120
_NODE = [
    "--cap-add=SYS_ADMIN",
    "--cgroupns=host",
    "--tmpfs=/run",
    "--tmpfs=/tmp",
    "--security-opt=apparmor=unconfined",
    "--security-opt=seccomp=unconfined",
    "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw",
]
# Engines mount and make networks; what they store can't lie on the overlay that the node itself lies on.
_FIREWALL = ["--cap-add=NET_ADMIN"]
_ENGINES = [
    *_FIREWALL,
    *(f"--volume=/var/lib/{store}" for store in ("docker", "containerd", "containers")),
]
_READY = "test -e /run/lab-ready || systemctl is-system-running | grep -E 'running|degraded'"
# The throw-away key may be newer than the container; the container makes its own host keys, before which sshd failed.
_LET_IN = """
set -e
mkdir -p -m 0700 /root/.ssh
cat > /root/.ssh/authorized_keys
ssh-keygen -A > /dev/null
test -e /run/lab-ready || systemctl is-active --quiet ssh || { systemctl reset-failed ssh; systemctl start ssh; }
cat /etc/ssh/ssh_host_ed25519_key.pub
"""


def fleet_name(inventory_dir: Path) -> str:
    """Two checkouts on one machine have two fleets: the name follows from the path."""
    return "certs-d-" + hashlib.sha256(str(inventory_dir).encode()).hexdigest()[:8]


def up(engine: Engine, parts: Parts, images: dict[str, str], inventory_dir: Path) -> None:
    """Bring every host up from whatever state it is in, and write the inventory."""
    need("ssh", "ssh-keygen", packages=["openssh-client"])
    name = fleet_name(inventory_dir)
    public_key = _ssh_key(inventory_dir / ".lab")
    with step(f"bringing up {', '.join(host.name for host in parts.hosts)}"):
        if name not in engine("network", "ls", "--format", "{{.Name}}").split():
            engine("network", "create", "--label", f"{_LABEL}={name}", name)
        for volume in {volume.partition(":")[0] for host in parts.hosts for volume in host.volumes}:
            engine("volume", "create", "--label", f"{_LABEL}={name}", f"{name}-{volume}")
        nodes = {
            host.name: node_arguments(name, host, parts.kinds[host.kind], images[host.kind]) for host in parts.hosts
        }
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda host: _start(engine, name, host, nodes[host]), nodes))
            host_keys = list(pool.map(lambda host: _let_in(engine, f"{name}-{host.name}", public_key), parts.hosts))
        addresses = {host.name: _address(engine, name, host) for host in parts.hosts}
        for host in parts.hosts:
            _wait_for(f"sshd of {host.name}", partial(_greets, addresses[host.name]))
    known = [f"{addresses[host.name]} {key}" for host, key in zip(parts.hosts, host_keys, strict=True)]
    (inventory_dir / ".lab" / "known_hosts").write_text("".join(known), encoding="utf-8")
    (inventory_dir / "hosts.yml").write_text(inventory(parts.hosts, addresses), encoding="utf-8")
    print(f"lab: {len(parts.hosts)} hosts answer, {inventory_dir}/hosts.yml is written", flush=True)


def down(engine: Engine, inventory_dir: Path) -> None:
    """Remove the fleet's containers and its network."""
    name = fleet_name(inventory_dir)
    containers = _containers(engine, f"label={_LABEL}={name}")
    if containers:
        with step(f"removing {len(containers)} hosts"):
            engine("rm", "--force", "--volumes", *containers)
    if name in engine("network", "ls", "--format", "{{.Name}}").split():
        engine("network", "rm", name)
    volumes = engine("volume", "ls", "--quiet", "--filter", f"label={_LABEL}={name}").split()
    if volumes:
        engine("volume", "rm", *volumes)


def others(engine: Engine) -> list[str]:
    """Containers of any fleet that still stand."""
    return _containers(engine, f"label={_LABEL}")


def forget(inventory_dir: Path) -> None:
    """Remove what the lab wrote beside the inventory."""
    shutil.rmtree(inventory_dir / ".lab", ignore_errors=True)
    (inventory_dir / "hosts.yml").unlink(missing_ok=True)


def node_arguments(fleet: str, host: Host, kind: Kind, image: str) -> list[str]:
    """What makes a node of a container."""
    names = [f"--network-alias={alias}" for alias in (host.name, *host.aliases)]
    engines = _ENGINES if kind.engines else _FIREWALL if kind.firewall else []
    pid_1 = ["/bin/sh", "-c", kind.init] if kind.init else ["/lib/systemd/systemd"]
    volumes = [f"--volume={fleet}-{volume}" for volume in host.volumes]
    return [f"--hostname={host.name}", *names, *_NODE, *engines, *volumes, image, *pid_1]


def _containers(engine: Engine, *filters: str) -> list[str]:
    return engine("ps", "--all", "--quiet", *(f"--filter={each}" for each in filters)).split()


def _ssh_key(state: Path) -> str:
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = state / "id_ed25519"
    public = key.with_suffix(".pub")
    if not (key.exists() and public.exists()):
        key.unlink(missing_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "throw-away", "-f", str(key)])
    return public.read_text(encoding="utf-8")


def _start(engine: Engine, fleet: str, host: str, node: list[str]) -> None:
    """A container that was made as it would be today is started again where it stopped; any other is made anew."""
    container = f"{fleet}-{host}"
    made = f"{_MADE}={hashlib.sha256(repr(node).encode()).hexdigest()[:12]}"
    same = _containers(engine, f"label={_LABEL}={fleet}", f"label={made}", f"name=^/{container}$")
    if same and succeeds([*engine.command, "start", container]):
        return
    succeeds([*engine.command, "rm", "--force", "--volumes", container])
    labels = [f"--label={_LABEL}={fleet}", f"--label={made}"]
    engine("run", "--detach", f"--name={container}", f"--network={fleet}", *labels, *node)


def _let_in(engine: Engine, container: str, public_key: str) -> str:
    """Wait for systemd, or for the init of the node's kind, install the ssh key, and return the host key."""
    ready = [*engine.command, "exec", container, "sh", "-c", _READY]
    _wait_for(container, lambda: succeeds(ready))
    return engine("exec", "--interactive", container, "sh", "-c", _LET_IN, given=public_key)


def _address(engine: Engine, fleet: str, host: Host) -> str:
    networks = json.loads(engine("inspect", "--format", "{{json .NetworkSettings.Networks}}", f"{fleet}-{host.name}"))
    return str(networks[fleet]["IPAddress"])


def _greets(address: str) -> bool:
    try:
        with socket.create_connection((address, 22), timeout=2) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _wait_for(what: str, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            advice = inotify.shortage() or "try `make clean`, then again"
            raise LabError(f"{what} did not come up within {_START_SECONDS} s: {advice}")
        time.sleep(0.3)
