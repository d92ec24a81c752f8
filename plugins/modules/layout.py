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
    certificate with an old key. File systems that can't exchange two directories get two renames, and a host directory
    that can't be renamed at all (a mount point, or baked into a container's image) is changed file by file.
    RV(registries[].swapped_in) tells which.
  - All host directories of all engines are changed, or none. A run that was killed leaves old or new directories, and
    the next run removes what it had begun. Of two runs at once the second waits for a minute, then fails.
  - C(NAME.crt) and C(NAME.cert) are written with mode 0644, C(NAME.key) with 0600, the directory with 0755, owned by
    the user that the task runs as. That must be root for the default path, so use C(become). Another owner, mode or
    content than that is put right. The SELinux context is restored where SELinux is on.
  - Findings are told by the codes of the catalogue, the guide C(findings) of this collection. Errors stop the run,
    warnings are told.
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
        description:
          - Name of the registry, C(host[:port]), exactly as image names spell it, case and C(:443) included.
          - With O(engines=containerd) alone also C(_default), which stands for all that have no directory.
        type: str
        required: true
      state:
        version_added: 0.2.0
        description: V(absent) removes the whole host directory, with all that lies in it.
        type: str
        choices: [present, absent]
        default: present
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
              - Without it and O(registries[].client_pairs[].private_key_path) the key that is installed already stays,
                if it fits the certificate.
            type: str
          private_key_path:
            version_added: 0.2.0
            description:
              - Absolute path of the key on the node, where certmonger, step or an agent made it. It is checked against
                the certificate and copied there, and never travels.
            type: path
  private_keys:
    description:
      - The PEM keys by the SHA-256 fingerprint of their certificate. The action fills it, a task may not.
      - It is an option of its own because values nested in a list of dictionaries are logged on the node.
    type: dict
    default: {}
  engines:
    description:
      - Engines whose certs.d is made.
      - V(docker) is dockerd, since docker 1.2.0. It reads C(/etc/docker/certs.d).
      - V(containers) is podman, skopeo, buildah and CRI-O. They read C(/etc/containers/certs.d), and
        C(/etc/docker/certs.d) where that has no directory of the registry.
      - V(containerd) is containerd 1.6 and later. It reads C(/etc/containerd/certs.d), where its C(config_path) says
        so. Each host directory gets a C(hosts.toml) beside the files.
    type: list
    elements: str
    choices: [containerd, containers, docker]
    default: [docker]
  path:
    description:
      - Root of the host directories, absolute, in place of the engine's own. Goes with one engine.
    type: path
  scope:
    version_added: 0.2.0
    description:
      - V(user) makes the directories that a rootless engine reads in the home directory of O(user),
        C(~/.config/docker/certs.d) or C(~/.config/containers/certs.d). They belong to that user, who also writes them.
        Root becomes that user first, because symlinks in a home may lead anywhere. V(containerd) has none.
    type: str
    choices: [system, user]
    default: system
  user:
    version_added: 0.2.0
    description: Name of the user whose rootless engine is meant. Default is the one that the task runs as.
    type: str
  fallback:
    version_added: 0.2.0
    description:
      - Makes the promise of docker's document true where an engine can keep it. Client pairs are tried in the order of
        their file names until the registry lets one in. C(hosts.toml) gets one host table per pair for that.
      - V(containerd) keeps it, and so does V(docker) with the containerd image store (measured on docker 28.5 and
        29.7). The classic store and V(containers) present one pair only. RV(registries[].fallback) tells.
      - Pulls fall back, pushes use the last pair.
    type: bool
    default: false
  purge:
    description:
      - What happens to what is not part of the layout.
      - V(none) carries further files of a managed host directory over and warns of each. Further host directories are
        left alone and stand in RV(findings).
      - V(files) removes such files, V(registries) also such host directories.
    type: str
    choices: [none, files, registries]
    default: none
  accept:
    version_added: 0.2.0
    description:
      - Codes of findings that are taken on purpose. An error of this code does not stop the run, a warning is not told.
      - Findings that leave nothing sound to lay can't be accepted, and never a private key in a world-readable file.
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

