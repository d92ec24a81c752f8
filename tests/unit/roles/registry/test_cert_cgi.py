# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate of the registry: the real script with the environment that Apache gives it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from ansible_collections.fleet.certs_d.tests.unit.material import Issued
from ansible_collections.fleet.certs_d.tests.unit.roles.registry.trees import MANIFEST, Image, lay_image

GATE = Path(__file__).parents[4] / "roles/registry/files/cert.cgi"
REFUSED = "403 Client certificate invalid"
FORBIDDEN = "403 Forbidden"
NOT_FOUND = "404 Not Found"
NO_RIGHT = "client certificate has no right to read this"
SUBJECT = "CN=client,O=Example"


@dataclass(frozen=True)
class Answer:
    """What the script says to Apache, and to the log."""

    status: str
    headers: dict[str, str]
    body: bytes
    log: str

    @property
    def file(self) -> str:
        """The file of the tree that Apache is to send."""
        assert self.status == "", self
        internal, _query, _fingerprint = self.headers["Location"].partition("?")
        return internal.removeprefix("/certs-d-tree/")

    @property
    def reason(self) -> str:
        """Why it was refused, in v2's words or in v1's."""
        said = json.loads(self.body)
        return str(said["error"] if "error" in said else said["errors"][0]["message"])


