#!/usr/bin/env bash
# Sums subtrees of a snapshot up: snapshot_file starting_node max_depth.

ZOOBINDIR="$(cd "$(dirname "${BASH_SOURCE-$0}")" && pwd)"
. "$ZOOBINDIR/zkEnv.sh"

ZK="$(zk_program zk)" || exit 1
exec "$ZK" toolkit summary "$@"
