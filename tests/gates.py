# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the project's gates in a copy that lies where Ansible wants a collection.

Usage: gates.py [--fast] [GATE ...]. Prints a line per gate with its seconds, begins none after the first red one, and
ends with a line that counts. The output of each gate is kept in .cache/gates/NAME.log. Gates run one after the other,
but for those with hosts of their own, which mostly wait for them: they run in two lanes side by side.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parent.parent
CACHE = CHECKOUT / ".cache"
COLLECTIONS = CACHE / "collections"
TREE = COLLECTIONS / "ansible_collections" / "fleet" / "certs_d"
LOGS = CACHE / "gates"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
# The unit tests that start whole runs of Ansible, or every Python of the machine.
RUNS = [
    "plugins/action/",
    "plugins/lookup/",
    "playbooks/",
    "roles/",
    "test_image_tree_skopeo.py",
    "test_node_pythons.py",
]
UNITS = f"ansible-test units --color no --python {PYTHON} "
SHELL_FILES = [
    ".ci/run",
    "lab/engines.sh",
    "lab/light.sh",
    "roles/registry/files/cert.cgi",
    "tests/bench/registry/lay-files",
    "tests/bench/registry/pipe.cgi",
    "roles/registry/files/gate-map",
    "roles/registry/files/gate.sh",
    "tests/rhel/packages/root/usr/libexec/httpd-ssl-gencerts",
    "tests/rhel/packages/root/usr/libexec/httpd-ssl-pass-dialog",
    "tests/rhel/packages/root/usr/sbin/httpd",
    "tests/rhel/restorecon",
    "tests/tools/make-venv",
]


class Gate(NamedTuple):
    """One gate: its name, what it runs, what in its output counts tests, and the lane it may run in beside another."""

    name: str
    command: str
    fast: bool = True
    counts: str = ""
    lane: str = ""


class Result(NamedTuple):
    """How a gate ended; `tests` is None where it has none to count."""

    gate: Gate
    verdict: str
    seconds: float
    tests: int | None

    def __str__(self) -> str:
        return f"{self.seconds:.0f}s" + ("" if self.tests is None else f" ({self.tests} tests)")


PASSED = r"(\d+) passed"


def pytest(name: str, lane: str = "") -> Gate:
    """The tests of a folder; `lane` where they have hosts of their own."""
    return Gate(name, f"python -m pytest -p no:cacheprovider tests/{name}", fast=False, counts=PASSED, lane=lane)


GATES = [
    Gate("ruff", "ruff check . && ruff format --check --diff ."),
    Gate(
        "mypy",
        "mypy -p ansible_collections.fleet.certs_d.plugins && mypy lab tests/gates.py"
        " && mypy -p ansible_collections.fleet.certs_d.tests.bench -p ansible_collections.fleet.certs_d.tests.engines",
    ),
    Gate("yamllint", "yamllint --strict ."),
    Gate("shellcheck", "shellcheck --external-sources " + " ".join(SHELL_FILES)),
    Gate("unit", UNITS + " ".join(f"--exclude tests/unit/{path}" for path in RUNS), counts=PASSED),
    Gate("changelog", "antsibull-changelog lint"),
    Gate("unit-runs", UNITS + " ".join(f"tests/unit/{path}" for path in RUNS), fast=False, counts=PASSED),
    Gate("docs", "antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck .", fast=False),
    Gate("site", "python tests/tools/docs_site.py ../../../../site", fast=False),
    Gate(
        "galaxy",
        "rm -rf ../../../archive && ansible-galaxy collection build --output-path ../../../archive"
        " && GALAXY_IMPORTER_CONFIG=.config/galaxy-importer.cfg"
        " python -m galaxy_importer.main ../../../archive/fleet-certs_d-*.tar.gz",
        fast=False,
        counts=r"Importer processing completed successfully",
    ),
    Gate("ansible-lint", "ansible-lint --offline --profile production", fast=False),
    Gate(
        "sanity",
        "python tests/tools/seed_ansible_test_pip.py"
        f" && ansible-test sanity --color no --requirements --python {PYTHON}",
        fast=False,
        counts=r"Running sanity test",
    ),
    Gate("newest", f"python tests/tools/newest.py {CACHE / 'newest'}", fast=False, counts=PASSED),
    pytest("page"),
    pytest("fleet", lane="lab"),
    pytest("engines", lane="engines"),
    pytest("rhel", lane="engines"),
    pytest("soak"),
    Gate(
        "molecule",
        "molecule test --all",
        fast=False,
        counts=r"> verify: Executed: Successful",
    ),
]