@dataclass(frozen=True)
class Gate:
    """The script, with what Apache sets for a client that is let in."""

    environment: dict[str, str]
    script: Path = GATE

    def ask(self, path: str, **changes: str | None) -> Answer:
        environment = {**self.environment, "PATH_INFO": path, **changes}
        done = subprocess.run(
            [str(self.script)],
            env={name: value for name, value in environment.items() if value is not None},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=10,
            check=True,
        )
        head, _separator, body = done.stdout.partition(b"\n\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        status = headers.pop("Status")
        assert status == "200 OK" or "Location" not in headers
        return Answer("" if "Location" in headers else status, headers, body, done.stderr.decode())


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return tmp_path / "a tree"


@pytest.fixture
def image(tree: Path) -> Image:
    image = lay_image(tree, "app", b"layer")
    (tree / "v1/.htpasswd").write_text("hidden")
    (tree / "v2/app/manifests/.latest").write_text("hidden")
    (tree / "secret").write_text("secret")
    (tree / "v1/images" / image.v1_id / "link").symlink_to(tree / "secret")
    (tree / "v12").mkdir()
    (tree / "v12/near").write_text("near")
    return image


@pytest.fixture
def tool(tree: Path, image: Image) -> Image:
    return lay_image(tree, "team/tool", b"tool")


@pytest.fixture
def gate(tree: Path, client: Issued, image: Image) -> Gate:
    return Gate(
        {
            "CERTS_D_NAME": "registry.lab:5000",
            "CERTS_D_POLICY": "signed_by_ca",
            "CERTS_D_CLIENT_CA": "yes",
            "CERTS_D_TREE": str(tree),
            "CERTS_D_SESSIONS_END": "1",
            "SSL_SESSION_RESUMED": "Initial",
            "HTTPS": "on",
            "REDIRECT_STATUS": "200",
            "REMOTE_ADDR": "10.0.0.7",
            "REQUEST_METHOD": "GET",
            "SSL_CLIENT_CERT": client.x509.public_bytes(Encoding.PEM).decode(),
            "SSL_CLIENT_S_DN": SUBJECT,
            "SSL_CLIENT_V_REMAIN": "59",
            "SSL_CLIENT_VERIFY": "SUCCESS",
        }
    )


@pytest.fixture
def fingerprint(client: Issued) -> str:
    return hashlib.sha256(client.x509.public_bytes(Encoding.DER)).digest().hex(":")


@pytest.fixture
def allow(gate: Gate, tmp_path: Path) -> Gate:
    """The gate with an allowlist, which a test writes."""
    return Gate(
        {**gate.environment, "CERTS_D_POLICY": "allowlist", "CERTS_D_CLIENTS": str(write_clients(tmp_path, ""))}
    )


def write_clients(folder: Path, *lines: str) -> Path:
    path = folder / "clients"
    path.write_text("".join(f"{line}\n" for line in lines if line))
    return path


def test_a_file_of_the_tree_is_left_to_apache_with_the_fingerprint_for_its_log(gate: Gate, fingerprint: str) -> None:
    answer = gate.ask("/v1/_ping")
    assert answer.headers == {"Location": f"/certs-d-tree/v1/_ping?{fingerprint}"}
    assert answer.body == b""


def test_v1_leads_to_its_files_and_a_layer_to_the_store(gate: Gate, image: Image) -> None:
    folder = f"v1/images/{image.v1_id}"
    for name in (
        f"{folder}/json",
        f"{folder}/ancestry",
        "v1/repositories/app/images",
        "v1/repositories/library/app/tags",
    ):
        assert gate.ask(f"/{name}").file == name
    assert gate.ask(f"/{folder}/layer").file == f"store/blobs/{image.layer_digest}"


def test_a_layer_that_lies_in_v1_itself_is_found_too(gate: Gate, tree: Path) -> None:
    (tree / "v1/images/abc").mkdir()
    (tree / "v1/images/abc/layer").write_text("layer")
    assert gate.ask("/v1/images/abc/layer").file == "v1/images/abc/layer"


def test_v2_leads_to_the_store_whose_names_tell_type_and_digest(gate: Gate, image: Image) -> None:
    stored = f"store/manifests/{MANIFEST}/{image.manifest_digest}"
    assert gate.ask("/v2/app/manifests/latest").file == stored
    assert gate.ask(f"/v2/app/manifests/{image.manifest_digest}").file == stored
    assert gate.ask(f"/v2/app/blobs/{image.layer_digest}").file == f"store/blobs/{image.layer_digest}"
    assert gate.ask("/v2/app/tags/list").file == "v2/app/tags/list"
    assert gate.ask("/v2/_catalog").file == "v2/_catalog"


@pytest.mark.parametrize("name", ["blobs/x", "x/manifests", "tags/list", "v1/images"])
def test_a_repository_may_be_named_like_a_part_of_the_path(gate: Gate, tree: Path, name: str) -> None:
    odd = lay_image(tree, name, b"odd")
    assert gate.ask(f"/v2/{name}/tags/list").file == f"v2/{name}/tags/list"
    assert gate.ask(f"/v2/{name}/manifests/latest").file.endswith(f"/{odd.manifest_digest}")
    assert gate.ask(f"/v2/{name}/blobs/{odd.layer_digest}").file == f"store/blobs/{odd.layer_digest}"


def test_a_blob_that_leads_to_another_one_is_not_found(gate: Gate, tree: Path, image: Image) -> None:
    for folder, name in (("blobs", image.layer_digest), ("manifests", image.manifest_digest)):
        link = tree / "v2/app" / folder / f"sha256:{'0' * 64}"
        link.symlink_to((tree / "v2/app" / folder / name).resolve())
        assert gate.ask(f"/v2/app/{folder}/{link.name}").status == NOT_FOUND


def test_a_tag_that_leads_out_of_the_store_is_not_found(gate: Gate, tree: Path) -> None:
    (tree / "v2/app/manifests/odd").symlink_to(tree / "secret")
    (tree / "v2/app/manifests/far").symlink_to("/etc/passwd")
    (tree / "v2/app/manifests/text").write_text("no link")
    for name in ("odd", "far", "text", ".latest"):
        assert gate.ask(f"/v2/app/manifests/{name}").status == NOT_FOUND


def test_the_tree_may_be_reached_by_a_link(gate: Gate, tree: Path, tmp_path: Path, image: Image) -> None:
    (tmp_path / "link").symlink_to(tree)
    answer = gate.ask(f"/v2/app/blobs/{image.layer_digest}", CERTS_D_TREE=str(tmp_path / "link"))
    assert answer.file == f"store/blobs/{image.layer_digest}"


def test_v2_answers_today_s_clients(gate: Gate) -> None:
    answer = gate.ask("/v2/")
    assert (answer.status, answer.body) == ("200 OK", b"{}")
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Length"] == "2"


def test_who_has_it_already_is_told_so(gate: Gate, image: Image) -> None:
    for wanted in (f'"{image.manifest_digest}"', f'"x", W/"{image.manifest_digest}"', "*"):
        answer = gate.ask("/v2/app/manifests/latest", HTTP_X_CERTS_D_IF_NONE_MATCH=wanted)
        assert (answer.status, answer.body) == ("304 Not Modified", b"")
        assert answer.headers["ETag"] == f'"{image.manifest_digest}"'
        assert answer.headers["Docker-Content-Digest"] == image.manifest_digest
    for other in ('"x"', "", image.manifest_digest):
        assert gate.ask("/v2/app/manifests/latest", HTTP_X_CERTS_D_IF_NONE_MATCH=other).status == ""


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v2/app/manifests/nope", "MANIFEST_UNKNOWN"),
        ("/v2/app/blobs/sha256:00", "BLOB_UNKNOWN"),
        (f"/v2/nope/blobs/sha256:{'0' * 64}", "BLOB_UNKNOWN"),
        ("/v2/nope/tags/list", "NAME_UNKNOWN"),
        ("/v2", "NAME_UNKNOWN"),
    ],
)
def test_what_v2_does_not_know_is_an_error_of_the_distribution_specification(gate: Gate, path: str, code: str) -> None:
    answer = gate.ask(path)
    assert answer.status == NOT_FOUND
    assert [each["code"] for each in json.loads(answer.body)["errors"]] == [code]
    assert answer.headers["Content-Length"] == str(len(answer.body))


