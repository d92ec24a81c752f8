# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of an engine's settings, as they lie in a file system."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._engine_settings import Settings, settings_of
from ansible_collections.fleet.certs_d.plugins.module_utils._registry_name import parse_registry_name

PROXY = "http://proxy.lab:3128"


def put(system: Path, name: str, text: str) -> None:
    path = system / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("registry", "no_proxy", "straight"),
    [
        ("reg.lab:5000", "", False),
        ("reg.lab:5000", "reg.lab", True),
        ("reg.lab:5000", "lab", True),
        ("reg.lab:5000", ".lab", True),
        ("reg.lab:5000", "*.lab", True),
        ("reg.lab:5000", "other.lab, REG.lab:5000", True),
        ("reg.lab:5000", "reg.lab:443", False),
        ("reg.lab", "reg.lab:443", True),
        ("greg.lab", "reg.lab", False),
        ("lab:5000", ".lab", False),
        ("reg.lab:5000", "*", True),
        ("10.1.2.3:5000", "10.0.0.0/8", True),
        ("10.1.2.3:5000", "10.1.2.3", True),
        ("[fd00::1]:5000", "fd00::/8", True),
        ("[fd00::1]:5000", "[fd00::1]:5000", True),
        ("11.1.2.3:5000", "10.0.0.0/8", False),
        ("localhost:5000", "", True),
        ("127.0.0.1:5000", "", True),
        ("[::1]:5000", "", True),
    ],
)
def test_no_proxy_is_read_as_go_reads_it(registry: str, no_proxy: str, straight: bool) -> None:
    settings = Settings({"HTTPS_PROXY": PROXY, "no_proxy": no_proxy})
    assert settings.proxy_of(parse_registry_name(registry)) == (None if straight else PROXY)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("http://user:secret@proxy.lab:3128", "http://***@proxy.lab:3128"),
        ("http://user:se@cret@proxy.lab:3128", "http://***@proxy.lab:3128"),
        ("http://user:secret/1@proxy.lab:3128", "http://***@proxy.lab:3128"),
        ("http://user:secret://@proxy.lab:3128", "http://***@proxy.lab:3128"),
        ("user:secret@proxy.lab:3128", "***@proxy.lab:3128"),
        ("proxy.lab:3128", "proxy.lab:3128"),
    ],
)
def test_credentials_of_a_proxy_are_not_told(given: str, told: str) -> None:
    assert Settings({"https_proxy": given}).proxy_of(parse_registry_name("reg.lab")) == told


@pytest.mark.parametrize(
    ("entry", "insecure"),
    [
        ("reg.lab:5000", True),
        ("reg.lab", False),
        ("10.1.2.3", False),
        ("10.1.2.3/32", True),
        ("10.0.0.0/8", True),
        ("11.0.0.0/8", False),
    ],
)
def test_insecure_is_what_dockerd_takes_for_it(entry: str, insecure: bool) -> None:
    settings = Settings({}, (entry,))
    assert settings.takes_for_insecure(parse_registry_name("reg.lab:5000"), ("10.1.2.3",)) is insecure


def test_the_command_line_of_dockerd_tells_insecure_registries(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "docker.pid").write_text("7")
    (tmp_path / "proc" / "7").mkdir(parents=True)
    words = ["dockerd", "--insecure-registry", "a:1", "--insecure-registry=https://b:2", "--debug"]
    (tmp_path / "proc" / "7" / "cmdline").write_text("\0".join(words))
    assert set(settings_of("docker", str(tmp_path)).insecure) == {"a:1", "b:2"}


def test_a_drop_in_wins_over_the_unit(tmp_path: Path) -> None:
    put(tmp_path, "lib/systemd/system/docker.service", "[Service]\nEnvironment=HTTPS_PROXY=http://a A=1\n")
    put(tmp_path, "etc/systemd/system/docker.service.d/p.conf", '[Service]\nEnvironment="HTTPS_PROXY=http://b" "B=2"\n')
    put(tmp_path, "etc/systemd/system/docker.service.d/q.conf", "[Service]\nEnvironmentFile=-/etc/default/docker\n")
    put(tmp_path, "etc/default/docker", "# HTTPS_PROXY=no\nC='3 4'\nbroken'\n")
    found = settings_of("docker", str(tmp_path)).environment
    assert found == {"HTTPS_PROXY": "http://b", "A": "1", "B": "2", "C": "3 4"}


def test_the_environment_of_a_running_dockerd_is_the_truth(tmp_path: Path) -> None:
    put(tmp_path, "etc/systemd/system/docker.service", "[Service]\nEnvironment=HTTPS_PROXY=http://new\n")
    put(tmp_path, "run/docker.pid", "42")
    put(tmp_path, "proc/42/environ", "HTTPS_PROXY=http://old\0PATH=/bin\0")
    assert settings_of("docker", str(tmp_path)).environment["HTTPS_PROXY"] == "http://old"


def test_daemon_json_wins_over_the_environment(tmp_path: Path) -> None:
    put(tmp_path, "run/docker.pid", "42")
    put(tmp_path, "proc/42/environ", "HTTPS_PROXY=http://old\0")
    text = (
        '{"proxies": {"https-proxy": "http://json", "no-proxy": "lab"}, "insecure-registries": ["a:1", "10.0.0.0/8"]}'
    )
    put(tmp_path, "etc/docker/daemon.json", text)
    found = settings_of("docker", str(tmp_path))
    assert found.proxy_of(parse_registry_name("reg.example")) == "http://json"
    assert found.proxy_of(parse_registry_name("reg.lab")) is None
    assert found.takes_for_insecure(parse_registry_name("a:1"), ())
    assert found.takes_for_insecure(parse_registry_name("reg.lab"), ("10.2.3.4",))
    assert not found.takes_for_insecure(parse_registry_name("reg.lab"), ("11.2.3.4",))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"proxies": 1, "insecure-registries": "a"}'])
def test_a_daemon_json_that_dockerd_would_refuse_says_nothing(tmp_path: Path, text: str) -> None:
    put(tmp_path, "etc/docker/daemon.json", text)
    assert settings_of("docker", str(tmp_path)) == Settings({}, ())


def test_containerd_has_its_unit_and_podman_has_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://ours")
    put(tmp_path, "etc/systemd/system/containerd.service.d/p.conf", "[Service]\nEnvironment=HTTPS_PROXY=http://its\n")
    assert settings_of("containerd", str(tmp_path)).environment == {"HTTPS_PROXY": "http://its"}
    assert settings_of("containers", str(tmp_path)).environment["HTTPS_PROXY"] == "http://ours"
