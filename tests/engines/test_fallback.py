# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which engines go on to the next pair: real pulls, the registry's log as oracle."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from ansible_collections.fleet.certs_d.tests.engines.conftest import Lay
from ansible_collections.fleet.certs_d.tests.engines.host_directories import READERS_OF_HOSTS_TOML
from ansible_collections.fleet.certs_d.tests.engines.pulls import CLIENTS, pull, push
from ansible_collections.fleet.certs_d.tests.engines.registry import NAME, Answer, Registry
from ansible_collections.fleet.certs_d.tests.fleet.running import ENGINES, PROJECT, REGISTRY, Run, run, ssh, tool

# dockerd 28.5 with the containerd store, containerd 2.1, 1.7 and 1.6.
CAN = [("sid", "docker pull"), ("sid", "docker build"), ("sid", "ctr"), ("engine13", "ctr"), ("engine12", "ctr")]
# dockerd 26.1 and 20.10 with the classic store, podman 5.8, 5.4 and 4.3, skopeo 1.22, 1.18 and 1.9.
CAN_NOT = [
    ("engine13", "docker pull"),
    ("engine13", "docker build"),
    ("engine12", "docker pull"),
    *((host, client) for host in ("sid", "engine13", "engine12") for client in ("podman", "skopeo")),
]
COLLECTIONS = str(PROJECT.parents[2])
REFUSED = [["403-a"], ["403-a", "503-b"], ["403-a", "503-b", "expired-c", "403-d"]]
# The exact text that was measured to work.
THREE_PAIRS = """\
# Made by the Ansible module fleet.certs_d.layout.
server = "https://registry.lab:5000"
ca = ["ca.crt"]
client = [["30-good.cert", "30-good.key"]]

[host."https://registry.lab:5000#10-403-a"]
  capabilities = ["pull", "resolve"]
  ca = ["ca.crt"]
  client = [["10-403-a.cert", "10-403-a.key"]]

[host."https://registry.lab:5000#20-503-b"]
  capabilities = ["pull", "resolve"]
  ca = ["ca.crt"]
  client = [["20-503-b.cert", "20-503-b.key"]]
"""


def answers(log: Sequence[Answer]) -> list[tuple[str, str]]:
    return [(answer.pair, answer.answer) for answer in log]


def expected(pair: str) -> tuple[str, str]:
    """What a registry says to a pair of this name."""
    special = {"expired": "certificate has expired", "good": "200"}
    return pair, special.get(pair.split("-")[0], pair[:3])


def pull_new(registry: Registry, host: str, client: str, name: str = REGISTRY) -> Run:
    """Pull an image that nobody has; the registry's log holds nothing but this pull."""
    repository = registry.new_image()
    registry.forget_log()
    return pull(host, client, f"{name}/{repository}:latest")


def assert_pulled_by_good(registry: Registry, run: Run, refused: Sequence[str]) -> None:
    """All that came, came by the good pair, and for the first request each pair was asked once, in order."""
    assert run.status == 0, run.output
    log = registry.log()
    pairs = [*refused, "good"]
    assert answers(log[: len(pairs)]) == [expected(pair) for pair in pairs]
    assert {answer.pair for answer in log if answer.answer == "200"} == {"good"}
    assert len({answer.request for answer in log if answer.pair == "good" and "/blobs/" in answer.request}) == 2


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: f"{len(refused) + 1} pairs")
@pytest.mark.parametrize(("host", "client"), CAN)
def test_with_fallback_the_pair_that_is_let_in_pulls(
    registry: Registry, lay: Lay, host: str, client: str, refused: list[str]
) -> None:
    lay(host, CLIENTS[client].engine, [*refused, "good"], fallback=True)
    assert_pulled_by_good(registry, pull_new(registry, host, client), refused)


def test_every_answer_that_is_no_success_is_passed_over(registry: Registry, lay: Lay) -> None:
    lay("sid", "docker", ["401-a", "404-b", "500-c", "good"], fallback=True)
    assert_pulled_by_good(registry, pull_new(registry, "sid", "docker pull"), ["401-a", "404-b", "500-c"])


@pytest.mark.parametrize(("host", "client"), CAN_NOT)
def test_others_fail_with_the_first_pair(registry: Registry, lay: Lay, host: str, client: str) -> None:
    told = lay(host, CLIENTS[client].engine, ["403-a", "good"], fallback=True)
    assert told["fallback"]["kept"] is not True
    assert "the first pair that fits" in told["fallback"]["how"]
    assert_refused(registry, pull_new(registry, host, client))


