# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is laid out as RHEL is, and the role's runs on it, from the bare host to the last registry's end."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.fleet.certs_d.tests.fleet.running import PROJECT, Run, address, run, ssh, tool
from ansible_collections.fleet.certs_d.tests.tools.rhel_snapshots import CASES
from ansible_collections.fleet.certs_d.tests.unit.material import issue_ca, issue_client, issue_crl, issue_server

INVENTORY = PROJECT / "inventories/rhel"
HOST = "httpd1"
NAME = "registry.example"
_HERE = Path(__file__).parent
# What the role may change, as far as the tests look.
_PICTURE = """
rpm --query --all | sort
semanage export
firewall-cmd --list-all
firewall-cmd --permanent --list-all
find /etc/httpd /srv /var/www -not -path '/srv/repositories*' -printf '%p %m %u %g\n' 2> /dev/null | sort
"""


@dataclass(frozen=True)
class Answer:
    """What a registry answered."""

    status: int
    type: str
    body: bytes


@dataclass(frozen=True)
class Rhel:
    """The host, and certificates of this session."""

    address: str
    material: Path

    def role(self, case: dict[str, Any], *options: str) -> Run:
        """Run the role; files of a case are those of this session."""
        files = {"registry_server_certificate": "server.crt", "registry_server_key": "server.key", **case}
        named = ("registry_server_certificate", "registry_server_key", "registry_client_ca", "registry_client_crl")
        paths = {name: str(self.material / files[name]) for name in named if files.get(name)}
        variables = json.dumps({**case, **paths})
        return run(
            tool("ansible-playbook"), _HERE / "registry.yml", "-i", INVENTORY / "hosts.yml", "-e", variables, *options
        )

    def on(self, line: str) -> str:
        """What a shell line on the host says; the tools of SELinux complain of users that Debian does not have."""
        return ssh(INVENTORY, HOST, f"({line}) 2> /dev/null").good()

    def picture(self) -> str:
        """All that the role may change."""
        return self.on(_PICTURE + "true")

    def is_open(self, port: int) -> bool:
        """Whether a connection from outside comes through."""
        try:
            socket.create_connection((self.address, port), timeout=3).close()
        except OSError:
            return False
        return True

    def ask(self, path: str, port: int = 5000, *, name: str | None = NAME, client: bool = True) -> Answer:
        """Ask over TLS, as the client that the cases let in."""
        context = ssl.create_default_context(cafile=self.material / "ca.crt")
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED if name else ssl.CERT_NONE
        if client:
            context.load_cert_chain(self.material / "client.crt", self.material / "client.key")
        with (
            socket.create_connection((self.address, port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=name) as secured,
        ):
            host = name or self.address
            secured.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
            answer = http.client.HTTPResponse(secured)
            answer.begin()
            return Answer(answer.status, answer.getheader("Content-Type", ""), answer.read())


@pytest.fixture(scope="session")
def cases() -> list[dict[str, Any]]:
    """The registries whose files are kept as snapshots."""
    listed = yaml.safe_load(CASES.read_text())["rhel_cases"]
    return [{key: value for key, value in case.items() if key != "others_listen"} for case in listed]


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Rhel:
    """The host as no run of the role has touched it, without EPEL."""
    for action in ("down", "up"):
        run(sys.executable, "-m", "lab", action, INVENTORY, "--parts", "rhel").good()
    run(tool("ansible-playbook"), _HERE / "prepare.yml", "-i", INVENTORY / "hosts.yml").good()
    material = tmp_path_factory.mktemp("material")
    ca = issue_ca()
    server, client = issue_server(signer=ca, names=[NAME]), issue_client("node1", signer=ca)
    contents = {
        "ca.crt": ca.certificate,
        "ca.crl": issue_crl(ca),
        "server.crt": server.certificate,
        "server.key": server.private_key,
        "client.crt": client.certificate,
        "client.key": client.private_key,
    }
    for name, content in contents.items():
        (material / name).write_text(content)
    return Rhel(address(INVENTORY, HOST), material)