@pytest.mark.parametrize("path", ["/v2/", "/v2/x", "/v1/nope"])
def test_head_has_the_headers_of_get_and_no_body(gate: Gate, path: str) -> None:
    got, head = gate.ask(path), gate.ask(path, REQUEST_METHOD="HEAD")
    assert (head.status, head.headers, head.body) == (got.status, got.headers, b"")


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH", "OPTIONS", "get", "", None])
def test_other_methods_are_not_allowed(gate: Gate, method: str | None) -> None:
    assert gate.ask("/v1/_ping", REQUEST_METHOD=method).status == "405 Method Not Allowed"


@pytest.mark.parametrize("https", ["off", "", None])
def test_without_tls_the_document_s_reason_is_given(gate: Gate, https: str | None) -> None:
    answer = gate.ask("/v1/_ping", HTTPS=https)
    assert (answer.status, answer.reason) == ("403 Not using SSL", "not using SSL")
    assert answer.headers["x-docker-registry-version"] == "0.6.2"


@pytest.mark.parametrize("path", ["/v1/_ping", "/v1/nope", "/v1/../secret", "/v2/", "/v2/app/tags/list", "/other", ""])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_without_a_certificate_nothing_tells_whether_a_path_exists(gate: Gate, path: str, method: str) -> None:
    answer = gate.ask(path, SSL_CLIENT_CERT=None, SSL_CLIENT_VERIFY="NONE", REQUEST_METHOD=method)
    assert (answer.status, answer.reason) == (REFUSED, "no client certificate was presented")
    assert "X-Certs-D-Fingerprint" not in answer.headers


@pytest.mark.parametrize("policy", ["signed_by_ca", "allowlist"])
@pytest.mark.parametrize("verify", ["NONE", "GENEROUS", "FAILED:self-signed certificate", "success", "", None])
def test_where_a_ca_must_have_signed_nothing_but_success_lets_in(
    allow: Gate, tmp_path: Path, fingerprint: str, policy: str, verify: str | None
) -> None:
    write_clients(tmp_path, f"fingerprint\t{fingerprint}\t*")
    answer = allow.ask("/v2/", SSL_CLIENT_VERIFY=verify, CERTS_D_POLICY=policy)
    assert answer.status == REFUSED
    assert allow.ask("/v2/", CERTS_D_POLICY=policy).status == "200 OK"


@pytest.mark.parametrize("checked", ["no", "", "YES", None])
def test_success_is_worth_nothing_where_the_handshake_lets_everybody_through(gate: Gate, checked: str | None) -> None:
    assert gate.ask("/v2/", CERTS_D_CLIENT_CA=checked).status == REFUSED


@pytest.mark.parametrize("verify", ["SUCCESS", "GENEROUS", "FAILED:self-signed certificate"])
def test_any_certificate_lets_in_who_presents_one(gate: Gate, verify: str) -> None:
    assert gate.ask("/v1/_ping", CERTS_D_POLICY="any_certificate", SSL_CLIENT_VERIFY=verify).file == "v1/_ping"


@pytest.mark.parametrize("verify", ["NONE", "", None])
def test_any_certificate_lets_nobody_in_of_whom_apache_knows_no_certificate(gate: Gate, verify: str | None) -> None:
    assert gate.ask("/v1/_ping", CERTS_D_POLICY="any_certificate", SSL_CLIENT_VERIFY=verify).status == REFUSED


