# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the throw-away PKI as a whole."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.plugin_utils import _key_files as files
from ansible_collections.fleet.certs_d.plugins.plugin_utils import _throwaway_pki
from ansible_collections.fleet.certs_d.plugins.plugin_utils._check import check
from ansible_collections.fleet.certs_d.plugins.plugin_utils._cryptography import CryptographyMissing
from ansible_collections.fleet.certs_d.plugins.plugin_utils._pki_tree import Place, read_tree
from ansible_collections.fleet.certs_d.plugins.plugin_utils._throwaway_pki import Order, PkiError, Report, fill, order
from ansible_collections.fleet.certs_d.tests.unit.material import NOW, Issued

LAB: dict[str, Any] = {
    "name": "registry.lab:5000",
    "server_names": None,
    "hosts": ["node1", "node2"],
    "pairs": ["10-old", "20-new"],
}
BARE: dict[str, Any] = {"name": "localhost", "server_names": None, "hosts": None, "pairs": ["client"]}


def arguments(*registries: dict[str, Any], **options: int) -> dict[str, Any]:
    return {"registries": list(registries), "valid_days": 90, "renew_days": 30, **options}


def ordered(root: Path, *registries: dict[str, Any], **options: int) -> Order:
    wanted = arguments(*registries, **options)
    return order(wanted, path=str(root / "pki"), authority=str(root / "authority"))


