# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No private key stands anywhere but in its own file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ansible_collections.fleet.certs_d.tests.fleet.leaks import key_lines, leaked, watch_arguments
from ansible_collections.fleet.certs_d.tests.fleet.running import CERTS_D, INVENTORY, SITE, Ansible, OnHost

PKI = INVENTORY / ".lab" / "pki"
AUTHORITY = INVENTORY / ".lab" / "authority"
NODES = ("node1", "node2", "node3")


def test_no_key_stands_in_output_journal_arguments_or_other_files(
    playbook: Ansible, on: Callable[[str, str], str], tmp_path: Path
) -> None:
    lines = key_lines(PKI) | key_lines(AUTHORITY)
    assert len(lines) >= 10
    for host in NODES:
        on(host, f"rm -rf {CERTS_D}")
    run = playbook(SITE, "-vvvv", "--diff", **watch_arguments(tmp_path))
    assert run.status == 0, run.output[-3000:]
    seen = (tmp_path / "seen").read_text()
    assert "Lay the host directories" in seen
    assert "10-old.key 0600" in run.output
    assert leaked(run.output, lines) == []
    assert leaked(seen, lines) == []
    for host in NODES:
        journal = on(host, "journalctl --no-pager --output=cat")
        assert "private_keys=NOT_LOGGING_PARAMETER" in journal
        assert leaked(journal, lines) == []


def test_keys_lie_in_their_files_alone_and_are_the_owners(on: OnHost) -> None:
    search = "grep --recursive --text --only-matching --null --fixed-strings --file=-"
    for host in NODES:
        lines = key_lines(PKI / "registry.lab:5000" / "hosts" / host)
        where = f"{search} / --exclude-dir=proc --exclude-dir=sys 2>/dev/null || true"
        found = [row.split("\0") for row in on(host, where, given="\n".join(lines)).splitlines()]
        # No line of a key is to stand in what a failed test shows.
        found_all = {line for _file, line in found} == lines
        assert found_all, f"{host} does not hold its own key, so this test looks for the wrong thing"
        assert [file for file, _line in found if not (file.startswith(CERTS_D) and file.endswith(".key"))] == []
        modes = on(host, f"find {CERTS_D} -name '*.key' -printf '%m %u %g\n'").splitlines()
        assert modes == ["600 root root"] * 2


def test_data_with_keys_leaves_none_in_the_journal(
    playbook: Ansible, on: Callable[[str, str], str], tmp_path: Path
) -> None:
    """Given as `registries:` the keys are task arguments by the user's choice; the node's log must not have them."""
    play = tmp_path / "data.yml"
    play.write_text(
        "- hosts: node1\n"
        "  gather_facts: false\n"
        "  tasks:\n"
        "    - fleet.certs_d.layout:\n"
        f"        registries: \"{{{{ query('fleet.certs_d.host_layout', pki='{PKI}') }}}}\"\n"
        "        path: /srv/data\n"
    )
    run = playbook(play, "-vvvv", "--diff")
    assert run.status == 0, run.output[-3000:]
    lines = key_lines(PKI)
    assert leaked(run.output, lines) == []
    assert leaked(on("node1", "journalctl --no-pager --output=cat"), lines) == []
    assert on("node1", "rm -r /srv/data && echo gone") == "gone\n"


def test_without_pipelining_in_the_configuration_no_file_holds_a_key_on_its_way(
    playbook: Ansible, on: Callable[[str, str], str]
) -> None:
    """Else Ansible writes a module's arguments into a file on the controller and one on the node."""
    on("node1", f"rm -rf {CERTS_D} && find /root/.ansible -name 'AnsiballZ_*' -delete 2>/dev/null; true")
    run = playbook(SITE, "-vvv", "--tags", "layout", "--limit", "node1", ANSIBLE_PIPELINING="0")
    assert run.status == 0, run.output[-3000:]
    assert "AnsiballZ_layout.py" not in run.output
    kept = playbook(SITE, "--tags", "layout", "--limit", "node1", ANSIBLE_KEEP_REMOTE_FILES="1")
    assert kept.status != 0
    assert "ANSIBLE_KEEP_REMOTE_FILES would leave private keys on the node" in kept.output
