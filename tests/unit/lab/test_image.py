# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipes of images and the names that follow from them."""

from __future__ import annotations

import pytest

from lab import image
from lab.engine import Engine
from lab.image import apt_options, containerfile, make_all, tag
from lab.parts import Kind, Parts

KIND = Kind("debian12", "bookworm", "debian:12")
PACKAGES = ("openssh-server", "python3")
OPTIONS = ('Acquire::Check-Date "false";',)


def test_the_same_recipe_has_the_same_name() -> None:
    assert tag(KIND, PACKAGES, OPTIONS) == tag(KIND, PACKAGES, OPTIONS)
    assert tag(KIND, PACKAGES, OPTIONS).startswith("certs-d-lab:debian12-")


@pytest.mark.parametrize(
    ("kind", "packages", "options"),
    [
        (KIND._replace(suite="trixie"), PACKAGES, OPTIONS),
        (KIND._replace(base="debian:13"), PACKAGES, OPTIONS),
        (KIND, (*PACKAGES, "dbus"), OPTIONS),
        (KIND, PACKAGES, ()),
    ],
)
def test_another_recipe_has_another_name(kind: Kind, packages: tuple[str, ...], options: tuple[str, ...]) -> None:
    assert tag(kind, packages, options) != tag(KIND, PACKAGES, OPTIONS)


def test_a_base_image_gets_the_machine_s_apt_options_before_apt_runs() -> None:
    lines = containerfile(KIND, PACKAGES, OPTIONS).splitlines()
    assert lines[0] == "FROM debian:12"
    assert 'Acquire::Check-Date "false";' in lines[1]
    assert "apt-get update" in lines[2]
    assert "openssh-server python3" in lines[2]


def test_no_image_holds_host_keys() -> None:
    assert "rm -f /etc/ssh/ssh_host_*" in containerfile(KIND, PACKAGES, ())


def test_of_apt_s_configuration_only_dates_and_proxies_travel() -> None:
    dump = (
        'APT::Architecture "amd64";\nAcquire::Check-Date "false";\nAcquire::Check-Valid-Until "false";\n'
        'Acquire::http::Proxy "http://proxy.example:3128";\nAcquire::https::Proxy "http://proxy.example:3128";\n'
        'Acquire::GzipIndexes "true";\n'
    )
    assert apt_options(dump) == (
        'Acquire::Check-Date "false";',
        'Acquire::Check-Valid-Until "false";',
        'Acquire::http::Proxy "http://proxy.example:3128";',
        'Acquire::https::Proxy "http://proxy.example:3128";',
    )


def test_what_images_are_made_with_is_installed_once_and_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two apt-get at once: the second fails. `false` is an engine that can pull nothing."""
    told: list[str] = []
    engine = Engine(("false",), own=False)
    monkeypatch.setattr(Engine, "__call__", lambda *_arguments, **_options: "")
    monkeypatch.setattr(image, "need", lambda *_programs, packages: told.append(f"install {packages[0]}"))
    monkeypatch.setattr(image, "_bootstrap", lambda _engine, kind, *_rest: told.append(f"make {kind.name}"))
    kinds = {name: KIND._replace(name=name) for name in ("debian12", "debian13")}
    assert set(make_all(engine, Parts(PACKAGES, kinds, ()))) == set(kinds)
    assert told[0] == "install mmdebstrap"
    assert sorted(told[1:]) == ["make debian12", "make debian13"]
