# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that nodes run: made once from Debian's packages, told apart by a hash of their recipe."""

from __future__ import annotations

import hashlib
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab.engine import Engine
from lab.parts import Kind, Parts
from lab.system import LabError, need, run, step, succeeds

_REPOSITORY = "certs-d-lab"
_PULL_SECONDS = 60
# An image must not share host keys, and a container of it gets its own machine id.
_FINISH = "rm -f /etc/ssh/ssh_host_* && : > /etc/machine-id"
# What makes apt work on this machine must make it work on its nodes.
_APT_OPTIONS = re.compile(r'Acquire::(?:Check-Date|Check-Valid-Until|https?::Proxy) ".*";')


def make_all(engine: Engine, parts: Parts) -> dict[str, str]:
    """The image of each kind; those that are missing are made side by side."""
    options = apt_options(_apt_configuration())
    tags = {kind.name: tag(kind, parts.packages, options) for kind in parts.kinds.values()}
    missing = [kind for kind in parts.kinds.values() if not engine("images", "--quiet", tags[kind.name]).strip()]
    with ThreadPoolExecutor() as pool:
        pulled = list(pool.map(lambda kind: _pull(engine, kind), missing))
        if not all(pulled):
            # Before the images are made side by side: apt takes one installation at a time.
            need("mmdebstrap", packages=["mmdebstrap"])
        ways = [_build if base_is_there else _bootstrap for base_is_there in pulled]
        list(pool.map(lambda way, kind: way(engine, kind, parts.packages, options, tags[kind.name]), ways, missing))
    return tags


def remove_all(engine: Engine) -> None:
    """Remove every image that the lab made."""
    for image in engine("images", "--quiet", _REPOSITORY).split():
        engine("rmi", "--force", image)


def tag(kind: Kind, packages: tuple[str, ...], options: tuple[str, ...]) -> str:
    """The image's name: another recipe has another name."""
    recipe = "\n".join([kind.suite, containerfile(kind, packages, options)])
    return f"{_REPOSITORY}:{kind.name}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def containerfile(kind: Kind, packages: tuple[str, ...], options: tuple[str, ...]) -> str:
    """The recipe on top of a base image; such an image keeps services from starting, which a node must not."""
    configured = [f"RUN echo '{option}' >> /etc/apt/apt.conf.d/99lab" for option in options]
    install = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
    made = f"RUN apt-get update && DEBIAN_FRONTEND=noninteractive {install} && {_FINISH}"
    return "\n".join([f"FROM {kind.base}", *configured, made, "RUN rm -f /usr/sbin/policy-rc.d", ""])


def apt_options(configuration: str) -> tuple[str, ...]:
    """What of this machine's apt configuration its nodes need, too."""
    return tuple(_APT_OPTIONS.findall(configuration))


def _pull(engine: Engine, kind: Kind) -> bool:
    with step(f"looking for {kind.base} in an image registry"):
        return succeeds([*engine.command, "pull", "--quiet", kind.base], timeout=_PULL_SECONDS)


def _build(engine: Engine, kind: Kind, packages: tuple[str, ...], options: tuple[str, ...], name: str) -> None:
    with step(f"building the image of {kind.name} on {kind.base}"):
        engine("build", "--tag", name, "-", given=containerfile(kind, packages, options), timeout=900)


def _bootstrap(engine: Engine, kind: Kind, packages: tuple[str, ...], options: tuple[str, ...], name: str) -> None:
    with step(f"making the image of {kind.name} from Debian's packages"), tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "root.tar"
        run(_mmdebstrap(kind, packages, options, archive), timeout=900)
        engine("import", str(archive), name)


def _mmdebstrap(kind: Kind, packages: tuple[str, ...], options: tuple[str, ...], archive: Path) -> list[str]:
    return [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--include={','.join(packages)}",
        f'--customize-hook=chroot "$1" sh -c "{_FINISH}"',
        *(f"--aptopt={option}" for option in options),
        kind.suite,
        str(archive),
    ]


def _apt_configuration() -> str:
    try:
        return run(["apt-config", "dump"])
    except LabError:
        return ""
