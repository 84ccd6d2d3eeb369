#!/usr/bin/env bash
# Shows, repairs and cuts transaction logs; -h tells how.

ZOOBINDIR="$(cd "$(dirname "${BASH_SOURCE-$0}")" && pwd)"
. "$ZOOBINDIR/zkEnv.sh"

ZK="$(zk_program zk)" || exit 1
exec "$ZK" toolkit txn-log "$@"
