#!/bin/sh
# PID 1 of a node whose systemd can't be it: sshd, containerd, and a dockerd that keeps its images with containerd.
mkdir -p /run/sshd /etc/docker
echo '{"features": {"containerd-snapshotter": true}}' > /etc/docker/daemon.json
ssh-keygen -A
/usr/sbin/sshd
containerd > /var/log/containerd.log 2>&1 &
until ctr version > /dev/null 2>&1; do sleep 0.2; done
dockerd --containerd /run/containerd/containerd.sock > /var/log/dockerd.log 2>&1 &
until docker version > /dev/null 2>&1; do sleep 0.2; done
# The lab waits for it.
touch /run/lab-ready
# Takes the end of every process whose parent has gone.
while :; do
    wait
    sleep 1
done
