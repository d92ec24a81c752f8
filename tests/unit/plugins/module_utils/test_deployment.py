# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of a deployment as a whole: any found state becomes the wanted one."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import read_certificates
from ansible_collections.fleet.certs_d.plugins.module_utils._deployment import Refused, Target, deploy
from ansible_collections.fleet.certs_d.plugins.module_utils._engines import ENGINES
from ansible_collections.fleet.certs_d.plugins.module_utils._wanted import WantedDirectory, WantedPair
from ansible_collections.fleet.certs_d.tests.unit.laid import ME, PLAIN, WANTED, deployment, directory, lay, run, tree
from ansible_collections.fleet.certs_d.tests.unit.material import Issued

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
    purge=st.sampled_from(["none", "files", "registries"]),
    engine=st.sampled_from(sorted(ENGINES)),
    fallback=st.booleans(),
)
def test_any_found_state_converges_in_one_run(
    wanted: WantedDirectory, found: dict[str, tuple[str, int]], purge: str, engine: str, fallback: bool
) -> None:
    with tempfile.TemporaryDirectory() as base:
        root = Path(base) / "certs.d"
        host_directory = root / wanted.name
        host_directory.mkdir(parents=True)
        for name, (content, mode) in found.items():
            (host_directory / name).write_text(content)
            (host_directory / name).chmod(mode)
        (root / "further.lab").mkdir()
        before = tree(host_directory)
        terms = PLAIN._replace(purge=purge, fallback=fallback)
        (plan, *_others) = lay(wanted, root=root, engine=engine, terms=terms)
        expected = before if purge == "none" else {}
        expected |= {file.name: (file.mode, file.content) for file in plan.directory.files}
        assert tree(host_directory) == expected
        assert set(plan.directory.files) >= set(wanted.files)
        assert stat.S_IMODE(host_directory.stat().st_mode) == 0o755
        assert set(os.listdir(root)) == {wanted.name} | (set() if purge == "registries" else {"further.lab"})
        assert not any(plan.changed for plan in lay(wanted, root=root, engine=engine, terms=terms))


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


def absent(name: str) -> WantedDirectory:
    return WantedDirectory(name, (), (), is_present=False)


def test_an_absent_registry_goes_away_with_all_that_lies_in_it(tmp_path: Path) -> None:
    run(WANTED, root=tmp_path)
    (tmp_path / WANTED.name / "README").write_text("by hand")
    (plan,) = run(absent(WANTED.name), root=tmp_path)
    assert plan.changed
    assert "README" in plan.diff["before"]
    assert plan.diff["after"] == ""
    assert os.listdir(tmp_path) == []
    assert not run(absent(WANTED.name), root=tmp_path)[0].changed


def test_check_mode_removes_nothing(tmp_path: Path) -> None:
    run(WANTED, root=tmp_path)
    (plan,) = run(absent(WANTED.name), root=tmp_path, check=True)
    assert plan.changed
    assert os.listdir(tmp_path) == [WANTED.name]


def test_further_host_directories_stay_and_are_told(tmp_path: Path) -> None:
    (tmp_path / "other.lab").mkdir()
    (tmp_path / ".hidden").mkdir()
    told = deployment(WANTED, root=tmp_path)
    assert [(finding.code, finding.place) for finding in told.findings] == [
        ("unmanaged-registry", str(tmp_path / "other.lab"))
    ]
    assert sorted(os.listdir(tmp_path)) == [".hidden", "other.lab", WANTED.name]


@pytest.mark.parametrize("dry_run", [True, False])
def test_purge_registries_removes_them_and_shows_it_first(tmp_path: Path, dry_run: bool) -> None:
    (tmp_path / "other.lab").mkdir()
    (tmp_path / "file").write_text("no host directory")
    terms = PLAIN._replace(purge="registries", dry_run=dry_run)
    plans = lay(WANTED, root=tmp_path, terms=terms)
    assert [(plan.directory.name, plan.changed) for plan in plans] == [(WANTED.name, True), ("other.lab", True)]
    left = {"other.lab", "file"} if dry_run else {WANTED.name, "file"}
    assert set(os.listdir(tmp_path)) == left