@pytest.mark.parametrize("policy", ["any_certificate", "signed_by_ca", "allowlist"])
@pytest.mark.parametrize(
    "certificate",
    [
        None,
        "",
        "junk",
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
    ],
)
def test_no_policy_lets_in_without_a_whole_certificate(
    allow: Gate, tmp_path: Path, policy: str, certificate: str | None
) -> None:
    write_clients(tmp_path, f"subject\t{SUBJECT}\t*")
    assert allow.ask("/v1/_ping", CERTS_D_POLICY=policy, SSL_CLIENT_CERT=certificate).status == REFUSED


@pytest.mark.parametrize("policy", ["any_certificate", "signed_by_ca"])
@pytest.mark.parametrize(
    "end", ["Nov  1 00:00:00 2020 GMT", "junk", "", None], ids=["over", "no date", "empty", "unset"]
)
def test_a_resumed_session_does_not_outlive_its_certificate(gate: Gate, policy: str, end: str | None) -> None:
    last_day = {"CERTS_D_POLICY": policy, "SSL_CLIENT_V_REMAIN": "0"}
    answer = gate.ask("/v2/", SSL_CLIENT_V_END=end, **last_day)
    assert (answer.status, answer.reason) == (REFUSED, "client certificate has expired")
    assert gate.ask("/v2/", SSL_CLIENT_V_END="Nov  1 00:00:00 2120 GMT", **last_day).status == "200 OK"


@pytest.mark.parametrize("policy", [None, "", "allow", "SIGNED_BY_CA", "*"])
def test_an_unknown_policy_lets_nobody_in(gate: Gate, policy: str | None) -> None:
    assert gate.ask("/v1/_ping", CERTS_D_POLICY=policy).status == REFUSED


def test_the_allowlist_knows_a_fingerprint_without_a_ca(allow: Gate, tmp_path: Path, fingerprint: str) -> None:
    write_clients(tmp_path, "# a list", f"fingerprint\t{fingerprint}\t*")
    for verify in ("SUCCESS", "GENEROUS", "FAILED:unable to verify the first certificate"):
        assert allow.ask("/v2/", CERTS_D_CLIENT_CA="no", SSL_CLIENT_VERIFY=verify).status == "200 OK"
    answer = allow.ask("/v2/", CERTS_D_CLIENT_CA=None)
    assert answer.status == REFUSED


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        (f"subject\t{SUBJECT}", {}),
        ("san\tDNS:node1.example", {"SSL_CLIENT_SAN_DNS_0": "other", "SSL_CLIENT_SAN_DNS_1": "Node1.example"}),
        ("san\temail:a@b.example", {"SSL_CLIENT_SAN_Email_0": "a@b.example"}),
    ],
)
def test_the_allowlist_knows_names_that_a_ca_vouches_for(
    allow: Gate, tmp_path: Path, entry: str, names: dict[str, str]
) -> None:
    write_clients(tmp_path, f"{entry}\t*")
    assert allow.ask("/v2/", **names).status == "200 OK"
    assert allow.ask("/v2/", CERTS_D_CLIENT_CA="no", **names).status == REFUSED


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ("subject\tCN=client", {}),
        ("subject\tCN=*", {}),
        (f"subject\t{SUBJECT.lower()}", {}),
        ("san\tDNS:node1.example", {"SSL_CLIENT_SAN_DNS_0": "node1.example.evil"}),
        ("san\tDNS:node1.example", {"SSL_CLIENT_SAN_Email_0": "node1.example"}),
        ("san\tDNS:*", {"SSL_CLIENT_SAN_DNS_0": "node1.example"}),
        (f"fingerprint\t{'00:' * 31}00", {}),
    ],
)
def test_who_is_not_on_the_allowlist_is_told_so(allow: Gate, tmp_path: Path, entry: str, names: dict[str, str]) -> None:
    write_clients(tmp_path, f"{entry}\t*")
    answer = allow.ask("/v2/", **names)
    assert (answer.status, answer.reason) == (REFUSED, "client certificate is not on the allowlist")


