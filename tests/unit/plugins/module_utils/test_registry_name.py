# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the registry name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.certs_d.plugins.module_utils._registry_name import (
    InvalidRegistryName,
    parse_registry_name,
)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("registry.example", "registry.example", None),
        ("registry.example:5000", "registry.example", 5000),
        ("registry.example:443", "registry.example", 443),
        ("REG.Lab:5000", "REG.Lab", 5000),
        ("Registry", "Registry", None),
        ("registry:1", "registry", 1),
        ("registry:65535", "registry", 65535),
        ("localhost", "localhost", None),
        ("localhost:5000", "localhost", 5000),
        ("10.0.0.1", "10.0.0.1", None),
        ("10.0.0.1:5000", "10.0.0.1", 5000),
        ("[fd00::1]:5000", "[fd00::1]", 5000),
        ("[::1]", "[::1]", None),
        ("a--b.example", "a--b.example", None),
    ],
)
def test_takes_what_image_names_can_begin_with(text: str, host: str, port: int | None) -> None:
    name = parse_registry_name(text)
    assert (name.text, name.host, name.port) == (text, host, port)


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "..", "../etc", "a/b", "/", "registry.example/", " registry.example", "registry.example ", "a b.c",
        "registry.example\n", "registry.example:5000\n", "\n", "registry.example\0", "registry.example:",
        "registry.example:0", "registry.example:70000", "registry.example:65536", "registry.example:5000:1",
        "registry.example:-1", "registry.example:+1", "registry.example:\u0665", "registry.example:http", ":5000",
        "-a.example", "a-.example", "a..example", ".example", "a.example.", "reg_istry.example", "régistry.example",
        "fd00::1", "[fd00::1", "fd00::1]:5000", "[]", "[]:5000", "[10.0.0.1]:5000", "[fe80::1%eth0]:5000",
        "[fd00::1]x:5000", "[fd00::1]\n", "library", "busybox", "https://registry.example",
    ],
)  # fmt: skip
def test_refuses_what_no_image_name_can_begin_with(text: str) -> None:
    with pytest.raises(InvalidRegistryName):
        parse_registry_name(text)


def test_an_ipv6_literal_is_dialled_without_its_brackets() -> None:
    assert parse_registry_name("[fd00::1]:5000").address == "fd00::1"


@given(st.text(max_size=20))
def test_whatever_is_taken_is_one_harmless_folder_name(text: str) -> None:
    try:
        name = parse_registry_name(text)
    except InvalidRegistryName:
        return
    assert name.text == text
    assert text not in (".", "..")
    assert text.isascii()
    assert text.isprintable()
    assert not set(text) & set("/\\ \0")
