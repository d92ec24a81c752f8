# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of which faults of a host directory stop whom: the measured table, row by row."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.certs_d.plugins.plugin_utils._faults import faults_for
from ansible_collections.fleet.certs_d.tests.unit.matrix import finding

READERS = ("documented", "classic", "containers", "containerd")


@pytest.mark.parametrize(
    ("code", "file", "stopped"),
    [
        ("key-missing", "10.cert", READERS),
        ("certificate-missing", "10.key", ("documented", "classic", "containers")),
        ("key-mismatch", "10.cert", READERS),
        ("key-encrypted", "10.cert", READERS),
        ("key-junk", "10.cert", READERS),
        ("key-curve", "10.cert", READERS),
        ("certificate-junk", "10.cert", READERS),
        ("certificate-junk", "ca.crt", ("containerd",)),
        ("not-a-file", "x.crt", ("documented", "classic", "containers")),
        ("not-a-file", "x.cert", ("documented", "classic", "containers")),
        ("dangling-link", "x.crt", ("documented", "classic", "containerd")),
        ("dangling-link", "x.cert", READERS),
        ("registry-name", "", READERS),
        ("registry-name", "_x.crt", READERS),
        ("not-a-directory", "", READERS),
        ("not-a-file", "hosts.toml", ("containerd",)),
        ("too-large", "x.crt", ("containerd",)),
        ("too-large", "x.key", READERS),
        ("too-large", "hosts.toml", ("containerd",)),
    ],
)
def test_a_fault_stops_those_who_were_seen_to_stop(code: str, file: str, stopped: tuple[str, ...]) -> None:
    found = finding(code, file)
    assert tuple(reader for reader in READERS if faults_for(reader, [found])) == stopped


def test_warnings_stop_nobody() -> None:
    assert not any(faults_for(reader, [finding("expired", "10.cert", "warning")]) for reader in READERS)


def test_a_reader_of_some_files_is_not_stopped_by_others() -> None:
    found = [finding("key-missing", "10.cert"), finding("key-mismatch", "20.cert")]
    assert faults_for("containerd", found, ["20.cert", "20.key"]) == ["20.cert: key-mismatch"]
    assert faults_for("containerd", found, []) == []
    assert faults_for("containerd", [finding("registry-name", "")], []) == [": registry-name"]