@pytest.mark.parametrize(
    "line",
    [
        "subject CN=client *",
        "subject\tCN=client",
        "subject\t\t*",
        "subject\tCN=client\t",
        "subject\tCN=client\t$(id)",
        "subject\tCN=client\t*\t*",
        "issuer\tCN=client\t*",
        "san\tURI:node1.example\t*",
        "fingerprint\tAA\t*",
        " ",
    ],
)
def test_a_line_that_is_not_understood_lets_nobody_in(allow: Gate, tmp_path: Path, fingerprint: str, line: str) -> None:
    good = f"fingerprint\t{fingerprint}\t*"
    for lines in ([line, good], [good, line]):
        write_clients(tmp_path, *lines)
        answer = allow.ask("/v2/")
        assert (answer.status, answer.reason) == (REFUSED, "the allowlist is damaged: nobody is let in")


@pytest.mark.parametrize("path", [None, "", "/nowhere", "/"])
def test_a_list_that_can_not_be_read_lets_nobody_in(allow: Gate, path: str | None) -> None:
    answer = allow.ask("/v2/", CERTS_D_CLIENTS=path)
    assert (answer.status, answer.reason) == (REFUSED, "the allowlist can't be read: nobody is let in")


def test_a_list_is_no_code(allow: Gate, tmp_path: Path) -> None:
    (tmp_path / "clients").write_text(f"subject\t$(touch {tmp_path}/done)`touch {tmp_path}/done`\t*\n")
    assert allow.ask("/v2/").status == REFUSED
    assert not (tmp_path / "done").exists()


def test_rights_hold_for_all_that_is_of_a_repository(
    allow: Gate, tmp_path: Path, fingerprint: str, image: Image, tool: Image
) -> None:
    write_clients(tmp_path, f"fingerprint\t{fingerprint}\tapp")
    for path in (
        "/v2/app/manifests/latest",
        f"/v2/app/blobs/{image.layer_digest}",
        "/v2/app/tags/list",
        "/v1/repositories/app/images",
        "/v1/repositories/library/app/tags",
        f"/v1/images/{image.v1_id}/layer",
        "/v1/_ping",
    ):
        assert allow.ask(path).status == "", path
    for path in (
        "/v2/team/tool/manifests/latest",
        f"/v2/team/tool/blobs/{tool.layer_digest}",
        "/v2/team/tool/tags/list",
        "/v1/repositories/team/tool/images",
        f"/v1/images/{tool.v1_id}/layer",
        f"/v1/images/{'0' * 64}/layer",
        "/v2/nope/manifests/latest",
        "/v2/app/evil/manifests/latest",
        "/v2/library/app/manifests/latest",
    ):
        answer = allow.ask(path)
        assert (answer.status, answer.reason) == (FORBIDDEN, NO_RIGHT), path


@pytest.mark.parametrize(
    ("patterns", "read"),
    [
        ("*", ["app", "team/tool", "team/tool/deep", "teams"]),
        ("team/*", ["team/tool", "team/tool/deep"]),
        ("app teams", ["app", "teams"]),
        ("te*", ["team/tool", "team/tool/deep", "teams"]),
        ("team", []),
    ],
)
def test_the_catalog_names_what_may_be_read(
    allow: Gate, tree: Path, tmp_path: Path, fingerprint: str, patterns: str, read: list[str]
) -> None:
    for name in ("team/tool", "team/tool/deep", "teams"):
        lay_image(tree, name, name.encode())
    write_clients(tmp_path, f"fingerprint\t{fingerprint}\t{patterns}")
    answer = allow.ask("/v2/_catalog")
    catalog = (tree / "v2/_catalog").read_bytes() if patterns == "*" else answer.body
    assert json.loads(catalog) == {"repositories": read}
    for name in ("app", "team/tool", "team/tool/deep", "teams"):
        assert (allow.ask(f"/v2/{name}/tags/list").status == "") == (name in read)