def main() -> int:
    """Exit status 0 when every chosen gate is green."""
    parser = argparse.ArgumentParser(description="Run the project's gates.")
    parser.add_argument("--fast", action="store_true", help="leave out the gates that need a fleet or minutes")
    parser.add_argument("gates", nargs="*", metavar="GATE", help=", ".join(gate.name for gate in GATES))
    chosen = parser.parse_args()
    wanted = chosen.gates or [gate.name for gate in GATES if gate.fast or not chosen.fast]
    gates = [gate for gate in GATES if gate.name in wanted]
    if unknown := set(wanted) - {gate.name for gate in GATES}:
        parser.error(f"no such gate: {', '.join(sorted(unknown))}")
    copy_tree()
    return run_all(gates)


def copy_tree() -> None:
    """Copy what git knows or would know, so that no gate sees what a clone would not have."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    shutil.rmtree(TREE, ignore_errors=True)
    for name in filter(None, names.split("\0")):
        if (CHECKOUT / name).exists():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, TREE / name)
    # A checkout of its own, because ansible-test leaves out what git ignores, as the outer one does with this folder.
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=TREE, check=True)


def run_all(gates: list[Gate]) -> int:
    """Run until a gate is red; the last line counts."""
    LOGS.mkdir(parents=True, exist_ok=True)
    red = threading.Event()
    results: list[Result] = []
    for lanes in stages(gates):
        with ThreadPoolExecutor(len(lanes)) as pool:
            for done in pool.map(lambda lane: list(run_lane(lane, red)), lanes):
                results += done
    print("seconds per gate: " + ", ".join(f"{result.gate.name} {result}" for result in results))
    passed, failed, missing = (sum(each.verdict == verdict for each in results) for verdict in ("ok", "RED", "not run"))
    print(f"{passed} passed, {failed} failed" + (f", {missing} could not run here" if missing else ""))
    return int(failed > 0)


def stages(gates: list[Gate]) -> Iterator[list[list[Gate]]]:
    """What runs after each other: one lane of gates, or several side by side."""
    for _aside, some in itertools.groupby(gates, key=lambda gate: bool(gate.lane)):
        stage = list(some)
        yield [[gate for gate in stage if gate.lane == lane] for lane in dict.fromkeys(gate.lane for gate in stage)]


def run_lane(gates: list[Gate], red: threading.Event) -> Iterator[Result]:
    """Gates after each other, as long as none of any lane is red."""
    for gate in gates:
        if not red.is_set():
            say(gate, gate.command)
            result = run(gate)
            say(gate, f"{result.verdict} after {result}")
            if result.verdict == "RED":
                red.set()
            yield result


def run(gate: Gate) -> Result:
    """A gate that ran no test, or skipped one, is red; one that says it can't run on this machine is neither."""
    started = time.monotonic()
    status, tests = start(gate), count(gate)
    ran = "NOT RUN: " not in said(gate)
    green = status == 0 and not skips(gate) and (tests != 0 or not ran)
    verdict = "RED" if not green else "ok" if ran else "not run"
    return Result(gate, verdict, time.monotonic() - started, tests)


def start(gate: Gate) -> int:
    """Show the output as it comes and keep it; a gate is a shell line of ours."""
    with (LOGS / f"{gate.name}.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            gate.command,
            shell=True,
            cwd=TREE,
            env=environment(),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for line in process.stdout or ():
            log.write(line)
            say(gate, line.rstrip("\n"))
        return process.wait()


def say(gate: Gate, line: str) -> None:
    """One line in one piece, whatever other gates say meanwhile."""
    sys.stdout.write(f"{gate.name:<12} {line}\n")
    sys.stdout.flush()


def skips(gate: Gate) -> bool:
    """Whether pytest says that it left tests out: they would count as passed."""
    return re.search(r"\b\d+ skipped\b", said(gate)) is not None


def count(gate: Gate) -> int | None:
    """How many tests the gate's own output says it ran; None where it has none to count."""
    if not gate.counts:
        return None
    found = re.findall(gate.counts, said(gate))
    return sum(int(each) if each.isdigit() else 1 for each in found)


def said(gate: Gate) -> str:
    """What a gate has printed."""
    return (LOGS / f"{gate.name}.log").read_text(encoding="utf-8")


def environment() -> dict[str, str]:
    """The tools of the running interpreter's environment first, the copied collection importable."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(COLLECTIONS),
        "MYPYPATH": str(COLLECTIONS),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_NOCOLOR": "1",
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "MOLECULE_EPHEMERAL_DIRECTORY": str(CACHE / "molecule"),
    }


if __name__ == "__main__":
    sys.exit(main())
