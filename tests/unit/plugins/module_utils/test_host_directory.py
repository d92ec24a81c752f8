# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of reading a host directory as a client reads it."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._disk import LARGEST
from ansible_collections.fleet.certs_d.plugins.module_utils._host_directory import (
    HostDirectory,
    engine_faults,
    host_directory_names,
    read_host_directory,
)
from ansible_collections.fleet.certs_d.tests.unit.laid import huge
from ansible_collections.fleet.certs_d.tests.unit.material import Issued

Lay = Callable[..., HostDirectory]


@pytest.fixture
def lay(tmp_path: Path) -> Lay:
    """Lays files and reads them back."""

    def lay_and_read(**files: str) -> HostDirectory:
        for name, content in files.items():
            (tmp_path / name.replace("__", ".")).write_text(content)
        found = read_host_directory(str(tmp_path))
        assert found
        return found

    return lay_and_read


def codes(directory: HostDirectory) -> list[tuple[str, str]]:
    return [(finding.code, os.path.basename(finding.place)) for finding in engine_faults(directory)]


def test_a_sound_directory_has_no_faults(lay: Lay, ca: Issued, client: Issued) -> None:
    directory = lay(ca__crt=ca.certificate, a__cert=client.certificate, a__key=client.private_key)
    assert engine_faults(directory) == []


def test_the_order_is_that_of_the_bytes_of_whole_file_names(tmp_path: Path) -> None:
    stems = ["a", "a-b", "a.b", "10", "9", "B", "z", "é", ".05"]
    for stem in stems:
        (tmp_path / f"{stem}.cert").touch()
    directory = read_host_directory(str(tmp_path))
    assert directory
    read = [file.stem for file in directory.of_suffix(".cert")]
    assert read == [".05", "10", "9", "B", "a-b", "a.b", "a", "z", "é"]


