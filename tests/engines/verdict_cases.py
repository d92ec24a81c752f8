# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix of host directories whose verdicts are compared with what real engines do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

DOMAIN = "matrix.lab"
# By what it asks of its clients, the port of the registry.
PORTS = {
    "names": 6001,
    "silent": 6002,
    "ecdsa": 6003,
    "tls12": 6004,
    "tls12-ecdsa": 6005,
    "insists": 6006,
    "tls12-silent": 6007,
    "narrow": 6008,
    "tls12-narrow": 6009,
    "late": 6010,
    "tls12-late": 6011,
    "open": 6012,
    "over": 6013,
    "old": 6014,
    "plain": 6015,
    # Where nobody listens.
    "closed": 6016,
    # Without a port in the name.
    "standard": 443,
}
_JUNK = "-----BEGIN CERTIFICATE-----\\njunk\\n-----END CERTIFICATE-----\\n"


class Case(NamedTuple):
    """One host directory.

    `pairs` are laid as NAME.cert and NAME.key, and verdict_material knows their kinds. `then` is a shell line that
    spoils the directory from inside; `$host` is the registry's. `hosts` are the pairs of a hosts.toml in their order,
    `toml` is one whose text is given, where NAME stands for the registry. `directory` is the name of the directory,
    where HOST stands for the registry's host, and `host` that host, where they are not as usual.
    """

    label: str
    pairs: Mapping[str, str]
    then: str = ""
    server: str = "names"
    hosts: Sequence[str] | None = None
    toml: str = ""
    directory: str = ""
    host: str = ""
    port: bool = True

    @property
    def registry(self) -> str:
        """The registry's name."""
        host = self.host or f"{self.label}.{DOMAIN}"
        return f"{host}:{PORTS[self.server]}" if self.port else host

    @property
    def place(self) -> str:
        """The name of the host directory."""
        return self.directory.replace("HOST", self.registry.rpartition(":")[0]) or self.registry

    @property
    def text(self) -> str:
        """The text of its hosts.toml."""
        return self.toml.replace("NAME", self.registry)


def _only_in(engine: str, line: str) -> str:
    """The line in the host directories of one engine alone."""
    return f"case $PWD in /etc/{engine}/*) {line};; esac"


def _except_in(engine: str, line: str) -> str:
    return f"case $PWD in /etc/{engine}/*) ;; *) {line};; esac"


