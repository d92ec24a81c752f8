# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry role where a host is laid out as RHEL is: real Apache, dnf, semanage and firewalld, all of Debian.

What is missing is RHEL itself: its packages, its policy, and a kernel that enforces it. The tests are one story: each
goes on where the one before has ended.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.tests.fleet.running import Run
from ansible_collections.fleet.certs_d.tests.rhel.conftest import Rhel
from ansible_collections.fleet.certs_d.tests.tools.rhel_snapshots import KEPT

Case = dict[str, Any]
# Files that are made where SELinux is on have their label from the first moment.
_AS_THE_KERNEL_DOES = "restorecon -i -v -R /etc/httpd /srv /var/www"


@pytest.fixture(scope="module")
def first(bare: Rhel, cases: list[Case]) -> Rhel:
    """The first registry, laid on the bare host."""
    bare.on("sed -i s/enabled=0/enabled=1/ /etc/yum.repos.d/stand-ins.repo")
    bare.on("semanage boolean --modify --off httpd_enable_cgi")
    bare.role(cases[0]).good()
    bare.on(_AS_THE_KERNEL_DOES)
    return bare


@pytest.fixture(scope="module")
def all_three(first: Rhel, cases: list[Case]) -> Rhel:
    """Two more beside it; the firewall is to know nothing of the last."""
    first.role(cases[1]).good()
    first.role({**cases[2], "registry_open_firewall": False}).good()
    first.on(_AS_THE_KERNEL_DOES)
    return first


def changed(done: Run) -> int:
    (count,) = re.findall(r"changed=(\d+)", done.good())
    return int(count)


def kept(path: str) -> str:
    return (KEPT / path.lstrip("/")).read_text()


def test_check_mode_on_a_bare_host_tells_of_changes_and_makes_none(bare: Rhel, cases: list[Case]) -> None:
    before = bare.picture()
    told = bare.role(cases[0], "--check")
    assert changed(told) > 0
    assert "Let Apache listen on the port" in told.output
    assert bare.picture() == before


def test_without_epel_the_role_says_what_can_be_done(bare: Rhel, cases: list[Case]) -> None:
    refused = bare.role(cases[0])
    assert refused.status != 0
    assert "It is a package of EPEL: enable that, or lay a static busybox at /usr/sbin/busybox" in refused.output


def test_a_port_is_closed_before_the_role_opens_it(bare: Rhel, first: Rhel) -> None:
    first.on("firewall-cmd --remove-port=5000/tcp")
    assert not first.is_open(5000)
    first.on("firewall-cmd --reload")
    assert first.is_open(5000)


def test_apache_serves_who_is_let_in(first: Rhel) -> None:
    tags = first.ask("/v1/repositories/library/busybox/tags")
    assert (first.ask("/v2/").status, tags.status) == (200, 200)
    assert b"latest" in tags.body
    assert first.ask("/v2/", client=False).status == 403


def test_the_root_is_refused_in_json_beside_welcome_conf(first: Rhel) -> None:
    refused = first.ask("/")
    assert (refused.status, refused.type) == (403, "application/json")
    assert refused.body.startswith(b'{"errors":')


def test_the_gate_is_not_on_the_sites_of_httpd_conf_and_ssl_conf(first: Rhel) -> None:
    first.on("firewall-cmd --add-service=https")
    answer = first.ask("/cgi-bin/certs-d-registry/cgi-bin/cert.cgi", 443, name=None)
    assert answer.status == 404
    first.on("firewall-cmd --remove-service=https")


def test_a_second_run_changes_nothing(first: Rhel, cases: list[Case]) -> None:
    assert changed(first.role(cases[0])) == 0


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/srv/certs-d-registry/v1/_ping", "httpd_sys_content_t"),
        ("/var/www/certs-d-registry/cgi-bin/cert.cgi", "httpd_sys_script_exec_t"),
        ("/var/www/certs-d-registry/certs-d-registry.example_5000.clients", "httpd_sys_content_t"),
        ("/etc/httpd/certs-d-registry.example_5000/server.pem", "httpd_config_t"),
    ],
)
def test_files_have_the_type_that_the_policy_wants(first: Rhel, path: str, label: str) -> None:
    assert f":{label}:" in first.on(f"stat --format=%C {path}")


