# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the way through a hosts.toml."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._hosts_toml import hosts_toml
from ansible_collections.fleet.certs_d.plugins.plugin_utils._hosts_chain import Host, InvalidHosts, hosts_of
from ansible_collections.fleet.certs_d.tests.unit.matrix import NAME, ROOT

PATH = f"{ROOT}/{NAME}"
ROOTS = frozenset({"ca.crt"})
HEAD = 'server = "https://r:1"\n'


def test_what_the_layout_writes_is_asked_pair_after_pair() -> None:
    text = hosts_toml(NAME, roots=["ca.crt"], pairs=["10-a", "20-b", "30-c"], fallback=True)
    assert hosts_of(text, PATH, NAME) == [Host(NAME, (pair,), ROOTS) for pair in ("10-a", "20-b", "30-c")]


def test_without_the_fallback_all_pairs_are_of_each_host() -> None:
    text = hosts_toml(NAME, roots=["ca.crt"], pairs=["10-a", "20-b"], fallback=False)
    assert hosts_of(text, PATH, NAME) == [Host(NAME, ("10-a", "20-b"), ROOTS)] * 2


@pytest.mark.parametrize("capabilities", ['["push"]', '["pull"]', '["resolve", "push"]'])
def test_a_host_that_can_not_pull_a_tag_is_passed_over(capabilities: str) -> None:
    text = f'{HEAD}[host."https://other:1"]\ncapabilities = {capabilities}\n'
    assert hosts_of(text, PATH, NAME) == [Host("r:1", (), frozenset())]


@pytest.mark.parametrize("capabilities", ['["pull", "resolve"]', '["PULL", "Resolve"]', "[]"])
def test_case_and_an_empty_list_of_capabilities_are_as_containerd_takes_them(capabilities: str) -> None:
    text = f'{HEAD}[host."https://other:1"]\ncapabilities = {capabilities}\n'
    assert hosts_of(text, PATH, NAME) == [Host("other:1", (), frozenset()), Host("r:1", (), frozenset())]


def test_the_root_has_capabilities_of_its_own() -> None:
    text = f'{HEAD}capabilities = ["push"]\n[host."https://other:1"]\n'
    assert hosts_of(text, PATH, NAME) == [Host("other:1", (), frozenset())]


def test_without_a_server_the_registry_itself_is_the_last() -> None:
    text = 'client = [["b.cert", "b.key"]]\n[host."https://r:1"]\nca = "ca.crt"\n'
    assert hosts_of(text, PATH, NAME) == [Host("r:1", (), ROOTS), Host(NAME, ("b",), frozenset())]


def test_files_may_be_named_with_the_path_of_the_directory() -> None:
    text = f'[host."https://r:1"]\nclient = [["{PATH}/a.cert", "./a.key"]]\n'
    assert hosts_of(text, PATH, "r:1") == [Host("r:1", ("a",), frozenset()), Host("r:1", (), frozenset())]


@pytest.mark.parametrize("text", ["server = ", ""])
def test_a_file_that_is_no_toml_or_empty_is_read_as_none(text: str) -> None:
    assert hosts_of(text, PATH, NAME) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD, "no [host] table"),
        ("host = 1\n", "holds no tables"),
        ("a = " + "[" * 100_000, "nested too deep"),
        (f'{HEAD}[host."https://r:1"]\ncapabilities = 5\n', "capabilities is no list"),
        (f'{HEAD}capabilities = ["push"]\n[host."https://r:1"]\ncapabilities = ["push"]\n', "none of its hosts"),
        (f'{HEAD}[host."https://[::1"]\n', "is no URL"),
        (f'{HEAD}[host."https://r:1/mirror"]\n', "another path than /v2"),
        (f'{HEAD}[host."https://r:1"]\noverride_path = true\n', "another path than /v2"),
        (f'{HEAD}[host."http://r:1"]\n', "not asked by TLS"),
        (f'{HEAD}[host."https://r:1"]\nskip_verify = true\n', "skip_verify"),
        (f'{HEAD}[host."https://r:1"]\nclient = ["c.cert", "c.key"]\n', "c.cert, which is no list"),
        (f'{HEAD}[host."https://r:1"]\nclient = [["a.cert", "b.key"]]\n', "a.cert and b.key, which are no pair"),
        (f'{HEAD}[host."https://r:1"]\nclient = [["/x/a.cert", "/x/a.key"]]\n', "does not lie in the host directory"),
        (f'{HEAD}[host."https://r:1"]\nca = [1]\n', "1 is no file name"),
    ],
)
def test_what_was_never_measured_is_told(text: str, words: str) -> None:
    with pytest.raises(InvalidHosts) as told:
        hosts_of(text, PATH, NAME)
    assert words in str(told.value)


def test_credentials_are_in_no_word() -> None:
    with pytest.raises(InvalidHosts) as told:
        hosts_of(f'{HEAD}[host."http://bob:hunter2@r:1"]\n', PATH, NAME)
    assert "hunter2" not in str(told.value)
