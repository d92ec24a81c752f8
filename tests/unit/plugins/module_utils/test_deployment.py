# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import errno
import os
import stat
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fleet.certs_d.plugins.module_utils import _swap
from ansible_collections.fleet.certs_d.plugins.module_utils._deployment import deploy
from ansible_collections.fleet.certs_d.plugins.module_utils._plan import Owner, Plan
from ansible_collections.fleet.certs_d.plugins.module_utils._wanted import WantedDirectory, WantedPair, WantedRoots

ME = Owner(os.geteuid(), os.getegid())
NAMES = st.sampled_from(["10-old", "20-new", "client", "client-b", "ca"])
CONTENTS = st.text("abc\n", max_size=6)
FOUND_NAMES = st.sampled_from(
    ["10-old.cert", "10-old.key", "ca.crt", "README", "stray.cert", ".hidden.key", "client.key"]
)
MODES = st.sampled_from([0o600, 0o644, 0o400, 0o777])


def directory(
    roots: dict[str, str], pairs: dict[str, tuple[str, str]], name: str = "registry.lab:5000"
) -> WantedDirectory:
    return WantedDirectory(
        name,
        tuple(WantedRoots(stem, content, ()) for stem, content in roots.items()),
        tuple(WantedPair(stem, certificate, (), key) for stem, (certificate, key) in pairs.items()),
    )


WANTED = directory({"ca": "root"}, {"10-old": ("certificate", "secret"), "20-new": ("certificate 2", "secret 2")})
DIRECTORIES = st.builds(
    directory,
    st.dictionaries(NAMES, CONTENTS, max_size=2),
    st.dictionaries(NAMES, st.tuples(CONTENTS, CONTENTS), max_size=3),
)


def run(*wanted: WantedDirectory, root: Path, purge: bool = False, check: bool = False) -> list[Plan]:
    return list(deploy(wanted, root=str(root), owner=ME, purge_files=purge, dry_run=check))


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    files = [path for path in root.rglob("*") if not path.is_dir()]
    return {str(path.relative_to(root)): (stat.S_IMODE(path.lstat().st_mode), path.read_bytes()) for path in files}


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


def test_no_word_of_a_key_stands_in_plan_findings_or_diff(tmp_path: Path) -> None:
    run(WANTED, root=tmp_path)
    (tmp_path / WANTED.name / "10-old.key").write_text("other secret")
    (plan,) = run(WANTED, root=tmp_path, check=True)
    assert plan.changed
    assert "10-old.key 0600" in plan.diff["before"]
    assert "not the one that is wanted" in plan.diff["before"]
    assert "secret" not in str(plan.diff) + str(plan.findings)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_modes_do_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    old = os.umask(umask)
    try:
        run(WANTED, root=tmp_path / "docker" / "certs.d")
    finally:
        os.umask(old)
    modes = {name: mode for name, (mode, _content) in tree(tmp_path / "docker" / "certs.d" / WANTED.name).items()}
    assert modes == {
        "ca.crt": 0o644,
        "10-old.cert": 0o644,
        "10-old.key": 0o600,
        "20-new.cert": 0o644,
        "20-new.key": 0o600,
    }
    assert stat.S_IMODE((tmp_path / "docker").stat().st_mode) == 0o755


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


def test_what_a_killed_run_left_goes_away(tmp_path: Path) -> None:
    run(WANTED, root=tmp_path)
    stage = tmp_path / f".fleet-certs-d.{WANTED.name}"
    stage.mkdir()
    (stage / "10-old.key").write_text("half")
    run(WANTED, root=tmp_path)
    assert os.listdir(tmp_path) == [WANTED.name]


def test_an_old_directory_that_a_killed_run_put_aside_comes_back(tmp_path: Path) -> None:
    run(WANTED, root=tmp_path)
    (tmp_path / WANTED.name / "README").write_text("by hand")
    (tmp_path / WANTED.name).rename(tmp_path / f".fleet-certs-d.{WANTED.name}..old")
    run(WANTED, root=tmp_path)
    assert (tmp_path / WANTED.name / "README").read_text() == "by hand"


def test_a_failure_in_one_registry_leaves_all_as_before(tmp_path: Path) -> None:
    good = directory({"ca": "root"}, {}, name="a.lab:5000")
    (tmp_path / "b.lab:5000").write_text("a file stands where the directory belongs")
    with pytest.raises(OSError, match=r"b\.lab"):
        run(good, directory({"ca": "root"}, {}, name="b.lab:5000"), root=tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["b.lab:5000"]


def test_a_failed_first_install_leaves_no_root_behind(tmp_path: Path) -> None:
    too_long = directory({"n" * 300: "root"}, {})
    with pytest.raises(OSError, match="too long"):
        run(too_long, root=tmp_path / "docker" / "certs.d")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_never_sees_a_mixed_directory(tmp_path: Path) -> None:
    """The certificate names its key: a reader that opens the directory once must find the two halves together."""
    states = [directory({}, {"10": (f"pair {number}", f"pair {number}")}) for number in range(2)]
    run(states[0], root=tmp_path)
    path, mixed, reads, done = tmp_path / WANTED.name, [], [0], threading.Event()

    def read() -> None:
        while not done.is_set():
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            halves = []
            for name in ("10.cert", "10.key"):
                try:
                    file = os.open(name, os.O_RDONLY, dir_fd=descriptor)
                except FileNotFoundError:
                    # the old directory is being removed after the exchange; a client that came that late looks again
                    break
                halves.append(os.read(file, 100))
                os.close(file)
            os.close(descriptor)
            reads[0] += 1
            if len(set(halves)) > 1:
                mixed.append(halves)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(200):
        run(states[(number + 1) % 2], root=tmp_path)
    done.set()
    reader.join()
    assert reads[0] > 100
    assert mixed == []


def test_an_interrupted_exchange_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("a.lab:5000", "b.lab:5000")
    run(*(directory({"ca": "old"}, {}, name=name) for name in names), root=tmp_path)
    exchange = _swap._rename_exchange

    def interrupt(stage: str, path: str) -> None:
        if path.endswith(names[1]):
            raise KeyboardInterrupt
        exchange(stage, path)

    monkeypatch.setattr(_swap, "_rename_exchange", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(*(directory({"ca": "new"}, {}, name=name) for name in names), root=tmp_path)
    assert sorted(os.listdir(tmp_path)) == list(names)
    assert [(tmp_path / name / "ca.crt").read_text() for name in names] == ["old", "old"]


def test_two_renames_take_the_place_of_an_exchange_that_the_file_system_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lack(stage: str, path: str) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)

    monkeypatch.setattr(_swap, "_rename_exchange", lack)
    run(directory({"ca": "old"}, {}), root=tmp_path)
    run(directory({"ca": "new"}, {}), root=tmp_path)
    assert os.listdir(tmp_path) == [WANTED.name]
    assert (tmp_path / WANTED.name / "ca.crt").read_text() == "new"


def test_a_name_as_long_as_a_file_name_can_be_is_deployed(tmp_path: Path) -> None:
    long = ".".join(["a" * 49] * 5)
    run(directory({"ca": "root"}, {}, name=long), root=tmp_path)
    run(directory({"ca": "new"}, {}, name=long), root=tmp_path)
    assert os.listdir(tmp_path) == [long]