# Of Debian's policy, which has much in common with that of RHEL.
@pytest.mark.parametrize(
    ("domain", "target", "right", "is_given"),
    [
        ("httpd_t", "httpd_sys_content_t", "file -p read", True),
        ("httpd_t", "httpd_config_t", "file -p read", True),
        ("httpd_t", "http_port_t", "tcp_socket -p name_bind", True),
        ("httpd_t", "commplex_main_port_t", "tcp_socket -p name_bind", False),
        ("httpd_sys_script_t", "httpd_sys_content_t", "file -p read", True),
        # So the list of the clients does not lie in /etc/httpd.
        ("httpd_sys_script_t", "httpd_config_t", "dir -p search", False),
    ],
)
def test_the_policy_gives_these_types_the_rights_that_the_gate_needs(
    bare: Rhel, domain: str, target: str, right: str, is_given: bool
) -> None:
    rules = bare.on(f"sesearch -A -s {domain} -t {target} -c {right} /etc/selinux/default/policy/policy.*")
    assert ("allow" in rules) is is_given


def test_the_policy_is_told_of_the_tree_the_port_and_cgi_alone(first: Rhel) -> None:
    assert re.findall(r"^/.*?(?=  )", first.on("semanage fcontext -l -C -n"), re.M) == ["/srv/certs-d-registry(/.*)?"]
    assert re.findall(r"\S+", first.on("semanage port -l -C -n")) == ["http_port_t", "tcp", "5000"]
    assert re.search(r"httpd_enable_cgi +\(on +, +on\)", first.on("semanage boolean -l -n"))


def test_what_lies_on_the_host_is_what_is_kept(all_three: Rhel) -> None:
    sites = ["registry.example_5000", "registry.example", "_2001_db8__1__5443"]
    paths = [f"/etc/httpd/conf.d/zz-certs-d-{site}.conf" for site in sites]
    paths.append("/var/www/certs-d-registry/certs-d-registry.example_5000.clients")
    # Whatever is signed here ends at another time.
    found = {path: re.sub(r"(?<=_SESSIONS_END )\d+", "never", all_three.on(f"cat {path}")) for path in paths}
    assert found == {path: kept(path) for path in paths}


def test_the_site_of_ssl_conf_stays_the_one_for_unknown_names(all_three: Rhel) -> None:
    sites = all_three.on("httpd -t -D DUMP_VHOSTS")
    assert re.search(r"\*:443 .*\n +default server \S+ \(/etc/httpd/conf.d/ssl.conf", sites)
    assert (all_three.ask("/v2/", 443).status, all_three.ask("/v2/", 443, name=None).status) == (200, 404)


def test_a_tree_s_path_becomes_a_rule_that_fits_it_alone(all_three: Rhel) -> None:
    types = all_three.on("matchpathcon -n '/srv/my images+1.0/v1' '/srv/my images+1x0/v1'")
    assert re.findall(r":(\w+_t):", types) == ["httpd_sys_content_t", "var_t"]
    assert ":httpd_sys_content_t:" in all_three.on("stat --format=%C '/srv/my images+1.0/v1/_ping'")


def test_a_port_without_a_type_is_added_and_the_firewall_left_alone_on_request(all_three: Rhel) -> None:
    assert set(re.findall(r"\d+", all_three.on("semanage port -l -C -n"))) == {"5000", "5443"}
    assert set(all_three.on("firewall-cmd --permanent --list-ports").split()) == {"443/tcp", "5000/tcp"}


def test_absent_takes_back_what_nobody_else_needs(all_three: Rhel, cases: list[Case]) -> None:
    all_three.role({"registry_name": cases[0]["registry_name"], "registry_state": "absent"}).good()
    assert not all_three.is_open(5000)
    assert set(re.findall(r"\d+", all_three.on("semanage port -l -C -n"))) == {"5443"}
    # The second registry serves it.
    assert "/srv/certs-d-registry" in all_three.on("semanage fcontext -l -C -n")
    assert all_three.ask("/v2/", 443).status == 200


def test_check_mode_of_absent_changes_nothing(all_three: Rhel, cases: list[Case]) -> None:
    before = all_three.picture()
    absent = {"registry_name": cases[1]["registry_name"], "registry_state": "absent"}
    assert changed(all_three.role(absent, "--check")) > 0
    assert all_three.picture() == before


def test_the_last_registry_leaves_nothing_but_its_tree_and_what_ssl_conf_needs(
    all_three: Rhel, cases: list[Case]
) -> None:
    for case in cases[1:]:
        absent = {key: case[key] for key in ("registry_name", "registry_root")}
        all_three.role({**absent, "registry_state": "absent"}).good()
    assert all_three.on("semanage port -l -C -n; semanage fcontext -l -C -n").strip() == ""
    assert all_three.on("find /etc/httpd /var/www -name '*certs-d*'") == ""
    assert all_three.on("firewall-cmd --list-ports").split() == ["443/tcp"]
    assert ":var_t:" in all_three.on("stat --format=%C /srv/certs-d-registry/v1/_ping")


def test_absent_again_changes_nothing(all_three: Rhel, cases: list[Case]) -> None:
    absent = {"registry_name": cases[0]["registry_name"], "registry_state": "absent"}
    assert changed(all_three.role(absent)) == 0
