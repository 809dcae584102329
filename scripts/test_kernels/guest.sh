#!/bin/sh
# Runs inside the virtual machine as its first program: prepares what the
# tests expect of a machine, runs all steps, notes how each ended, and turns
# the machine off.
#
# /run/results holds one script NAME.sh per step; NAME.log and NAME.status are
# written beside it. NAME.limit is the number of seconds that a step may take.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root TERM=dumb NO_COLOR=1
results=/run/results

# The kernel gives its first program no open files.
exec </dev/null >/dev/console 2>&1
ln -sf /proc/self/fd /dev/fd
ln -sf /proc/self/fd/0 /dev/stdin
ln -sf /proc/self/fd/1 /dev/stdout
ln -sf /proc/self/fd/2 /dev/stderr
mount -t securityfs securityfs /sys/kernel/security
mount -t tracefs tracefs /sys/kernel/tracing
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
hostname guest
{
  uname -r
  uname -v
} >"$results/machine"
for script in "$results"/*.sh; do
  name=${script%.sh}
  start=$(cut -d . -f 1 /proc/uptime)
  timeout -k 5 "$(cat "$name.limit")" sh "$script" >"$name.log" 2>&1
  status=$?
  end=$(cut -d . -f 1 /proc/uptime)
  echo "$status $((end - start))" >"$name.status"
  echo "guest: ${name##*/} ended with $status after $((end - start)) s"
done
dmesg >"$results/dmesg"
sync
echo o >/proc/sysrq-trigger
sleep 60
