#!/bin/busybox sh
# shellcheck shell=dash
# First program of the virtual machine, in its initial file system. Mounts the
# root folder of the real machine with a file system in memory on top, so that
# nothing there changes, and goes on with guest.sh on it.
#
# Kernel parameter: tracedump.guest=PATH of guest.sh.
export PATH=/bin
/bin/busybox mkdir -p /proc /sys /dev /lower /memory /root
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev

while read -r module; do
  insmod "/modules/$module" || echo "init: cannot load $module"
done </modules/order

mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 \
  root /lower || { echo "init: cannot mount the root folder"; poweroff -f; }
mount -t tmpfs -o size=75% memory /memory
mkdir /memory/upper /memory/work
mount -t overlay -o lowerdir=/lower,upperdir=/memory/upper,workdir=/memory/work \
  overlay /root || { echo "init: cannot mount the overlay"; poweroff -f; }

for folder in proc sys dev; do mount --move "/$folder" "/root/$folder"; done
for folder in run dev/shm; do
  mkdir -p "/root/$folder"
  mount -t tmpfs -o mode=1777 memory "/root/$folder"
done
mkdir -p /root/dev/pts /root/run/results
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /root/dev/pts
mount -t 9p -o trans=virtio,version=9p2000.L,cache=none,msize=65536 \
  results /root/run/results || { echo "init: no place for results"; poweroff -f; }

guest=$(sed -n 's/.*tracedump\.guest=\([^ ]*\).*/\1/p' /root/proc/cmdline)
exec switch_root /root /bin/sh "$guest"
