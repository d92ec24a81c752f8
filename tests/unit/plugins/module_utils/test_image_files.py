# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a source: read from the first byte to the last, and nothing unpacked."""

from __future__ import annotations

import gzip
import os
import tarfile
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.certs_d.plugins.module_utils import _image_files
from ansible_collections.fleet.certs_d.plugins.module_utils._image_files import Archive, files_at
from ansible_collections.fleet.certs_d.plugins.module_utils._oci_image import InvalidImage, digest_of
from ansible_collections.fleet.certs_d.tests.unit.images import archive, entry, lay, pack

FILES = {"index.json": b'{"a": 1}', "blobs/sha256/aa": os.urandom(3000), "empty": b"", "block": bytes(512)}


@pytest.fixture(params=["directory", "archive", "gzipped archive"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "directory":
        return str(lay(tmp_path / "layout", FILES))
    return str(pack(tmp_path / "archive", FILES, zipped=request.param == "gzipped archive"))


def test_every_kind_of_source_tells_the_same(source: str) -> None:
    files = files_at(source)
    for name, content in FILES.items():
        assert files.fault(name) == ""
        assert (files.size(name), files.digest(name)) == (len(content), digest_of(content))
    read = {name: b"".join(content) for name, content in files.read(["empty", "blobs/sha256/aa", "block"])}
    assert read == {name: FILES[name] for name in ("empty", "blobs/sha256/aa", "block")}
    assert files.document("index.json") == FILES["index.json"]
    assert "missing" in files.fault("nothing")
    assert "leads out" in files.fault("../index.json")
    assert "leads out" in files.fault("/etc/passwd")
    assert not files.problems


def test_all_that_is_told_of_a_file_is_of_one_reading(source: str) -> None:
    files = files_at(source)
    digest = files.digest("index.json")
    if os.path.isdir(source):
        Path(source, "index.json").write_bytes(b'{"another": 22}')
    assert files.document("index.json") == FILES["index.json"]
    assert (files.size("index.json"), files.digest("index.json")) == (len(FILES["index.json"]), digest)


def test_a_name_with_a_dot_before_it_is_the_same_name(tmp_path: Path) -> None:
    files = files_at(str(pack(tmp_path / "archive", {"./index.json": b"{}"}, [entry("./", tarfile.DIRTYPE)])))
    assert (files.fault("index.json"), files.problems) == ("", [])


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_within_the_archive_stands_for_what_it_leads_to(tmp_path: Path, kind: bytes) -> None:
    target = "../a/layer.tar" if kind == tarfile.SYMTYPE else "a/layer.tar"
    links = [entry("b/layer.tar", kind, target), entry("c/layer.tar", tarfile.SYMTYPE, "../b/layer.tar")]
    files = files_at(str(pack(tmp_path / "archive", {"a/layer.tar": b"layer"}, links)))
    assert files.problems == []
    assert files.digest("c/layer.tar") == digest_of(b"layer")
    read = [(name, b"".join(content)) for name, content in files.read(["c/layer.tar"])]
    assert read == [("c/layer.tar", b"layer")]


def test_links_that_lead_to_each_other_lead_nowhere(tmp_path: Path) -> None:
    links = [entry("a", tarfile.SYMTYPE, "b"), entry("b", tarfile.SYMTYPE, "a")]
    assert files_at(str(pack(tmp_path / "archive", {}, links))).fault("a") == "is missing"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (entry("../evil"), "leads out"),
        (entry("a/../../evil"), "leads out"),
        (entry("/etc/cron.d/evil"), "leads out"),
        (entry("a/link", tarfile.SYMTYPE, "../../evil"), "link that leads out"),
        (entry("link", tarfile.SYMTYPE, "/etc/passwd"), "link that leads out"),
        (entry("link", tarfile.LNKTYPE, "../etc/passwd"), "link that leads out"),
        (entry("device", tarfile.BLKTYPE), "special"),
        (entry("console", tarfile.CHRTYPE), "special"),
        (entry("pipe", tarfile.FIFOTYPE), "special"),
        (entry("/".join("deep" for _level in range(17))), "deeper"),
    ],
)
def test_an_entry_that_no_image_has_is_told_by_name(tmp_path: Path, bad: tarfile.TarInfo, reason: str) -> None:
    (problem,) = files_at(str(pack(tmp_path / "archive", FILES, [bad]))).problems
    assert reason in problem
    assert repr(bad.name) in problem


def test_all_such_entries_are_told(tmp_path: Path) -> None:
    bad = [entry("../one"), entry("two", tarfile.FIFOTYPE)]
    assert len(files_at(str(pack(tmp_path / "archive", FILES, bad))).problems) == 2