@pytest.mark.parametrize(
    ("query", "read", "following"),
    [
        ("n=2", ["app", "other/tool"], "n=2&last=other/tool"),
        ("n=2&last=other/tool", ["team/tool", "teams"], None),
        ("n=2&last=other%2Ftool", ["team/tool", "teams"], None),
        ("last=b", ["other/tool", "team/tool", "teams"], None),
        ("n=0", [], None),
        ("n=4", ["app", "other/tool", "team/tool", "teams"], None),
        ("n=000000001", ["app"], "n=000000001&last=app"),
        ("last=zz", [], None),
        ("n=&last=&x=1", ["app", "other/tool", "team/tool", "teams"], None),
    ],
)
@pytest.mark.parametrize("patterns", ["*", "app other/* team*"])
def test_a_list_comes_in_pages(
    allow: Gate,
    tree: Path,
    image: Image,
    tmp_path: Path,
    fingerprint: str,
    patterns: str,
    query: str,
    read: list[str],
    following: str | None,
) -> None:
    names = ["other/tool", "team/tool", "teams"]
    for name in names if patterns == "*" else [*names, "never", "secret"]:
        lay_image(tree, name, name.encode())
    write_clients(tmp_path, f"fingerprint\t{fingerprint}\t{patterns}")
    answer = allow.ask("/v2/_catalog", QUERY_STRING=query)
    whole = patterns == "*" and query.startswith("n=&")
    body = (tree / "v2/_catalog").read_bytes() if whole else answer.body
    assert json.loads(body) == {"repositories": read}
    assert answer.headers.get("Link") == (following and f'</v2/_catalog?{following}>; rel="next"')


def test_tags_come_in_pages(gate: Gate, tree: Path, image: Image) -> None:
    (tree / "v2/app/tags/list").write_text('{"name":"app","tags":["1.0","2.0_x","A","latest"]}')
    assert gate.ask("/v2/app/tags/list", QUERY_STRING="").file == "v2/app/tags/list"
    first = gate.ask("/v2/app/tags/list", QUERY_STRING="n=2")
    assert json.loads(first.body) == {"name": "app", "tags": ["1.0", "2.0_x"]}
    assert first.headers["Link"] == '</v2/app/tags/list?n=2&last=2.0_x>; rel="next"'
    assert first.headers["Content-Length"] == str(len(first.body))
    second = gate.ask("/v2/app/tags/list", QUERY_STRING="n=2&last=2.0_x")
    assert (json.loads(second.body)["tags"], "Link" in second.headers) == (["A", "latest"], False)
    assert gate.ask("/v2/nope/tags/list", QUERY_STRING="n=2").status == NOT_FOUND


@pytest.mark.parametrize(
    "query", ["n=x", "n=-1", "n=1e3", "n=0x1", "n=1;", "n=9999999999", "last=%0a", "last=a>", "last=*"]
)
def test_a_page_that_is_none_is_a_bad_request(gate: Gate, image: Image, query: str) -> None:
    for path in ("/v2/_catalog", "/v2/app/tags/list"):
        assert gate.ask(path, QUERY_STRING=query).status == "400 Bad Request"


@pytest.mark.parametrize("resumed", ["Resumed", "", None])
@pytest.mark.parametrize(
    ("end", "is_let_in"),
    [("never", True), ("4000000000", True), ("1", False), (None, False), ("", False), ("now", False), ("-1", False)],
)
def test_a_session_is_not_resumed_beyond_the_end_of_what_it_was_verified_by(
    gate: Gate, resumed: str | None, end: str | None, is_let_in: bool
) -> None:
    answer = gate.ask("/v2/", SSL_SESSION_RESUMED=resumed, CERTS_D_SESSIONS_END=end)
    assert answer.status == ("200 OK" if is_let_in else REFUSED)
    assert is_let_in or "to be begun anew" in answer.reason


def test_rights_of_several_entries_add_up(allow: Gate, tmp_path: Path, fingerprint: str, tool: Image) -> None:
    write_clients(
        tmp_path, f"fingerprint\t{fingerprint}\tapp", f"subject\t{SUBJECT}\tteam/*", "subject\tCN=other\tnope"
    )
    assert [allow.ask(f"/v2/{name}/tags/list").status for name in ("app", "team/tool", "nope")] == ["", "", FORBIDDEN]


def test_a_parent_comes_with_the_image_that_is_made_of_it(
    allow: Gate, tree: Path, tmp_path: Path, fingerprint: str, tool: Image
) -> None:
    lay_image(tree, "child", b"child", parent=tool.v1_id)
    write_clients(tmp_path, f"fingerprint\t{fingerprint}\tchild")
    assert allow.ask(f"/v1/images/{tool.v1_id}/json").file.endswith("/json")


