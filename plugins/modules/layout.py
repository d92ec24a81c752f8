#!/usr/bin/python
# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the host directories of certs.d, whole or not at all."""

from __future__ import annotations

DOCUMENTATION = r"""
module: layout
version_added: 0.1.0
short_description: Make the certs.d host directories of a container host
author:
  - fleet.certs_d contributors (@fleet-certs-d)
description:
  - Makes one host directory per registry below C(certs.d), with all its CA roots and client pairs, in one call per
    host, whatever the number of registries and files.
  - Everything is checked on the controller before anything is sent, and once more on the node, by its own OpenSSL
    and its own clock. All findings of a host are told in one error, and the node then stays exactly as it was.
  - A host directory is built beside the old one and exchanged with it in one step, so that no pull ever reads a new
    certificate with an old key. File systems that can't exchange two directories get two renames.
  - C(NAME.crt) and C(NAME.cert) are written with mode 0644, C(NAME.key) with 0600, the directory with 0755, owned by
    the user that the task runs as. That must be root for the default path, so use C(become).
extends_documentation_fragment:
  - fleet.certs_d.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  platform:
    support: full
    platforms: posix
requirements:
  - cryptography on the controller
  - Python 3.8 or later on the node, Linux
options:
  pki:
    description:
      - Path of a PKI tree on the controller, C(PKI/REGISTRY/{all,groups/GROUP,hosts/HOST}/) with C(*.crt), C(*.cert)
        and C(*.key), as the P(fleet.certs_d.host_layout#lookup) lookup reads it.
      - The tree is read by the action itself, so that private keys never are task arguments.
      - Exactly one of O(pki) and O(registries) is required.
    type: path
  registries:
    description:
      - The host directories as data, from the P(fleet.certs_d.host_layout#lookup) lookup, from Vault or anywhere.
      - PEM texts with CRLF, with literal C(\n) or without a final newline are normalised first.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the registry, C(host[:port]), exactly as image names spell it.
        type: str
        required: true
      ca_certificates:
        description: CA roots of the registry's server certificate. Without any, engines use the system's roots.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: Name of the file, without C(.crt).
            type: str
            required: true
          content:
            description: One or more PEM certificates.
            type: str
            required: true
      client_pairs:
        description: Client pairs. Their order is that of the bytes of their file names, as engines read them.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: Name of the files, without C(.cert) and C(.key).
            type: str
            required: true
          certificate:
            description: The PEM certificate, followed by its intermediates where there are any.
            type: str
            required: true
          private_key:
            description:
              - The PEM key of the certificate, not encrypted.
              - The action takes it out of the list and sends it in O(private_keys).
            type: str
  private_keys:
    description:
      - The PEM keys by the SHA-256 fingerprint of their certificate. The action fills it, a task may not.
      - It is an option of its own because values nested in a list of dictionaries are logged on the node.
    type: dict
    default: {}
  engines:
    description:
      - Engines whose certs.d is made.
      - V(docker) reads C(/etc/docker/certs.d), since docker 1.2.0.
    type: list
    elements: str
    choices: [docker]
    default: [docker]
  path:
    description:
      - Root of the host directories, absolute, in place of the engine's own. Goes with one engine.
    type: path
  purge:
    description:
      - What happens to files in a managed host directory that are not part of the layout.
      - V(none) carries them over and warns of each, V(files) removes them.
    type: str
    choices: [none, files]
    default: none
notes:
  - The action has Ansible pipeline the module, whatever the configuration says, so that keys pass through no file on
    their way. Where the become method can't (C(su)), Ansible writes its arguments into a temporary file of mode 0700.
  - Fails where C(ANSIBLE_KEEP_REMOTE_FILES) is set, which would leave keys behind.
seealso:
  - plugin: fleet.certs_d.host_layout
    plugin_type: lookup
  - module: fleet.certs_d.verify_fallback
  - name: Verify repository client with certificates
    description: What docker does with certs.d.
    link: https://docs.docker.com/engine/security/certificates/
"""

EXAMPLES = r"""
- name: Deploy what the PKI tree holds for this host
  fleet.certs_d.layout:
    pki: pki/
  become: true

- name: Deploy from data
  fleet.certs_d.layout:
    registries:
      - name: registry.example:5000
        ca_certificates:
          - name: corporate
            content: "{{ lookup('ansible.builtin.file', 'corporate.pem') }}"
        client_pairs:
          - name: 10-node
            certificate: "{{ node_certificate }}"
            private_key: "{{ node_private_key }}"
  become: true
"""

