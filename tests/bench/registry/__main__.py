# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what the registry serves per second beside plain Apache with the same TLS.

Usage: make bench-registry OPTIONS='[--quick] [--into FILE]'. The fleet of inventories/lab must be up. The load comes
from a node of the lab. Prints the machine and the table; --into also puts them between the two marks of a document.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.fleet.certs_d.tests.bench.document import tell
from ansible_collections.fleet.certs_d.tests.bench.machine import describe
from ansible_collections.fleet.certs_d.tests.bench.registry.load import (
    BLOB,
    MANIFEST,
    Case,
    LoadFailed,
    Rate,
    cases,
    command,
    rate,
)
from ansible_collections.fleet.certs_d.tests.bench.registry.report import report

PROJECT = Path(__file__).resolve().parents[3]
INVENTORY = PROJECT / "inventories" / "lab"
CLIENT = "node2"
_ROUNDS = 3


def main() -> int:
    """Exit status 0 when all was measured, whether the goal is met or not; 2 where a request failed."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure the registry beside plain Apache.")
    parser.add_argument("--quick", action="store_true", help="a sanity run: few requests, once")
    parser.add_argument("--into", type=Path, metavar="FILE", help="a document that gets the table")
    chosen = parser.parse_args()
    rates: dict[Case, list[Rate]] = {}
    try:
        paths = _served()
        for case, measured in _measure(paths, rounds=1 if chosen.quick else _ROUNDS, quick=chosen.quick):
            rates.setdefault(case, []).append(measured)
    except LoadFailed as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 2
    tell(f"{describe()}\n\n{report(rates)}", chosen.into)
    return 0


def _served() -> dict[str, str]:
    """Lay what is fetched; the path of each."""
    playbook = Path(__file__).with_name("registries.yml")
    _run(_tool("ansible-playbook"), str(playbook), "-i", str(INVENTORY))
    return dict(zip((BLOB, MANIFEST), _on_client("cat /root/bench-paths").split(), strict=True))


def _measure(paths: dict[str, str], *, rounds: int, quick: bool) -> Iterator[tuple[Case, Rate]]:
    for number in range(rounds):
        for case in cases(quick=quick):
            said = _on_client(command(case, paths[case.what], host="registry.lab", pair="/root/bench-pair.pem"))
            measured = rate(case, said)
            size = f"round {number + 1}, {case.clients} clients, {case.what}"
            print(f"bench: {size}: {case.way}: {measured.requests:.1f}/s", file=sys.stderr, flush=True)
            yield case, measured


def _on_client(line: str) -> str:
    options = ["-i", f"{INVENTORY}/.lab/id_ed25519", "-o", f"UserKnownHostsFile={INVENTORY}/.lab/known_hosts"]
    return _run("ssh", *options, "-o", "BatchMode=yes", f"root@{_address(CLIENT)}", line)


@functools.cache
def _address(host: str) -> str:
    told = json.loads(_run(_tool("ansible-inventory"), "-i", str(INVENTORY), "--host", host))
    return str(told["ansible_host"])


def _tool(name: str) -> str:
    """A program of the running interpreter's environment."""
    return str(Path(sys.executable).with_name(name))


def _run(*words: str) -> str:
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / "playbooks" / "collections")}
    done = subprocess.run(words, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LoadFailed(f"{' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
