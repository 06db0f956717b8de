#!/bin/busybox sh
# The first process of the emulated machine. The console gets the kernel's messages, the second
# serial line what the test program writes. Full paths, since BusyBox prefers its own applets.
/bin/busybox --install /bin 2> /dev/null
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2> /dev/null
/bin/ip link set lo up
while read -r module; do
    insmod "/modules/$module" || echo "cannot load $module" > /dev/ttyS1
done < /modules/order
# the kernel sends faster than an emulated processor reads: room for the longest message of the tests
echo 2097152 > /proc/sys/net/core/rmem_max
echo 2097152 > /proc/sys/net/core/rmem_default
# and for what virtual buses carry while a busy processor does not come to deliver it: the rest is lost
echo 20000 > /proc/sys/net/core/netdev_max_backlog
# in one process, since each takes an emulated processor a while to load
for number in 0 1; do
    echo "link add vcan$number up type vcan"
    echo "link set can$number up type can bitrate 500000"
done | /bin/ip -batch -
# Both controllers interrupt one processor. On two, the one could go on to send while the host lets the
# other processor wait, and the receive buffer there holds five frames.
for number in $(awk '/can[01]$/ { sub(":", "", $1); print $1 }' /proc/interrupts); do
    echo 1 > "/proc/irq/$number/smp_affinity"
done
echo "==== begin" > /dev/ttyS1
/bin/program ARGUMENTS < /dev/null > /dev/ttyS1 2>&1
status=$?
if [ "$status" != 0 ]; then
    echo "---- what the kernel said about CAN" > /dev/ttyS1
    dmesg | grep -iE 'can|isotp|kvaser|sja1000|oops|bug:|warning' | tail -n 40 > /dev/ttyS1
fi
echo "==== end $status" > /dev/ttyS1
# the line must drain before the machine stops
sync
poweroff -f