- name: Have every engine of the host try all pairs that it can try
  fleet.certs_d.layout:
    pki: pki/
    engines: [docker, containers, containerd]
    fallback: true
  become: true

- name: Use a key that never leaves the node
  fleet.certs_d.layout:
    registries:
      - name: registry.example:5000
        client_pairs:
          - name: 10-node
            certificate: "{{ node_certificate }}"
            private_key_path: /etc/pki/tls/private/node.key
  become: true

- name: Give a rootless podman what it needs
  fleet.certs_d.layout:
    pki: pki/
    engines: [containers]
    scope: user
    user: builder
  become: true

- name: Take a registry away
  fleet.certs_d.layout:
    registries:
      - name: old-registry.example:5000
        state: absent
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
    state:
      description: V(present), or V(absent) for a host directory that was, or in check mode would be, removed.
      type: str
    changed:
      description: Whether this host directory was, or in check mode would be, made anew or removed.
      type: bool
    created:
      description: Whether there was no such host directory before.
      type: bool
    swapped_in:
      description:
        - How the change became visible. V(one step), or V(two renames) where the file system can't exchange
          directories, or V(file by file) where the host directory can't be renamed. Null without a change.
      type: str
    fallback:
      description:
        - With O(fallback=true) whether the engine keeps it (C(kept), null where its version or store decides), and
          C(how).
      type: dict
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
findings:
  description:
    - What is odd on the node, each with C(code), C(severity), C(place) and C(message). Warnings are told as well.
  returned: success
  type: list
  elements: dict
restart_needed:
  description:
    - Engines that do not see the change by themselves, each with C(engine) and C(reason). Pulls need no restart of any
      engine. Builds of dockerd may.
  returned: success
  type: list
  elements: dict
  sample:
    - engine: docker
      reason: docker build goes on with the old certificates for some minutes, or until dockerd restarts
