# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The face of image_tree, with the real busybox."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.fleet.certs_d.plugins.modules import image_tree

BUSYBOX = shutil.which("busybox") or "/bin/busybox"


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    return {"path": str(tmp_path / "tree"), "repository": "busybox", "executable": BUSYBOX}


def run(capsys: pytest.CaptureFixture[str], options: dict[str, Any]) -> dict[str, Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        image_tree.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def names(tree: str) -> set[str]:
    return {str(each.relative_to(tree)) for each in Path(tree).rglob("*") if each.is_file()}


def test_the_second_run_changes_nothing(capsys: pytest.CaptureFixture[str], options: dict[str, Any]) -> None:
    first, second = run(capsys, options), run(capsys, options)
    assert (first["changed"], second["changed"]) == (True, False)
    assert first["image"] == second["image"]


def test_the_result_describes_what_lies_in_the_tree(
    capsys: pytest.CaptureFixture[str], options: dict[str, Any]
) -> None:
    image = run(capsys, options)["image"]
    layer = Path(options["path"], "v1/images", image["id"], "layer")
    assert layer.stat().st_size == image["layer_size"]
    assert (image["repository"], image["tag"]) == ("busybox", "latest")


def test_check_mode_predicts_the_change_and_makes_none(
    capsys: pytest.CaptureFixture[str], options: dict[str, Any]
) -> None:
    predicted = run(capsys, {**options, "_ansible_check_mode": True})
    assert not Path(options["path"]).exists()
    done = run(capsys, options)
    assert (predicted["changed"], predicted["image"]) == (True, done["image"])
    assert {line.split()[0] for line in predicted["diff"]["after"].splitlines()} == names(options["path"])


def test_check_mode_completes_before_the_executable_is_installed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = {"path": str(tmp_path), "repository": "busybox", "executable": str(tmp_path / "none")}
    result = run(capsys, {**options, "_ansible_check_mode": True})
    assert (result["changed"], result["image"]["id"]) == (True, None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"repository": "../x"}, "no v1 repository"),
        ({"tag": "a/b"}, "no tag"),
        ({"executable": "/nowhere/busybox"}, "/nowhere/busybox"),
        ({"executable": "/bin/ls"}, "/bin/ls"),
    ],
)
def test_bad_input_changes_nothing_and_says_why(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, change: dict[str, str], reason: str
) -> None:
    options = {"path": str(tmp_path / "tree"), "repository": "busybox", "executable": BUSYBOX, **change}
    result = run(capsys, options)
    assert result["failed"]
    assert reason in result["msg"]
    assert not Path(options["path"]).exists()


def test_each_option_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    documented = yaml.safe_load(image_tree.DOCUMENTATION)["options"]
    assert set(documented) == {"path", "repository", "tag", "executable"}
    assert documented["tag"]["default"] == "latest"
