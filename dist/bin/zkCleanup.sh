#!/usr/bin/env bash
# Removes old snapshots and logs of the server that zoo.cfg describes: -n COUNT.

ZOOBINDIR="$(cd "$(dirname "${BASH_SOURCE-$0}")" && pwd)"
. "$ZOOBINDIR/zkEnv.sh"

ZK="$(zk_program zk)" || exit 1
ZOO_DATADIR="$(zk_property dataDir "$ZOOCFG")"
ZOO_DATALOGDIR="$(zk_property dataLogDir "$ZOOCFG")"
if [ -z "$ZOO_DATALOGDIR" ]; then
  exec "$ZK" toolkit purge "$ZOO_DATADIR" "$@"
else
  exec "$ZK" toolkit purge "$ZOO_DATALOGDIR" "$ZOO_DATADIR" "$@"
fi
