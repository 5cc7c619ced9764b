#!/bin/sh
# Several "hosts" on one Linux machine: network namespaces with addresses and names of their own, joined by a bridge.
#
#   hosts.sh up N            makes 10.77.0.1 … 10.77.0.N
#   hosts.sh on ADDRESS COMMAND…    runs a shell's command on one, as ssh does, for which mpirun may take it (plm_rsh_agent)
#   hosts.sh cut ADDRESS     pulls its cable
#   hosts.sh down            ends what runs on them, and removes all
#
# Needs root, iproute2 and util-linux. A run across two of them, and what happens when one is cut off:
#   bun test packages/trainer/test/cli/several-hosts.test.ts
set -e
bridge=vitral0
subnet=10.77.0
namespace() { echo "vitral-${1##*.}"; }

case $1 in
  up)
    ip link add $bridge type bridge
    ip link set $bridge up
    for i in $(seq "$2"); do
      name=$(namespace "$subnet.$i")
      ip netns add "$name"
      ip link add "vitral$i" type veth peer name eth0 netns "$name"
      ip link set "vitral$i" master $bridge up
      ip -n "$name" address add "$subnet.$i/24" dev eth0
      ip -n "$name" link set eth0 up
      ip -n "$name" link set lo up
    done
    ;;
  on)
    name=$(namespace "$2")
    shift 2
    exec ip netns exec "$name" unshare --uts sh -c "hostname $name && $*"
    ;;
  cut) ip link set "vitral${2##*.}" down ;;
  down)
    for name in $(ip netns list | sed -n 's/^\(vitral-[0-9]*\).*/\1/p'); do
      ip netns pids "$name" | xargs -r kill -9
      ip netns delete "$name"
    done
    # A namespace, and with it its cable, stays while a process in it ends.
    for cable in $(ip -o link | sed -n 's/^[0-9]*: \(vitral[0-9]*\).*/\1/p'); do ip link delete "$cable"; done
    ;;
  *)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