"""

import errno
import os
import platform
from datetime import datetime, timezone
from typing import Any, Iterable, NoReturn

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.certs_d.plugins.module_utils._deployment import (
    Deployment,
    Refused,
    Target,
    Terms,
    deploy,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._disk import read_regular_file
from ansible_collections.fleet.certs_d.plugins.module_utils._engines import ENGINES, Engine, root_of
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import Finding, errors, report, warnings
from ansible_collections.fleet.certs_d.plugins.module_utils._layout_arguments import LAYOUT_ARGUMENTS
from ansible_collections.fleet.certs_d.plugins.module_utils._plan import Owner
from ansible_collections.fleet.certs_d.plugins.module_utils._restart import restart_reason
from ansible_collections.fleet.certs_d.plugins.module_utils._selinux import restore_contexts
from ansible_collections.fleet.certs_d.plugins.module_utils._swap import Done
from ansible_collections.fleet.certs_d.plugins.module_utils._user import Account, NoSuchUser, account, as_user
from ansible_collections.fleet.certs_d.plugins.module_utils._wanted import (
    Keys,
    WantedDirectory,
    node_faults,
    read_wanted,
)

_BOUND = ": this directory can't be renamed (a mount point, or part of an image), so remove it by hand"


def main() -> NoReturn:
    """Check what is wanted, deploy it, and tell what stands there now."""
    module = AnsibleModule(supports_check_mode=True, **LAYOUT_ARGUMENTS)
    now = datetime.now(timezone.utc).replace(microsecond=0)
    wanted = _checked(module, now)
    user = _user(module)
    try:
        told = as_user(user, lambda: _deploy(module, wanted, user, now))
    except OSError as error:
        module.fail_json(msg=f"{error.filename or '/'}: {error.strerror}, nothing was changed{_advice(error)}")
    if "refused" in told:
        module.fail_json(msg=told["refused"])
    for sentence in told["warnings"]:
        # Ansible does not say of which host a warning speaks, and tells equal ones once.
        module.warn(f"{platform.node()}: {sentence}")
    docker = any(each["engine"] == "docker" and each["changed"] for each in told["result"]["registries"])
    module.exit_json(**told["result"], restart_needed=_restart_needed(module, told["result"]) if docker else [])


def _checked(module: AnsibleModule, now: datetime) -> list[WantedDirectory]:
    keys = Keys(module.params["private_keys"], read_regular_file)
    wanted, findings = read_wanted(module.params["registries"] or [], keys)
    faults = errors(findings + node_faults(wanted, now), module.params["accept"])
    if faults:
        module.fail_json(msg=_refusal(faults))
    return wanted


def _refusal(faults: Iterable[Finding]) -> str:
    return report("The node refuses the layout, nothing was changed:", faults)


def _user(module: AnsibleModule) -> Account:
    try:
        return account(module.params["user"] if module.params["scope"] == "user" else None)
    except NoSuchUser as error:
        module.fail_json(msg=str(error))


def _deploy(module: AnsibleModule, wanted: list[WantedDirectory], user: Account, now: datetime) -> dict[str, Any]:
    """Done by the user whose directories they are; all that it returns is plain data."""
    terms = Terms(
        Owner(user.user, user.group),
        fallback=module.params["fallback"],
        purge=module.params["purge"],
        dry_run=module.check_mode,
    )
    home = user.home if module.params["scope"] == "user" else None
    engines = [ENGINES[name] for name in module.params["engines"]]
    targets = [Target(engine, root_of(engine, module.params["path"], home)) for engine in engines]
    try:
        deployment = deploy(wanted, targets, terms)
    except Refused as refused:
        return {"refused": _refusal(refused.findings)}
    relabelled = _relabel(module, deployment)
    return {
        "warnings": [finding.sentence() for finding in warnings(deployment.findings, module.params["accept"])],
        "result": {
            "changed": bool(relabelled) or any(done.plan.changed for _engine, done in deployment.done),
            "registries": [_result(engine, done, now, fallback=terms.fallback) for engine, done in deployment.done],
            "findings": [finding.as_data() for finding in deployment.findings],
            "diff": [done.plan.diff for _engine, done in deployment.done if done.plan.changed]
            + [{"prepared": "\n".join(relabelled)} for _any in relabelled[:1]],
        },
    }


def _relabel(module: AnsibleModule, deployment: Deployment) -> list[str]:
    """A stage has the context that its root hands down; the policy may have another one for this path."""
    return restore_contexts(
        sorted({done.plan.root for _engine, done in deployment.done if os.path.isdir(done.plan.root)}),
        restorecon=module.get_bin_path("restorecon"),
        run=module.run_command,
        dry_run=module.check_mode,
    )


def _result(engine: Engine, done: Done, now: datetime, *, fallback: bool) -> dict[str, Any]:
    directory = done.plan.directory
    kept, how = engine.fallback_of(directory.name)
    return {
        "engine": engine.name,
        "name": directory.name,
        "path": done.plan.path,
        "state": "present" if directory.is_present else "absent",
        "changed": done.plan.changed,
        "created": done.plan.changed and not done.plan.exists,
        "swapped_in": done.way or None,
        "fallback": {"kept": kept, "how": how} if fallback and directory.is_present else None,
        **directory.as_data(now),
    }


def _restart_needed(module: AnsibleModule, result: dict[str, Any]) -> list[dict[str, str]]:
    dockerd = module.get_bin_path("dockerd")
    if dockerd is None or module.params["scope"] == "user":
        return []
    _status, version, _complaint = module.run_command([dockerd, "--version"])
    changed = [each for each in result["registries"] if each["engine"] == "docker" and each["changed"]]
    reasons = [restart_reason(version, created=each["created"]) for each in changed]
    return [{"engine": "docker", "reason": reason} for reason in dict.fromkeys(filter(None, reasons))]


def _advice(error: OSError) -> str:
    if isinstance(error, PermissionError) and os.geteuid() != 0:
        return ": use become: true"
    if isinstance(error, (NotADirectoryError, FileExistsError)):
        return ": a file or a dangling link stands where a directory belongs, remove it"
    return {
        errno.EXDEV: _BOUND,
        errno.EBUSY: _BOUND,
        errno.ENOSPC: ": free some space",
        errno.EROFS: ": mount the file system for writing, or give a path on another one",
    }.get(error.errno or 0, "")


if __name__ == "__main__":
    main()
