# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of the matrix: one Apache that asks for certificates in several ways, and its log."""

from __future__ import annotations

import base64
import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ansible_collections.fleet.certs_d.tests.engines.registry import HOST
from ansible_collections.fleet.certs_d.tests.engines.verdict_cases import DOMAIN, PORTS
from ansible_collections.fleet.certs_d.tests.engines.verdict_material import Material, Owner
from ansible_collections.fleet.certs_d.tests.fleet.running import ENGINES, ssh
from ansible_collections.fleet.certs_d.tests.tools.apache_events import events

_FOLDER = "etc/matrix-registry"
# Behind all others by its name: on the standard port the first site takes whom no other wants.
_SITE = "etc/apache2/sites-enabled/matrix-registry.conf"
_LOGS = "/var/log/apache2/matrix_access.log", "/var/log/apache2/matrix_error.log"
# Of the first Apache tells the names, of the second none.
_NAMES_CA = f"SSLCACertificateFile /{_FOLDER}/ca.crt"
_NAMES_NONE = f"SSLOpenSSLConfCmd VerifyCAFile /{_FOLDER}/ca.crt"
_ECDSA = "SSLOpenSSLConfCmd ClientSignatureAlgorithms ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512"
# In TLS 1.3 each curve has one hash, and PKCS#1 signs nothing.
_NARROW = "SSLOpenSSLConfCmd ClientSignatureAlgorithms ECDSA+SHA384:RSA+SHA256"
_TLS_1_2 = "SSLProtocol -all +TLSv1.2"
_LATE = "SSLVerifyClient none", _NAMES_CA, "<Location />\nSSLVerifyClient require\n</Location>"
_SERVER = "SSLCertificateFile /{0}/{1}.crt\nSSLCertificateKeyFile /{0}/{1}.key"
_ASKS: dict[str, Sequence[str]] = {
    "names": [_NAMES_CA],
    "silent": [_NAMES_NONE],
    "ecdsa": [_NAMES_CA, _ECDSA],
    "tls12": [_NAMES_CA, _TLS_1_2],
    "tls12-ecdsa": [_NAMES_CA, _TLS_1_2, _ECDSA],
    "insists": [_NAMES_CA, "SSLVerifyClient require"],
    "tls12-silent": [_NAMES_NONE, _TLS_1_2],
    "narrow": [_NAMES_CA, _NARROW],
    "tls12-narrow": [_NAMES_CA, _TLS_1_2, _NARROW],
    # Once it knows what is requested, by a second handshake or what TLS 1.3 has for it.
    "late": _LATE,
    "tls12-late": [*_LATE, _TLS_1_2],
    # Of nobody.
    "open": ["SSLVerifyClient none"],
    "over": [_NAMES_CA, _SERVER.format(_FOLDER, "over")],
    "old": [_NAMES_CA, _SERVER.format(_FOLDER, "old")],
    "plain": ["SSLEngine off"],
    "standard": [_NAMES_CA],
}
# The words of a request tell who sent it and to whom; a pair's common name begins with the answer that it gets.
_SITE_TEXT = """
<VirtualHost *:{port}>
    ServerName {domain}
    ServerAlias *.{domain}
    SSLEngine on
    SSLCertificateFile /{folder}/server.crt
    SSLCertificateKeyFile /{folder}/server.key
    SSLVerifyClient optional
    SSLVerifyDepth 3
    SSLProtocol -all +TLSv1.2 +TLSv1.3
    {asks}
    RewriteEngine on
    {guard}
    RewriteCond %{{SSL:SSL_CLIENT_S_DN_CN}} ^(401|403|404|500|503)
    RewriteRule ^ - [E=ANSWER:%1]
{answers}
    ProxyPass / http://127.0.0.1:5001/
    ProxyPreserveHost On
    LogLevel warn ssl:info
    ErrorLog {error_log}
    CustomLog {access_log} {format}
</VirtualHost>
"""
_GUARD = "RewriteCond %{SSL:SSL_CLIENT_VERIFY} !=SUCCESS\n    RewriteRule ^ - [R=403,L]"
_FORMAT = (
    r'"%{%Y-%m-%dT%H:%M:%S}t.%{usec_frac}t%{%z}t %h \"%{SSL_CLIENT_VERIFY}x\" %{SSL_CLIENT_M_SERIAL}x %>s'
    r' \"%h %{Host}i %{User-Agent}i\" \"\""'
)
_ANSWER = "    RewriteCond %{{ENV:ANSWER}} ={0}\n    RewriteRule ^ - [R={0},L]"


class Seen(NamedTuple):
    """One thing that the registry's log tells: a request of `agent` at a host to a registry, or a refused handshake,
    of which only the certificate is known."""

    address: str
    registry: str
    agent: str
    owner: Owner | None
    answer: str

    @property
    def is_handshake(self) -> bool:
        """Whether the certificate was refused before any request."""
        return not self.registry


def lay_registry(material: Material) -> None:
    """Put the sites onto the registry's host, whose Apache serves other tests, too."""
    files = {
        f"{_FOLDER}/ca.crt": material.authority.certificate,
        _SITE: "".join(_listening()),
    }
    for name, server in material.servers.items():
        files[f"{_FOLDER}/{name}.crt"], files[f"{_FOLDER}/{name}.key"] = server.certificate, server.private_key
    line = f"{UNPACK} && rm -f {' '.join(_LOGS)} && apachectl configtest && systemctl restart apache2"
    ssh(ENGINES, HOST, line, given=packed(files)).good()


def remove_registry() -> None:
    """Leave the other sites as they were."""
    ssh(ENGINES, HOST, f"rm -rf /{_FOLDER} /{_SITE} && systemctl restart apache2").good()


def take_log(material: Material) -> list[Seen]:
    """All that the log tells, in no order; it is empty then."""
    logs = " ".join(_LOGS)
    lines = ssh(ENGINES, HOST, f"cat {logs} && truncate --size 0 {logs}").good().splitlines()
    return [_seen(event.request, event.certificate, event.answer, material) for event in events(lines)]


UNPACK = "base64 --decode | tar --extract --gzip --directory / --no-overwrite-dir"


def packed(files: Mapping[str, str]) -> str:
    """Files by their paths below /, as UNPACK takes them."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz", compresslevel=1) as archive:
        for path, text in files.items():
            data = text.encode()
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), 0o600
            archive.addfile(entry, io.BytesIO(data))
    return base64.b64encode(content.getvalue()).decode()


def _seen(request: str, certificate: str, answer: str, material: Material) -> Seen:
    owner = material.owner(certificate)
    if request == "-":
        return Seen("", "", "", owner, answer)
    address, registry, agent = request.split(" ", 2)
    return Seen(address, registry, agent, owner, answer)


def _listening() -> Iterator[str]:
    answers = "\n".join(_ANSWER.format(status) for status in (401, 403, 404, 500, 503))
    for server, asks in _ASKS.items():
        if server != "standard":
            yield f"Listen {PORTS[server]} {'http' if server == 'plain' else 'https'}\n"
        yield _SITE_TEXT.format(
            port=PORTS[server],
            domain=DOMAIN,
            folder=_FOLDER,
            asks="\n    ".join(asks),
            guard=_GUARD if server != "open" else "",
            answers=answers,
            error_log=_LOGS[1],
            access_log=_LOGS[0],
            format=_FORMAT,
        )
