# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the module fleet.certs_d.verify_fallback, which measures."""

from __future__ import annotations

import json
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]
from ansible.module_utils.testing import patch_module_args

from ansible_collections.fleet.certs_d.plugins.module_utils._pem import fingerprint
from ansible_collections.fleet.certs_d.plugins.module_utils._verify_arguments import VERIFY_ARGUMENTS
from ansible_collections.fleet.certs_d.plugins.modules import verify_fallback
from ansible_collections.fleet.certs_d.tests.unit.material import Issued
from ansible_collections.fleet.certs_d.tests.unit.scripted_registry import scripted_registry

# Core fills the defaults of suboptions in, in place.
INTERFACE = deepcopy(VERIFY_ARGUMENTS)


def run_module(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    """The module's result."""
    with patch_module_args(arguments), pytest.raises(SystemExit):
        verify_fallback.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_all_registries_below_the_path_are_asked_and_nothing_changes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, ca: Issued, client: Issued
) -> None:
    with scripted_registry({fingerprint(client.der): 200, None: 403}, ca=ca) as registry:
        home = tmp_path / registry.name
        home.mkdir()
        (home / "ca.crt").write_text(ca.certificate)
        (home / "client.cert").write_text(client.certificate)
        (home / "client.key").write_text(client.private_key)
        result = run_module(capsys, path=str(tmp_path), engines=["containers"], ask_engine=False)
        assert registry.asked() == [(fingerprint(client.der), 200), (None, 403)]
    assert not result["changed"]
    assert [found["name"] for found in result["registries"]] == [registry.name]
    assert [row["status"] for row in result["registries"][0]["requests"]] == [200, 403]
    assert "PRIVATE" not in str(result)


def test_no_root_means_no_registries(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run_module(capsys, path=str(tmp_path / "nowhere"))["registries"] == []


def test_one_entry_comes_of_each_engine(capsys: pytest.CaptureFixture[str]) -> None:
    engines = ["docker", "containers", "containerd", "docker"]
    result = run_module(capsys, registries=["127.0.0.1:1"], engines=engines, ask_engine=False)
    assert [(entry["name"], entry["engine"]) for entry in result["registries"]] == [
        ("127.0.0.1:1", "docker"),
        ("127.0.0.1:1", "containers"),
        ("127.0.0.1:1", "containerd"),
    ]
    assert result["registries"][0]["requests"][0]["error"] == "Connection refused"


def test_the_time_of_all_is_bounded(capsys: pytest.CaptureFixture[str], tmp_path: Path, ca: Issued) -> None:
    with scripted_registry({None: "hang"}, ca=ca) as registry:
        home = tmp_path / registry.name
        home.mkdir()
        (home / "ca.crt").write_text(ca.certificate)
        started = time.monotonic()
        run_module(capsys, path=str(tmp_path), timeout_total=0.5, ask_engine=False)
        assert time.monotonic() - started < 3


def test_a_host_directory_that_is_a_file_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "localhost:1").touch()
    result = run_module(capsys, path=str(tmp_path), registries=["localhost:1"], ask_engine=False)
    (finding,) = result["registries"][0]["findings"]
    assert (finding["code"], finding["place"]) == ("not-a-directory", f"{tmp_path}/localhost:1")


def test_who_may_not_read_is_told_to_become_root(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_names: object, _engines: object) -> None:
        raise PermissionError(13, "Permission denied", "/etc/docker/certs.d/r:1/a.key")

    monkeypatch.setattr(verify_fallback, "registries_to_ask", refuse)
    result = run_module(capsys, path=str(tmp_path))
    assert result["msg"].startswith("/etc/docker/certs.d/r:1/a.key: Permission denied: ")
    assert "become" in result["msg"]


def test_each_option_is_documented_as_it_is() -> None:
    documented = yaml.safe_load(verify_fallback.DOCUMENTATION)["options"]
    facts = ("type", "elements", "default")

    def interface(options: dict[str, Any], children: str) -> dict[str, Any]:
        return {
            name: [*(option.get(fact) for fact in facts), interface(option.get(children, {}), children)]
            for name, option in options.items()
        }

    assert interface(documented, "suboptions") == interface(INTERFACE, "options")
