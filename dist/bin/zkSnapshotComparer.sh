#!/usr/bin/env bash
# Compares two snapshots: -l LEFT -r RIGHT -b BYTES -n NODES [-d].

ZOOBINDIR="$(cd "$(dirname "${BASH_SOURCE-$0}")" && pwd)"
. "$ZOOBINDIR/zkEnv.sh"

ZK="$(zk_program zk)" || exit 1
exec "$ZK" toolkit compare "$@"