def test_a_name_that_is_there_twice_must_have_the_same_content(tmp_path: Path) -> None:
    path = tmp_path / "archive"
    with tarfile.open(path, "w") as made:
        for content in (b"x", b"x", b"y"):
            one = tmp_path / "one"
            one.write_bytes(content)
            made.add(one, "one")
    (problem,) = files_at(str(path)).problems
    assert "twice" in problem


@pytest.mark.parametrize("zipped", [False, True])
def test_wherever_an_archive_is_cut_off_it_is_refused(tmp_path: Path, zipped: bool) -> None:
    path = pack(tmp_path / "archive", {"index.json": b'{"a": 1}', "b": bytes(700)}, zipped=zipped)
    content = path.read_bytes()
    # What follows the first block of zeros says nothing.
    end = len(content) if zipped else 2048 + 512 + 512
    for length in [*range(0, end, 7), end - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(InvalidImage, match="damaged or cut off"):
            files_at(str(path))


@given(st.integers(0, 4095), st.binary(min_size=1, max_size=40), st.booleans())
def test_whatever_is_damaged_nothing_else_than_a_reason_comes_of_it(
    tmp_path_factory: pytest.TempPathFactory, place: int, junk: bytes, zipped: bool
) -> None:
    content = bytearray(archive(FILES))
    content = bytearray(gzip.compress(bytes(content), mtime=0)) if zipped else content
    place %= len(content)
    content[place : place + len(junk)] = junk
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content)
    try:
        files = files_at(str(path))
        for name in FILES:
            if not files.fault(name):
                files.digest(name)
    except InvalidImage:
        pass


def test_junk_between_entries_is_not_taken_for_the_end(tmp_path: Path) -> None:
    content = bytearray(archive({"index.json": b"{}", "blob": b"x"}))
    content[1024:1536] = b"\xff" * 512
    (tmp_path / "archive").write_bytes(content)
    with pytest.raises(InvalidImage, match=r"after the entry 'index\.json'"):
        files_at(str(tmp_path / "archive"))


def test_a_compressed_stream_is_read_to_its_checksum(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(archive(FILES)))
    content[-6] ^= 1
    (tmp_path / "archive").write_bytes(content)
    with pytest.raises(InvalidImage, match="CRC"):
        files_at(str(tmp_path / "archive"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"BZh91AY", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"\x28\xb5\x2f\xfd\0", "zstd"),
        (b"", "empty"),
        (b"PK\3\4" + bytes(2000), "damaged"),
    ],
)
def test_other_files_are_told_from_archives(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "archive").write_bytes(content)
    with pytest.raises(InvalidImage, match=reason):
        files_at(str(tmp_path / "archive"))


def test_a_pipe_does_not_hang_the_run(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidImage, match="neither"):
        files_at(str(tmp_path / "pipe"))


def test_a_header_that_announces_gigabytes_is_refused_before_they_are_read(tmp_path: Path) -> None:
    announced = entry("name", tarfile.XHDTYPE)
    announced.size = 1 << 30
    packer = zlib.compressobj(9, wbits=31)
    with (tmp_path / "archive").open("wb") as stream:
        stream.write(packer.compress(announced.tobuf(tarfile.USTAR_FORMAT)))
        for _megabyte in range(64):
            stream.write(packer.compress(bytes(1 << 20)))
        stream.write(packer.flush())
    with pytest.raises(InvalidImage, match="too long"):
        files_at(str(tmp_path / "archive"))


def test_a_large_file_is_never_held_as_a_whole(tmp_path: Path) -> None:
    path = pack(tmp_path / "archive", {"large": b"{" + bytes(24 << 20)}, zipped=True)
    tracemalloc.start()
    try:
        files = files_at(str(path))
        for _name, content in files.read(["large"]):
            assert sum(map(len, content)) == (24 << 20) + 1
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 12 << 20
    assert files.document("large") is None


def test_more_entries_than_an_image_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_image_files, "_MOST_ENTRIES", 4)
    assert isinstance(files_at(str(pack(tmp_path / "archive", dict(list(FILES.items())[:3])))), Archive)
    with pytest.raises(InvalidImage, match="entries"):
        files_at(str(pack(tmp_path / "archive", {**FILES, "one": b"", "more": b""})))


def test_more_json_than_an_image_has_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_image_files, "_MOST_DOCUMENTS", 10)
    with pytest.raises(InvalidImage, match="JSON"):
        files_at(str(pack(tmp_path / "archive", {"a": b"{        }", "b": b"[1]"})))


def test_a_link_may_not_lead_out_of_a_directory(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    lay(tmp_path / "layout", FILES)
    (tmp_path / "layout/outside").symlink_to("../secret")
    (tmp_path / "layout/inside").symlink_to("index.json")
    (tmp_path / "layout/nowhere").symlink_to("nothing")
    files = files_at(str(tmp_path / "layout"))
    assert "leads out" in files.fault("outside")
    assert files.fault("inside") == ""
    assert files.fault("nowhere") == "is missing"
    assert files.fault("blobs") == "is no file"
