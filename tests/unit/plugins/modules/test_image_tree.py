# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The face of image_tree, with the real busybox."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.fleet.certs_d.plugins.module_utils._oci_image import TAR_LAYER
from ansible_collections.fleet.certs_d.plugins.modules import image_tree
from ansible_collections.fleet.certs_d.tests.unit.images import Layout, entry, lay, multi_platform, named, pack, saved

BUSYBOX = shutil.which("busybox") or "/bin/busybox"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    return {"path": str(tmp_path / "tree"), "repository": "busybox", "executable": BUSYBOX}


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    made = Layout()
    made.list(multi_platform(made, "m"))
    return lay(tmp_path / "layout", made.files)


def run(capsys: Capture, options: dict[str, Any]) -> dict[str, Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        image_tree.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def names(tree: str) -> set[str]:
    found = [each for each in Path(tree).rglob("*") if each.is_file() or each.is_symlink()]
    return {str(each.relative_to(tree)) for each in found}


def test_the_second_run_changes_nothing(capsys: Capture, options: dict[str, Any]) -> None:
    first, second = run(capsys, options), run(capsys, options)
    assert (first["changed"], second["changed"]) == (True, False)
    assert first["image"] == second["image"]
    assert second["diff"]["before"] == second["diff"]["after"] == ""


def test_the_result_describes_what_lies_in_the_tree(capsys: Capture, options: dict[str, Any]) -> None:
    image = run(capsys, options)["image"]
    root = Path(options["path"])
    assert (root / "v2/busybox/manifests/latest").resolve().name == image["digest"]
    assert (root / "v2/busybox/manifests/latest").resolve().parent.name == image["media_type"].split("/")[1]
    assert json.loads((root / "v1/repositories/busybox/tags").read_bytes()) == {"latest": image["v1"]["id"]}
    stored = sum(each.stat().st_size for each in (root / "store").rglob("sha256:*"))
    assert (image["size"], image["repository"], image["tag"]) == (stored, "busybox", "latest")
    assert image["platforms"] == [image["v1"]["platform"]]


def test_check_mode_predicts_the_change_and_makes_none(capsys: Capture, options: dict[str, Any]) -> None:
    predicted = run(capsys, {**options, "_ansible_check_mode": True})
    assert not Path(options["path"]).exists()
    done = run(capsys, options)
    assert (predicted["changed"], predicted["image"], predicted["diff"]) == (True, done["image"], done["diff"])
    assert {line.split()[0] for line in predicted["diff"]["after"].splitlines()} == names(options["path"])
    assert not run(capsys, {**options, "_ansible_check_mode": True})["changed"]


def test_check_mode_predicts_a_removal_and_makes_none(capsys: Capture, options: dict[str, Any]) -> None:
    run(capsys, options)
    before = names(options["path"])
    absent = {each: options[each] for each in ("path", "repository")} | {"state": "absent", "keep": 0}
    predicted = run(capsys, {**absent, "_ansible_check_mode": True})
    assert names(options["path"]) == before
    done = run(capsys, absent)
    assert (predicted["changed"], predicted["diff"]) == (True, done["diff"])
    assert names(options["path"]) == {"v1/_ping", "v2/_catalog"}
    assert done["image"]["digest"] is None
    assert not run(capsys, absent)["changed"]


def test_check_mode_leaves_what_a_killed_run_was_writing(capsys: Capture, options: dict[str, Any]) -> None:
    run(capsys, options)
    half = Path(options["path"], "store/blobs/.certs_d.new")
    half.write_text("half")
    assert not run(capsys, {**options, "_ansible_check_mode": True})["changed"]
    assert half.exists()
    assert not run(capsys, options)["changed"]
    assert not half.exists()


def test_a_removal_makes_no_root(capsys: Capture, options: dict[str, Any]) -> None:
    result = run(capsys, {"path": options["path"], "repository": "busybox", "state": "absent"})
    assert not result["changed"]
    assert not Path(options["path"]).exists()


@pytest.mark.parametrize("option", ["executable", "source"])
def test_check_mode_completes_before_the_image_is_there(capsys: Capture, tmp_path: Path, option: str) -> None:
    options = {"path": str(tmp_path), "repository": "busybox", option: str(tmp_path / "none")}
    result = run(capsys, {**options, "_ansible_check_mode": True})
    assert (result["changed"], result["image"]["digest"], result["image"]["v1"]["id"]) == (True, None, None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"repository": "../x"}, "no repository"),
        ({"tag": "a/b"}, "no tag"),
        ({"executable": "/nowhere/busybox"}, "/nowhere/busybox"),
        ({"executable": "/bin/ls"}, "/bin/ls"),
        ({"executable": None}, "missing: executable, source"),
        ({"source": "/nowhere/archive"}, "mutually exclusive"),
        ({"executable": None, "source": "/nowhere/archive"}, "/nowhere/archive"),
        ({"executable": None, "source": "/dev/null"}, "/dev/null: no image"),
        ({"v1_platform": "amd64"}, "no platform"),
    ],
)
def test_bad_input_changes_nothing_and_says_why(
    capsys: Capture, tmp_path: Path, change: dict[str, str | None], reason: str
) -> None:
    asked = {"path": str(tmp_path / "tree"), "repository": "busybox", "executable": BUSYBOX, **change}
    result = run(capsys, {name: value for name, value in asked.items() if value is not None})
    assert result["failed"]
    assert reason in result["msg"]
    assert not (tmp_path / "tree").exists()


