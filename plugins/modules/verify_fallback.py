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
  - The node reads its host directories as an engine does, and sends one real HTTPS request per client pair, each on a
    connection of its own, and one without a certificate. It reports which issuers and signature algorithms the
    registry asks for, and where an engine runs, it asks that engine, too.
  - From these answers the controller tells three verdicts of each registry and engine.
  - C(documented) is the loop of docker's document. Pairs are tried in the order of their file names, going on at 403,
    at 5xx and at a refused connection or handshake. The last answer stands. That is what docker 1.2.0 to 1.3.3 did,
    and no engine since.
  - C(effective) is what an engine of today comes to. Go's TLS stack presents one certificate per handshake, that of the
    first pair in file-name order that fits the issuers and signature algorithms that the registry names. Nothing is
    retried on an HTTP status, but for the hosts of a C(hosts.toml), which containerd 1.6 and later and docker 28.5 and
    later with the containerd image store ask one after another.
  - C(engine) is what the engine of the node says itself, where it runs. It is never computed from a rule.
  - A host fails when a verdict is not what O(expect) wants, with a sentence that names registry, pair and cause. A
    verdict may be unknown, then its reason says why.
  - Nothing is changed on the node, and nothing is pulled. The node's own requests go straight to the registry, without
    a proxy.
extends_documentation_fragment:
  - fleet.certs_d.attributes
attributes:
  check_mode:
    support: partial
    details: No request is sent, since what check mode did not deploy can't be verified. The verdicts say so.
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
      - By default all that have a host directory where the engine looks. A directory whose name no image name can
        begin with is passed over with a warning, since no client looks into it.
    type: list
    elements: str
  engines:
    description:
      - Engines whose host directories are read, and who are asked themselves. V(docker) is dockerd, V(containers) is
        podman, skopeo, buildah and CRI-O, V(containerd) is containerd.
    version_added: 0.2.0
    type: list
    elements: str
    choices: [docker, containers, containerd]
    default: [docker]
  path:
    description:
      - Root of the host directories, for exactly one engine.
      - By default the engine's own, V(/etc/docker/certs.d), V(/etc/containers/certs.d) or V(/etc/containerd/certs.d),
        and behind the latter two V(/etc/docker/certs.d).
    type: path
  request:
    description: Absolute path that is asked for with GET, as it stands in a request line.
    type: str
    default: /v2/
  timeout:
    description: Seconds that one request may take in all, from the look-up of the name on. At most 3600.
    type: float
    default: 10.0
  timeout_total:
    description:
      - Seconds that all requests of a node may take together, at most 3600. Registries are asked side by side. What
        was not asked in time has an error that says so.
    version_added: 0.2.0
    type: float
    default: 120.0
  ask_engine:
    description:
      - Whether the engine of the node is asked itself, without pulling. V(docker) on its socket, by
        C(GET /distribution/NAME/json), or with the containerd image store for a digest that no image has,
        V(containers) by C(skopeo inspect) or C(podman manifest inspect), V(containerd) by C(ctr).
    version_added: 0.2.0
    type: bool
    default: true
  image:
    description:
      - Image that the engine is asked for, C(NAME:TAG) without the registry. It need not exist, since a registry that
        does not know it has let the engine in.
    version_added: 0.2.0
    type: str
    default: fleet-certs-d/none:none
  expect:
    description:
      - What the verdicts must be for the host not to fail. A verdict that is left out may be anything.
      - By default the effective verdict must be an admission, so that a host that gets in by the documented loop alone
        fails.
    type: dict
    default:
      effective:
        status: 200
    suboptions:
      documented:
        description: The verdict of the documented loop.
        type: dict
        suboptions: &verdict
          pair:
            description:
              - Name of the pair, without C(.cert), whose answer must be the one that stands. By default any, or none.
            type: str
          status:
            description: HTTP status that the registry must answer in the end.
            type: int
            default: 200
      effective:
        description: The verdict of what an engine of today presents.
        type: dict
        suboptions: *verdict
      engine:
        description: The verdict of the engine itself, which does not tell the pair.
        type: dict
        suboptions:
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

