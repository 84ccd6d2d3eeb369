#!/usr/bin/env bash
# Shows snapshots: [-d|-json] snapshot_file.

ZOOBINDIR="$(cd "$(dirname "${BASH_SOURCE-$0}")" && pwd)"
. "$ZOOBINDIR/zkEnv.sh"

ZK="$(zk_program zk)" || exit 1
exec "$ZK" toolkit snapshot "$@"
