# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the action fleet.certs_d.verify_fallback in a real run, the node being this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._pem import fingerprint
from ansible_collections.fleet.certs_d.tests.unit.adhoc import adhoc
from ansible_collections.fleet.certs_d.tests.unit.material import Issued
from ansible_collections.fleet.certs_d.tests.unit.scripted_registry import ScriptedRegistry, scripted_registry


def verify(folder: Path, *options: str, **arguments: Any) -> dict[str, Any]:
    """The result of a run; path=None leaves the option out."""
    given = {"path": str(folder / "certs.d"), **arguments}
    return adhoc(
        "verify_fallback", folder, *options, **{name: value for name, value in given.items() if value is not None}
    )


def lay(folder: Path, registry: ScriptedRegistry, ca: Issued, **pairs: Issued) -> Path:
    """A host directory with these pairs; underscores stand for dashes."""
    home = folder / "certs.d" / registry.name
    home.mkdir(parents=True)
    (home / "ca.crt").write_text(ca.certificate)
    for stem, pair in pairs.items():
        (home / f"{stem.replace('_', '-')}.cert").write_text(pair.certificate)
        (home / f"{stem.replace('_', '-')}.key").write_text(pair.private_key)
    return home


def test_the_pair_that_gets_in_is_told_and_the_host_is_verified(
    tmp_path: Path, ca: Issued, client: Issued, other: Issued
) -> None:
    script = {fingerprint(client.der): 200, fingerprint(other.der): 403, None: 403}
    with scripted_registry(script, ca=ca) as registry:
        lay(tmp_path, registry, ca, a_new=client, b_old=other)
        result = verify(tmp_path, engines=["containers"], ask_engine=False)
        asked = [seen.fingerprint for seen in registry.log if seen.request == "GET /v2/ HTTP/1.1"]
    (told,) = result["registries"]
    assert asked[:2] == [fingerprint(client.der), fingerprint(other.der)]
    assert result["verified"] is True
    assert result["changed"] is False
    assert told["expected"] is True
    assert told["verdicts"]["effective"]["pair"] == "a-new"
    assert told["verdicts"]["effective"]["fingerprint"] == fingerprint(client.der)
    assert told["verdicts"]["effective"]["reason"] == f"podman presents a-new, and {registry.name} lets it in"
    assert told["verdicts"]["documented"]["pair"] == "a-new"
    assert told["verdicts"]["engine"]["reason"].startswith("no engine was asked: ")
    assert not {"measured", "asked", "asked_why"} & set(told)


def test_a_host_that_gets_in_by_the_documented_loop_alone_fails_and_is_told_so(
    tmp_path: Path, ca: Issued, client: Issued, other: Issued
) -> None:
    script = {fingerprint(client.der): 403, fingerprint(other.der): 200, None: 403}
    with scripted_registry(script, ca=ca) as registry:
        lay(tmp_path, registry, ca, a_old=client, b_new=other)
        result = verify(tmp_path, engines=["containers"], ask_engine=False)
        demanded = verify(tmp_path, engines=["containers"], ask_engine=False, expect={"documented": {"pair": "b-new"}})
    assert result["failed"] is True
    assert result["msg"].startswith(
        f"podman would present a-old; {registry.name} refuses it (403); b-new would be accepted: remove or rename "
        "a-old. Only the loop of docker 1.2 to 1.3 would get in, with b-new. Expected: 200."
    )
    assert demanded["verified"] is True
    (told,) = demanded["registries"]
    assert told["verdicts"]["documented"]["reason"] == f"{registry.name} lets in this host with b-new after a-old (403)"