def run(root: Path, *, days: int = 0, dry_run: bool = False) -> Report:
    return fill(ordered(root, LAB, BARE), now=NOW + timedelta(days=days), dry_run=dry_run)


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and content of each file."""
    found = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path.relative_to(root)): (path.stat().st_mode & 0o777, path.read_bytes()) for path in found}


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def test_it_lays_the_tree_and_the_authority_with_their_modes(tmp_path: Path) -> None:
    assert run(tmp_path).changed
    modes = {path: oct(mode) for path, (mode, _content) in snapshot(tmp_path).items()}
    clients = [f"pki/registry.lab:5000/hosts/{node}/{pair}" for node in ("node1", "node2") for pair in LAB["pairs"]]
    servers = [f"authority/servers/{name}/server" for name in ("registry.lab:5000", "localhost")]
    copies = [f"pki/{name}/all/ca.crt" for name in ("registry.lab:5000", "localhost")]
    assert modes == {
        **{f"{pair}.cert": "0o644" for pair in clients},
        **{f"{server}.crt": "0o644" for server in [*servers, "authority/ca"]},
        **{f"{each}.key": "0o600" for each in [*clients, *servers, "authority/ca"]},
        **dict.fromkeys(copies, "0o644"),
    }
    assert (tmp_path / "authority").stat().st_mode & 0o777 == 0o700


def test_each_host_finds_a_layout_without_fault_in_the_tree(tmp_path: Path) -> None:
    run(tmp_path)
    registries, findings = read_tree(
        str(tmp_path / "pki"), Place("node1", []), read_text=lambda path: Path(path).read_text()
    )
    assert [*findings, *check(registries, now=NOW)] == []
    assert [pair.name for pair in registries[1].client_pairs] == ["10-old", "20-new"]


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    first = run(tmp_path)
    before = snapshot(tmp_path)
    second = run(tmp_path)
    assert not second.changed
    assert second.diff() == {"before": "", "after": ""}
    assert snapshot(tmp_path) == before
    assert [each.as_data(NOW) for each in second.certificates] == [each.as_data(NOW) for each in first.certificates]


def test_a_dry_run_tells_the_same_and_writes_nothing(tmp_path: Path) -> None:
    told = run(tmp_path, dry_run=True)
    assert list(tmp_path.iterdir()) == []
    assert told.changed
    assert told.certificates[0].as_data(NOW)["fingerprint"] is None
    made = run(tmp_path)
    assert [(each.path, each.subject) for each in told.certificates] == [
        (each.path, each.subject) for each in made.certificates
    ]
    assert not run(tmp_path, dry_run=True).changed


def test_the_result_tells_path_subject_and_dates(tmp_path: Path) -> None:
    data = {each.path: each.as_data(NOW) for each in run(tmp_path).certificates}
    pair = data[f"{tmp_path}/pki/registry.lab:5000/hosts/node1/10-old.cert"]
    assert pair["subject"] == "CN=node1,OU=10-old,O=registry.lab:5000"
    assert pair["days_left"] == 90
    assert set(pair) == {"path", "subject", "fingerprint", "not_before", "not_after", "days_left"}
    assert len(data) == 1 + 2 + 4


def test_no_key_is_in_result_or_diff(tmp_path: Path) -> None:
    report = run(tmp_path)
    told = repr([report, report.diff(), [each.as_data(NOW) for each in report.certificates]])
    for path, (_mode, content) in snapshot(tmp_path).items():
        if path.endswith(".key"):
            assert not [line for line in content.decode().split("\n") if len(line) > 8 and line in told]


def test_expiring_certificates_are_renewed_and_the_ca_stays(tmp_path: Path) -> None:
    run(tmp_path)
    before = snapshot(tmp_path)
    assert not run(tmp_path, days=60).changed
    assert run(tmp_path, days=61).changed
    after = snapshot(tmp_path)
    assert not {path for path in changed(before, after) if path.endswith(("ca.crt", "ca.key"))}
    assert len(changed(before, after)) == 2 * 6


def test_a_new_ca_replaces_all_that_the_old_one_issued(tmp_path: Path) -> None:
    run(tmp_path)
    before = snapshot(tmp_path)
    shutil.rmtree(tmp_path / "authority")
    run(tmp_path)
    assert changed(before, snapshot(tmp_path)) == set(before)
    assert not run(tmp_path).changed


@pytest.mark.parametrize("half", ["cert", "key"])
@pytest.mark.parametrize("spoil", ["remove", "junk", "other"])
def test_one_spoilt_half_gets_that_pair_made_anew_and_no_other(tmp_path: Path, half: str, spoil: str) -> None:
    run(tmp_path)
    before = snapshot(tmp_path)
    folder = tmp_path / "pki" / "registry.lab:5000" / "hosts"
    file = folder / "node1" / f"10-old.{half}"
    if spoil == "remove":
        file.unlink()
    else:
        file.write_bytes(b"junk" if spoil == "junk" else (folder / "node2" / f"10-old.{half}").read_bytes())
    assert run(tmp_path).changed
    pair = "pki/registry.lab:5000/hosts/node1/10-old"
    assert changed(before, snapshot(tmp_path)) == {f"{pair}.cert", f"{pair}.key"}
    assert not run(tmp_path).changed


def test_a_ca_copy_that_differs_is_put_right(tmp_path: Path) -> None:
    run(tmp_path)
    before = snapshot(tmp_path)
    (tmp_path / "pki" / "localhost" / "all" / "ca.crt").write_text("junk")
    assert run(tmp_path).copies == (f"{tmp_path}/pki/localhost/all/ca.crt",)
    assert snapshot(tmp_path) == before


def test_keys_that_somebody_opened_to_others_are_closed_again(tmp_path: Path) -> None:
    run(tmp_path)
    before = snapshot(tmp_path)
    (tmp_path / "authority" / "ca.key").chmod(0o644)
    (tmp_path / "authority").chmod(0o755)
    report = run(tmp_path)
    assert report.changed
    assert report.tightened == (f"{tmp_path}/authority", f"{tmp_path}/authority/ca.key")
    assert snapshot(tmp_path) == before
    assert (tmp_path / "authority").stat().st_mode & 0o777 == 0o700


def test_other_files_of_the_tree_are_not_touched(tmp_path: Path) -> None:
    own = tmp_path / "pki" / "registry.lab:5000" / "hosts" / "node1" / "99-own.cert"
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    run(tmp_path)
    assert own.read_text() == "mine"


def test_killed_at_any_write_the_next_run_converges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        """As SIGKILL: no handler of ours runs on."""

    rename = os.rename
    for survived in range(30):
        root = tmp_path / str(survived)
        root.mkdir()
        left = survived

        def die(source: str, target: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            rename(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, "rename", die)
            try:
                run(root)
                break
            except Killed:
                pass
        run(root)
        assert not run(root).changed
        registries, findings = read_tree(
            str(root / "pki"), Place("node1", []), read_text=lambda path: Path(path).read_text()
        )
        assert [*findings, *check(registries, now=NOW)] == []
    assert survived == 2 * 7 + 2


def test_forks_that_run_at_once_make_one_ca(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=run, args=(tmp_path,)) for _number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert not run(tmp_path).changed


@pytest.mark.parametrize("halves", [("ca.crt", "ca.key"), ("ca.crt",), ("ca.key",)])
def test_a_ca_that_was_not_made_here_is_never_replaced(tmp_path: Path, ca: Issued, halves: tuple[str, ...]) -> None:
    (tmp_path / "authority").mkdir(mode=0o700)
    contents = {"ca.crt": ca.certificate, "ca.key": ca.encrypted_key}
    for half in halves:
        files.write_file(str(tmp_path / "authority" / half), contents[half].encode(), mode=0o600)
    before = snapshot(tmp_path)
    with pytest.raises(PkiError, match="was not made here"):
        run(tmp_path)
    assert snapshot(tmp_path) == before


def test_a_folder_that_cant_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "pki").write_text("a file")
    with pytest.raises(PkiError, match=rf"^{tmp_path}/pki.*: (Not a directory|File exists)$"):
        run(tmp_path)


def test_a_missing_library_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise CryptographyMissing("Failed to import the required Python library (cryptography)")

    monkeypatch.setattr(_throwaway_pki, "require_cryptography", missing)
    with pytest.raises(PkiError, match="required Python library"):
        run(tmp_path)


def test_the_server_name_is_by_default_the_host_of_the_registry(tmp_path: Path) -> None:
    wanted = ordered(tmp_path, {**BARE, "name": "[fd00::1]:5000"}, LAB)
    assert [each.profile.names for each in wanted.issued[:2]] == [("fd00::1",), ("registry.lab",)]


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        ({"name": "../x"}, "no image name can name this registry"),
        ({"hosts": ["../node1"]}, "the host ../node1 can't be the name of a file"),
        ({"hosts": [".."]}, "the host .. can't be the name of a file"),
        ({"hosts": [""]}, "the host '' can't be the name of a file"),
        ({"pairs": ["a/b"]}, "the pair a/b can't be the name of a file"),
        ({"server_names": ["a b"]}, "a b is neither a DNS name nor an IP address"),
        ({"server_names": [""]}, "'' is neither a DNS name nor an IP address"),
        ({"server_names": ["a..b"]}, "a..b is neither a DNS name nor an IP address"),
        ({"server_names": ["régistry"]}, "régistry is neither a DNS name nor an IP address"),
    ],
)
def test_bad_names_are_refused_before_anything_is_written(tmp_path: Path, spoilt: dict[str, Any], told: str) -> None:
    with pytest.raises(PkiError) as caught:
        ordered(tmp_path, {**LAB, **spoilt})
    assert told in str(caught.value)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    bad = {**LAB, "name": "..", "hosts": ["a/b"], "pairs": [".x"], "server_names": ["*"]}
    with pytest.raises(PkiError) as caught:
        order(
            arguments(bad, LAB, LAB, renew_days=90),
            path=str(tmp_path / "pki"),
            authority=str(tmp_path / "pki" / "authority"),
        )
    assert len(str(caught.value).split("\n")) == 1 + 7


@pytest.mark.parametrize("options", [{"renew_days": 90}, {"renew_days": -1}, {"valid_days": 0, "renew_days": 0}])
def test_days_that_would_renew_for_ever_are_refused(tmp_path: Path, options: dict[str, int]) -> None:
    with pytest.raises(PkiError, match="renew_days"):
        ordered(tmp_path, LAB, **options)
