# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fenced blocks of a document, and what each of them is an example of."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.fleet.certs_d.tests.fleet.running import PROJECT, Run

_FENCE = re.compile(r"^( *)(`{3,}|~{3,})[ ]*(\S*)[^\n]*\n(.*?)^\1\2[ ]*$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# (\S+/)?(\S+\.(?:yml|cfg|ini))$", re.MULTILINE)
_FAILS = re.compile(r"\s# fails\b")
_VARIABLE = re.compile(r"\b(?:certs_d|node|registry)_[a-z_]+\b")
# Pages whose examples a test of their own runs, since they need other hosts or tools than a reader's, and that test.
OWN_TESTS = {
    "docs/ansible-pull.md": "tests/fleet/test_pull.py",
    "docs/execution-environment.md": "tests/unit/test_execution_environment.py",
    "docs/install.md": "tests/fleet/test_install.py",
}


@dataclass(frozen=True)
class Block:
    """One fenced block, and where it stands."""

    place: str
    language: str
    text: str

    @property
    def file(self) -> str:
        """The file that the first line names as a comment; empty where it names none."""
        named = _FILE.match(self.text)
        return named[0].removeprefix("# ") if named else ""

    @property
    def kind(self) -> str:
        """What it is an example of; empty where nobody knows how to run it."""
        if self.language in ("console", "text"):
            return self.language
        if self.file:
            return "file"
        return _shape(yaml.safe_load(self.text)) if self.language == "yaml" else ""

    def unknown_variables(self) -> list[str]:
        """Variables that look like the collection's, and are not."""
        lines = [command.line for command in commands(self)] if self.kind == "console" else [self.text]
        named = set() if self.kind in ("alerts", "text") else set(_VARIABLE.findall("\n".join(lines)))
        return sorted(named - known_variables())


@dataclass(frozen=True)
class Command:
    """A command of a console block, and what it is said to print; `…` stands for anything."""

    place: str
    line: str
    output: str

    @property
    def fails(self) -> bool:
        """Whether the comment behind it tells the reader that it fails."""
        return _FAILS.search(self.line) is not None

    def check(self, done: Run) -> None:
        """It ended as it is told, and printed what is shown, whatever the breaks of lines."""
        assert (done.status != 0) is self.fails, (
            f"{self.place}: exit status {done.status} of {self.line}\n{done.output}"
        )
        shown = ".*?".join(re.escape(" ".join(part.split())) for part in self.output.split("…"))
        assert re.search(shown, " ".join(done.output.split())), (
            f"{self.place}: {self.line} prints\n{done.output}\nand not\n{self.output}"
        )


def documents() -> list[Path]:
    """Every document with an example that no test of its own runs."""
    pages = {PROJECT / "README.md", *PROJECT.glob("docs/*.md"), *PROJECT.glob("roles/*/README.md")}
    pages -= {PROJECT / page for page in OWN_TESTS}
    return [page for page in sorted(pages) if any(block.kind != "text" for block in read_blocks(page))]


def read_blocks(page: Path) -> list[Block]:
    """All fenced blocks in their order."""
    text = page.read_text()
    name = page.relative_to(PROJECT) if page.is_relative_to(PROJECT) else page.name
    return [
        Block(f"{name}:{text.count(chr(10), 0, found.start()) + 1}", found[3], textwrap.dedent(found[4]))
        for found in _FENCE.finditer(text)
    ]


def commands(block: Block) -> list[Command]:
    """The commands of a console block: what begins with `$ `, further lines after a backslash, and the output."""
    found: list[Command] = []
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        last = next(number for number, line in enumerate(lines) if not line.endswith("\\"))
        found.append(Command(block.place, "\n".join(lines[: last + 1]), "\n".join(lines[last + 1 :])))
    return found


def known_variables() -> set[str]:
    """What the roles' interfaces and the playbooks know."""
    known: set[str] = set()
    for role in ("node", "registry"):
        specs = yaml.safe_load((PROJECT / "roles" / role / "meta" / "argument_specs.yml").read_text())
        known.update(*(entry_point["options"] for entry_point in specs["argument_specs"].values()))
    for playbook in (PROJECT / "playbooks").glob("*.yml"):
        known.update(_VARIABLE.findall(playbook.read_text()))
    return known


def _shape(data: Any) -> str:
    entries = data if isinstance(data, list) else []
    if entries and all("hosts" in entry for entry in entries):
        return "playbook"
    if entries and all("alert" in entry for entry in entries):
        return "alerts"
    if entries and all("name" in entry for entry in entries):
        return "tasks"
    if isinstance(data, dict) and data:
        prefixes = {str(name).split("_", 1)[0] for name in data}
        return "variables" if prefixes <= {"node"} or prefixes <= {"registry"} else ""
    return ""
