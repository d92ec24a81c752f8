#!/usr/bin/python
# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell what lies in the host directories of certs.d."""

from __future__ import annotations

DOCUMENTATION = r"""
module: layout_info
version_added: 0.2.0
short_description: Tell what lies in the certs.d host directories of a container host, and what is wrong with it
author:
  - fleet.certs_d contributors (@fleet-certs-d)
description:
  - Reads the host directories as engines read them, and tells their CA roots, their client pairs in the order in which
    engines read them, and every finding of every directory at once. Nothing is changed, and findings are no failure.
  - Certificates travel to the controller and are read there. Private keys are tried with their certificates on the node
    and never leave it.
extends_documentation_fragment:
  - fleet.certs_d.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    support: full
    platforms: posix
requirements:
  - cryptography on the controller
  - Python 3.8 or later on the node, Linux
options:
  engines:
    description: Engines whose directories are read, see O(fleet.certs_d.layout#module:engines).
    type: list
    elements: str
    choices: [containerd, containers, docker]
    default: [docker, containers, containerd]
  path:
    description: Root of the host directories, absolute, in place of the engine's own. Goes with one engine.
    type: path
  scope:
    description:
      - V(user) reads the directories of a rootless engine in the home directory of O(user), as that user.
      - V(containerd) has none, so leave it out of O(engines).
    type: str
    choices: [system, user]
    default: system
  user:
    description: Name of the user whose rootless engine is meant. Default is the one that the task runs as.
    type: str
  registries:
    description: Names of the registries to tell of, as in image names. Default is all that have a host directory.
    type: list
    elements: str
  warn_days:
    description: Certificates that expire within this number of days are a finding. 0 never tells.
    type: int
    default: 30
seealso:
  - module: fleet.certs_d.layout
  - module: fleet.certs_d.verify_fallback
"""

EXAMPLES = r"""
- name: Look at what is there
  fleet.certs_d.layout_info:
  become: true
  register: found

- name: Fail where an engine would fail
  ansible.builtin.assert:
    that: errors | length == 0
    fail_msg: "{{ errors | map(attribute='message') | join('; ') }}"
  vars:
    errors: "{{ found.registries | map(attribute='findings') | flatten | selectattr('severity', 'eq', 'error') }}"
"""

RETURN = r"""
registries:
  description: One entry per host directory, by engine and name.
  returned: success
  type: list
  elements: dict
  contains:
    engine:
      description: Engine that reads the host directory.
      type: str
      sample: docker
    name:
      description: Name of the directory, which is that of a registry.
      type: str
      sample: registry.example:5000
    path:
      description: Path of the directory.
      type: str
      sample: /etc/docker/certs.d/registry.example:5000
    mode:
      description: Its mode in octal digits, null where it can't be read.
      type: str
      sample: "0755"
    owner:
      description: Number of its owner.
      type: int
    group:
      description: Number of its group.
      type: int
    symlink_to:
      description: Where it leads when it is a symlink, null otherwise.
      type: str
    has_hosts_toml:
      description: Whether it holds a C(hosts.toml), which containerd and dockerd's containerd store read.
      type: bool
    wins:
      description: Whether the engine reads this directory, and no other one of the same registry before it.
      type: bool
    files:
      description: All entries in the order of the bytes of their names, with C(name), C(mode), C(owner), C(group).
      type: list
      elements: dict
    ca_certificates:
      description:
        - CA roots with C(name), C(fingerprint), C(serial_number), C(subject), C(issuer), C(alternative_names),
          C(not_before), C(not_after) and C(days_left).
      type: list
      elements: dict
    client_pairs:
      description: Client pairs in the order in which engines read them, with the same keys.
      type: list
      elements: dict
    findings:
      description: What is wrong or odd, errors first, each with C(code), C(severity), C(place) and C(message).
      type: list
      elements: dict
"""

from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.certs_d.plugins.module_utils._engines import ENGINES, root_of
from ansible_collections.fleet.certs_d.plugins.module_utils._inspection import inspect_root
from ansible_collections.fleet.certs_d.plugins.module_utils._layout_info_arguments import LAYOUT_INFO_ARGUMENTS
from ansible_collections.fleet.certs_d.plugins.module_utils._user import Account, NoSuchUser, account, as_user


def main() -> NoReturn:
    """Tell all; the action judges."""
    module = AnsibleModule(argument_spec=LAYOUT_INFO_ARGUMENTS, supports_check_mode=True)
    try:
        user = account(module.params["user"] if module.params["scope"] == "user" else None)
        directories = as_user(user, lambda: _inspect(module.params, user))
    except NoSuchUser as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}")
    wanted = module.params["registries"]
    module.exit_json(
        changed=False, registries=[each for each in directories if wanted is None or each["name"] in wanted]
    )


def _inspect(params: dict[str, Any], user: Account) -> list[dict[str, Any]]:
    engines = [ENGINES[name] for name in params["engines"]]
    home = user.home if params["scope"] == "user" else None
    return [each for engine in engines for each in inspect_root(engine, root_of(engine, params["path"], home))]


if __name__ == "__main__":
    main()
