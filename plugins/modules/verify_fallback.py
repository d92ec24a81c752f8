#!/usr/bin/python
# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask registries with every client pair of this node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: verify_fallback
version_added: 0.1.0
short_description: Verify with real requests which client certificate gets a node into a registry
author:
  - fleet.certs_d contributors (@fleet-certs-d)
description:
  - The node reads its host directories as a client does and sends one real HTTPS request per client pair, each on a
    connection of its own, or one without a certificate where there is no pair.
  - From these answers the controller tells the verdict of the documented fallback. Pairs are tried in the order of
    their file names, going on at 403, at 5xx and at a refused connection or handshake. The last answer stands.
  - The documented fallback is what docker 1.2.0 to 1.3.3 did. Later engines present one certificate only. A fault in
    the host directory stops those clients before their first request, so nothing is sent then.
  - A host fails when a verdict is not what O(expect) wants, with a sentence that names registry, pair and cause.
  - Nothing is changed on the node. Requests go straight to the registry, without a proxy.
extends_documentation_fragment:
  - fleet.certs_d.attributes
attributes:
  check_mode:
    support: partial
    details: No request is sent, since what check mode did not deploy can't be verified. The verdict says so.
  diff_mode:
    support: none
  platform:
    support: full
    platforms: posix
requirements:
  - Python 3.8 or later on the node, Linux
options:
  registries:
    description:
      - Names of the registries to ask, C(host[:port]) as in image names.
      - By default all that have a host directory in O(path). A directory whose name no image name can begin with is
        passed over with a warning, since no client looks into it.
    type: list
    elements: str
  path:
    description: Root of the host directories.
    type: path
    default: /etc/docker/certs.d
  request:
    description: Absolute path that is asked for with GET, as it stands in a request line.
    type: str
    default: /v2/
  timeout:
    description: Seconds that one request may take in all, from the look-up of the name on. At most 3600.
    type: float
    default: 10.0
  expect:
    description: What the verdicts must be for the host not to fail.
    type: dict
    default:
      documented:
        status: 200
    suboptions:
      documented:
        description: The verdict of the documented fallback.
        type: dict
        default:
          status: 200
        suboptions:
          pair:
            description:
              - Name of the pair, without C(.cert), whose answer must be the one that stands. By default any, or none.
            type: str
          status:
            description: HTTP status that the registry must answer in the end.
            type: int
            default: 200
seealso:
  - module: fleet.certs_d.layout
  - name: Verify repository client with certificates
    description: The document that promises the fallback.
    link: https://docs.docker.com/engine/security/certificates/
"""

EXAMPLES = r"""
- name: Verify every registry of this host
  fleet.certs_d.verify_fallback:
  become: true

- name: Demand that the second pair gets in
  fleet.certs_d.verify_fallback:
    registries: [registry.example:5000]
    expect:
      documented:
        pair: 20-node
        status: 200
  become: true
"""

RETURN = r"""
verified:
  description: Whether every verdict is what was expected. V(false) in check mode.
  returned: always
  type: bool
registries:
  description: One entry per registry.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the registry.
      type: str
      sample: registry.example:5000
    path:
      description: Its host directory.
      type: str
      sample: /etc/docker/certs.d/registry.example:5000
    findings:
      description: What is wrong in the host directory, each with C(code), C(severity), C(place) and C(message).
      type: list
      elements: dict
    client_pairs:
      description: The client pairs in file-name order, as M(fleet.certs_d.layout) returns them.
      type: list
      elements: dict
    requests:
      description:
        - One entry per request in file-name order. C(pair) and C(fingerprint) are null for the request without a
          certificate, C(status) where there is an C(error). C(seconds) is its duration.
      type: list
      elements: dict
      sample:
        - {pair: 10-old, fingerprint: "0f:3c:…", status: 403, error: null, seconds: 0.021}
        - {pair: 20-node, fingerprint: "a1:9e:…", status: 200, error: null, seconds: 0.019}
    expected:
      description: Whether the verdicts of this registry are what O(expect) wants.
      type: bool
    complaint:
      description: What was expected, what came instead, and what to do. Null where the verdicts are as expected.
      type: str
    documented:
      description:
        - The verdict of the documented fallback. C(pair) and C(fingerprint) name the pair that got in, null where none
          did. C(status) or C(error) is the last answer, C(reason) one sentence, C(attempts) the requests that the
          fallback needs.
      type: dict
"""

import math
import time
from datetime import datetime, timezone
from functools import partial
from typing import NoReturn

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.certs_d.plugins.module_utils._engine_settings import settings_of
from ansible_collections.fleet.certs_d.plugins.module_utils._engines import ENGINES, root_of
from ansible_collections.fleet.certs_d.plugins.module_utils._measurement import Question
from ansible_collections.fleet.certs_d.plugins.module_utils._node_registries import (
    measure_side_by_side,
    registries_to_ask,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._verify_arguments import VERIFY_ARGUMENTS


def main() -> NoReturn:
    """Measure; the action judges."""
    module = AnsibleModule(argument_spec=VERIFY_ARGUMENTS, supports_check_mode=True)
    params = module.params
    if params["path"] is not None and len(set(params["engines"])) != 1:
        module.fail_json(msg="path: one root can't be that of several engines, name one engine, or no path")
    names = list(dict.fromkeys(params["engines"]))
    engines = [(ENGINES[name], root_of(ENGINES[name], params["path"], None)) for name in names]
    question = Question(
        request=params["request"],
        timeout=params["timeout"],
        deadline=time.monotonic() + params["timeout_total"],
        now=datetime.now(timezone.utc).replace(microsecond=0),
        image=params["image"],
        settings={name: settings_of(name) for name in names},
        run_command=partial(_run_command, module) if params["ask_engine"] else None,
    )
    try:
        readers, passed_over = registries_to_ask(params["registries"], engines)
        registries = measure_side_by_side(readers, question)
    except PermissionError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}: host directories are read as root, use become")
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}: no client can read this host directory")
    for root, finding in passed_over:
        module.warn(f"no client looks into this directory below {root}: {finding.sentence()}")
    module.exit_json(changed=False, registries=registries)


def _run_command(module: AnsibleModule, command: list[str], seconds: float) -> tuple[int, str, str]:
    """Run a command for at most so many whole seconds; the status is 124 where they were not enough.

    Core's own call has no limit, timeout(1) of every Linux has.
    """
    status, said, complained = module.run_command(["timeout", str(max(1, math.ceil(seconds))), *command])
    return status, said, complained


if __name__ == "__main__":
    main()
