# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of hosts.toml: what a TOML reader finds in it. That engines follow it is proved by real pulls."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._hosts_toml import hosts_toml, without_secrets

REGISTRY = "registry.lab:5000"
URL = f"https://{REGISTRY}"
# Measured: containerd 1.6, 1.7 and 2.1 and dockerd 28.5 go from 403 to 503 to the pair that is let in.
MEASURED = """\
# Made by the Ansible module fleet.certs_d.layout.
server = "https://registry.lab:5000"
ca = ["ca.crt"]
client = [["30-good.cert", "30-good.key"]]

[host."https://registry.lab:5000#10-403"]
  capabilities = ["pull", "resolve"]
  ca = ["ca.crt"]
  client = [["10-403.cert", "10-403.key"]]

[host."https://registry.lab:5000#20-503"]
  capabilities = ["pull", "resolve"]
  ca = ["ca.crt"]
  client = [["20-503.cert", "20-503.key"]]
"""


def read(registry: str = REGISTRY, **options: Any) -> dict[str, Any]:
    return tomllib.loads(hosts_toml(registry, **{"roots": ["ca.crt"], "pairs": ["10"], "fallback": False, **options}))


def test_the_fallback_is_spelled_as_it_was_measured() -> None:
    pairs = ["10-403", "20-503", "30-good"]
    assert hosts_toml(REGISTRY, roots=["ca.crt"], pairs=pairs, fallback=True) == MEASURED


def test_without_the_fallback_all_pairs_stand_in_one_table_and_at_the_root() -> None:
    found = read(pairs=["10", "20"])
    client = [["10.cert", "10.key"], ["20.cert", "20.key"]]
    table = {"capabilities": ["pull", "resolve"], "ca": ["ca.crt"], "client": client}
    assert found == {"server": URL, "ca": ["ca.crt"], "client": client, "host": {URL: table}}


@pytest.mark.parametrize("pairs", [[], ["10"]])
def test_fewer_than_two_pairs_have_nothing_to_fall_back_on(pairs: list[str]) -> None:
    assert hosts_toml(REGISTRY, roots=[], pairs=pairs, fallback=True) == hosts_toml(
        REGISTRY, roots=[], pairs=pairs, fallback=False
    )


def test_what_there_is_none_of_is_left_out() -> None:
    assert read(roots=[], pairs=[]) == {"server": URL, "host": {URL: {"capabilities": ["pull", "resolve"]}}}


def test_docker_io_is_served_by_another_host() -> None:
    assert read("docker.io")["server"] == "https://registry-1.docker.io"


def test_names_of_files_may_hold_what_toml_would_read_otherwise() -> None:
    found = read(roots=['a"b\\c.crt', "ä.crt"], pairs=["x'y"])
    assert (found["ca"], found["client"]) == (['a"b\\c.crt', "ä.crt"], [["x'y.cert", "x'y.key"]])


@pytest.mark.parametrize(
    ("pairs", "fragments"),
    [
        (["10 old", "20%zz", "30"], ["10-old", "20-zz"]),
        (["a b", "a#b", "c"], ["0-a-b", "1-a-b"]),
        (['"', "ä", "z"], ["0--", "1--"]),
    ],
)
def test_a_tables_name_has_plain_characters_and_stands_once(pairs: list[str], fragments: list[str]) -> None:
    assert list(read(pairs=pairs, fallback=True)["host"]) == [f"{URL}#{fragment}" for fragment in fragments]


def test_headers_and_credentials_are_left_out() -> None:
    text = """server = "https://bob:hunter/2@r:1"
[host."https://r:1"]
  ca = "ca.crt"
  header = {Authorization = "Basic hunter2"}
  [host."https://r:1".header]
    Authorization = ["Bearer hunter2"]
    x-more = "hunter2"
[host."https://eve:hunter2@s:1"]
  capabilities = ["pull"]
"""
    told = without_secrets(text)
    assert "hunter" not in told
    assert tomllib.loads(told) == {
        "server": "https://r:1",
        "host": {"https://r:1": {"ca": "ca.crt"}, "https://s:1": {"capabilities": ["pull"]}},
    }


def test_what_we_write_has_nothing_to_leave_out() -> None:
    text = hosts_toml(REGISTRY, roots=["ca.crt"], pairs=["10-a", "20-b"], fallback=True)
    assert without_secrets(text) == text
