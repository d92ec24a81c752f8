# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of docker's socket, against a scripted daemon."""

from __future__ import annotations

import http.client
import socket
import time
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._docker_socket import Daemon, NotDocker
from ansible_collections.fleet.certs_d.tests.unit.scripted_docker import CLASSIC, CONTAINERD, Said, scripted_docker

NAME = "registry.lab:5000"
IMAGE = "fleet-certs-d/none:none"
NOBODYS = "sha256%3A" + "0" * 64


def daemon(folder: Path, timeout: float = 20) -> Daemon:
    return Daemon(str(folder / "docker.sock"), time.monotonic() + timeout)


@pytest.mark.parametrize(("info", "store"), [(CLASSIC, "classic"), (CONTAINERD, "containerd"), ({}, "classic")])
def test_the_store_is_told(tmp_path: Path, info: object, store: str) -> None:
    with scripted_docker(tmp_path, {"/info": Said(body=info)}):
        assert daemon(tmp_path).store() == store


def test_podman_behind_the_socket_is_no_docker(tmp_path: Path) -> None:
    script = {"/info": Said(body=CLASSIC)}
    says = pytest.raises(NotDocker, match=r"^podman answers at /.*/docker\.sock$")
    with scripted_docker(tmp_path, script, server="Libpod/5.4.2 (linux)"), says:
        daemon(tmp_path).store()


def test_a_socket_without_a_daemon_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotDocker, match="No such file or directory"):
        daemon(tmp_path).store()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "docker.sock"))
    with pytest.raises(NotDocker, match="Connection refused"):
        daemon(tmp_path).store()


@pytest.mark.parametrize("said", [Said(500, {"message": "no"}), Said(200, b"<html>"), Said(200, [])])
def test_an_info_that_is_none_is_told(tmp_path: Path, said: Said) -> None:
    with scripted_docker(tmp_path, {"/info": said}), pytest.raises(http.client.HTTPException, match="/info of "):
        daemon(tmp_path).store()


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (Said(200, {"Descriptor": {"size": 444}}), None),
        (Said(404, {"message": "manifest unknown: manifest unknown"}), "manifest unknown: manifest unknown"),
        (Said(500, {"message": "a"}), "a"),
        (Said(502, b"no JSON"), "no JSON"),
        (Said(503), "docker answered 503 without a word"),
        # A pull that begins to tell of itself has no other status.
        (Said(200, b'{"status":"Pulling"}\n{"errorDetail":{"message":"b"},"error":"b"}\n'), "b"),
    ],
)
def test_the_fault_is_the_daemons_own_word(tmp_path: Path, said: Said, fault: str | None) -> None:
    with scripted_docker(tmp_path, {"/distribution": said}):
        assert daemon(tmp_path).fault(NAME, IMAGE, "classic") == fault


@pytest.mark.parametrize(
    ("registry", "image", "target"),
    [
        (NAME, IMAGE, f"/distribution/{NAME}/{IMAGE}/json"),
        ("[fd00::1]:5000", "a/b@sha256:0c", "/distribution/%5Bfd00::1%5D:5000/a/b@sha256:0c/json"),
    ],
)
def test_the_classic_store_is_asked_for_the_image(tmp_path: Path, registry: str, image: str, target: str) -> None:
    with scripted_docker(tmp_path, {"/distribution": Said()}) as docker:
        daemon(tmp_path).fault(registry, image, "classic")
        assert docker.log == [f"GET {target}"]


@pytest.mark.parametrize("image", ["a/none:none", "a/none", f"a/none@sha256:{'1' * 64}", f"a/none:1@sha256:{'1' * 64}"])
def test_the_containerd_store_is_asked_for_what_no_image_can_be(tmp_path: Path, image: str) -> None:
    with scripted_docker(tmp_path, {"/images/create": Said(404, {"message": "x: not found"})}) as docker:
        assert daemon(tmp_path).fault(NAME, image, "containerd") == "x: not found"
        assert docker.log == [f"POST /images/create?fromImage=registry.lab%3A5000%2Fa%2Fnone&tag={NOBODYS}"]


@pytest.mark.parametrize("said", [Said(trouble="hang"), Said(trouble="trickle")])
def test_a_daemon_that_takes_its_time_is_left(tmp_path: Path, said: Said) -> None:
    began = time.monotonic()
    with scripted_docker(tmp_path, {"/distribution": said}), pytest.raises(socket.timeout):
        daemon(tmp_path, 0.5).fault(NAME, IMAGE, "classic")
    assert 0.4 < time.monotonic() - began < 5
    with pytest.raises(socket.timeout):
        daemon(tmp_path, -1).store()


@pytest.mark.parametrize("said", [Said(trouble="close"), Said(trouble="garbage")])
def test_a_daemon_that_talks_no_http_is_told(tmp_path: Path, said: Said) -> None:
    with scripted_docker(tmp_path, {"/info": said}), pytest.raises((OSError, http.client.HTTPException)):
        daemon(tmp_path).store()


def test_an_answer_is_read_up_to_a_limit(tmp_path: Path) -> None:
    with scripted_docker(tmp_path, {"/distribution": Said(500, b"a" * (3 << 20))}):
        assert 1 << 20 <= len(daemon(tmp_path).fault(NAME, IMAGE, "classic") or "") < 2 << 20
