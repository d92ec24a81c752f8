# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registries of the role beside the lab's own: one per policy, with certificates of every kind, and how to ask them."""

from __future__ import annotations

import base64
import io
import itertools
import json
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from ansible_collections.fleet.certs_d.tests.fleet.registry_requests import REQUESTS, question_of
from ansible_collections.fleet.certs_d.tests.fleet.running import INVENTORY, Run, address, run, ssh, tool
from ansible_collections.fleet.certs_d.tests.unit.material import (
    CLIENT,
    NOW,
    SERVER,
    Issued,
    issue,
    issue_ca,
    issue_client,
    issue_crl,
    issue_server,
)
from ansible_collections.fleet.certs_d.tests.unit.roles.registry.trees import Image, lay_image

HOST = "registry1"
# Debian 13, with openssl and Python 3.13.
NODE = "node2"
NAME = "registry.lab"
ROOT = "/srv/gate-tests"
PLAYBOOK = Path(__file__).with_name("registries.yml")
_PROGRAMS = [Path(__file__).with_name(name) for name in ("node_client.py", "node_fuzz.py")]
_FOLDER = "/root/gate-tests"
BESIDE = b"never served"


_PLAIN = ("name", "policy", "state", "purge_tree", "log_level", "backend", "user", "root")


@dataclass(frozen=True)
class Registry:
    """What the role is told of a registry; files are those of the material."""

    name: str
    policy: str = "signed_by_ca"
    clients: Sequence[dict[str, Any]] = ()
    client_ca: str = "clients.crt"
    client_crl: str = "clients.crl"
    state: str = "present"
    purge_tree: bool = False
    log_level: str = "warn ssl:info"
    backend: str = "static"
    user: str = "certs-d-registry"
    root: str = ROOT

    @property
    def port(self) -> int:
        return int(self.name.rsplit(":", 1)[1])

    def variables(self, material: Path) -> dict[str, Any]:
        """As the playbook takes them."""
        files = {key: str(material / value) if value else "" for key, value in self.files.items()}
        others = {key: getattr(self, key) for key in _PLAIN}
        return {**others, **files, "clients": list(self.clients)}

    @property
    def files(self) -> dict[str, str]:
        return {"client_ca": self.client_ca, "client_crl": self.client_crl}


@dataclass(frozen=True)
class Answer:
    """What a registry said; status 0 is a refused handshake, whose alert is the error."""

    status: int
    head: str
    body: str
    error: str
    reused: bool
    seconds: float

    @property
    def headers(self) -> dict[str, str]:
        """By names in small letters; without those that differ from request to request."""
        lines = (line.partition(": ") for line in self.head.split("\r\n")[1:])
        return {name.lower(): value for name, _colon, value in lines if name.lower() != "date"}

    @property
    def what_it_tells(self) -> tuple[object, ...]:
        """All of it but the time of day."""
        return self.head.partition("\r\n")[0], tuple(self.headers.items()), self.body

    @property
    def reason(self) -> str:
        """The message of an error, which always is JSON."""
        said = json.loads(self.body)
        return str(said["error"] if "error" in said else said["errors"][0]["message"])

    @property
    def outcome(self) -> str:
        """In the words of the table of docs/registry.md."""
        if not self.status:
            return "handshake refused" if "alert" in self.error.lower() else self.error
        return str(self.status) if self.status < 400 or not self.body else f"{self.status} {self.reason}"


@dataclass(frozen=True)
class Question:
    """One request, as the node sends it."""

    port: int
    certificate: str = ""
    path: str = "/v2/"
    method: str = "GET"
    host: str = NAME
    name: str = NAME
    headers: Sequence[str] = ()
    body: str = ""
    version: str = "1.3"
    client: str = "python"
    resumed: bool = False
    first_name: str = NAME
    session: str = ""
    raw: str = ""

    def data(self) -> dict[str, Any]:
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {self.host}:{self.port}", "Connection: close"]
        request = self.raw or "\r\n".join([*lines, *self.headers, "", self.body])
        names = ("port", "certificate", "name", "version", "client", "resumed", "first_name", "session")
        return {**{name: getattr(self, name) for name in names}, "request": request}


