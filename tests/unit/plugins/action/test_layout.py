# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the action fleet.certs_d.layout in a real run, the node being this machine."""

from __future__ import annotations

import os
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.tests.unit.adhoc import adhoc
from ansible_collections.fleet.certs_d.tests.unit.material import NOW, Issued, issue

NAME = "registry.lab:5000"


def layout(folder: Path, *options: str, environment: dict[str, str] | None = None, **arguments: Any) -> dict[str, Any]:
    arguments = {"path": str(folder / "certs.d"), **arguments}
    return adhoc("layout", folder, *options, environment=environment, **arguments)


def registry(*pairs: tuple[str, Issued], **further: Any) -> dict[str, Any]:
    """A registry as data, keys included."""
    data = [{"name": name, "certificate": pair.certificate, "private_key": pair.private_key} for name, pair in pairs]
    return {"name": NAME, "client_pairs": data, **further}


def tree(root: Path, *pairs: tuple[str, Issued]) -> str:
    level = root / "pki" / NAME / "all"
    level.mkdir(parents=True)
    for name, pair in pairs:
        (level / f"{name}.cert").write_text(pair.certificate)
        (level / f"{name}.key").write_text(pair.private_key)
    return str(root / "pki")


def laid(folder: Path) -> list[str]:
    root = folder / "certs.d"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*")) if root.exists() else []


def test_a_tree_is_laid_and_told_and_the_second_run_changes_nothing(tmp_path: Path, client: Issued) -> None:
    pki = tree(tmp_path, ("10", client))
    first, second = layout(tmp_path, pki=pki), layout(tmp_path, pki=pki)
    assert (first["changed"], second["changed"]) == (True, False)
    assert laid(tmp_path) == [NAME, f"{NAME}/10.cert", f"{NAME}/10.key"]
    (told,) = first["registries"]
    assert (told["engine"], told["state"], told["created"], told["swapped_in"]) == (
        "docker",
        "present",
        True,
        "one step",
    )
    assert told["fallback"] is None
    assert [pair["name"] for pair in told["client_pairs"]] == ["10"]


def test_containerd_with_the_fallback_gets_its_hosts_toml(tmp_path: Path, client: Issued, other: Issued) -> None:
    data = [registry(("10", client), ("20", other))]
    result = layout(tmp_path, registries=data, engines=["containerd"], fallback=True)
    assert result["registries"][0]["fallback"]["kept"] is True
    assert f'[host."https://{NAME}#10"]' in (tmp_path / "certs.d" / NAME / "hosts.toml").read_text()
    assert "never presents the pair" not in result["output"]


def test_a_pair_that_no_engine_presents_is_warned_of(tmp_path: Path, client: Issued, other: Issued) -> None:
    result = layout(tmp_path, registries=[registry(("10", client), ("20", other))])
    assert not result["failed"]
    assert "20.cert: this engine never presents the pair (docker: 10 fits whenever it does)" in " ".join(
        result["output"].split()
    )


def test_a_key_of_the_node_is_installed_from_its_path(tmp_path: Path, client: Issued) -> None:
    (tmp_path / "node.key").write_text(client.private_key)
    pair = {"name": "10", "certificate": client.certificate, "private_key_path": str(tmp_path / "node.key")}
    result = layout(tmp_path, registries=[{"name": NAME, "client_pairs": [pair]}])
    assert result["changed"], result["output"]
    key = tmp_path / "certs.d" / NAME / "10.key"
    assert (key.read_text(), stat.S_IMODE(key.stat().st_mode)) == (client.private_key, 0o600)


def test_a_key_of_the_node_that_does_not_fit_is_refused(tmp_path: Path, client: Issued, other: Issued) -> None:
    (tmp_path / "node.key").write_text(other.private_key)
    pair = {"name": "10", "certificate": client.certificate, "private_key_path": str(tmp_path / "node.key")}
    result = layout(tmp_path, registries=[{"name": NAME, "client_pairs": [pair]}])
    assert "10.key: the key belongs to another certificate" in result["msg"]
    assert laid(tmp_path) == []


def test_a_renewed_certificate_takes_the_installed_key(tmp_path: Path, client: Issued) -> None:
    layout(tmp_path, registries=[registry(("10", client))])
    pair = {"name": "10", "certificate": "# renewed\n" + client.certificate}
    result = layout(tmp_path, registries=[{"name": NAME, "client_pairs": [pair]}])
    assert result["changed"], result["output"]
    assert (tmp_path / "certs.d" / NAME / "10.cert").read_text().startswith("# renewed")
    assert (tmp_path / "certs.d" / NAME / "10.key").read_text() == client.private_key