RETURN = r"""
registries:
  description: One entry per registry and engine.
  returned: success
  type: list
  elements: dict
  contains:
    engine:
      description: Engine that reads the host directory.
      type: str
      sample: docker
    name:
      description: Name of the registry.
      type: str
      sample: registry.example:5000
    path:
      description: Path of the host directory.
      type: str
      sample: /etc/docker/certs.d/registry.example:5000
    changed:
      description: Whether this host directory was, or in check mode would be, made anew.
      type: bool
    ca_certificates:
      description:
        - CA roots in the order of their files, with C(name), C(fingerprint), C(serial_number), C(subject), C(issuer),
          C(not_before), C(not_after) and C(days_left), by the node's clock.
      type: list
      elements: dict
    client_pairs:
      description: Client pairs in the order of their files, with the same keys as C(ca_certificates).
      type: list
      elements: dict
      sample:
        - name: 10-node
          days_left: 89
          fingerprint: 0f:3c:…
          issuer: CN=Fleet CA
          not_after: "2027-02-21T12:00:00Z"
          not_before: "2026-11-23T12:00:00Z"
          serial_number: 1f08
          subject: CN=node1
"""

import errno
import os
from datetime import datetime, timezone
from typing import Any, NoReturn, Sequence

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.certs_d.plugins.module_utils._deployment import deploy
from ansible_collections.fleet.certs_d.plugins.module_utils._engines import ROOTS
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import errors, report
from ansible_collections.fleet.certs_d.plugins.module_utils._layout_arguments import LAYOUT_ARGUMENTS
from ansible_collections.fleet.certs_d.plugins.module_utils._plan import Owner, Plan
from ansible_collections.fleet.certs_d.plugins.module_utils._wanted import WantedDirectory, node_faults, read_wanted

_BOUND = ": this directory can't be renamed (a mount point, or part of an image), so make path another one"


def main() -> NoReturn:
    """Check what is wanted, deploy it, and tell what stands there now."""
    module = AnsibleModule(supports_check_mode=True, **LAYOUT_ARGUMENTS)
    now = datetime.now(timezone.utc).replace(microsecond=0)
    wanted = _checked(module, now)
    plans = []
    for engine in module.params["engines"]:
        root = module.params["path"] or ROOTS[engine]
        plans += [(engine, each) for each in _deploy(module, root, wanted)]
    for finding in (finding for _engine, each in plans for finding in each.findings):
        module.warn(finding.sentence())
    module.exit_json(
        changed=any(each.changed for _engine, each in plans),
        registries=[_result(engine, each, now) for engine, each in plans],
        diff=[each.diff for _engine, each in plans if each.changed],
    )


def _checked(module: AnsibleModule, now: datetime) -> list[WantedDirectory]:
    wanted, findings = read_wanted(module.params["registries"] or [], module.params["private_keys"])
    faults = errors(findings + node_faults(wanted, now))
    if faults:
        module.fail_json(msg=report("The node refuses the layout, nothing was changed:", faults))
    return wanted


def _deploy(module: AnsibleModule, root: str, wanted: list[WantedDirectory]) -> Sequence[Plan]:
    try:
        return deploy(
            wanted,
            root=root,
            owner=Owner(os.geteuid(), os.getegid()),
            purge_files=module.params["purge"] == "files",
            dry_run=module.check_mode,
        )
    except OSError as error:
        module.fail_json(msg=f"{error.filename or root}: {error.strerror}, nothing was changed{_advice(error)}")


def _advice(error: OSError) -> str:
    if isinstance(error, PermissionError) and os.geteuid() != 0:
        return ": use become: true"
    if isinstance(error, (NotADirectoryError, FileExistsError)):
        return ": a file or a dangling link stands where a directory belongs, remove it"
    return {errno.EXDEV: _BOUND, errno.EBUSY: _BOUND, errno.ENOSPC: ": free some space"}.get(error.errno or 0, "")


def _result(engine: str, each: Plan, now: datetime) -> dict[str, Any]:
    directory = each.directory
    return {
        "engine": engine,
        "name": directory.name,
        "path": each.path,
        "changed": each.changed,
        **directory.as_data(now),
    }


if __name__ == "__main__":
    main()
