#!/usr/bin/env bash
# Shows, repairs and cuts transaction logs; -h tells how.

ZOOBINDIR="$(cd "$(dirname "${BASH_SOURCE-$0}")" && pwd)"
if [ -e "$ZOOBINDIR/../libexec/zkEnv.sh" ]; then
  . "$ZOOBINDIR/../libexec/zkEnv.sh"
else
  . "$ZOOBINDIR/zkEnv.sh"
fi

ZK="$(zk_program zk)" || exit 1
exec "$ZK" toolkit txn-log "$@"
