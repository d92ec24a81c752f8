# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the action fleet.certs_d.layout_info in a real run, the node being this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.fleet.certs_d.tests.unit.adhoc import adhoc
from ansible_collections.fleet.certs_d.tests.unit.material import Issued, issue_server

NAME = "registry.lab:5000"


def info(folder: Path, *options: str, **arguments: Any) -> list[dict[str, Any]]:
    """What is told of the docker directories of a root, which must be told whatever lies there."""
    result = adhoc("layout_info", folder, *options, engines=["docker"], path=str(folder / "certs.d"), **arguments)
    assert not result["failed"], result["output"]
    assert result["changed"] is False
    return list(result["registries"])


def lay(folder: Path, **files: str) -> Path:
    """A host directory; two underscores stand for the dot of a name."""
    home = folder / "certs.d" / NAME
    home.mkdir(parents=True)
    for name, content in files.items():
        (home / name.replace("__", ".")).write_text(content)
    for key in home.glob("*.key"):
        key.chmod(0o600)
    return home


def test_a_sound_directory_is_told_in_the_order_of_engines(
    tmp_path: Path, ca: Issued, client: Issued, other: Issued
) -> None:
    home = lay(
        tmp_path,
        ca__crt=ca.certificate,
        b__cert=client.certificate,
        b__key=client.private_key,
        B__cert=other.certificate,
        B__key=other.private_key,
    )
    (told,) = info(tmp_path)
    assert (told["engine"], told["name"], told["path"]) == ("docker", NAME, str(home))
    assert [(pair["name"], pair["subject"], pair["days_left"]) for pair in told["client_pairs"]] == [
        ("B", "CN=other", 59),
        ("b", "CN=client", 59),
    ]
    assert [root["subject"] for root in told["ca_certificates"]] == ["CN=Test CA"]
    assert told["wins"] is True
    assert {file["name"]: file["mode"] for file in told["files"]}["b.key"] == "0600"


def test_alternative_names_are_told(tmp_path: Path, ca: Issued) -> None:
    pair = issue_server(signer=ca, names=["node1.lab", "10.0.0.1"])
    lay(tmp_path, x__cert=pair.certificate, x__key=pair.private_key)
    assert info(tmp_path)[0]["client_pairs"][0]["alternative_names"] == ["DNS:node1.lab", "IP:10.0.0.1"]


def test_a_broken_directory_names_every_fault_at_once_and_no_key(
    tmp_path: Path, ca: Issued, client: Issued, other: Issued
) -> None:
    home = lay(
        tmp_path,
        ca__cert=ca.certificate,
        half__key=other.private_key,
        x__cert=client.certificate + client.private_key,
        x__key=other.private_key,
        junk__crt="junk",
        leaf__crt=client.certificate,
    )
    (home / "zz.crt").symlink_to("nowhere")
    (home / "x.key").chmod(0o644)
    (told,) = info(tmp_path)
    found = {(finding["code"], Path(finding["place"]).name) for finding in told["findings"]}
    assert found >= {
        ("ca-in-cert", "ca.cert"),
        ("key-missing", "ca.cert"),
        ("certificate-missing", "half.key"),
        ("key-exposed", "x.cert"),
        ("key-mismatch", "x.key"),
        ("key-readable", "x.key"),
        ("certificate-junk", "junk.crt"),
        ("leaf-in-crt", "leaf.crt"),
        ("dangling-link", "zz.crt"),
    }
    severities = [finding["severity"] for finding in told["findings"]]
    assert severities == sorted(severities)


def test_only_the_registries_that_are_asked_for_are_told(tmp_path: Path) -> None:
    lay(tmp_path)
    (tmp_path / "certs.d" / "other.lab").mkdir()
    assert [told["name"] for told in info(tmp_path, registries=["other.lab"])] == ["other.lab"]


def test_no_root_is_no_directories(tmp_path: Path) -> None:
    assert info(tmp_path) == []
