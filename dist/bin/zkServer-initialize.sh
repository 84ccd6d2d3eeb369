#!/usr/bin/env bash
# Makes the directories of a server to be, empty, with its id.

ZOOBINDIR="$(cd "$(dirname "${BASH_SOURCE-$0}")" && pwd)"
. "$ZOOBINDIR/zkEnv.sh"

usage() {
  printf 'usage: %s <parameters>\n  Optional parameters:\n' "$0"
  printf '     %-53s %s\n' \
    "-h" "Display this message" \
    "--help" "Display this message" \
    "--configfile=$ZOOCFG" "ZooKeeper config file" \
    "--myid=#" "Set the myid to be used, if any (1-255)" \
    "--force" "Force creation of the data/txnlog dirs"
  exit 1
}

fail() {
  echo "$1"
  exit 1
}

# Refuses a directory that holds data.
require_absent() {
  if [ -d "$2/version-2" ]; then
    fail "ZooKeeper $1 directory already exists at $2 (or use --force to force re-initialization)"
  fi
}

# Leaves the directory itself, whose rights somebody may have chosen.
make_empty() {
  rm -rf "${1:?}/myid" "${1:?}/version-2"
  mkdir -p "$1/version-2"
}

initialize() {
  local data logs
  [ -e "$ZOOCFG" ] || fail "Unable to find config file at $ZOOCFG"
  data="$(zk_property dataDir "$ZOOCFG")"
  logs="$(zk_property dataLogDir "$ZOOCFG")"
  [ -n "$data" ] || fail "Unable to determine dataDir from $ZOOCFG"
  if [ -n "$FORCE" ]; then
    echo "Force enabled, data/txnlog directories will be re-initialized"
  else
    require_absent data "$data"
    [ -z "$logs" ] || require_absent txnlog "$logs"
  fi
  make_empty "$data"
  [ -z "$logs" ] || make_empty "$logs"
  if [ -n "$MYID" ]; then
    echo "Using myid of $MYID"
    echo "$MYID" > "$data/myid"
  else
    echo "No myid provided, be sure to specify it in $data/myid if using non-standalone"
  fi
  touch "$data/initialize"
}

FORCE=
MYID=
while [ -n "$1" ]; do
  case "$1" in
    --configfile) ZOOCFG="$2"; shift 2 ;;
    --configfile=?*) ZOOCFG="${1#*=}"; shift ;;
    --myid) MYID="$2"; shift 2 ;;
    --myid=?*) MYID="${1#*=}"; shift ;;
    --force) FORCE=1; shift ;;
    -h | --help) usage ;;
    *) echo "Unknown option: $1"; usage ;;
  esac
done
initialize