def test_a_damaged_archive_leaves_the_tree_as_it_is(capsys: Capture, tmp_path: Path, options: dict[str, Any]) -> None:
    run(capsys, options)
    before = {path: Path(options["path"], path).read_bytes() for path in names(options["path"])}
    made = Layout()
    image = made.image("a", "b")
    made.list(image)
    made.damage(image, bytes(image["size"]))
    bad = [entry("../../etc/cron.d/evil"), entry("disk", tarfile.BLKTYPE)]
    source = pack(tmp_path / "archive", made.files, bad)
    given = {"path": options["path"], "repository": "busybox", "source": str(source)}
    result = run(capsys, given)
    assert [each in result["msg"] for each in ("cron.d/evil", "'disk'", image["digest"][7:])] == [True] * 3
    assert {path: Path(options["path"], path).read_bytes() for path in names(options["path"])} == before
    assert not (tmp_path.parent / "etc").exists()


def test_an_index_is_served_whole_and_old_clients_get_the_platform_that_was_asked_for(
    capsys: Capture, tmp_path: Path, layout: Path
) -> None:
    given = {"path": str(tmp_path / "tree"), "repository": "team/app", "source": str(layout)}
    image = run(capsys, given)["image"]
    assert image["platforms"] == ["linux/arm64", "linux/amd64"]
    assert image["v1"]["platform"] == "linux/amd64"
    assert len(list((tmp_path / "tree/v2/team/app/manifests").glob("sha256:*"))) == 5
    other = run(capsys, {**given, "v1_platform": "linux/arm64"})
    assert (other["changed"], other["image"]["digest"]) == (True, image["digest"])
    assert other["image"]["v1"]["id"] != image["v1"]["id"]


def test_what_old_clients_can_not_have_is_told_and_no_failure(capsys: Capture, tmp_path: Path, layout: Path) -> None:
    given = {"path": str(tmp_path / "tree"), "repository": "a/b/c", "source": str(layout)}
    image = run(capsys, given)["image"]
    assert image["v1"] == {"id": None, "platform": "", "reason": "v1 has repositories of one part or two"}
    made = Layout()
    made.list(made.image("z", layer_type=f"{TAR_LAYER}+zstd"))
    source = str(lay(tmp_path / "zstd", made.files))
    assert "zstd" in run(capsys, {**given, "repository": "z", "source": source})["image"]["v1"]["reason"]


def test_images_and_tags_lie_side_by_side(capsys: Capture, tmp_path: Path, options: dict[str, Any]) -> None:
    made = Layout()
    made.list(made.image("a", **named("a:1")), made.image("b", **named("b:1")))
    source = str(pack(tmp_path / "both.tar.gz", made.files, zipped=True))
    run(capsys, options)
    for repository, tag, reference in (("a", "1", "a:1"), ("a/b", "1", "b:1"), ("a", "2", "b:1")):
        given = {"path": options["path"], "repository": repository, "tag": tag}
        assert run(capsys, {**given, "source": source, "reference": reference})["changed"]
    root = Path(options["path"])
    assert json.loads((root / "v2/_catalog").read_bytes()) == {"repositories": ["a", "a/b", "busybox"]}
    assert json.loads((root / "v2/a/tags/list").read_bytes()) == {"name": "a", "tags": ["1", "2"]}
    assert os.path.realpath(root / "v2/a/manifests/2") == os.path.realpath(root / "v2/a/b/manifests/1")
    before = names(options["path"])
    gone_tag = {"path": options["path"], "repository": "a", "tag": "1", "state": "absent"}
    assert run(capsys, gone_tag)["changed"]
    assert not run(capsys, gone_tag)["changed"]
    gone = before - names(options["path"])
    assert "v2/a/manifests/1" in gone
    assert not [path for path in gone if path.startswith(("v2/busybox", "v2/a/b/"))]


def test_a_saved_image_of_old_docker_is_served(capsys: Capture, tmp_path: Path) -> None:
    source = saved(tmp_path / "saved.tar", ["a", "b", "a"])
    given = {"path": str(tmp_path / "tree"), "repository": "busybox", "source": str(source)}
    assert run(capsys, given)["image"]["v1"]["id"]
    assert not run(capsys, {**given, "reference": "busybox:1"})["changed"]


def test_each_option_is_documented() -> None:
    documented = yaml.safe_load(image_tree.DOCUMENTATION)["options"]
    assert set(documented) == {
        *("path", "repository", "tag", "state", "executable", "source", "reference", "v1_platform", "keep"),
    }
    defaults = [documented[name]["default"] for name in ("tag", "v1_platform", "keep")]
    assert defaults == ["latest", "linux/amd64", 3600]


def test_each_value_that_is_returned_is_documented(capsys: Capture, options: dict[str, Any]) -> None:
    documented = yaml.safe_load(image_tree.RETURN)["image"]["contains"]
    image = run(capsys, options)["image"]
    assert set(documented) == set(image)
    assert set(documented["v1"]["contains"]) == set(image["v1"])