@pytest.mark.parametrize("patterns", ["library/*", "*/*", "library/app", "l*"])
def test_a_right_to_library_is_none_to_what_v1_alone_spells_so(
    allow: Gate, image: Image, tmp_path: Path, fingerprint: str, patterns: str
) -> None:
    write_clients(tmp_path, f"fingerprint\t{fingerprint}\t{patterns}")
    for name in ("app", "library/app"):
        for kind in ("images", "tags"):
            assert allow.ask(f"/v1/repositories/{name}/{kind}").status == FORBIDDEN
    for kind in ("json", "ancestry", "layer"):
        assert allow.ask(f"/v1/images/{image.v1_id}/{kind}").status == FORBIDDEN
    assert allow.ask("/v2/app/tags/list").status == FORBIDDEN
    assert allow.ask("/v2/library/app/tags/list").status == NOT_FOUND


@pytest.mark.parametrize("changes", [{"CONTENT_LENGTH": "1"}, {"CONTENT_LENGTH": "x"}, {"HTTP_TRANSFER_ENCODING": "y"}])
@pytest.mark.parametrize("verified", ["SUCCESS", "NONE"])
def test_a_request_with_a_body_is_refused(gate: Gate, verified: str, changes: dict[str, str]) -> None:
    answer = gate.ask("/v2/", SSL_CLIENT_VERIFY=verified, **changes)
    assert (answer.status, answer.reason) == ("413 Request Entity Too Large", "a request has no body here")
    assert 'decision=no reason="a request has no body here"' in answer.log


@pytest.mark.parametrize("length", ["", "0", "00"])
def test_a_body_of_no_bytes_is_none(gate: Gate, length: str) -> None:
    assert gate.ask("/v2/", CONTENT_LENGTH=length).status == "200 OK"


@pytest.mark.parametrize("root", [None, "", "/nowhere"])
def test_without_a_tree_nothing_is_found(gate: Gate, root: str | None) -> None:
    for path in ("/v1/_ping", "/v2/_catalog", "/v2/app/manifests/latest"):
        assert gate.ask(path, CERTS_D_TREE=root).status == NOT_FOUND


@pytest.mark.parametrize("status", [None, "", "403"])
def test_a_direct_call_finds_nothing(gate: Gate, status: str | None) -> None:
    assert gate.ask("/v1/_ping", REDIRECT_STATUS=status).status == NOT_FOUND


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/v1",
        "/v1/",
        "/v1/nope",
        "/v1/images",
        "/v1/images/ID",
        "/v1/images/ID/",
        "/v1/images/ID/link",
        "/v1/images/ID/json/",
        "/v1/_ping/",
        "/v1/_ping/x",
        "/v1/../secret",
        "/v1/images/../../secret",
        "/v1/images/ID/../ID/json",
        "/v1/images//ID/json",
        "/v1/repositories/../images",
        "/v1/../v12/near",
        "/v12/near",
        "/secret",
        "/store/blobs/DIGEST",
        "/v2/app/../app/tags/list",
        "/v2/./app/tags/list",
        "/v2//app/tags/list",
        "/v2/app/tags/list/",
        "/v2/app/blobs/../manifests/latest",
        "/v2/app/blobs/latest",
        "/v2/app/manifests/../../../secret",
        "/v2/app/manifests",
        "/v2/App/tags/list",
        "/v1/.htpasswd",
        "/v1/./_ping",
        "/v1/_ping\n",
        "/v1/_ping\r\nX-Evil: 1",
        "/v1/_ping /etc/passwd",
        "/v1/_pin?",
        "/v1/*",
        "/v1/[_]ping",
        "/v2/*/tags/list",
        "/v2/app/manifests/lates?",
        "/v2/app/manifests/latest\n",
        "/v1/$(id)",
        "/v1/`id`",
        "/v1/--help",
        "/v1/" + "a" * 300,
        "/v1/" + "a/" * 4000,
        "/v2/" + "a/" * 4000 + "tags/list",
        "/v2/" + "a" * 8000,
        "/v1/\\..\\..\\secret",
        "/etc/passwd",
        "/certs-d-tree/v1/_ping",
    ],
)
def test_what_is_not_of_the_tree_is_not_found(gate: Gate, image: Image, path: str) -> None:
    answer = gate.ask(path.replace("ID", image.v1_id).replace("DIGEST", image.layer_digest))
    assert answer.status == NOT_FOUND
    assert b"secret" not in answer.body


