# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of a deployment as a whole: any found state becomes the wanted one."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fleet.certs_d.plugins.module_utils._wanted import WantedDirectory
from ansible_collections.fleet.certs_d.tests.unit.laid import WANTED, directory, run, tree

NAMES = st.sampled_from(["10-old", "20-new", "client", "client-b", "ca"])
CONTENTS = st.text("abc\n", max_size=6)
FOUND_NAMES = st.sampled_from(
    ["10-old.cert", "10-old.key", "ca.crt", "README", "stray.cert", ".hidden.key", "client.key"]
)
MODES = st.sampled_from([0o600, 0o644, 0o400, 0o777])
DIRECTORIES = st.builds(
    directory,
    st.dictionaries(NAMES, CONTENTS, max_size=2),
    st.dictionaries(NAMES, st.tuples(CONTENTS, CONTENTS), max_size=3),
)


@settings(deadline=None, max_examples=150)
@given(
    wanted=DIRECTORIES,
    found=st.dictionaries(FOUND_NAMES, st.tuples(CONTENTS, MODES), max_size=5),
    purge=st.booleans(),
)
def test_any_found_state_converges_in_one_run(
    wanted: WantedDirectory, found: dict[str, tuple[str, int]], purge: bool
) -> None:
    with tempfile.TemporaryDirectory() as base:
        root = Path(base) / "certs.d"
        host_directory = root / wanted.name
        host_directory.mkdir(parents=True)
        for name, (content, mode) in found.items():
            (host_directory / name).write_text(content)
            (host_directory / name).chmod(mode)
        before = tree(host_directory)
        run(wanted, root=root, purge=purge)
        expected = {} if purge else before
        expected |= {file.name: (file.mode, file.content) for file in wanted.files}
        assert tree(host_directory) == expected
        assert stat.S_IMODE(host_directory.stat().st_mode) == 0o755
        assert os.listdir(root) == [wanted.name]
        assert not any(plan.changed for plan in run(wanted, root=root, purge=purge))


def test_check_mode_tells_the_change_and_makes_none(tmp_path: Path) -> None:
    (plan,) = run(WANTED, root=tmp_path / "etc" / "certs.d", check=True)
    assert plan.changed
    assert list(tmp_path.iterdir()) == []


def test_unmanaged_files_are_carried_over_and_told(tmp_path: Path) -> None:
    host_directory = tmp_path / WANTED.name
    host_directory.mkdir()
    (host_directory / "README").write_text("by hand")
    (host_directory / "link").symlink_to("README")
    (host_directory / "folder").mkdir()
    (host_directory / "folder" / "note").write_text("by hand, too")
    inode = (host_directory / "README").stat().st_ino
    (plan,) = run(WANTED, root=tmp_path)
    assert [Path(finding.place).name for finding in plan.findings] == ["README", "folder", "link"]
    assert (host_directory / "README").stat().st_ino == inode
    assert os.readlink(host_directory / "link") == "README"
    assert (host_directory / "folder" / "note").read_text() == "by hand, too"


def test_a_symlink_in_place_of_a_file_is_replaced_and_its_target_left_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("certificate")
    host_directory = tmp_path / "certs.d" / WANTED.name
    host_directory.mkdir(parents=True)
    (host_directory / "10-old.cert").symlink_to(elsewhere)
    run(WANTED, root=tmp_path / "certs.d")
    assert not (host_directory / "10-old.cert").is_symlink()
    assert elsewhere.read_text() == "certificate"
