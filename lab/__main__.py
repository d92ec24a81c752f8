# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of real hosts in containers: systemd, sshd, a network with names.

Usage: python3 -m lab up|down INVENTORY_DIR. `up` writes INVENTORY_DIR/hosts.yml and ends when every host answers;
it comes up from any state that an earlier run left. `--parts NAME` chooses the fleet of NAME.toml.
`down --all` takes away images and the lab's own engine, too.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lab import fleet, image
from lab.engine import find_engine, stop_own_engine
from lab.parts import Parts, fleets, read_parts
from lab.system import LabError, alone


def main() -> int:
    """Exit status 0 when done, 2 when this machine can't run a lab; the reason is told."""
    parser = argparse.ArgumentParser(prog="lab", description="A fleet of real hosts in containers.")
    parser.add_argument("action", choices=["up", "down"])
    parser.add_argument("inventory", type=Path, metavar="INVENTORY_DIR")
    parser.add_argument("--all", action="store_true", help="down: remove images and the lab's own engine as well")
    parser.add_argument("--parts", choices=fleets(), default="fleet", help="up: which fleet")
    chosen = parser.parse_args()
    inventory = chosen.inventory.resolve()
    try:
        with alone():
            if chosen.action == "up":
                up(inventory, parts=read_parts(chosen.parts))
            else:
                down(inventory, everything=chosen.all)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 2
    return 0


def up(inventory: Path, *, parts: Parts) -> None:
    """Images, containers, inventory."""
    engine = find_engine(start=True)
    images = image.make_all(engine, parts)
    fleet.up(engine, parts, images, inventory)


def down(inventory: Path, *, everything: bool) -> None:
    """The other way round; without an engine there is nothing to take away but files."""
    engine = find_engine(start=False)
    if engine is not None:
        fleet.down(engine, inventory)
        if everything and not fleet.others(engine):
            image.remove_all(engine)
            stop_own_engine(engine)
    fleet.forget(inventory)


if __name__ == "__main__":
    sys.exit(main())
