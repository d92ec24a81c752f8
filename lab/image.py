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
from typing import NamedTuple

from lab.engine import Engine
from lab.parts import Kind, Parts
from lab.system import LabError, need, run, step, succeeds

_REPOSITORY = "certs-d-lab"
_PULL_SECONDS = 60
# An image must not share host keys, and a container of it gets its own machine id.
_FINISH = "rm -f /etc/ssh/ssh_host_* && : > /etc/machine-id"
# What makes apt work on this machine must make it work on its nodes.
_APT_OPTIONS = re.compile(r'Acquire::(?:Check-Date|Check-Valid-Until|https?::Proxy) ".*";')


class Recipe(NamedTuple):
    """What an image is made of."""

    suite: str
    base: str
    packages: tuple[str, ...]
    options: tuple[str, ...]
    """Lines of apt's configuration."""


def make_all(engine: Engine, parts: Parts) -> dict[str, str]:
    """The image of each kind; those that are missing are made side by side."""
    options = apt_options(_apt_configuration())
    recipes = {kind.name: recipe(kind, parts.packages, options) for kind in parts.kinds.values()}
    wanted = dict.fromkeys(recipes.values())
    missing = [each for each in wanted if not engine("images", "--quiet", tag(each)).strip()]
    bases = list(dict.fromkeys(each.base for each in missing))
    with ThreadPoolExecutor() as pool:
        pulled = dict(zip(bases, pool.map(lambda base: _pull(engine, base), bases), strict=True))
        if not all(pulled.values()):
            # Before the images are made side by side: apt takes one installation at a time.
            need("mmdebstrap", packages=["mmdebstrap"])
        list(pool.map(lambda each: _make(engine, each, on_base=pulled[each.base]), missing))
    return {name: tag(each) for name, each in recipes.items()}


def remove_all(engine: Engine) -> None:
    """Remove every image that the lab made."""
    for image in engine("images", "--quiet", _REPOSITORY).split():
        engine("rmi", "--force", image)


def recipe(kind: Kind, packages: tuple[str, ...], options: tuple[str, ...]) -> Recipe:
    """Kinds that differ in what they may do alone have one recipe, and share its image."""
    return Recipe(
        kind.suite,
        kind.base,
        packages=tuple(dict.fromkeys((*packages, *kind.packages))),
        options=tuple(dict.fromkeys((*options, *kind.apt))),
    )


def tag(made_of: Recipe) -> str:
    """The image's name: another recipe has another name."""
    whole = "\n".join([made_of.suite, containerfile(made_of)])
    return f"{_REPOSITORY}:{made_of.base.replace(':', '')}-{hashlib.sha256(whole.encode()).hexdigest()[:12]}"


def containerfile(made_of: Recipe) -> str:
    """The recipe on top of a base image; such an image keeps services from starting, which a node must not."""
    configured = [f"RUN echo '{option}' >> /etc/apt/apt.conf.d/99lab" for option in made_of.options]
    install = f"apt-get install -y --no-install-recommends {' '.join(made_of.packages)}"
    made = f"RUN apt-get update && DEBIAN_FRONTEND=noninteractive {install} && {_FINISH}"
    return "\n".join([f"FROM {made_of.base}", *configured, made, "RUN rm -f /usr/sbin/policy-rc.d", ""])


def apt_options(configuration: str) -> tuple[str, ...]:
    """What of this machine's apt configuration its nodes need, too."""
    return tuple(_APT_OPTIONS.findall(configuration))


def _pull(engine: Engine, base: str) -> bool:
    with step(f"looking for {base} in an image registry"):
        return succeeds([*engine.command, "pull", "--quiet", base], timeout=_PULL_SECONDS)


def _make(engine: Engine, made_of: Recipe, *, on_base: bool) -> None:
    try:
        (_build if on_base else _bootstrap)(engine, made_of)
    except LabError as error:
        raise LabError(f"no image of Debian {made_of.suite} could be made: {error}") from None


def _build(engine: Engine, made_of: Recipe) -> None:
    with step(f"building {tag(made_of)} on {made_of.base}"):
        engine("build", "--tag", tag(made_of), "-", given=containerfile(made_of), timeout=900)


def _bootstrap(engine: Engine, made_of: Recipe) -> None:
    with step(f"making {tag(made_of)} from Debian's packages"), tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "root.tar"
        run(_mmdebstrap(made_of, archive), timeout=900)
        engine("import", str(archive), tag(made_of))


def _mmdebstrap(made_of: Recipe, archive: Path) -> list[str]:
    return [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--include={','.join(made_of.packages)}",
        f'--customize-hook=chroot "$1" sh -c "{_FINISH}"',
        *(f"--aptopt={option}" for option in made_of.options),
        made_of.suite,
        str(archive),
    ]


def _apt_configuration() -> str:
    try:
        return run(["apt-config", "dump"])
    except LabError:
        return ""
