# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of names: which are refused, and how messages spell them."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._names import (
    file_name_findings,
    registry_name_findings,
    shown,
)


@pytest.mark.parametrize("name", ["registry.lab:5000", "10.0.0.1", "[fd00::1]:5000", "localhost"])
def test_a_name_that_image_names_can_have_is_no_finding(name: str) -> None:
    assert registry_name_findings(name, name) == []


def test_a_name_that_no_image_name_can_have_is_told_with_the_reason() -> None:
    (finding,) = registry_name_findings("a/b", "pki/a")
    assert (finding.code, finding.place) == ("registry-name", "pki/a")
    assert "letters, digits" in finding.detail


@pytest.mark.parametrize(
    ("stem", "reason"),
    [
        ("", "blank"),
        (" ", "blank"),
        (".05", "hidden"),
        ("..", "hidden"),
        ("a/b", "slash"),
        ("a\0", "control character"),
        ("a\nb", "control character"),
        ("\udcff", "not UTF-8"),
        ("é" * 126, "257 bytes long"),
    ],
)
def test_a_stem_that_is_no_visible_file_name_is_told(stem: str, reason: str) -> None:
    (finding,) = file_name_findings(stem, ".cert", "place")
    assert finding.code == "file-name"
    assert reason in finding.detail


@pytest.mark.parametrize("stem", ["10-node", "node 1", "é", "a.b", "n" * 250])
def test_any_other_stem_is_a_file_name(stem: str) -> None:
    assert file_name_findings(stem, ".cert", "place") == []


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("10-node", "10-node"),
        ("", "''"),
        (" ", "' '"),
        ("a\nb", r"'a\nb'"),
        ("\x1b[31m", r"'\x1b[31m'"),
        ("-----BEGIN PRIVATE KEY-----\nsecret", "(a private key where a name belongs)"),
        ("x" * 1001, "x" * 1000 + "…"),
    ],
)
def test_messages_spell_a_name_so_that_it_is_seen_and_does_no_harm(text: str, spelled: str) -> None:
    assert shown(text) == spelled
