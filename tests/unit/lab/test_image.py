# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipes of images and the names that follow from them."""

from __future__ import annotations

import pytest

from lab import image
from lab.engine import Engine
from lab.image import Recipe, apt_options, containerfile, make_all, recipe, tag
from lab.parts import Kind, Parts
from lab.system import LabError

KIND = Kind("debian12", "bookworm", "debian:12")
PACKAGES = ("openssh-server", "python3")
OPTIONS = ('Acquire::Check-Date "false";',)
RECIPE = Recipe("bookworm", "debian:12", PACKAGES, OPTIONS)


def test_a_kind_adds_its_packages_and_apt_options_to_those_of_all() -> None:
    assert recipe(KIND, PACKAGES, OPTIONS) == RECIPE
    special = KIND._replace(packages=("podman", "python3"), apt=(*OPTIONS, 'Acquire::Check-Valid-Until "false";'))
    assert recipe(special, PACKAGES, OPTIONS) == RECIPE._replace(
        packages=(*PACKAGES, "podman"), options=(*OPTIONS, 'Acquire::Check-Valid-Until "false";')
    )


def test_kinds_of_one_recipe_share_an_image() -> None:
    other = KIND._replace(name="other", engines=True, init="sleep 1")
    assert tag(recipe(other, PACKAGES, OPTIONS)) == tag(RECIPE)
    assert tag(RECIPE).startswith("certs-d-lab:debian12-")


@pytest.mark.parametrize(
    "other",
    [
        RECIPE._replace(suite="trixie"),
        RECIPE._replace(base="debian:13"),
        RECIPE._replace(packages=(*PACKAGES, "dbus")),
        RECIPE._replace(options=()),
    ],
)
def test_another_recipe_has_another_image(other: Recipe) -> None:
    assert tag(other) != tag(RECIPE)


def test_a_base_image_gets_the_apt_options_before_apt_runs() -> None:
    lines = containerfile(RECIPE).splitlines()
    assert lines[0] == "FROM debian:12"
    assert 'Acquire::Check-Date "false";' in lines[1]
    assert "apt-get update" in lines[2]
    assert "openssh-server python3" in lines[2]


def test_no_image_holds_host_keys() -> None:
    assert "rm -f /etc/ssh/ssh_host_*" in containerfile(RECIPE)


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
    monkeypatch.setattr(image, "_bootstrap", lambda _engine, made_of: told.append(f"make {made_of.suite}"))
    kinds = {name: KIND._replace(name=name, suite=name) for name in ("bookworm", "trixie")}
    assert set(make_all(engine, Parts(PACKAGES, kinds, ()))) == set(kinds)
    assert told[0] == "install mmdebstrap"
    assert sorted(told[1:]) == ["make bookworm", "make trixie"]


def test_a_suite_that_can_not_be_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_engine: Engine, _made_of: Recipe) -> None:
        raise LabError("E: Unable to locate package podman")

    monkeypatch.setattr(Engine, "__call__", lambda *_arguments, **_options: "")
    monkeypatch.setattr(image, "need", lambda *_programs, packages: None)
    monkeypatch.setattr(image, "_bootstrap", refuse)
    with pytest.raises(LabError, match=r"no image of Debian sid could be made: E: Unable to locate package podman"):
        make_all(Engine(("false",), own=False), Parts(PACKAGES, {"sid": KIND._replace(suite="sid")}, ()))