_HOST = '[host."https://NAME{}"]\nca = ["ca.crt"]\nclient = [["{}.cert", "{}.key"]]\n'
_ORDERS = [
    Case("order-number", {"10": "good", "9": "403"}),
    Case("order-number-bad", {"10": "403", "9": "good"}),
    Case("order-case", {"B": "good", "a": "403"}),
    Case("order-case-bad", {"B": "403", "a": "good"}),
    Case("order-dash", {"client": "403", "client-b": "good"}),
    Case("order-dash-bad", {"client": "good", "client-b": "403"}),
    Case("order-dot", {"client": "403", "client.b": "good"}),
    Case("order-dash-dot", {"a-b": "good", "a.b": "403", "a": "403"}),
    Case("order-utf8", {"z": "403", "é": "good"}),
    Case("order-hidden", {".05": "403", "10": "good"}),
    Case("order-made-later", {"10": "403", "20": "good"}, then="touch 10.cert 10.key"),
    Case("same-pair-twice", {"10": "good"}, then="cp 10.cert 20.cert; cp 10.key 20.key"),
]
_ANSWERS = [
    Case("good-bad", {"10": "good", "20": "403"}),
    Case("status-401", {"10": "401", "20": "good"}),
    Case("status-404", {"10": "404", "20": "good"}),
    Case("status-500", {"10": "500", "20": "good"}),
    Case("status-503", {"10": "503", "20": "good"}),
    Case("no-pair", {}),
    Case("expired-first", {"10": "expired", "20": "good"}),
    Case("expired-last", {"10": "good", "20": "expired"}),
    Case("not-yet-valid", {"10": "future", "20": "good"}),
    Case("no-client-use", {"10": "server-use", "20": "good"}),
    Case("no-use-named", {"10": "any-use"}),
    Case("insists", {"10": "good"}, server="insists"),
    Case("insists-none", {}, server="insists"),
    Case("insists-foreign", {"10": "foreign"}, server="insists"),
    Case("insists-expired", {"10": "expired"}, server="insists"),
]
_ISSUERS = [
    Case("foreign-first", {"10": "foreign", "20": "good"}),
    Case("foreign-first-silent", {"10": "foreign", "20": "good"}, server="silent"),
    Case("foreign-first-tls12", {"10": "foreign", "20": "good"}, server="tls12"),
    Case("foreign-first-tls12-silent", {"10": "foreign", "20": "good"}, server="tls12-silent"),
    Case("foreign-last-silent", {"10": "good", "20": "foreign"}, server="silent"),
    Case("foreign-only", {"10": "foreign"}),
    Case("foreign-only-silent", {"10": "foreign"}, server="silent"),
    Case("foreign-expired", {"10": "foreign-expired", "20": "good"}),
    Case("foreign-then-bad", {"10": "foreign", "20": "403", "30": "good"}),
    Case("namesake-issuer", {"10": "namesake", "20": "good"}),
    Case("self-signed", {"10": "self", "20": "good"}),
    Case("intermediate", {"10": "chain"}),
    Case("intermediate-alone", {"10": "chain-alone", "20": "good"}),
    Case("intermediate-alone-silent", {"10": "chain-alone", "20": "good"}, server="silent"),
]
_KEYS = [
    *(
        Case(f"key-{kind}-{server}", {"10": kind, "20": "403"}, server=server)
        for kind in ("rsa", "p384", "p521", "ed25519")
        for server in ("names", "tls12", "ecdsa", "tls12-ecdsa")
    ),
    Case("key-rsa-then-good-ecdsa", {"10": "rsa", "20": "good"}, server="ecdsa"),
    Case("key-rsa-then-good-tls12-ecdsa", {"10": "rsa", "20": "good"}, server="tls12-ecdsa"),
    Case("key-rsa1024", {"10": "rsa1024", "20": "good"}),
    Case("key-secp256k1", {"10": "secp256k1", "20": "good"}),
    Case("key-traditional", {"10": "traditional"}),
    Case("key-rsa-traditional", {"10": "rsa-traditional"}),
    Case("key-crlf", {"10": "good"}, then="sed -i 's/$/\\r/' 10.cert 10.key"),
    Case(
        "key-parameters",
        {"10": "traditional"},
        then="openssl ecparam -name prime256v1 -out p; cat p 10.key > k; mv k 10.key; rm p",
    ),
]
_SERVERS = [
    Case("narrow-p256", {"10": "good", "20": "p384"}, server="narrow"),
    Case("narrow-p521", {"10": "p521", "20": "p384"}, server="narrow"),
    Case("narrow-rsa", {"10": "rsa", "20": "ed25519"}, server="narrow"),
    Case("tls12-narrow-p256", {"10": "good", "20": "403"}, server="tls12-narrow"),
    Case("tls12-narrow-rsa", {"10": "rsa", "20": "403"}, server="tls12-narrow"),
    Case("tls12-narrow-ed25519", {"10": "ed25519", "20": "p384"}, server="tls12-narrow"),
    Case("late", {"10": "good"}, server="late"),
    Case("tls12-late", {"10": "good"}, server="tls12-late"),
    Case("open", {"10": "403"}, server="open"),
    Case("open-expired", {"10": "expired"}, server="open"),
    Case("server-over", {"10": "good"}, server="over"),
    Case("server-old", {"10": "good"}, server="old"),
    Case("server-plain", {"10": "good"}, server="plain"),
    Case("server-closed", {"10": "good"}, server="closed"),
]
_FAULTS = [
    Case("orphan-cert", {"10": "good", "20": "good"}, then="rm 20.key"),
    Case("orphan-cert-first", {"10": "good", "20": "good"}, then="rm 10.key"),
    Case("orphan-key", {"10": "good", "20": "good"}, then="rm 20.cert"),
    Case("mismatch", {"10": "good", "20": "good"}, then="cp 10.key 20.key"),
    Case("key-in-cert", {"10": "good"}, then="cat 10.key >> 10.cert; rm 10.key"),
    Case("key-encrypted", {"10": "good", "20": "encrypted"}),
    Case("der", {"10": "good"}, then="openssl x509 -in 10.cert -outform DER -out d; mv d 10.cert"),
    Case("empty-pair", {"10": "good"}, then="true > 20.cert; true > 20.key"),
    Case("leftover", {"10": "good"}, then="cp 10.cert .ansible_tmp1a.cert"),
    Case("not-read", {"20": "good"}, then="cp 20.cert 10.CERT; cp 20.cert 10.cert.bak; echo hello > README"),
    Case("dangling-cert", {"10": "good"}, then="ln -s nowhere 20.cert; ln -s nowhere 20.key"),
    Case("dangling-key", {"10": "good", "20": "good"}, then="ln -sf nowhere 20.key"),
    Case("dangling-root", {"10": "good"}, then="ln -s nowhere zz.crt"),
    Case("folder-root", {"10": "good"}, then="mkdir x.crt"),
    Case("folder-cert", {"10": "good"}, then="mkdir x.cert"),
    Case("folder-key", {"10": "good"}, then="mkdir x.key"),
    Case("folder-pair", {"10": "good"}, then="mkdir x.cert x.key"),
    Case("folder-for-key", {"10": "good", "20": "good"}, then="rm 20.key; mkdir 20.key"),
    Case("dangling-key-alone", {"10": "good"}, then="ln -s nowhere 20.key"),
    Case("links", {"10": "good"}, then="mkdir -p ../.links; mv 10.* ../.links; ln -s ../.links/10.* ."),
    Case("linked-directory", {"10": "good"}, then='here=$PWD; mv "$here" ../.linked; ln -s .linked "$here"'),
]
_ROOTS = [
    Case("root-missing", {"10": "good"}, then="rm ca.crt"),
    Case("root-foreign", {"10": "good"}, then="cp ../.foreign.crt ca.crt"),
    Case("root-junk", {"10": "good"}, then=f"printf -- '{_JUNK}' > ca.crt"),
    Case("root-junk-beside", {"10": "good"}, then=f"printf -- '{_JUNK}' > junk.crt"),
    Case("root-empty-beside", {"10": "good"}, then="true > empty.crt"),
    Case("root-hidden-junk", {"10": "good"}, then="echo junk > .junk.crt"),
    Case("root-half-beside", {"10": "good"}, then="head -c 300 ca.crt > half.crt"),
    Case("root-der", {"10": "good"}, then="openssl x509 -in ca.crt -outform DER -out d; mv d ca.crt"),
    Case("root-behind-junk", {"10": "good"}, then="(echo junk; cat ca.crt) > a; mv a ca.crt"),
    Case("root-before-junk", {"10": "good"}, then=f"printf -- '{_JUNK}' >> ca.crt"),
    Case("name-misfit", {"10": "good"}, host="name-misfit.other.lab"),
]
_PLACES = [
    Case("host", {"10": "good"}, server="standard", port=False),
    Case("host-443", {"10": "good"}, server="standard"),
    Case("host-for-443", {"10": "good"}, server="standard", directory="HOST"),
    Case("host-for-port", {"10": "good"}, directory="HOST"),
    Case("spelled", {"10": "good"}, directory="HOST_6001_"),
    Case("spelled-bad-beside", {"10": "good"}, then="mkdir ../${host}_6001_; cp ca.crt ../${host}_6001_"),
    Case("Upper", {"10": "good"}, host=f"UPPER.{DOMAIN}"),
    Case("upper-for-lower", {"10": "good"}, directory=f"Upper-for-lower.{DOMAIN}:6001"),
    Case("nowhere", {}, then='rm -r "$PWD"'),
    Case("docker-root-alone", {"10": "good"}, then=_except_in("docker", 'rm -r "$PWD"')),
    Case("empty-shadows", {"10": "good"}, then=_only_in("containers", "rm *")),
    Case("default", {"10": "good"}, directory="_default", host=f"any.{DOMAIN}"),
    Case("loopback", {"10": "good"}, host="127.0.0.1"),
    Case("localhost", {"10": "good"}, host="localhost"),
    Case("loopback-hosts", {"10": "good"}, host="127.0.0.1", server="silent", hosts=["10"]),
]
_CHAINS = [
    Case("chain-403-good", {"10": "403", "20": "good"}, hosts=["10", "20"]),
    Case("chain-expired-good", {"10": "expired", "20": "good"}, hosts=["10", "20"]),
    Case("chain-three", {"10": "403", "20": "500", "30": "good"}, hosts=["10", "20", "30"]),
    Case("chain-401-404-good", {"10": "401", "20": "404", "30": "good"}, hosts=["10", "20", "30"]),
    Case("chain-none-good", {"10": "403", "20": "403"}, hosts=["10", "20"]),
    Case("chain-good-first", {"10": "good", "20": "403"}, hosts=["10", "20"]),
    Case("chain-foreign-good", {"10": "foreign", "20": "good"}, hosts=["10", "20"]),
    Case("chain-backwards", {"10": "403", "20": "good"}, hosts=["20", "10"]),
    Case("chain-one-host", {"10": "good"}, hosts=["10"]),
    Case("chain-loose", {"10": "good", "20": "403"}, hosts=["20"]),
    Case("chain-loose-spoiled", {"10": "good", "20": "good"}, hosts=["10"], then="rm 20.key"),
    Case("chain-unloadable", {"10": "good", "20": "good", "30": "good"}, hosts=["10", "20"], then="cp 10.key 20.key"),
    Case("chain-missing", {"10": "good", "20": "good"}, hosts=["10", "20"], then="rm 20.*"),
    Case("chain-broken-text", {"10": "good"}, toml="[host"),
    Case(
        "chain-server-only",
        {"10": "good"},
        toml='server = "https://NAME"\nca = ["ca.crt"]\nclient = [["10.cert", "10.key"]]\n',
    ),
    Case(
        "chain-combined",
        {"10": "good"},
        toml='[host."https://NAME"]\nca = ["ca.crt"]\nclient = ["10.cert", "10.key"]\n',
    ),
    Case(
        "chain-without-server",
        {"10": "403", "20": "good"},
        toml=_HOST.format("#a", 10, 10) + _HOST.format("#b", 20, 20),
    ),
    Case(
        "chain-implicit-server",
        {"10": "403", "20": "good"},
        toml='ca = ["ca.crt"]\nclient = [["20.cert", "20.key"]]\n' + _HOST.format("#a", 10, 10),
    ),
    Case(
        "chain-pull-only",
        {"10": "403", "20": "good"},
        toml='server = "https://NAME"\nca = ["ca.crt"]\nclient = [["10.cert", "10.key"]]\n'
        + _HOST.format("#a", 20, 20)
        + 'capabilities = ["pull"]\n',
    ),
    Case("chain-without-root", {"10": "good"}, toml='[host."https://NAME"]\nclient = [["10.cert", "10.key"]]\n'),
]
CASES = {
    case.label: case
    for case in (*_ORDERS, *_ANSWERS, *_ISSUERS, *_KEYS, *_SERVERS, *_FAULTS, *_ROOTS, *_PLACES, *_CHAINS)
}
# Where the rule says itself that it can't tell, by case and reader of the host directory.
UNKNOWN = {
    (label, "containerd")
    for label in (
        # containerd 1.6 and 1.7 read it as none.
        "chain-server-only",
        # Two files that hold both halves are meant, which no node is asked for.
        "chain-combined",
        # The registry was asked with other CA roots.
        "chain-without-root",
    )
} | {
    # Plain HTTP with containerd 1.6, TLS with later ones and with docker's.
    (label, "ctr")
    for label in ("loopback", "localhost")
}
# docker's containerd store is asked for a digest, for which hosts are asked that can't resolve a tag, too.
BY_DIGEST = {("chain-pull-only", "docker")}
# Where the engine can't tell a registry that has nothing from one that lacks the image that it is asked for.
NOT_FOUND = {("status-404", "containerd")}