@dataclass
class Material:
    """CAs and certificates of every kind, in a folder of the controller."""

    folder: Path
    authority: Issued = field(default_factory=lambda: issue_ca("Authority of the gate's tests"))
    other: Issued = field(default_factory=lambda: issue_ca("Another authority"))
    issued: dict[str, Issued] = field(default_factory=dict)

    def fill(self) -> None:
        """Write all that the role and the clients read."""
        server = issue_server(signer=self.authority, names=(NAME, "second.lab", address(INVENTORY, HOST)))
        names = [x509.DNSName("named.example"), x509.RFC822Name("named@example.org")]
        ended, begins = NOW - timedelta(days=1), NOW + timedelta(days=3)
        self.issued = {
            "good": issue_client("good", signer=self.authority),
            "named": issue("named", signer=self.authority, purposes=[CLIENT], alternative_names=names),
            "stranger": issue_client("stranger", signer=self.authority),
            "revoked": issue_client("revoked", signer=self.authority),
            "expired": issue("expired", signer=self.authority, not_before=NOW - timedelta(days=9), not_after=ended),
            "not yet valid": issue("early", signer=self.authority, not_before=begins),
            "for servers": issue("for servers", signer=self.authority, purposes=[SERVER]),
            "foreign": issue_client("foreign", signer=self.other),
            "self-signed": issue("self-signed", purposes=[CLIENT]),
            "self-signed, not listed": issue("self-signed too", purposes=[CLIENT]),
            "self-signed, expired": issue("over", not_before=NOW - timedelta(days=9), not_after=ended),
        }
        for name, pair in self.issued.items():
            self.write(f"{name}.cert", pair.certificate)
            self.write(f"{name}.key", pair.private_key)
        for name, content in (
            ("ca.crt", self.authority.certificate),
            ("server.crt", server.certificate),
            ("server.key", server.private_key),
            ("clients.crt", self.authority.certificate),
            ("other.crt", self.other.certificate),
        ):
            self.write(name, content)
        self.revoke("revoked")

    def revoke(self, *names: str, **dates: Any) -> None:
        """Write the revocation list of these."""
        self.write("clients.crl", issue_crl(self.authority, [self.issued[name] for name in names], **dates))

    def write(self, name: str, content: str) -> None:
        (self.folder / name).write_text(content)

    def fingerprint(self, name: str) -> str:
        return self.issued[name].x509.fingerprint(SHA256()).hex(":")


def policies(material: Material) -> dict[str, Registry]:
    """A registry per policy. What is listed is `good` and `named`, or `good` and `self-signed`."""
    fingerprints = [{"fingerprint": material.fingerprint(name).upper()} for name in ("good", "self-signed")]
    listed = [{"subject": "CN=good", "repositories": ["app", "team/*"]}, {"san": "DNS:named.example"}]
    no_ca = {"client_ca": "", "client_crl": ""}
    return {
        "any_certificate": Registry(f"{NAME}:5001", "any_certificate", **no_ca),
        "signed_by_ca": Registry(f"{NAME}:5002"),
        "allowlist": Registry(f"{NAME}:5003", "allowlist", listed),
        "allowlist without a CA": Registry(f"{NAME}:5004", "allowlist", fingerprints, **no_ca),
    }


# By policy and certificate, the answers in the order of WAYS.
PolicyAnswers = dict[str, dict[str, list[Answer]]]
# By label, the answer without a certificate and with a good one.
RequestAnswers = dict[str, tuple[Answer, Answer]]
# Client, version of TLS, whether the session is a resumed one.
WAYS = list(itertools.product(("python", "openssl"), ("1.2", "1.3"), (False, True)))


