# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host directories that change while they are read, on real hosts; and what stands there when a change fails."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import read_certificates
from ansible_collections.fleet.certs_d.tests.fleet.running import INVENTORY, REGISTRY, Ansible, OnHost
from ansible_collections.fleet.certs_d.tests.soak.node_program import START, job, ship
from ansible_collections.fleet.certs_d.tests.unit.material import Issued, issue_ca, issue_client

SWAPS = 2000
HALVES = ("cert", "key")
READERS = ["path", "descriptor"]
NODES = ("node1", "node2")
ROOT = "/srv/swaps"
CONTAINERS = "/etc/containers/certs.d"
PKI = INVENTORY / ".lab" / "pki" / REGISTRY
ACCESS_LOG = f"/var/log/apache2/certs-d-{REGISTRY.replace(':', '_')}_access.log"
AUTHORITY = issue_ca()
ROOTS = {"ca": AUTHORITY.certificate}
INSTALL = "command -v skopeo >/dev/null || (apt-get update && apt-get install -y --no-install-recommends skopeo)"
# What skopeo says of certificates and keys, whatever its version.
TROUBLE = re.compile(r"\bkey\b|certificate|x509|tls|no such file|permission", re.IGNORECASE)


def state(pair: Issued) -> list[dict[str, Any]]:
    return [{"name": REGISTRY, "roots": ROOTS, "pairs": {"10": [pair.certificate, pair.private_key]}}]


STATES = [state(issue_client(f"client {number}", signer=AUTHORITY)) for number in range(4)]


class Changed(NamedTuple):
    """What a job of tests/tools/swaps.py saw."""

    ways: dict[str, int]
    reads: dict[str, int]
    faults: dict[str, dict[str, int]]


def changed(told: str) -> Changed:
    data = json.loads(told)
    readers = data["readers"]
    return Changed(
        data["ways"],
        {way: reader["reads"] for way, reader in readers.items()},
        # Where this machine lets a reader take so long, nobody can wait for it.
        {
            way: {kind: times for kind, times in reader["faults"].items() if kind != "slow"}
            for way, reader in readers.items()
        },
    )


@pytest.fixture(scope="module", autouse=True)
def shipped(on: OnHost) -> None:
    for host in NODES:
        ship(on, host)


@pytest.fixture
def place(on: OnHost) -> Iterator[str]:
    """A folder of the test's own on each node: a job of a session that was ended goes on for minutes in another."""
    folder = f"{ROOT}/{uuid4().hex[:8]}"
    for host in NODES:
        on(host, f"mkdir -p {folder}")
    yield folder
    for host in NODES:
        on(host, f"awk '$2 ~ \"^{folder}\" {{print $2}}' /proc/mounts | sort -r | xargs -r umount && rm -rf {folder}")


def change(on: OnHost, host: str, root: str, **terms: Any) -> Changed:
    on(host, f"rm -rf {root}")
    return changed(on(host, START, given=job(root, *STATES[:2], readers=READERS, **terms)))


def test_readers_find_no_mismatched_and_no_missing_half_during_2000_swaps(on: OnHost, place: str) -> None:
    with ThreadPoolExecutor() as pool:
        swaps = SWAPS // len(NODES)
        seen = list(pool.map(lambda host: change(on, host, f"{place}/certs.d", count=swaps), NODES))
    for each in seen:
        assert each.ways == {"one step": swaps}
        assert all(reads > 10 * swaps for reads in each.reads.values()), each
        assert each.faults == {"path": {}, "descriptor": {}}, each