def test_a_name_that_is_no_utf_8_is_read(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.crt")).write_text("junk")
    directory = read_host_directory(str(tmp_path))
    assert directory
    assert [os.fsencode(file.name) for file in directory.files] == [b"\xff.crt"]


@pytest.mark.parametrize("name", ["README", "a.cert.bak", "a.CERT", "a.pem", "cert", "crt"])
def test_other_names_are_ignored(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("junk")
    directory = read_host_directory(str(tmp_path))
    assert directory
    assert engine_faults(directory) == []


def test_a_junk_crt_is_told(lay: Lay) -> None:
    assert codes(lay(a__crt="junk")) == [("certificate-junk", "a.crt")]


def test_a_crt_is_junk_where_no_block_of_it_is_a_certificate(lay: Lay, client: Issued) -> None:
    block = "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n"
    junk = [block % "junk!", block % "anVuaw=="]
    assert codes(lay(a__crt=junk[0], b__crt=junk[1])) == [("certificate-junk", "a.crt"), ("certificate-junk", "b.crt")]


def test_a_certificate_among_junk_is_found(lay: Lay, client: Issued) -> None:
    block = "-----BEGIN CERTIFICATE-----\nanVuaw==\n-----END CERTIFICATE-----\n"
    assert codes(lay(a__crt=block + client.certificate, b__crt=client.certificate + block)) == []


def test_orphans_are_told(lay: Lay, client: Issued) -> None:
    directory = lay(a__cert=client.certificate, b__key=client.private_key)
    assert codes(directory) == [("key-missing", "a.cert"), ("certificate-missing", "b.key")]


def test_a_bad_pair_behind_a_sound_one_is_told(lay: Lay, client: Issued, other: Issued) -> None:
    directory = lay(
        a__cert=client.certificate, a__key=client.private_key, b__cert=client.certificate, b__key=other.private_key
    )
    assert codes(directory) == [("key-mismatch", "b.cert")]


def test_junk_and_encrypted_keys_are_told(lay: Lay, client: Issued) -> None:
    directory = lay(
        a__cert="junk",
        a__key=client.private_key,
        b__cert=client.certificate,
        b__key="junk",
        c__cert=client.certificate,
        c__key=client.encrypted_key,
    )
    assert [code for code, _place in codes(directory)] == ["certificate-junk", "key-junk", "key-encrypted"]


@pytest.mark.parametrize("suffix", [".crt", ".cert", ".key"])
def test_what_is_no_file_is_told_and_hangs_nobody(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"folder{suffix}").mkdir()
    (tmp_path / f"dangling{suffix}").symlink_to(tmp_path / "nowhere")
    (tmp_path / f"loop{suffix}").symlink_to(tmp_path / f"loop{suffix}")
    os.mkfifo(tmp_path / f"fifo{suffix}")
    directory = read_host_directory(str(tmp_path))
    assert directory
    assert codes(directory) == [
        ("dangling-link", f"dangling{suffix}"),
        ("not-a-file", f"fifo{suffix}"),
        ("not-a-file", f"folder{suffix}"),
        ("dangling-link", f"loop{suffix}"),
    ]


def test_files_of_any_size_are_told_and_not_read(tmp_path: Path) -> None:
    names = ["README", "a.cert", "a.key", "ca.crt", "hosts.toml"]
    for name in names:
        huge(tmp_path / name)
    tracemalloc.start()
    try:
        directory = read_host_directory(str(tmp_path))
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert directory
    assert codes(directory) == [("too-large", name) for name in names[1:]]
    assert peak < 3 * LARGEST


def test_a_file_of_the_largest_size_is_read(tmp_path: Path, client: Issued) -> None:
    (tmp_path / "ca.crt").write_text(client.certificate.ljust(LARGEST, "\n"))
    directory = read_host_directory(str(tmp_path))
    assert directory
    assert codes(directory) == []


def test_symlinks_are_followed(tmp_path: Path, client: Issued) -> None:
    elsewhere, home = tmp_path / "elsewhere", tmp_path / "home"
    elsewhere.mkdir()
    home.mkdir()
    for suffix, content in ((".cert", client.certificate), (".key", client.private_key)):
        (elsewhere / f"x{suffix}").write_text(content)
        (home / f"a{suffix}").symlink_to(elsewhere / f"x{suffix}")
    (tmp_path / "alias").symlink_to(home)
    directory = read_host_directory(str(tmp_path / "alias"))
    assert directory
    assert engine_faults(directory) == []
    assert (directory.files[0].content or b"").decode() == client.certificate


def test_no_private_key_stands_in_a_finding(lay: Lay, client: Issued, other: Issued) -> None:
    directory = lay(a__cert=client.certificate, a__key=other.private_key, b__key=other.private_key)
    told = " ".join(str(finding.as_data()) for finding in engine_faults(directory))
    assert other.private_key.splitlines()[1] not in told


def test_a_missing_directory_is_none_and_a_missing_root_is_empty(tmp_path: Path) -> None:
    assert read_host_directory(str(tmp_path / "nowhere")) is None
    assert host_directory_names(str(tmp_path / "nowhere")) == []


def test_host_directories_are_found_hidden_ones_and_files_left_out(tmp_path: Path) -> None:
    for name in ("b:5000", "a", ".fleet-certs-d.b"):
        (tmp_path / name).mkdir()
    (tmp_path / "README").touch()
    (tmp_path / "c").symlink_to(tmp_path / "a")
    assert host_directory_names(str(tmp_path)) == ["a", "b:5000", "c"]


def test_what_goes_while_it_is_read_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.crt").touch()
    monkeypatch.setattr(os, "listdir", lambda _path: ["a.crt", "gone.cert"])
    found = read_host_directory(str(tmp_path))
    assert found
    assert [file.name for file in found.files] == ["a.crt"]


def test_a_folder_in_the_place_of_hosts_toml_is_told(tmp_path: Path) -> None:
    (tmp_path / "hosts.toml").mkdir()
    found = read_host_directory(str(tmp_path))
    assert found
    assert codes(found) == [("not-a-file", "hosts.toml")]