@pytest.mark.parametrize(("host", "client"), CAN)
def test_without_fallback_all_fail_with_the_first_pair(registry: Registry, lay: Lay, host: str, client: str) -> None:
    lay(host, CLIENTS[client].engine, ["403-a", "good"], fallback=False)
    assert_refused(registry, pull_new(registry, host, client))


@pytest.mark.parametrize(("host", "client"), [*CAN, *CAN_NOT])
def test_a_first_pair_that_is_let_in_is_the_only_one_asked(
    registry: Registry, lay: Lay, host: str, client: str
) -> None:
    lay(host, CLIENTS[client].engine, ["good", "403-a"], fallback=True)
    run = pull_new(registry, host, client)
    assert run.status == 0, run.output
    assert set(answers(registry.log())) == {("good", "200")}


@pytest.mark.parametrize(("host", "client"), CAN)
def test_when_all_are_refused_the_pull_fails(registry: Registry, lay: Lay, host: str, client: str) -> None:
    lay(host, CLIENTS[client].engine, ["403-a", "503-b"], fallback=True)
    run = pull_new(registry, host, client)
    assert run.status != 0
    assert "403 forbidden" in run.output.lower()
    assert answers(registry.log())[:2] == [("403-a", "403"), ("503-b", "503")]


@pytest.mark.parametrize("name", [NAME, f"{NAME}:443", "address", "address:5000", REGISTRY.upper()])
@pytest.mark.parametrize(("host", "client"), [case for case in CAN if case[1] != "docker build"])
def test_fallback_has_every_spelling_of_the_registry(
    registry: Registry, lay: Lay, host: str, client: str, name: str
) -> None:
    name = name.replace("address", registry.address)
    lay(host, CLIENTS[client].engine, ["403-a", "good"], fallback=True, name=name)
    assert_pulled_by_good(registry, pull_new(registry, host, client, name), ["403-a"])


@pytest.mark.parametrize("host", ["sid", "engine13", "engine12"])
def test_containerd_has_a_directory_for_all_that_have_none(registry: Registry, lay: Lay, host: str) -> None:
    lay(host, "containerd", ["good"], fallback=False, name="_default")
    assert_pulled_by_good(registry, pull_new(registry, host, "ctr"), [])


@pytest.mark.parametrize(("host", "client"), [case for case in CAN if case[1] != "docker build"])
def test_another_spelling_of_the_port_wins_as_layout_says(registry: Registry, lay: Lay, host: str, client: str) -> None:
    path = lay(host, CLIENTS[client].engine, ["good"], fallback=False)["path"]
    root, hidden = os.path.dirname(path), path.replace(":5000", "_5000_")
    ssh(ENGINES, host, f"mkdir '{hidden}'").good()
    try:
        assert pull_new(registry, host, client).status != 0
        told = run(
            tool("ansible"),
            host,
            "-i",
            ENGINES,
            "-m",
            "fleet.certs_d.layout_info",
            ANSIBLE_COLLECTIONS_PATH=COLLECTIONS,
        ).good()
    finally:
        ssh(ENGINES, host, f"rmdir '{hidden}'").good()
    assert f"{root}/{REGISTRY}: another host directory of this registry wins" in told


@pytest.mark.parametrize(("host", "client"), [("sid", "docker pull"), ("sid", "ctr"), ("engine13", "ctr")])
def test_a_push_takes_the_last_pair_alone(registry: Registry, lay: Lay, host: str, client: str) -> None:
    engine = CLIENTS[client].engine
    lay(host, engine, ["403-a", "good"], fallback=True)
    image = f"{REGISTRY}/{registry.new_image()}"
    assert pull(host, client, f"{image}:latest").status == 0
    registry.forget_log()
    assert push(host, client, f"{image}:latest", f"{image}-pushed:latest").status == 0
    assert {answer.pair for answer in registry.log()} == {"good"}
    lay(host, engine, ["good", "403-a"], fallback=True)
    assert push(host, client, f"{image}:latest", f"{image}-again:latest").status != 0


@pytest.mark.parametrize("engine", READERS_OF_HOSTS_TOML)
def test_the_text_that_works_is_this_one(lay: Lay, engine: str) -> None:
    folder = lay("sid", engine, ["403-a", "503-b", "good"], fallback=True)["path"]
    assert ssh(ENGINES, "sid", f"cat '{folder}/hosts.toml'").good() == THREE_PAIRS


def assert_refused(registry: Registry, run: Run) -> None:
    assert run.status != 0
    assert any(word in run.output.lower() for word in ("403", "denied")), run.output
    assert set(answers(registry.log())) == {("403-a", "403")}
