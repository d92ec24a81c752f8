#!/usr/bin/python
# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action fleet.certs_d.pki, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pki
author: "fleet.certs_d contributors (@fleet-certs-d)"
version_added: 0.1.0
short_description: Make a throw-away PKI for registries and their clients
description:
  - Fills a PKI tree, as M(fleet.certs_d.layout) reads it, with what a lab or a test needs. It makes a CA, a server
    certificate for each registry, and client pairs for each host, with P-256 keys.
  - Runs in the process of Ansible on the controller and never talks to a node. One call makes the whole fleet's
    material.
  - What is there and good stays. What is missing, damaged, expired or about to, issued by another CA, for other
    names or beside a foreign key is made anew. No other file of the tree is touched.
  - Its CA key lies unencrypted on the disk. Use a real CA for anything that matters.
requirements:
  - cryptography >= 40 in the Python that runs Ansible
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
options:
  path:
    description:
      - The PKI tree to fill with C(REGISTRY/all/ca.crt) and C(REGISTRY/hosts/HOST/PAIR.cert) with its C(PAIR.key).
      - A relative path is relative to the playbook.
    type: path
    required: true
  authority:
    description:
      - The directory of the CA, made with mode C(0700), with C(ca.crt), C(ca.key) and
        C(servers/REGISTRY/server.crt) with its C(server.key).
      - Keep it outside of O(path). A relative path is relative to the playbook.
      - A CA in it that was not made by this module is used if it has an elliptic key, and never replaced.
    type: path
    required: true
  registries:
    description: The registries and their clients.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The registry, C(host[:port]) as in image names.
        type: str
        required: true
      server_names:
        description: DNS names and IP addresses of the server certificate. By default the host of the registry's name.
        type: list
        elements: str
      hosts:
        description: The inventory names of the hosts that get client pairs.
        type: list
        elements: str
      pairs:
        description: The names of the pairs that each host gets.
        type: list
        elements: str
        default: [client]
  valid_days:
    description: For how many days a new certificate is valid. The CA outlives them all.
    type: int
    default: 90
  renew_days:
    description: A certificate with fewer days left is renewed.
    type: int
    default: 30
notes:
  - Use C(run_once), since one call serves all hosts. Without it the hosts' calls wait for each other and the first one
    does the work.
seealso:
  - module: fleet.certs_d.layout
"""

EXAMPLES = r"""
- name: Make the lab's certificates
  fleet.certs_d.pki:
    path: pki
    authority: authority
    registries:
      - name: registry.lab:5000
        server_names: [registry.lab, 10.89.0.10]
        hosts: [node1, node2]
        pairs: [10-old, 20-new]
  run_once: true
"""

RETURN = r"""
certificates:
  description: The CA's, the servers' and the clients' certificates. In check mode those to be made have no dates yet.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The certificate's file on the controller. Its key lies beside it as C(.key).
      type: str
      sample: /home/me/pki/registry.lab:5000/hosts/node1/client.cert
    subject:
      description: Whom it names.
      type: str
      sample: CN=node1,OU=client,O=registry.lab:5000
    fingerprint:
      description: SHA-256 of its DER.
      type: str
      sample: "5e:88:48:98:da:28:04:71:51:d0:e5:6f:8d:c6:29:27:73:60:3d:0d:6a:ab:bd:d6:2a:11:ef:72:1d:15:42:d8"
    not_before:
      description: From when it is valid.
      type: str
      sample: "2026-11-23T12:00:00Z"
    not_after:
      description: Until when it is valid.
      type: str
      sample: "2027-02-21T12:00:00Z"
    days_left:
      description: Whole days until then.
      type: int
      sample: 89
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.certs_d.plugins.module_utils._pki_arguments import PKI_ARGUMENTS


def main() -> None:
    """Say where the work is done: whoever gets here has no action plugin."""
    module = AnsibleModule(argument_spec=PKI_ARGUMENTS, supports_check_mode=True)
    module.fail_json(msg="fleet.certs_d.pki runs on the controller as an action; it can't be run as a module")


if __name__ == "__main__":
    main()
