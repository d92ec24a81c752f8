# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of asking an engine: a scripted docker, and programs that are played."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils import _engines
from ansible_collections.fleet.certs_d.plugins.module_utils._ask_engine import EngineAnswer, ask_engine
from ansible_collections.fleet.certs_d.tests.unit.scripted_docker import CLASSIC, CONTAINERD, Said, scripted_docker

NAME = "registry.lab:5000"
IMAGE = "fleet-certs-d/none:none"
ROOTS = {
    "docker": "/etc/docker/certs.d",
    "containers": "/etc/containers/certs.d",
    "containerd": "/etc/containerd/certs.d",
}
FATAL = 'time="2026-11-27T10:44:33Z" level=fatal msg="{}"\n'
FORBIDDEN = f"unexpected status from HEAD request to https://{NAME}/v2/fleet-certs-d/none/manifests/none: 403 Forbidden"
NOT_FOUND = 'time="…" level=info msg="fetch failed after status: 404 Not Found" host="registry.lab:5000"\n'


class Programs:
    """A node's programs: what each ends with and complains of, or what is raised in its place."""

    def __init__(self, played: Mapping[str, tuple[int, str] | Exception]) -> None:
        self.played = played
        self.log: list[list[str]] = []
        self.seconds: list[float] = []

    def __call__(self, command: list[str], timeout: float) -> tuple[int, str]:
        self.log.append(command)
        self.seconds.append(timeout)
        played = self.played.get(command[0], FileNotFoundError(2, "No such file or directory", command[0]))
        if isinstance(played, Exception):
            raise played
        return played


def ask(
    engine: str,
    programs: Programs | None = None,
    *,
    name: str = NAME,
    root: str = "",
    socket: Path = Path("/n0/docker.sock"),
    timeout: float = 20,
) -> EngineAnswer:
    return ask_engine(
        engine,
        name,
        IMAGE,
        path=f"{root or ROOTS[engine]}/{name}",
        run_command=programs or Programs({}),
        timeout=timeout,
        docker_socket=str(socket),
    )


def told(answer: EngineAnswer) -> tuple[Any, Any, Any]:
    """Client, status and error of one that was asked."""
    assert answer.asked is not None
    assert answer.asked_why is None
    assert answer.asked["seconds"] >= 0
    return answer.asked["client"], answer.asked["status"], answer.asked["error"]


@pytest.mark.parametrize(
    ("said", "status", "error"),
    [
        (Said(200, {"Descriptor": {}}), 200, None),
        (Said(404, {"message": "manifest unknown: manifest unknown"}), 200, None),
        (Said(403, {"message": "denied: <p>go</p>"}), 403, "denied: go"),
        (Said(401, {"message": "unauthorized: authentication required"}), 401, "unauthorized: authentication required"),
        (
            Said(500, {"message": "remote error: tls: expired certificate"}),
            None,
            "remote error: tls: expired certificate",
        ),
        (Said(trouble="close"), None, "docker broke off: Remote end closed connection without response"),
    ],
)
def test_docker_is_asked_at_its_socket(tmp_path: Path, said: Said, status: int | None, error: str | None) -> None:
    with scripted_docker(tmp_path, {"/info": Said(body=CLASSIC), "/distribution": said}):
        answer = ask("docker", socket=tmp_path / "docker.sock")
    assert told(answer) == ("docker", status, error)
    assert answer.store == "classic"


def test_where_no_docker_runs_none_is_asked(tmp_path: Path) -> None:
    assert ask("docker") == (None, "docker does not run here: /n0/docker.sock: No such file or directory", None)
    with scripted_docker(tmp_path, {"/info": Said(body=CLASSIC)}, server="Libpod/5.4.2 (linux)"):
        why = ask("docker", socket=tmp_path / "docker.sock").asked_why
    assert why == f"docker does not run here: podman answers at {tmp_path}/docker.sock"


def test_docker_is_not_asked_of_a_directory_that_it_does_not_read(tmp_path: Path) -> None:
    why = f"docker reads /etc/docker/certs.d, not {tmp_path}"
    assert ask("docker", root=str(tmp_path)) == (None, why, None)


def test_a_docker_that_hangs_is_left_in_time(tmp_path: Path) -> None:
    began = time.monotonic()
    with scripted_docker(tmp_path, {"/info": Said(body=CLASSIC), "/distribution": Said(trouble="hang")}):
        answer = ask("docker", socket=tmp_path / "docker.sock", timeout=0.5)
    assert told(answer) == ("docker", None, "no answer within 0.5 s")
    assert answer.store == "classic"
    assert time.monotonic() - began < 5


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """docker's root for this test."""
    root = tmp_path / "certs.d"
    kind = _engines.ENGINES["docker"]._replace(root=str(root))
    monkeypatch.setitem(_engines.ENGINES, "docker", kind)
    (root / NAME).mkdir(parents=True)
    return root


REFUSED = {"/info": Said(body=CONTAINERD), "/images/create": Said(500, {"message": f"unknown: {FORBIDDEN}"})}


