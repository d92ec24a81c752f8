# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what verify_fallback costs beside ping, for a node with so many registries and pairs.

Usage: make bench-verify OPTIONS='[--quick] [--into FILE]'. The node is this machine, and so are the registries: TLS
servers on loopback that answer each pair at once, whose work is part of the time. Prints the machine and the table;
--into also puts them between the two marks of a document.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from ansible_collections.fleet.certs_d.plugins.module_utils._pem import fingerprint
from ansible_collections.fleet.certs_d.tests.bench.document import tell
from ansible_collections.fleet.certs_d.tests.bench.fleet import PROJECT, tool
from ansible_collections.fleet.certs_d.tests.bench.machine import describe
from ansible_collections.fleet.certs_d.tests.bench.measure import RunFailed
from ansible_collections.fleet.certs_d.tests.bench.verify.report import Run, Size, report
from ansible_collections.fleet.certs_d.tests.unit.material import Issued, issue_ca, issue_client
from ansible_collections.fleet.certs_d.tests.unit.scripted_registry import ScriptedRegistry, scripted_registry

_SIZES = (Size(1, 1), Size(1, 5), Size(5, 3), Size(20, 3))
_QUICK = (Size(1, 1), Size(5, 3))
_ROUNDS = 5


def main() -> int:
    """Exit status 0 when all was measured, whether the goal is met or not; 2 where a run failed."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure verify_fallback beside ping.")
    parser.add_argument("--quick", action="store_true", help="a sanity run: little of everything, once")
    parser.add_argument("--into", type=Path, metavar="FILE", help="a document that gets the table")
    chosen = parser.parse_args()
    sizes, rounds = (_QUICK, 1) if chosen.quick else (_SIZES, _ROUNDS)
    try:
        runs = {size: list(_measure(size, rounds)) for size in sizes}
    except RunFailed as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 2
    tell(f"{describe()}\n\n{report(runs)}", chosen.into)
    return 0


def _measure(size: Size, rounds: int) -> Iterator[Run]:
    ca = issue_ca()
    pairs = [issue_client(f"{number}0-pair", signer=ca) for number in range(1, size.pairs + 1)]
    script: dict[str | None, int] = {fingerprint(pair.der): 200 for pair in pairs}
    script[None] = 403
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        registries = [stack.enter_context(scripted_registry(script, ca=ca)) for _number in range(size.registries)]
        root = Path(folder)
        for registry in registries:
            _lay(root / registry.name, ca, pairs)
        arguments = {"path": str(root), "engines": ["containers"], "ask_engine": False}
        for number in range(rounds):
            ping, _result = _task("ansible.builtin.ping", {})
            before = _seen(registries)
            verify, result = _task("fleet.certs_d.verify_fallback", arguments)
            requests = _seen(registries) - before
            request = median(_request(registries[0], ca, pairs[0], root) for _try in range(5))
            print(f"bench: {size}, round {number + 1}: {verify:.2f} s", file=sys.stderr, flush=True)
            yield Run(ping, verify, float(result["seconds"]), request, requests)


def _lay(home: Path, ca: Issued, pairs: Sequence[Issued]) -> None:
    home.mkdir()
    (home / "ca.crt").write_text(ca.certificate)
    for number, pair in enumerate(pairs, 1):
        (home / f"{number}0-pair.cert").write_text(pair.certificate)
        (home / f"{number}0-pair.key").write_text(pair.private_key)


def _seen(registries: Sequence[ScriptedRegistry]) -> int:
    return sum(len(registry.answers()) for registry in registries)


def _request(registry: ScriptedRegistry, ca: Issued, pair: Issued, root: Path) -> float:
    """The seconds of one request on a connection of its own: the round trip that the goal speaks of."""
    context = ssl.create_default_context(cadata=ca.certificate)
    home = root / registry.name
    context.load_cert_chain(home / "10-pair.cert", home / "10-pair.key")
    started = time.monotonic()
    connection = http.client.HTTPSConnection(registry.name, context=context)
    connection.request("GET", "/v2/")
    connection.getresponse().read()
    connection.close()
    return time.monotonic() - started


def _task(module: str, arguments: dict[str, object]) -> tuple[float, dict[str, Any]]:
    """The seconds of a task by itself, and its result; the node is this machine."""
    given = ["-a", json.dumps(arguments)] if arguments else []
    command = [tool("ansible"), "localhost", "-m", module, *given]
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / "playbooks" / "collections"),
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
    }
    started = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=PROJECT)
    wall = time.monotonic() - started
    if done.returncode:
        raise RunFailed(f"{module}: {done.stdout}{done.stderr}")
    return wall, json.loads(done.stdout.partition("=> ")[2])


if __name__ == "__main__":
    sys.exit(main())
