# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/verify.yml on hosts that this collection did not set up, each spoiled in a way of its own."""

from __future__ import annotations

import base64
import io
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ansible_collections.fleet.certs_d.tests.fleet.running import (
    INVENTORY,
    PROJECT,
    REGISTRY,
    Ansible,
    OnHost,
    Run,
    address,
    run,
    tool,
)
from ansible_collections.fleet.certs_d.tests.unit.material import CLIENT, NOW, Issued, issue, issue_ca, issue_client

VERIFY = PROJECT / "playbooks" / "verify.yml"
REPORT = PROJECT / "playbooks" / "report.yml"
ROOT = "/srv/spoiled"
# All of them are one machine of the lab, with roots of their own.
NODE = "node1"
AUTHORITY = INVENTORY / ".lab" / "authority"


@dataclass(frozen=True)
class Hand:
    """A host directory that somebody laid by hand, and the cause that the verdict must name."""

    directory: str
    files: dict[str, str]
    cause: str


@pytest.fixture(scope="module")
def hands(fleet: Run) -> dict[str, Hand]:
    """A sound host, and five that are spoiled, by their names in the inventory."""
    key = load_pem_private_key((AUTHORITY / "ca.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    ca = Issued(x509.load_pem_x509_certificate((AUTHORITY / "ca.crt").read_bytes()), key)
    root = {"ca.crt": ca.certificate}
    good, other = (issue_client(name, signer=ca) for name in ("good", "other"))
    dates = {"not_before": NOW - timedelta(days=9), "not_after": NOW - timedelta(days=3, hours=-1)}
    expired = issue("expired", signer=ca, purposes=[CLIENT], **dates)
    foreign = issue_client("foreign", signer=issue_ca("Another CA"))
    return {
        "sound": Hand(REGISTRY, {**root, **pair("10-good", good)}, ""),
        "expired": Hand(
            REGISTRY,
            {**root, **pair("10-old", expired), **pair("20-node", good)},
            f"docker would present 10-old (expired 3 days ago); {REGISTRY} refuses it (the registry refused the TLS "
            "connection: certificate expired); 20-node would be accepted: remove or rename 10-old",
        ),
        "mismatch": Hand(
            REGISTRY,
            {**root, "10-good.cert": good.certificate, "10-good.key": other.private_key},
            "10-good.cert: the key belongs to another certificate",
        ),
        "portless": Hand(
            REGISTRY.partition(":")[0],
            {**root, **pair("10-good", good)},
            # Apache may listen there, without TLS.
            "docker does not come as far as presenting a certificate to registry.lab (at port 443, since its name has "
            "none)",
        ),
        "misnamed": Hand(
            REGISTRY,
            {"ca.cert": ca.certificate, **pair("10-good", good)},
            "ca.cert: the certificate has no key: lay its .key beside it; CA roots must end in .crt",
        ),
        "foreign": Hand(
            REGISTRY,
            {**root, **pair("10-foreign", foreign)},
            "docker would present no certificate, since of 10-foreign none fits: the registry names other CAs than its "
            f"issuer (CN=fleet.certs_d throw-away CA); {REGISTRY} refuses it (403)",
        ),
    }


@pytest.fixture(scope="module")
def inventory(hands: dict[str, Hand], on: OnHost, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hosts, laid."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for host, hand in hands.items():
            for name, content in hand.files.items():
                entry = tarfile.TarInfo(f"{host}/{hand.directory}/{name}")
                entry.size, entry.mode = len(content), 0o600
                archive.addfile(entry, io.BytesIO(content.encode()))
    line = f"rm -rf {ROOT} && mkdir {ROOT} && base64 -d | tar -x -C {ROOT}"
    on(NODE, line, base64.b64encode(packed.getvalue()).decode())
    hosts = {host: {"ansible_host": address(INVENTORY, NODE), "node_path": f"{ROOT}/{host}"} for host in hands}
    written = tmp_path_factory.mktemp("spoiled") / "hosts.yml"
    written.write_text(yaml.safe_dump({"lab": {"children": {"spoiled": {"hosts": hosts}}}}))
    return written


@pytest.fixture(scope="module")
def picture(on: OnHost) -> Callable[[], str]:
    line = f"cd {ROOT} && find . -printf '%p %m %u %T@ %C@\\n' | sort && find . -type f | sort | xargs sha256sum"
    return lambda: on(NODE, line)


def test_a_spoiled_fleet_is_told_the_causes_and_left_as_it_is(
    hands: dict[str, Hand], inventory: Path, playbook: Ansible, picture: Callable[[], str]
) -> None:
    before = picture()
    done = playbook(VERIFY, "-i", inventory, "-e", "certs_d_hosts=spoiled")
    assert done.status != 0
    assert {host: row[-1] for host, row in done.rows().items()} == {
        host: "failed" if hand.cause else "verified" for host, hand in hands.items()
    }
    for host, hand in hands.items():
        told = [line for line in done.output.splitlines() if line.startswith(f"{host}: ")]
        assert bool(told) is bool(hand.cause)
        assert hand.cause in "".join(told)
    assert "1 of 6 hosts verified" in done.output
    assert picture() == before


@pytest.mark.parametrize("inventory", ["/nowhere", "nobody,"])
def test_an_inventory_without_such_hosts_is_told_and_fails(inventory: str, tmp_path: Path) -> None:
    done = run(tool("ansible-playbook"), VERIFY, "-i", inventory, cwd=tmp_path, ANSIBLE_CONFIG="")
    assert done.status != 0
    assert "The inventory has no hosts in 'nodes': give it with -i" in " ".join(done.output.split())


def test_a_wrong_variable_is_in_the_report_and_fails_after_it(playbook: Ansible, tmp_path: Path) -> None:
    done = playbook(REPORT, "-e", '{"node_engines": ["cri-o"]}', "-e", f"certs_d_report={tmp_path}")
    assert done.status != 0
    assert f"report: {tmp_path}/report.json" in done.output
    assert "cri-o" in (tmp_path / "report.json").read_text()


def test_no_private_key_is_shown_at_any_verbosity(hands: dict[str, Hand], inventory: Path, playbook: Ansible) -> None:
    done = playbook(VERIFY, "-i", inventory, "-e", "certs_d_hosts=spoiled", "-vvvvv")
    keys = [text for hand in hands.values() for name, text in hand.files.items() if name.endswith(".key")]
    assert len(keys) == 7
    assert not [key for key in keys if any(line in done.output for line in key.splitlines()[1:-1])]


def pair(stem: str, issued: Issued) -> dict[str, str]:
    """The two files of a client pair."""
    return {f"{stem}.cert": issued.certificate, f"{stem}.key": issued.private_key}