@pytest.mark.parametrize(
    ("ctr", "expected"),
    [
        ((1, f"{NOT_FOUND}ctr: {FORBIDDEN}\n"), ("ctr", 200, None)),
        ((1, f"ctr: {FORBIDDEN}\n"), ("ctr", 403, FORBIDDEN)),
        (FileNotFoundError(2, "No"), ("docker", None, f"of all hosts of hosts.toml the first: unknown: {FORBIDDEN}")),
    ],
)
def test_what_docker_hides_of_hosts_toml_is_told_by_ctr(
    tmp_path: Path, etc: Path, ctr: tuple[int, str] | Exception, expected: tuple[Any, Any, Any]
) -> None:
    (etc / NAME / "hosts.toml").touch()
    programs = Programs({"ctr": ctr})
    with scripted_docker(tmp_path, REFUSED):
        answer = ask("docker", programs, root=str(etc), socket=tmp_path / "docker.sock")
    assert told(answer) == expected
    assert answer.store == "containerd"
    assert programs.log == [["ctr", "content", "fetch-object", f"--hosts-dir={etc}", f"{NAME}/{IMAGE}", "manifest"]]


def test_without_hosts_toml_docker_hides_nothing(tmp_path: Path, etc: Path) -> None:
    programs = Programs({})
    with scripted_docker(tmp_path, REFUSED):
        answer = ask("docker", programs, root=str(etc), socket=tmp_path / "docker.sock")
    assert told(answer) == ("docker", 403, f"unknown: {FORBIDDEN}")
    assert programs.log == []


@pytest.mark.parametrize(
    ("ended", "status", "error"),
    [
        ((0, ""), 200, None),
        ((1, FATAL.format("reading manifest none in r: manifest unknown")), 200, None),
        ((1, FATAL.format(r"pinging r: StatusCode: 403, \"no\"")), 403, 'pinging r: StatusCode: 403, "no"'),
        ((1, FATAL.format("remote error: tls: expired certificate")), None, "remote error: tls: expired certificate"),
        ((1, ""), None, "skopeo ended with status 1 without a word"),
        (TimeoutError(), None, "no answer within 20 s"),
    ],
)
def test_skopeo_is_asked(ended: tuple[int, str] | Exception, status: int | None, error: str | None) -> None:
    programs = Programs({"skopeo": ended})
    assert told(ask("containers", programs)) == ("skopeo", status, error)
    assert programs.log == [["skopeo", "inspect", "--raw", f"docker://{NAME}/{IMAGE}"]]
    assert all(0 < seconds <= 20 for seconds in programs.seconds)


def test_without_skopeo_podman_is_asked() -> None:
    programs = Programs({"podman": (125, 'level=warning msg="…"\nError: reading image "r": StatusCode: 403, "no"\n')})
    assert told(ask("containers", programs)) == ("podman", 403, 'reading image "r": StatusCode: 403, "no"')
    assert programs.log[1:] == [["podman", "manifest", "inspect", f"{NAME}/{IMAGE}"]]


def test_of_another_root_skopeo_alone_is_asked() -> None:
    programs = Programs({"skopeo": (0, "")})
    ask("containers", programs, root="/srv/certs.d")
    assert f"--cert-dir=/srv/certs.d/{NAME}" in programs.log[0]
    answer = ask("containers", Programs({"podman": (0, "")}), root="/srv/certs.d")
    assert answer.asked is None
    assert (answer.asked_why or "").endswith("podman reads /etc/containers/certs.d, not /srv/certs.d")


@pytest.mark.parametrize(
    ("ended", "status", "error"),
    [
        ((0, ""), 200, None),
        ((1, f"ctr: {NAME}/{IMAGE}: not found\n"), 200, None),
        ((1, f"{NOT_FOUND}ctr: {FORBIDDEN}\n"), 200, None),
        ((1, f"ctr: {FORBIDDEN}\n"), 403, FORBIDDEN),
        ((1, "ctr: failed to load X509 key pair: tls: no\n"), None, "failed to load X509 key pair: tls: no"),
        (TimeoutError(), None, "no answer within 20 s"),
    ],
)
def test_ctr_is_asked_with_the_directories_of_the_node(
    ended: tuple[int, str] | Exception, status: int | None, error: str | None
) -> None:
    programs = Programs({"ctr": ended})
    answer = ask("containerd", programs)
    assert told(answer) == ("ctr", status, error)
    assert answer.store is None
    expected = ["ctr", "content", "fetch-object", "--hosts-dir=/etc/containerd/certs.d", f"{NAME}/{IMAGE}", "manifest"]
    assert programs.log == [expected]


def test_where_no_program_is_the_reason_is_told() -> None:
    gone = "No such file or directory"
    assert ask("containerd") == (None, f"containerd does not run here: ctr: {gone}", None)
    assert ask("containers") == (None, f"skopeo does not run here: {gone}; neither does podman: {gone}", None)


def test_a_directory_for_all_registries_names_none_to_ask() -> None:
    assert ask("containerd", name="_default") == (None, "_default names no registry that could be asked", None)
