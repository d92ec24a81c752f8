# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of findings: what can be wrong with certs.d material, how bad it is and what to do."""

from __future__ import annotations

from typing import Iterable, NamedTuple


class Kind(NamedTuple):
    """One row of the catalogue."""

    severity: str
    problem: str
    remedy: str


CATALOGUE: dict[str, Kind] = {
    "registry-name": Kind("error", "no image name can name this registry", "write host[:port] as image names do"),
    "duplicate-registry": Kind("error", "the registry is given twice", "merge the two entries"),
    "file-name": Kind("error", "this can't be the name of a file", "use a name without slash, NUL or leading dot"),
    "duplicate-name": Kind("error", "two files would have this name", "rename one of them"),
    "tree-missing": Kind("error", "there is no such PKI tree", "name the directory that holds one folder per registry"),
    "misplaced": Kind("error", "no host gets what lies here", "move it into all/, groups/GROUP/ or hosts/HOST/"),
    "unreadable": Kind("error", "the file can't be read", "make it readable for the user who runs Ansible"),
    "vault-locked": Kind("error", "Ansible Vault can't decrypt it", "give its password, for example with --vault-id"),
    "key-missing": Kind("error", "the certificate has no key", "lay its .key beside it; CA roots must end in .crt"),
    "certificate-missing": Kind("error", "the key has no certificate", "lay its .cert beside it, or remove the key"),
    "key-mismatch": Kind("error", "the key belongs to another certificate", "deploy key and certificate together"),
    "key-encrypted": Kind("error", "the key is encrypted", "store it decrypted (Ansible Vault keeps it safe)"),
    "key-junk": Kind("error", "this is no private key in PEM form", "replace it by one PEM block of a private key"),
    "certificate-junk": Kind("error", "this is no certificate in PEM form", "replace it by a PEM certificate"),
    "expired": Kind("error", "the certificate has expired", "renew it, or remove the pair"),
    "not-yet-valid": Kind("error", "the certificate is not yet valid", "check the clock, or deploy it later"),
    "ca-in-cert": Kind(
        "error",
        "this client certificate is a CA",
        "name CA roots NAME.crt (CA:TRUE is taken only if self-signed, with its key beside it, without keyCertSign)",
    ),
    "leaf-in-crt": Kind("error", "this CA root is no CA", "name client certificates NAME.cert, not NAME.crt"),
    "no-client-use": Kind("error", "the certificate is not for client use", "issue it with clientAuth"),
    "key-exposed": Kind("error", "a private key stands in a world-readable file", "keep keys in .key files alone"),
    "not-a-file": Kind("error", "engines expect a regular file here", "remove it"),
    "unmanaged": Kind("warning", "this file was not made by this collection", "remove it, or set purge: files"),
}


class Finding(NamedTuple):
    """One finding: its code in the catalogue, the file it speaks of, and what was seen there."""

    code: str
    place: str
    detail: str = ""

    @property
    def severity(self) -> str:
        """`error` stops the run before anything is changed; `warning` is told."""
        return CATALOGUE[self.code].severity

    def sentence(self) -> str:
        """Where, what is wrong, what to do."""
        kind = CATALOGUE[self.code]
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.place}: {kind.problem}{detail}: {kind.remedy}"

    def as_data(self) -> dict[str, str]:
        """The finding as it stands in results."""
        return {"code": self.code, "severity": self.severity, "place": self.place, "message": self.sentence()}


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Those that stop the run."""
    return [finding for finding in findings if finding.severity == "error"]


def report(heading: str, findings: Iterable[Finding]) -> str:
    """One text that tells them all, a line each."""
    return "\n".join([heading, *(f"  - {finding.sentence()}" for finding in findings)])