- name: Demand that the second pair gets in, and that podman says so itself
  fleet.certs_d.verify_fallback:
    registries: [registry.example:5000]
    engines: [containers]
    expect:
      effective:
        pair: 20-node
        status: 200
      engine:
        status: 200
  become: true

- name: Show what the document promises, whatever engines do
  fleet.certs_d.verify_fallback:
    expect:
      documented:
        status: 200
  become: true
"""

RETURN = r"""
verified:
  description: Whether every verdict is what was expected. V(false) in check mode.
  returned: always
  type: bool
registries:
  description: One entry per registry and engine.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the registry.
      type: str
      sample: registry.example:5000
    engine:
      description: The engine whose host directory it is.
      type: str
      sample: docker
    path:
      description: The host directory that the engine reads.
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
        - One entry per request, for each pair that can be loaded in file-name order, then the one without a
          certificate. C(pair) and C(fingerprint) are null for that one, C(status) where there is an C(error).
          C(seconds) is its duration.
      type: list
      elements: dict
      sample:
        - {pair: 10-old, fingerprint: "0f:3c:…", status: 403, error: null, seconds: 0.021}
        - {pair: 20-node, fingerprint: "a1:9e:…", status: 200, error: null, seconds: 0.019}
        - {pair: null, fingerprint: null, status: 403, error: null, seconds: 0.018}
    store:
      description: Docker's image store, V(classic) or V(containerd). Null where no docker tells.
      type: str
    server:
      description:
        - The registry as this node sees it; what did not show on the way is null, and all of it where no image name
          can name the registry. C(address) and C(tls_version) and C(cipher) of the connection, C(chain) of
          certificates, alternative C(names) and whether the registry's name is one of them (C(name_fits)),
          C(days_left) of its certificate, which C(issuers) and C(signature_schemes) it C(asks_for), by how many
          seconds its clock is ahead by the C(Date) of its answer (C(clock_skew)), the statuses of C(v1) and C(v2), the
          C(token_realm) that it sends clients to and whether that is on another host (C(token_realm_elsewhere)), the
          engine's C(proxy) without credentials, and C(warnings) in words.
      type: dict
    verdicts:
      description:
        - The verdicts C(documented), C(effective) and C(engine). Each has C(pair) and C(fingerprint) of the pair that
          got in, null where none did, C(status) or C(error) of the answer that stands, both null where the verdict is
          unknown, C(reason) in one sentence, and C(attempts), the requests that led there.
      type: dict
    expected:
      description: Whether the verdicts of this registry are what O(expect) wants.
      type: bool
    complaint:
      description: What was expected, what came instead, and what to do. Null where the verdicts are as expected.
      type: str
seconds:
  description: Seconds that the node took for all requests together.
  returned: except in check mode
  type: float
"""

import time
from datetime import datetime, timezone
from typing import NoReturn

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.certs_d.plugins.module_utils._engine_settings import settings_of
from ansible_collections.fleet.certs_d.plugins.module_utils._engines import ENGINES, root_of
from ansible_collections.fleet.certs_d.plugins.module_utils._measurement import Question
from ansible_collections.fleet.certs_d.plugins.module_utils._node_registries import (
    measure_side_by_side,
    registries_to_ask,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._program import run_program
from ansible_collections.fleet.certs_d.plugins.module_utils._verify_arguments import VERIFY_ARGUMENTS


def main() -> NoReturn:
    """Measure; the action judges."""
    module = AnsibleModule(argument_spec=VERIFY_ARGUMENTS, supports_check_mode=True)
    params, started = module.params, time.monotonic()
    names = list(dict.fromkeys(params["engines"]))
    engines = [(ENGINES[name], root_of(ENGINES[name], params["path"], None)) for name in names]
    question = Question(
        request=params["request"],
        timeout=params["timeout"],
        deadline=started + params["timeout_total"],
        now=datetime.now(timezone.utc).replace(microsecond=0),
        image=params["image"],
        settings={name: settings_of(name) for name in names},
        run_command=run_program if params["ask_engine"] else None,
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
    module.exit_json(changed=False, registries=registries, seconds=round(time.monotonic() - started, 3))


if __name__ == "__main__":
    main()