def test_a_host_that_is_not_let_in_fails_and_keeps_its_verdicts(tmp_path: Path, ca: Issued, client: Issued) -> None:
    with (
        scripted_registry({fingerprint(client.der): 403, None: 403}, ca=ca) as refusing,
        scripted_registry({None: 200}, ca=ca) as faulty,
    ):
        lay(tmp_path, refusing, ca, a_old=client)
        (lay(tmp_path, faulty, ca, b_new=client) / "b-new.key").unlink()
        result = verify(tmp_path, registries=[refusing.name, faulty.name], engines=["containers"], ask_engine=False)
    assert result["failed"] is True
    assert result["verified"] is False
    first, second = result["msg"].splitlines()
    assert first.startswith(f"podman would present a-old; {refusing.name} refuses it (403). Expected: 200. ")
    assert second.startswith(f"{faulty.name}: no request was sent, because podman refuses this host directory")
    assert "b-new.cert" in second
    assert [told["verdicts"]["effective"]["attempts"] != [] for told in result["registries"]] == [True, False]


def test_a_directory_that_no_image_name_can_name_is_passed_over_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "certs.d" / "registry.lab:5000.bak").mkdir(parents=True)
    result = verify(tmp_path)
    assert result["registries"] == []
    warning = result["output"].split("[WARNING]: ", 1)[1]
    assert warning.startswith(f"no client looks into this directory below {tmp_path}/certs.d: registry.lab:5000.bak: ")


def test_check_mode_asks_nobody_and_does_not_fail(tmp_path: Path, ca: Issued, client: Issued) -> None:
    with scripted_registry({}, ca=ca) as registry:
        lay(tmp_path, registry, ca, a=client)
        result = verify(tmp_path, "--check", registries=[registry.name], engines=["docker", "containers"], path=None)
        assert registry.peers == []
    assert [(told["name"], told["engine"]) for told in result["registries"]] == [
        (registry.name, "docker"),
        (registry.name, "containers"),
    ]
    for told in result["registries"]:
        assert {verdict["reason"] for verdict in told["verdicts"].values()} == {"not verified (check mode)"}
    assert result["verified"] is False


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"request": "v2/"}, "begin with a slash"),
        ({"request": "/ü"}, "use ASCII"),
        ({"request": "/ HTTP/1.0\r\n"}, "is no path of a request"),
        ({"timeout": 0}, "above 0"),
        ({"timeout": "nan"}, "above 0"),
        ({"timeout": 1e10}, "at most 3600"),
        ({"timeout_total": 0}, "timeout_total: give a number"),
        ({"engines": []}, "the list is empty: name an engine"),
        ({"engines": ["docker", "containerd"]}, "path goes with one engine"),
        ({"engines": ["cri-o"]}, "cri-o"),
        ({"expect": {}}, "name at least one of documented, effective and engine"),
        ({"expect": {"foretold": {}}}, "foretold"),
        ({"expect": {"effective": 200}}, "expect: effective: 200 is no verdict: write effective: {status: 200}"),
        ({"expect": {"engine": {"pair": "a"}}}, "pair"),
        ({"image": "registry.lab:5000/x y"}, "no NAME:TAG"),
        ({"expect": {"documented": {"status": "ok"}}}, "status"),
    ],
)
def test_bad_arguments_are_told_before_anything_is_asked(tmp_path: Path, arguments: Any, words: str) -> None:
    result = verify(tmp_path, **arguments)
    assert result["failed"]
    assert words in result["msg"]


def test_a_node_on_which_nothing_can_be_asked_is_not_verified(tmp_path: Path) -> None:
    result = verify(tmp_path)
    assert result["failed"]
    assert result["verified"] is False
    assert "there is no host directory, so nothing was asked" in result["msg"]


def test_what_the_server_should_be_told_of_is_a_warning(tmp_path: Path, ca: Issued, client: Issued) -> None:
    realm = 'WWW-Authenticate: Bearer realm="https://tokens.example/auth",service="registry"'
    with scripted_registry({fingerprint(client.der): 401, None: 403}, ca=ca, headers=[realm]) as registry:
        lay(tmp_path, registry, ca, a=client)
        result = verify(tmp_path, engines=["containers"], ask_engine=False, expect={"effective": {"status": 401}})
    assert result["verified"] is True
    told = "the token server https://tokens.example/auth gets the registry's client certificate, too"
    assert f"{registry.name}: {told}" in " ".join(result["output"].split())