def test_purge_registries_empties_a_root_of_which_nothing_is_wanted(tmp_path: Path) -> None:
    run(WANTED, root=tmp_path)
    lay(root=tmp_path, terms=PLAIN._replace(purge="registries"))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("engine", "fallback", "has_one"),
    [("docker", False, False), ("docker", True, True), ("containers", True, False), ("containerd", False, True)],
)
def test_hosts_toml_lies_where_the_engine_reads_it(tmp_path: Path, engine: str, fallback: bool, has_one: bool) -> None:
    terms = PLAIN._replace(fallback=fallback)
    lay(WANTED, root=tmp_path, engine=engine, terms=terms)
    assert (tmp_path / WANTED.name / "hosts.toml").exists() is has_one
    assert not lay(WANTED, root=tmp_path, engine=engine, terms=terms)[0].changed


def test_a_fallback_that_is_wanted_no_more_leaves_with_its_file_when_files_are_purged(tmp_path: Path) -> None:
    lay(WANTED, root=tmp_path, terms=PLAIN._replace(fallback=True))
    lay(WANTED, root=tmp_path, terms=PLAIN._replace(purge="files"))
    assert not (tmp_path / WANTED.name / "hosts.toml").exists()


def test_all_engines_are_laid_or_none(tmp_path: Path) -> None:
    targets = [Target(ENGINES["docker"], str(tmp_path / "a")), Target(ENGINES["containers"], str(tmp_path / "b"))]
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / WANTED.name).write_text("a file stands where the directory belongs")
    with pytest.raises(OSError, match=r"/b/"):
        deploy([WANTED], targets, PLAIN)
    assert sorted(os.listdir(tmp_path)) == ["b"]
    (tmp_path / "b" / WANTED.name).unlink()
    done = deploy([WANTED], targets, PLAIN).done
    assert [(engine.name, each.plan.path) for engine, each in done] == [
        ("docker", str(tmp_path / "a" / WANTED.name)),
        ("containers", str(tmp_path / "b" / WANTED.name)),
    ]
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def half(client: Issued) -> WantedDirectory:
    """A pair whose key is the node's to find."""
    chain = tuple(read_certificates(client.certificate))
    return WantedDirectory("registry.lab:5000", (), (WantedPair("10", client.certificate, chain, None),))


def test_an_installed_key_stays_and_is_taken_over_for_another_engine(tmp_path: Path, client: Issued) -> None:
    run(directory({}, {"10": (client.certificate, client.private_key)}), root=tmp_path / "docker")
    docker = Target(ENGINES["docker"], str(tmp_path / "docker"))
    podman = Target(ENGINES["containers"], str(tmp_path / "containers"))
    done = deploy([half(client)], [docker, podman], PLAIN).done
    assert [each.plan.changed for _engine, each in done] == [False, True]
    assert (tmp_path / "containers" / WANTED.name / "10.key").read_text() == client.private_key


def test_a_pair_for_which_no_key_is_found_is_refused_and_nothing_is_changed(
    tmp_path: Path, client: Issued, other: Issued
) -> None:
    run(directory({}, {"10": (other.certificate, other.private_key)}), root=tmp_path)
    before = tree(tmp_path)
    with pytest.raises(Refused) as caught:
        run(half(client), root=tmp_path)
    assert [(finding.code, finding.place) for finding in caught.value.findings] == [
        ("key-missing", "registry.lab:5000/10.cert")
    ]
    assert tree(tmp_path) == before
    with pytest.raises(Refused):
        run(half(client), root=tmp_path, check=True)


def test_a_symlinked_host_directory_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "README").write_text("somebody's")
    root = tmp_path / "certs.d"
    root.mkdir()
    (root / WANTED.name).symlink_to(tmp_path / "elsewhere")
    told = deployment(WANTED, root=root)
    assert [finding.code for finding in told.findings] == ["linked-directory"]
    assert not (root / WANTED.name).is_symlink()
    assert "README" not in os.listdir(root / WANTED.name)
    assert os.listdir(tmp_path / "elsewhere") == ["README"]
    assert os.listdir(root) == [WANTED.name]


def test_a_directory_that_another_one_hides_is_told(tmp_path: Path) -> None:
    (tmp_path / "registry.lab_5000_").mkdir()
    told = deployment(WANTED, root=tmp_path, engine="containerd")
    shadowed = [finding for finding in told.findings if finding.code == "shadowed"]
    assert [finding.place for finding in shadowed] == [str(tmp_path / WANTED.name)]
    assert "registry.lab_5000_" in shadowed[0].detail


def test_folders_of_unmanaged_files_keep_their_owner_and_mode(tmp_path: Path) -> None:
    folder = tmp_path / WANTED.name / "folder"
    folder.mkdir(parents=True)
    folder.chmod(0o2770)
    os.chown(folder, ME.user, 12345 if ME.user == 0 else -1)
    before = folder.stat()
    run(WANTED, root=tmp_path)
    after = folder.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
