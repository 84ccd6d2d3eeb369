#!/usr/bin/env bash
# What all scripts share; they source it. It finds the configuration directory,
# the operator's own settings and the two programs, in the places and under the
# names that an Apache ZooKeeper installation has.
#
#   --config DIR, ZOOCFGDIR   where the configuration is      (conf beside bin)
#   ZOOCFG                    the configuration's file name   (zoo.cfg)
#   ZOO_LOG_DIR               where the .out files go         (logs beside bin)
#   zookeeper-env.sh, java.env in the configuration directory are sourced
#   JVMFLAGS, SERVER_JVMFLAGS, CLIENT_JVMFLAGS: -Dzookeeper.x=y in them count

ZOOBINDIR="${ZOOBINDIR:-/usr/bin}"
ZOOKEEPER_PREFIX="$ZOOBINDIR/.."

if [ $# -gt 1 ] && [ "$1" = "--config" ]; then
  ZOOCFGDIR="$2"
  shift 2
fi

if [ -z "$ZOOCFGDIR" ]; then
  if [ -e "$ZOOKEEPER_PREFIX/conf" ]; then
    ZOOCFGDIR="$ZOOBINDIR/../conf"
  else
    ZOOCFGDIR="$ZOOBINDIR/../etc/zookeeper"
  fi
fi
export ZOOCFGDIR

for zk_settings in zookeeper-env.sh java.env; do
  if [ -f "$ZOOCFGDIR/$zk_settings" ]; then
    . "$ZOOCFGDIR/$zk_settings"
  fi
done

ZOOCFG="$ZOOCFGDIR/${ZOOCFG:-zoo.cfg}"
ZOO_LOG_DIR="${ZOO_LOG_DIR:-$ZOOKEEPER_PREFIX/logs}"
# The files above may have set them without exporting them.
export JVMFLAGS SERVER_JVMFLAGS CLIENT_JVMFLAGS

# Prints where a program is: beside the scripts, or on the PATH.
zk_program() {
  if [ -x "$ZOOBINDIR/$1" ]; then
    echo "$ZOOBINDIR/$1"
  elif type -P "$1"; then
    :
  else
    echo "Error: $1 is neither in $ZOOBINDIR nor in PATH." >&2
    return 1
  fi
}

# Prints the value of a key in a configuration file. Dots in the key stand for
# themselves; of several lines the last counts, as for the server.
zk_property() {
  local key="${1//./\\.}"
  sed -n -e "s/^[[:space:]]*$key[[:space:]]*[=:][[:space:]]*//p" "$2" 2> /dev/null |
    sed -e 's/[[:space:]]*$//' | tail -n 1
}