def test_without_any_key_the_pair_is_refused(tmp_path: Path, client: Issued) -> None:
    pair = {"name": "10", "certificate": client.certificate}
    result = layout(tmp_path, registries=[{"name": NAME, "client_pairs": [pair]}])
    assert "10.cert: the certificate has no key (none is given, and none that fits is installed)" in result["msg"]
    assert laid(tmp_path) == []


def test_a_registry_is_taken_away(tmp_path: Path, client: Issued) -> None:
    layout(tmp_path, registries=[registry(("10", client))])
    result = layout(tmp_path, registries=[{"name": NAME, "state": "absent"}])
    assert (result["changed"], result["registries"][0]["state"]) == (True, "absent")
    assert laid(tmp_path) == []


@pytest.mark.parametrize("accept", [[], ["expired"]])
def test_an_error_is_taken_on_purpose_or_refused(tmp_path: Path, ca: Issued, accept: list[str]) -> None:
    late = issue(signer=ca, not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=3))
    result = layout(tmp_path, registries=[registry(("10", late))], accept=accept)
    assert result["failed"] is not bool(accept)
    assert bool(laid(tmp_path)) is bool(accept)


def test_what_never_can_be_accepted_is_no_choice(tmp_path: Path) -> None:
    result = layout(tmp_path, registries=[], accept=["key-exposed"])
    assert result["failed"]
    assert "value of accept must be one or more of" in result["msg"]


@pytest.mark.parametrize("path", ["certs.d", "~/certs.d", "/tmp/$HOME/certs.d"])
def test_a_path_that_the_controller_would_expand_is_refused(tmp_path: Path, path: str) -> None:
    result = layout(tmp_path, registries=[], path=path)
    assert f"path: {path} is not absolute" in result["msg"]


@pytest.mark.parametrize("path", ["node.key", "~/node.key", "$HOME/node.key"])
def test_the_path_of_a_key_that_the_controller_would_expand_is_refused(
    tmp_path: Path, client: Issued, path: str
) -> None:
    pair = {"name": "10", "certificate": client.certificate, "private_key_path": path}
    result = layout(tmp_path, registries=[{"name": NAME, "client_pairs": [pair]}])
    assert f"private_key_path: {path} is not absolute" in result["msg"]


@pytest.mark.parametrize("setting", ["ANSIBLE_DEBUG", "ANSIBLE_KEEP_REMOTE_FILES"])
def test_settings_that_would_show_keys_are_refused(tmp_path: Path, client: Issued, setting: str) -> None:
    pki = tree(tmp_path, ("10", client))
    result = layout(tmp_path, pki=pki, environment={setting: "1"})
    assert f"{setting} would" in result["msg"]
    assert laid(tmp_path) == []


def test_a_key_in_the_wrong_option_is_not_quoted(tmp_path: Path, client: Issued) -> None:
    result = layout(tmp_path, pki="pki", engines=[client.private_key], environment={"ANSIBLE_LOG_PATH": "log"})
    assert result["msg"].startswith("engines: a private key stands where none belongs")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "give pki or registries"),
        ({"registries": [], "engines": []}, "the list is empty: name an engine"),
        ({"registries": [], "engines": ["docker", "containerd"]}, "path goes with one engine"),
        ({"registries": [], "user": "me"}, "user goes with scope: user"),
        ({"registries": [], "scope": "user", "user": "n0b0dy"}, "the node has no user n0b0dy"),
        ({"registries": [{"name": "_default"}]}, "only containerd reads it"),
    ],
)
def test_options_that_can_not_be_meant_are_refused(tmp_path: Path, arguments: dict[str, Any], sentence: str) -> None:
    result = layout(tmp_path, **arguments)
    assert result["failed"]
    assert sentence in result["msg"]


def test_containerd_has_no_home_directory(tmp_path: Path) -> None:
    result = adhoc("layout", tmp_path, registries=[], engines=["containerd"], scope="user")
    assert "containerd reads no home directory" in result["msg"]


def test_a_warning_names_the_node(tmp_path: Path) -> None:
    (tmp_path / "certs.d" / NAME).mkdir(parents=True)
    (tmp_path / "certs.d" / NAME / "README").write_text("by hand")
    result = layout(tmp_path, registries=[{"name": NAME}])
    assert f"{os.uname().nodename}: {tmp_path}/certs.d/{NAME}/README: this file is not part" in " ".join(
        result["output"].split()
    )