def test_without_holding_them_readers_by_path_find_mismatches_though_the_exchange_is_one_step(
    on: OnHost, place: str
) -> None:
    seen = change(on, "node2", f"{place}/certs.d", count=SWAPS // 4, way="exchange")
    assert seen.ways == {"one step": SWAPS // 4}
    assert seen.faults["path"].get("key-mismatch", 0) > 0
    assert seen.faults["descriptor"] == {}


def test_the_same_readers_find_many_faults_where_files_are_replaced_one_by_one(on: OnHost, place: str) -> None:
    seen = change(on, "node2", f"{place}/certs.d", count=SWAPS // 4, way="copy")
    for way in READERS:
        assert set(seen.faults[way]) == {"key-mismatch", "missing"}, seen
        assert sum(seen.faults[way].values()) > seen.reads[way] / 20, seen


def test_two_runs_at_once_leave_one_state_whole_and_readers_undisturbed(on: OnHost, place: str) -> None:
    root = f"{place}/certs.d"
    on("node1", START, given=job(root, STATES[0]))
    jobs = (job(root, *states, count=100, readers=["path"]) for states in (STATES[1::-1], STATES[2:]))
    with ThreadPoolExecutor() as pool:
        told = list(pool.map(lambda given: changed(on("node1", START, given=given)), jobs))
    assert [each.ways for each in told] == [{"one step": 100}] * 2
    assert [each.faults for each in told] == [{"path": {}}] * 2
    assert on("node1", f"ls -A {root}").split() == [REGISTRY]
    last = [on("node1", f"cat '{root}/{REGISTRY}/10.{half}'") for half in ("cert", "key")]
    assert last in [list(each[0]["pairs"]["10"]) for each in (STATES[0], STATES[3])]


@pytest.fixture
def skopeo(on: OnHost) -> list[list[dict[str, Any]]]:
    """The engine on each node, and two states whose pairs the lab's registry lets in."""
    for host in NODES:
        on(host, f"({INSTALL}) >/dev/null 2>&1 && skopeo --version")
    roots = {"ca": (PKI / "all" / "ca.crt").read_text()}
    folders = (PKI / "hosts" / "node1", PKI / "hosts" / "node3")
    pairs = [[(folder / f"10-old.{half}").read_text() for half in HALVES] for folder in folders]
    return [[{"name": REGISTRY, "roots": roots, "pairs": {"10": pair}}] for pair in pairs]


def pulls(on: OnHost, host: str, given: str) -> list[str]:
    """What skopeo says, pull after pull, while a job runs; the job's own words come last."""
    loop = f"while kill -0 $job 2>/dev/null; do skopeo inspect docker://{REGISTRY}/none:1 2>&1 | tail -n 1; done"
    wait = f"i=0; while ! [ -d '{CONTAINERS}/{REGISTRY}' ] && [ $i -lt 100 ]; do i=$((i + 1)); sleep 0.05; done"
    out = "/srv/swaps.out"
    # A shell gives a background job no standard input.
    line = f"cat > /srv/swaps.job; {START} < /srv/swaps.job > {out} & job=$!; sleep 0.2; {wait}; {loop}; cat {out}"
    try:
        return on(host, f"rm -rf {CONTAINERS}; {line}", given=given).splitlines()
    finally:
        on(host, f"rm -rf {CONTAINERS} /srv/swaps.job {out}")


@pytest.mark.parametrize("host", NODES)
def test_skopeo_pulls_during_swaps_and_presents_one_whole_pair_each_time(
    on: OnHost, skopeo: list[list[dict[str, Any]]], host: str
) -> None:
    before = int(on("registry1", f"wc -l < {ACCESS_LOG}"))
    *said, told = pulls(on, host, job(CONTAINERS, *skopeo, count=200, pause=0.05))
    assert changed(told).ways == {"one step": 200}
    assert len(said) >= 100
    assert [line for line in said if TROUBLE.search(line) or "level=fatal" not in line] == []
    log = on("registry1", f"tail -n +{before + 1} {ACCESS_LOG}").splitlines()
    presented = Counter(line.split()[3] for line in log)
    pairs = [each[0]["pairs"]["10"][0] for each in skopeo]
    assert set(presented) == {read_certificates(certificate)[0].fingerprint for certificate in pairs}
    assert presented.total() >= len(said)


def test_skopeo_fails_again_and_again_where_files_are_replaced_one_by_one(
    on: OnHost, skopeo: list[list[dict[str, Any]]]
) -> None:
    *said, told = pulls(on, "node2", job(CONTAINERS, *skopeo, count=5000, way="copy"))
    assert changed(told).ways == {"copy": 5000}
    troubles = [line for line in said if TROUBLE.search(line)]
    assert len(troubles) > len(said) / 20, Counter(said)


class Laid(NamedTuple):
    """A run of the module that laid or did not."""

    status: int
    output: str

    def way(self) -> str:
        found = re.search(r"swapped in: ([a-z ]+)", self.output)
        assert found, self.output
        return found[1]


@pytest.fixture
def lay(playbook: Ansible, tmp_path: Path) -> Any:
    """Runs the module on node1: the pair of this number below this root."""

    def run(root: str, number: int) -> Laid:
        certificate, key = STATES[number][0]["pairs"]["10"]
        registry = {
            "name": REGISTRY,
            "ca_certificates": [{"name": "ca", "content": AUTHORITY.certificate}],
            "client_pairs": [{"name": "10", "certificate": certificate, "private_key": key}],
        }
        layout = {"fleet.certs_d.layout": {"path": root, "registries": [registry]}, "register": "laid"}
        told = {"ansible.builtin.debug": {"msg": "swapped in: {{ laid.registries[0].swapped_in }}"}}
        play = tmp_path / "lay.yml"
        play.write_text(json.dumps([{"hosts": "node1", "gather_facts": False, "tasks": [layout, told]}]))
        done = playbook(play)
        return Laid(done.status, done.output)

    return run


def picture(on: OnHost, root: str) -> str:
    """All of the root but the times of the root itself, in which a stage may have come and gone."""
    line = f"cd {root} && ls -A && find */ -printf '%p %m %u %T@\n' | sort && find . -type f | sort"
    return on("node1", f"{line} | xargs -d '\n' sha256sum")


def test_a_full_disk_is_told_and_the_old_state_stays(on: OnHost, place: str, lay: Any) -> None:
    on("node1", f"mount -t tmpfs -o size=128k tmpfs {place}")
    root = f"{place}/certs.d"
    assert lay(root, 0).status == 0
    on("node1", f"dd if=/dev/zero of={place}/full bs=4k 2>/dev/null || df --output=avail {place}")
    before = picture(on, root)
    refused = lay(root, 1)
    assert refused.status != 0
    assert "No space left on device, nothing was changed: free some space" in refused.output
    assert picture(on, root) == before


def test_a_read_only_file_system_is_told_and_the_old_state_stays(on: OnHost, place: str, lay: Any) -> None:
    on("node1", f"mount -t tmpfs tmpfs {place}")
    root = f"{place}/certs.d"
    assert lay(root, 0).status == 0
    on("node1", f"mount -o remount,ro {place}")
    before = picture(on, root)
    refused = lay(root, 1)
    assert refused.status != 0
    assert "Read-only file system, nothing was changed: mount the file system for writing" in refused.output
    assert picture(on, root) == before


def test_a_host_directory_that_is_a_mount_point_changes_file_by_file(on: OnHost, place: str, lay: Any) -> None:
    on("node1", f"mkdir -p '{place}/certs.d/{REGISTRY}' && mount -t tmpfs tmpfs '{place}/certs.d/{REGISTRY}'")
    assert_changes_file_by_file(on, f"{place}/certs.d", lay)


def test_a_host_directory_of_a_container_image_changes_file_by_file(on: OnHost, place: str, lay: Any) -> None:
    on("node1", f"mount -t tmpfs tmpfs {place} && cd {place} && mkdir lower upper work merged")
    assert lay(f"{place}/lower", 0).way() == "one step"
    on(
        "node1",
        f"cd {place} && mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work,redirect_dir=off overlay merged",
    )
    assert_changes_file_by_file(on, f"{place}/merged", lay)
    assert on("node1", f"cat '{place}/lower/{REGISTRY}/10.cert'") == STATES[0][0]["pairs"]["10"][0]


def assert_changes_file_by_file(on: OnHost, root: str, lay: Any) -> None:
    assert lay(root, 1).way() == "file by file"
    assert on("node1", f"ls -A {root}").split() == [REGISTRY]
    found = on("node1", f"cd '{root}/{REGISTRY}' && find . -type f -printf '%f %m\n' | sort").splitlines()
    assert found == ["10.cert 644", "10.key 600", "ca.crt 644"]
    halves = [on("node1", f"cat '{root}/{REGISTRY}/10.{half}'") for half in HALVES]
    assert halves == list(STATES[1][0]["pairs"]["10"])
    assert "changed=0" in lay(root, 1).output