@dataclass(frozen=True)
class Fleet:
    """The registries that run, their tree and the node that asks them."""

    material: Material
    by_policy: dict[str, Registry]
    images: dict[str, Image]
    # What good runs have laid, by the registries' names: of which registry, and its files as they were.
    standing: dict[str, tuple[Registry, list[str]]] = field(default_factory=dict)

    def want(self, *registries: Registry) -> None:
        """Have these registries and no others, in one play; one that stands as it is told is left alone."""
        names = {registry.name for registry in registries}
        others = [
            replace(registry, state="absent", purge_tree=registry.root != ROOT)
            for name, (registry, _files) in self.standing.items()
            if name not in names
        ]
        missing = [registry for registry in registries if self.standing.get(registry.name) != self._told(registry)]
        if others or missing:
            self.lay(*others, *missing)

    def forget(self, registry: Registry) -> None:
        """It is to be laid again when it is wanted: a test has changed it by hand."""
        self.standing[registry.name] = replace(registry, state="absent"), []

    def lay(self, *registries: Registry, good: bool = True) -> Run:
        """Run the role for these registries, in one play."""
        variables = {
            "wanted_material": str(self.material.folder),
            "wanted_registries": [registry.variables(self.material.folder) for registry in registries],
        }
        done = run(tool("ansible-playbook"), PLAYBOOK, "-i", INVENTORY, "-e", json.dumps(variables))
        assert not good or done.status == 0, done.output
        for registry in registries if done.status == 0 else ():
            if registry.state == "absent":
                self.standing.pop(registry.name, None)
            else:
                self.standing[registry.name] = self._told(registry)
        return done

    def _told(self, registry: Registry) -> tuple[Registry, list[str]]:
        return registry, [(self.material.folder / name).read_text() for name in registry.files.values() if name]

    def remove(self, *registries: Registry, purge_tree: bool = False) -> Run:
        """Take registries away."""
        return self.lay(*(replace(registry, state="absent", purge_tree=purge_tree) for registry in registries))

    def ask(self, *questions: Question, at_a_time: int = 1) -> list[Answer]:
        """Ask from the node, all in one go."""
        given = json.dumps([question.data() for question in questions])
        said = ssh(INVENTORY, NODE, f"python3 {_FOLDER}/node_client.py {_FOLDER} {at_a_time}", given=given).good()
        return [Answer(**answer) for answer in json.loads(said)]

    def fuzz(self, port: int, certificate: str, paths: Sequence[str]) -> list[tuple[int, str]]:
        """Status and body of each path, asked from the node over a few connections."""
        given = json.dumps({"port": port, "certificate": certificate, "paths": paths})
        said = ssh(INVENTORY, NODE, f"python3 {_FOLDER}/node_fuzz.py {_FOLDER}", given=given).good()
        return [(int(status), str(body)) for status, body in json.loads(said)]

    def ask_in_every_way(self) -> PolicyAnswers:
        """Each registry, with each kind of certificate."""
        certificates = [*self.material.issued, ""]
        questions = [
            Question(registry.port, certificate, client=client, version=version, resumed=resumed)
            for registry in self.by_policy.values()
            for certificate in certificates
            for client, version, resumed in WAYS
        ]
        answers = iter(self.ask(*questions, at_a_time=4))
        return {
            policy: {each or "none": list(itertools.islice(answers, len(WAYS))) for each in certificates}
            for policy in self.by_policy
        }

    def ask_all_requests(self) -> RequestAnswers:
        """Every request, of the registry that lets in who is signed by its CA."""
        port = self.by_policy["signed_by_ca"].port
        questions = [
            Question(port, certificate, **question_of(label, request))
            for label, request in REQUESTS.items()
            for certificate in ("", "good")
        ]
        answers = iter(self.ask(*questions, at_a_time=4))
        return dict(zip(REQUESTS, zip(answers, answers, strict=True), strict=True))

    def lay_on_node(self) -> None:
        """The clients' certificates and the program that asks."""
        files = {path.name: path.read_bytes() for path in [*self.material.folder.iterdir(), *_PROGRAMS]}
        unpack(NODE, _FOLDER, files.items())


def unpack(host: str, folder: str, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files on a host."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    send(host, folder, stream.getvalue())


def send(host: str, folder: str, archive: bytes) -> None:
    """Unpack an archive on a host, in place of what is there."""
    line = f"rm -rf '{folder}' && mkdir -p '{folder}' && base64 -d | tar -xz --no-same-owner -C '{folder}'"
    ssh(INVENTORY, host, line, given=base64.b64encode(archive).decode()).good()


def lay_tree(folder: Path, root: str = ROOT) -> dict[str, Image]:
    """A tree of images on the registries' host, with what must never be served in it and beside it."""
    images = {name: lay_image(folder, name, name.encode() * 1000) for name in ("app", "team/tool", "other/tool")}
    (folder / "secret").write_bytes(BESIDE)
    (folder / "v1/.hidden").write_bytes(BESIDE)
    (folder / "v2/app/manifests/outside").symlink_to("/etc/passwd")
    (folder / "v2/app/manifests/beside").symlink_to("../../../secret")
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        archive.add(folder, arcname=".")
    send(HOST, root, stream.getvalue())
    ssh(INVENTORY, HOST, f"chmod 755 '{root}'").good()
    return images


def remove_tree() -> None:
    """Nothing of the tree is left on the registries' host."""
    ssh(INVENTORY, HOST, f"rm -rf '{ROOT}'").good()
