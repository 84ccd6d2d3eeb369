#!/usr/bin/env bash
# The shell: all of Apache's commands, and those of zk.

ZOOBINDIR="$(cd "$(dirname "${BASH_SOURCE-$0}")" && pwd)"
if [ -e "$ZOOBINDIR/../libexec/zkEnv.sh" ]; then
  . "$ZOOBINDIR/../libexec/zkEnv.sh"
else
  . "$ZOOBINDIR/zkEnv.sh"
fi

ZK="$(zk_program zk)" || exit 1
exec "$ZK" "$@"
