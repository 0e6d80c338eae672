#!/bin/sh
# own_network.sh COMMAND…: runs it in a network namespace of its own, with loopback and one address that leads nowhere, so
# that what a node calls its address stays inside and no test can reach beyond it. Needs root; else COMMAND runs as is.
if [ "$(id -u)" = 0 ] && unshare --net true 2> /dev/null; then
  exec unshare --net sh -c '
    ip link set lo up && ip link add node type veth peer name wire && ip link set wire up && ip address add 10.99.0.1/24 dev node && ip link set node up &&
    exec "$@"' sh "$@"
fi
exec "$@"
