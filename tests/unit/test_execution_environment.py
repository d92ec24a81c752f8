# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-builder makes of the collection's metadata, and of the definition that the documentation shows."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
COLLECTIONS = PROJECT.parents[2]
METADATA = "meta/execution-environment.yml"
REQUIREMENTS = "meta/ee-requirements.txt"
VERSION = yaml.safe_load((PROJECT / "galaxy.yml").read_text())["version"]
ARCHIVE = f"fleet-certs_d-{VERSION}.tar.gz"
NEEDED = "cryptography>=40"


def builder(*arguments: str | Path, cwd: Path = PROJECT) -> str:
    """What ansible-builder says; it must end well."""
    command = [Path(sys.executable).with_name("ansible-builder"), *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def documented(tmp_path: Path) -> Path:
    """A directory with the definition that the documentation shows, and with the archive that it names."""
    page = (PROJECT / "docs" / "execution-environment.md").read_text()
    (definition,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "execution-environment.yml").write_text(definition)
    (tmp_path / ARCHIVE).write_bytes(b"made by ansible-galaxy")
    return tmp_path


def test_the_builder_finds_cryptography_in_the_collection_and_nothing_else() -> None:
    found = yaml.safe_load(builder("introspect", COLLECTIONS))
    assert found["python"] == [f"{NEEDED}  # from collection fleet.certs_d"]
    assert found["system"] == []


def test_the_metadata_is_a_sound_definition_of_version_3(tmp_path: Path) -> None:
    """A definition's paths are those of its own folder, and metadata's are the collection's: it is laid there."""
    (tmp_path / "meta").mkdir()
    shutil.copy(PROJECT / REQUIREMENTS, tmp_path / REQUIREMENTS)
    shutil.copy(PROJECT / METADATA, tmp_path)
    builder("create", "-f", Path(METADATA).name, cwd=tmp_path)
    assert NEEDED in (tmp_path / "context/_build/requirements.txt").read_text().splitlines()


def test_the_definition_of_the_documentation_makes_a_context(documented: Path) -> None:
    builder("create", "--output-filename", "Containerfile", cwd=documented)
    context = documented / "context"
    assert (context / "_build/archives" / ARCHIVE).exists()
    galaxy = yaml.safe_load((context / "_build/requirements.yml").read_text())
    assert galaxy["collections"] == [{"name": f"archives/{ARCHIVE}", "type": "file"}]
    steps = (context / "Containerfile").read_text()
    assert steps.index("ansible-galaxy collection install") < steps.index("introspect.py introspect")
    assert not (context / "_build/requirements.txt").exists(), "cryptography comes from the collection's metadata"


def test_what_it_says_is_what_the_code_asks_for() -> None:
    wanted = re.compile(r"cryptography >= (\d+)")
    told = {found for file in (PROJECT / "plugins").rglob("*.py") for found in wanted.findall(file.read_text())}
    assert told == {NEEDED.rpartition("=")[2]}
