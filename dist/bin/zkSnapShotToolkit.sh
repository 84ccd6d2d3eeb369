#!/usr/bin/env bash
# Shows snapshots: [-d|-json] snapshot_file.

ZOOBINDIR="$(cd "$(dirname "${BASH_SOURCE-$0}")" && pwd)"
if [ -e "$ZOOBINDIR/../libexec/zkEnv.sh" ]; then
  . "$ZOOBINDIR/../libexec/zkEnv.sh"
else
  . "$ZOOBINDIR/zkEnv.sh"
fi

ZK="$(zk_program zk)" || exit 1
exec "$ZK" toolkit snapshot "$@"
