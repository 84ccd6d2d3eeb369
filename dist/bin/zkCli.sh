#!/usr/bin/env bash
# The shell: all of Apache's commands, and those of zk.

ZOOBINDIR="$(cd "$(dirname "${BASH_SOURCE-$0}")" && pwd)"
. "$ZOOBINDIR/zkEnv.sh"

ZK="$(zk_program zk)" || exit 1
exec "$ZK" "$@"
