#!/usr/bin/env bash
# Starts, stops and asks the server, with the verbs, words and exit codes of
# Apache's script.
#
#   zkServer.sh [--config <conf-dir>] {start|start-foreground|stop|version|restart|status|print-cmd} [config]
#
# [config] is a file in the configuration directory, or a path.

ZOOBINDIR="$(cd "$(dirname "${BASH_SOURCE-$0}")" && pwd)"
. "$ZOOBINDIR/zkEnv.sh"

if [ -z "$JMXDISABLE" ] || [ "$JMXDISABLE" = "false" ]; then
  echo "ZooKeeper JMX enabled by default" >&2
else
  echo "JMX disabled by user request" >&2
fi

# A name alone is one in the configuration directory.
if [ -n "$2" ]; then
  case "$2" in
    */*) ZOOCFG="$2" ;;
    *) ZOOCFG="$ZOOCFGDIR/$2" ;;
  esac
fi
echo "Using config: $ZOOCFG" >&2

usage() {
  echo "Usage: $0 [--config <conf-dir>] {start|start-foreground|stop|version|restart|status|print-cmd}" >&2
}

# What start, stop and their like need to know. Makes directories that lack.
prepare() {
  ZOO_DATADIR="$(zk_property dataDir "$ZOOCFG")"
  ZOO_DATALOGDIR="$(zk_property dataLogDir "$ZOOCFG")"
  if [ -n "$ZOO_DATADIR_AUTOCREATE_DISABLE" ]; then
    require_initialized "data" "$ZOO_DATADIR"
    if [ -n "$ZOO_DATALOGDIR" ]; then
      require_initialized "txnlog" "$ZOO_DATALOGDIR"
    fi
    export JVMFLAGS="-Dzookeeper.datadir.autocreate=false $JVMFLAGS"
  fi
  if [ -z "$ZOOPIDFILE" ] && [ -z "$ZOO_DATADIR" ]; then
    echo "Unable to determine dataDir from $ZOOCFG"
    exit 1
  fi
  ZOOPIDFILE="${ZOOPIDFILE:-$ZOO_DATADIR/zookeeper_server.pid}"
  ZOO_DAEMON_OUT="$ZOO_LOG_DIR/zookeeper-$USER-server-$HOSTNAME.out"
}

require_initialized() {
  if [ ! -d "$2/version-2" ]; then
    echo "ZooKeeper $1 directory is missing at $2 fix the path or run initialize"
    exit 1
  fi
}

# Prints the process that the pid file names, if it runs.
running() {
  local pid
  pid="$(cat "$ZOOPIDFILE" 2> /dev/null)" && [ -n "$pid" ] &&
    kill -0 "$pid" 2> /dev/null && echo "$pid"
}

# Looks ten times a second, for some seconds at most, until a command succeeds.
await() {
  local looks=$(($1 * 10))
  shift
  while ! "$@"; do
    looks=$((looks - 1))
    [ "$looks" -gt 0 ] || return 1
    sleep 0.1
  done
}

start() {
  local pid
  echo -n "Starting zookeeper ... "
  if pid="$(running)"; then
    echo "already running as process $pid."
    exit 1
  fi
  mkdir -p "$(dirname "$ZOOPIDFILE")" "$ZOO_LOG_DIR"
  nohup "$ZK_SERVER" "$ZOOCFG" > "$ZOO_DAEMON_OUT" 2>&1 < /dev/null &
  pid=$!
  if ! echo -n "$pid" > "$ZOOPIDFILE"; then
    echo FAILED TO WRITE PID
    exit 1
  fi
  await 1 has_begun "$pid"
  if ! kill -0 "$pid" 2> /dev/null; then
    echo FAILED TO START
    exit 1
  fi
  echo STARTED
}

# Whether the server listens, or is gone again.
has_begun() {
  grep -q "serving clients" "$ZOO_DAEMON_OUT" || ! kill -0 "$1" 2> /dev/null
}

stop() {
  local pid
  echo -n "Stopping zookeeper ... "
  if [ ! -f "$ZOOPIDFILE" ]; then
    echo "no zookeeper to stop (could not find file $ZOOPIDFILE)"
    return
  fi
  pid="$(cat "$ZOOPIDFILE")"
  kill "$pid"
  rm "$ZOOPIDFILE"
  # It hands over and closes its log; a restart needs its ports.
  await 30 is_gone "$pid" || echo "process $pid has not ended yet" >&2
  echo STOPPED
}

is_gone() {
  ! kill -0 "$1" 2> /dev/null
}

# Finds the client's address and port as Apache's script does, and says so.
find_client_port() {
  CLIENT_SSL=false
  CLIENT_ADDRESS="$(zk_property clientPortAddress "$ZOOCFG")"
  CLIENT_PORT="$(zk_property clientPort "$ZOOCFG")"
  if ! [[ "$CLIENT_PORT" =~ ^[0-9]+$ ]]; then
    CLIENT_PORT=
    find_own_line
  fi
  if [ -z "$CLIENT_PORT" ]; then
    echo "Client port not found. Looking for secureClientPort in the static config."
    CLIENT_PORT="$(zk_property secureClientPort "$ZOOCFG")"
    CLIENT_ADDRESS="$(zk_property secureClientPortAddress "$ZOOCFG")"
    CLIENT_SSL=true
  fi
  if [ -z "$CLIENT_PORT" ]; then
    echo "Unable to find either secure or unsecure client port in any configs. Terminating."
    exit 1
  fi
  CLIENT_ADDRESS="${CLIENT_ADDRESS:-localhost}"
  echo "Client port found: $CLIENT_PORT. Client address: $CLIENT_ADDRESS. Client SSL: $CLIENT_SSL."
}

# The part of this server's own line behind the semicolon.
find_own_line() {
  local id line
  id="$(head -n 1 "$(zk_property dataDir "$ZOOCFG")/myid" 2> /dev/null | tr -d '[:space:]')"
  if ! [[ "$id" =~ ^[0-9]+$ ]]; then
    echo "myid could not be determined, will not able to locate clientPort in the server configs."
    return
  fi
  line="$(zk_property "server.$id" "$ZOOCFG")"
  if [[ "$line" != *";"* ]]; then
    echo "Client port not found in static config file. Looking in dynamic config file."
    line="$(zk_property "server.$id" "$(zk_property dynamicConfigFile "$ZOOCFG")")"
  fi
  if [[ "$line" != *";"* ]]; then
    echo "Client port not found in the server configs"
    return
  fi
  line="${line##*;}"
  CLIENT_PORT="${line##*:}"
  if [[ "$line" == *:* ]]; then
    line="${line%:*}"
    line="${line#[}"
    CLIENT_ADDRESS="${line%]}"
  fi
}

# Prints the line of srvr's answer that says what the server is.
mode() {
  local line
  exec 3<> "/dev/tcp/$CLIENT_ADDRESS/$CLIENT_PORT" || return 1
  printf srvr >&3
  while IFS= read -r -t 10 line <&3; do
    case "$line" in
      Mode:*) echo "$line" ;;
    esac
  done
}

status() {
  local answer
  find_client_port
  answer="$(mode 2> /dev/null)"
  if [ -z "$answer" ]; then
    if [ "$CLIENT_SSL" = true ]; then
      echo "Note: the port is for TLS, which this script does not speak."
    fi
    echo "Error contacting service. It is probably not running."
    exit 1
  fi
  echo "$answer"
}

case "$1" in
  start | start-foreground | print-cmd | version)
    ZK_SERVER="$(zk_program zk-server)" || exit 1
    ;;
esac

case "$1" in
  start)
    prepare
    start
    ;;
  start-foreground)
    prepare
    if [ -n "$ZOO_NOEXEC" ]; then
      "$ZK_SERVER" "$ZOOCFG"
    else
      exec "$ZK_SERVER" "$ZOOCFG"
    fi
    ;;
  print-cmd)
    prepare
    echo "\"$ZK_SERVER\" \"$ZOOCFG\" > \"$ZOO_DAEMON_OUT\" 2>&1 < /dev/null"
    ;;
  stop)
    prepare
    stop
    exit 0
    ;;
  restart)
    prepare
    stop
    ZK_SERVER="$(zk_program zk-server)" || exit 1
    start
    ;;
  version)
    "$ZK_SERVER" --version
    ;;
  status)
    status
    ;;
  *)
    usage
    ;;
esac