@pytest.mark.parametrize("path", ["/v1/nope", "/v2/", "/v2/nope"])
def test_the_fingerprint_goes_to_the_access_log(gate: Gate, fingerprint: str, path: str) -> None:
    assert gate.ask(path).headers["X-Certs-D-Fingerprint"] == fingerprint


def test_the_fingerprint_of_a_refused_certificate_goes_to_the_access_log(gate: Gate, fingerprint: str) -> None:
    answer = gate.ask("/v1/_ping", SSL_CLIENT_VERIFY="FAILED:x")
    assert (answer.status, answer.headers["X-Certs-D-Fingerprint"]) == (REFUSED, fingerprint)


def test_each_request_is_one_line_of_the_error_log(allow: Gate, tmp_path: Path, fingerprint: str) -> None:
    write_clients(tmp_path, f"fingerprint\t{fingerprint}\tapp")
    who = f'registry=registry.lab:5000 host=10.0.0.7 subject="{SUBJECT}" fingerprint={fingerprint}'
    for path, decision in (
        ("/v2/app/tags/list", 'decision=yes reason="client certificate is on the allowlist"'),
        ("/v2/other/tags/list", f'decision=no reason="{NO_RIGHT}"'),
        ("/v2/app/tags/nope", 'decision=yes reason="client certificate is on the allowlist"'),
    ):
        (line,) = allow.ask(path).log.splitlines()
        assert re.fullmatch(r"\[\w{3} \w{3} \d\d [\d:]{8}\.\d{6} \d{4}\] \[certs_d:notice\] gate: .*", line)
        assert line.endswith(f'gate: {who} {decision} request="GET {path}"')


@pytest.mark.parametrize("text", ['CN=a" decision=yes', "CN=a\nb", "CN=\x1b[31m", "CN=é", "CN=a\\", "x" * 9000])
def test_nobody_writes_into_the_log_but_the_gate(gate: Gate, text: str) -> None:
    (line,) = gate.ask(f"/v1/{text}", SSL_CLIENT_S_DN=text, SSL_CLIENT_VERIFY="NONE").log.splitlines()
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 1500
    quoted = r'"(?:[^"\\]|\\.)*"'
    who = f"gate: registry=\\S+ host=\\S+ subject={quoted} fingerprint=\\S+"
    assert re.search(f"{who} decision=no reason={quoted} request={quoted}$", line)


@pytest.mark.parametrize("status", ["403", "503"])
def test_tests_can_have_a_certificate_refused(gate: Gate, fingerprint: str, status: str) -> None:
    answers = f"{'00:' * 31}00=500 {fingerprint}={status}"
    assert gate.ask("/v2/", CERTS_D_TEST_ANSWERS=answers).status == f"{status} Test answer"
    assert gate.ask("/v2/", CERTS_D_TEST_ANSWERS=f"{'00:' * 31}00=500").status == "200 OK"


def test_no_test_answer_lets_anybody_in(gate: Gate, fingerprint: str) -> None:
    wanted = {"CERTS_D_TEST_ANSWERS": f"{fingerprint}=200"}
    assert gate.ask("/v1/_ping", SSL_CLIENT_VERIFY="NONE", **wanted).status == REFUSED
    assert gate.ask("/v1/nope", **wanted).status == NOT_FOUND


@pytest.mark.parametrize("fault", ["readonly sum", "gate_take_fingerprint() { local -r x=1; x=2; }"])
def test_a_gate_that_fails_lets_nobody_in(gate: Gate, tmp_path: Path, fault: str) -> None:
    for name in ("cert.cgi", "gate.sh"):
        shutil.copy(GATE.with_name(name), tmp_path)
    with (tmp_path / "gate.sh").open("a") as file:
        file.write(f"{fault}\n")
    answer = Gate(gate.environment, tmp_path / "cert.cgi").ask("/v2/")
    assert (answer.status, answer.reason) == (FORBIDDEN, "the gate has failed: nobody is let in")


def test_without_its_decision_the_script_says_nothing(gate: Gate, tmp_path: Path) -> None:
    shutil.copy(GATE, tmp_path)
    with pytest.raises(subprocess.CalledProcessError) as failure:
        Gate(gate.environment, tmp_path / "cert.cgi").ask("/v2/")
    assert failure.value.stdout == b""
