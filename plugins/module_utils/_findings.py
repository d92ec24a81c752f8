# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of findings: what can be wrong with certs.d material, how bad it is and what to do."""

from __future__ import annotations

from typing import Iterable, NamedTuple


class Kind(NamedTuple):
    """One row of the catalogue; what is acceptable can still be laid, and `accept` lets a user ask for it."""

    severity: str
    problem: str
    remedy: str
    acceptable: bool = False


def _error(problem: str, remedy: str) -> Kind:
    return Kind("error", problem, remedy)


def _acceptable(problem: str, remedy: str) -> Kind:
    return Kind("error", problem, remedy, acceptable=True)


def _warning(problem: str, remedy: str) -> Kind:
    return Kind("warning", problem, remedy, acceptable=True)


CATALOGUE: dict[str, Kind] = {
    # Names
    "registry-name": _error("no image name can name this registry", "write host[:port] as image names do"),
    "duplicate-registry": _error("the registry is given twice", "merge the two entries"),
    "registry-twin": _warning(
        "two registries differ by case or by :443 only, and engines compare bytes",
        "keep the one that image names spell, unless both are used",
    ),
    "port-443": _warning(
        "images named without :443 look into another directory", "lay the name without :443, too, or instead"
    ),
    "file-name": _error("this can't be the name of a file", "use a name without slash, NUL or leading dot"),
    "duplicate-name": _error("two files would have this name", "rename one of them"),
    "name-case": _warning("two names differ by case only", "rename one of them, before somebody mixes them up"),
    "name-order": _warning(
        "engines order names by their bytes, not as a reader expects", "use numbers of equal length: 09, 10"
    ),
    # The PKI tree
    "tree-missing": _error("there is no such PKI tree", "name the directory that holds one folder per registry"),
    "tree-empty": _warning("the PKI tree holds nothing for this host", "look at the names of its folders"),
    "level-unknown": _warning("the inventory has no host or group of this name", "rename or remove the folder"),
    "misplaced": _error("no host gets what lies here", "move it into all/, groups/GROUP/ or hosts/HOST/"),
    "unreadable": _error("the file can't be read", "make it readable for the user who runs Ansible"),
    "vault-locked": _error("Ansible Vault can't decrypt it", "give its password, for example with --vault-id"),
    # Pairs
    "key-missing": _acceptable("the certificate has no key", "lay its .key beside it; CA roots must end in .crt"),
    "certificate-missing": _error("the key has no certificate", "lay its .cert beside it, or remove the key"),
    "key-mismatch": _error("the key belongs to another certificate", "deploy key and certificate together"),
    "key-encrypted": _error("the key is encrypted", "store it decrypted (Ansible Vault keeps it safe)"),
    "key-junk": _error("this is no private key in PEM form", "replace it by one PEM block of a private key"),
    "key-blocks": _acceptable(
        "more than one PEM block stands in the key file", "leave the pair's own key in it, alone"
    ),
    "key-weak": _acceptable(
        "the key is too weak for servers of today", "issue a pair with P-256, or RSA from 2048 bits"
    ),
    "key-curve": _error("engines don't know the curve of the key", "issue a pair with P-256, P-384, P-521 or Ed25519"),
    "key-readable": _warning("others than its owner can read the key", "set its mode to 0600"),
    "key-exposed": _error("a private key stands in a world-readable file", "keep keys in .key files alone"),
    "certificate-junk": _error("this is no certificate in PEM form", "replace it by a PEM certificate"),
    "expired": _acceptable("the certificate has expired", "renew it, or remove the pair"),
    "expires-soon": _warning("the certificate expires soon", "renew it"),
    "not-yet-valid": _acceptable("the certificate is not yet valid", "check the clock, or deploy it later"),
    "signature-weak": _acceptable("the certificate is signed with a broken hash", "have it issued anew with SHA-256"),
    "no-client-use": _acceptable("the certificate is not for client use", "issue it with clientAuth"),
    "chain-incomplete": _warning(
        "the chain behind the certificate has a gap", "append the intermediates to it, each behind what it has signed"
    ),
    "ca-in-cert": _acceptable(
        "this client certificate is a CA",
        "name CA roots NAME.crt (CA:TRUE is taken only if self-signed, with its key beside it, without keyCertSign)",
    ),
    "leaf-in-crt": _acceptable("this CA root is no CA", "name client certificates NAME.cert, not NAME.crt"),
    "duplicate-certificate": _warning("two pairs hold the same certificate", "remove one of them"),
    "never-presented": _warning("this engine never presents the pair", "put it first, or remove it"),
    # The host directory
    "not-a-file": _error("engines expect a regular file here", "remove it"),
    "too-large": _error("this is more than 4 MiB, more than is read of certificates and keys", "remove it"),
    "not-a-directory": _error("a file is in the place of the host directory", "remove it, or lay the directory anew"),
    "dangling-link": _error("the symlink leads nowhere, and engines stop at it", "remove it"),
    "hidden-file": _warning("engines read this hidden file, too", "remove it"),
    "leftover": _warning("a tool has left this, and engines read it", "remove it"),
    "unmanaged": _warning("this file is not part of the layout", "remove it, or set purge: files"),
    "unmanaged-registry": Kind(
        "info", "this host directory is not part of the layout", "remove it, or set purge: registries", True
    ),
    "linked-directory": _warning("the host directory is a symlink", "lay a directory in its place"),
    "shadowed": _warning("another host directory of this registry wins", "keep one of the two"),
    "directory-unreadable": _error("the engine's user can't read the directory", "set its mode to 0755"),
}


class Finding(NamedTuple):
    """One finding: its code in the catalogue, the file it speaks of, and what was seen there."""

    code: str
    place: str
    detail: str = ""

    @property
    def severity(self) -> str:
        """`error` stops the run before anything is changed; `warning` is told; `info` stands in the result alone."""
        return CATALOGUE[self.code].severity

    def sentence(self) -> str:
        """Where, what is wrong, what to do."""
        kind = CATALOGUE[self.code]
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.place}: {kind.problem}{detail}: {kind.remedy}"

    def as_data(self) -> dict[str, str]:
        """The finding as it stands in results."""
        return {"code": self.code, "severity": self.severity, "place": self.place, "message": self.sentence()}


def acceptable_codes() -> list[str]:
    """The codes that the option `accept` takes, sorted."""
    return sorted(code for code, kind in CATALOGUE.items() if kind.acceptable)


def errors(findings: Iterable[Finding], accepted: Iterable[str] = ()) -> list[Finding]:
    """Those that stop the run."""
    return [finding for finding in findings if finding.severity == "error" and finding.code not in accepted]


def warnings(findings: Iterable[Finding], accepted: Iterable[str] = ()) -> list[Finding]:
    """Those that are told while the run goes on; a warning that was accepted on purpose is not told again."""
    return [finding for finding in findings if finding.severity == "warning" and finding.code not in accepted]


def report(heading: str, findings: Iterable[Finding]) -> str:
    """One text that tells them all, a line each."""
    return "\n".join([heading, *(f"  - {finding.sentence()}" for finding in findings)])
