# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public face of the PKI tree: the layout of the current host as data."""

from __future__ import annotations

DOCUMENTATION = r"""
name: host_layout
author: "fleet.certs_d contributors (@fleet-certs-d)"
version_added: 0.1.0
short_description: Registry certificates that a PKI tree holds for the current host
description:
  - Reads a PKI tree on the controller and returns the registries of the current host with their CA roots and client
    pairs, as M(fleet.certs_d.layout) takes them in O(fleet.certs_d.layout#module:registries).
  - The tree is C(PKI/REGISTRY/all/), C(PKI/REGISTRY/groups/GROUP/) and C(PKI/REGISTRY/hosts/HOST/) with C(NAME.crt) for
    CA roots and C(NAME.cert) with C(NAME.key) for client pairs. REGISTRY is C(host[:port]) as in image names.
  - A more specific level replaces a file of the same name. C(all) comes first, then the groups of the host in Ansible's
    own precedence (depth, C(ansible_group_priority), name), then the host. Each level, CA roots and client pairs may be
    absent. A registry without any file for the host is left out.
  - Files that are encrypted with Ansible Vault are decrypted in memory.
  - Everything is checked before anything is returned. All faults are told in one error.
  - What this returns holds private keys. Give M(fleet.certs_d.layout) the tree itself with
    O(fleet.certs_d.layout#module:pki) and they never become task arguments, which callbacks see.
options:
  _terms:
    description: Takes no terms.
    type: list
    elements: str
  pki:
    description:
      - The PKI tree. A relative path is searched as other lookups search files, first in C(files) of the role or the
        playbook, then beside it.
    type: str
    required: true
  accept:
    version_added: 0.2.0
    description:
      - Codes of findings that are taken on purpose, as in O(fleet.certs_d.layout#module:accept).
    type: list
    elements: str
    choices:
      - ca-in-cert
      - chain-incomplete
      - duplicate-certificate
      - expired
      - expires-soon
      - hidden-file
      - key-blocks
      - key-missing
      - key-readable
      - key-weak
      - leaf-in-crt
      - leftover
      - level-unknown
      - linked-directory
      - name-case
      - name-order
      - never-presented
      - no-client-use
      - not-yet-valid
      - port-443
      - registry-twin
      - shadowed
      - signature-weak
      - tree-empty
      - unmanaged
      - unmanaged-registry
    default: []
  warn_days:
    version_added: 0.2.0
    description: Warn of certificates that expire within this number of days. 0 never warns.
    type: int
    default: 30
notes:
  - Use C(query), because C(lookup) joins lists that it can join.
  - Needs C(cryptography) in the Python that runs Ansible.
seealso:
  - module: fleet.certs_d.layout
"""

EXAMPLES = r"""
- name: Lay the host's certificates from a PKI tree by way of data
  fleet.certs_d.layout:
    registries: "{{ query('fleet.certs_d.host_layout', pki='pki/') }}"
  no_log: true

- name: Name the client pairs of the host
  ansible.builtin.debug:
    msg: "{{ layout | map(attribute='client_pairs') | flatten | map(attribute='name') }}"
  vars:
    layout: "{{ query('fleet.certs_d.host_layout', pki='pki/') }}"
"""

RETURN = r"""
_raw:
  description: One entry per registry, in the order of their names.
  type: list
  elements: dict
  contains:
    name:
      description: The registry, C(host[:port]) as in image names.
      type: str
      sample: registry.example:5000
    ca_certificates:
      description: The CA roots in the order of their file names.
      type: list
      elements: dict
      contains:
        name:
          description: The file name without C(.crt).
          type: str
          sample: corporate
        content:
          description: The certificates as PEM.
          type: str
    client_pairs:
      description: The client pairs in the order of their file names, which is that in which engines read them.
      type: list
      elements: dict
      contains:
        name:
          description: The file name without C(.cert).
          type: str
          sample: 10-node
        certificate:
          description: The client certificate as PEM, intermediates behind it.
          type: str
        private_key:
          description: The private key as PEM.
          type: str
"""

from datetime import UTC, datetime
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.fleet.certs_d.plugins.plugin_utils._host_layout import Terms, read_host_layout
from ansible_collections.fleet.certs_d.plugins.plugin_utils._layout import LayoutError, to_data


class LookupModule(LookupBase):
    """`query('fleet.certs_d.host_layout', pki='pki/')`."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """The registries of the current host."""
        self.set_options(var_options=variables, direct=kwargs)
        if terms:
            raise AnsibleLookupError("host_layout takes no terms: give the PKI tree as pki='PATH'")
        try:
            layout = read_host_layout(
                pki=str(self.get_option("pki")),
                task_vars=variables or {},
                loader=self._loader or DataLoader(),
                terms=Terms(
                    datetime.now(UTC), warn_days=self.get_option("warn_days"), accept=self.get_option("accept")
                ),
            )
        except LayoutError as error:
            raise AnsibleLookupError(str(error)) from error
        for sentence in layout.warnings:
            Display().warning(sentence)
        return to_data(layout.registries)
