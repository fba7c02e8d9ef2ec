# What the scripts under testdata/services share. Source it, do not run it.
#
# A service is a folder with three files:
#
#   vars   sets PORT, where it listens, and ADDRESS, the variable that tests read its address from
#   up     starts it and prints `export VAR='...'` lines on stdout, everything else on stderr
#   down   stops what `up` started, nothing else, and deletes its data
#
# CACHE_DIR holds downloads and compiled classes and is kept; RUN_ROOT holds data, logs and process
# ids of running servers. RUN_ROOT is under the temporary folder because PostgreSQL refuses to run as
# root, and the user it then runs as cannot enter root's home.

set -euo pipefail
umask 022

HOST=127.0.0.1
SERVICES=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ -z "${CACHE_DIR:-}" ]; then
  CACHE_DIR=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
  CACHE_DIR=${CACHE_DIR:-${TMPDIR:-/tmp}/cache-$(id -u)}/elastic-ingest-services
fi
: "${RUN_ROOT:=${TMPDIR:-/tmp}/elastic-ingest-services-$(id -u)}"
export CACHE_DIR RUN_ROOT

log() { printf '%s\n' "$*" >&2; }
die() { log "error: $*"; exit 1; }

# init NAME: set the variables that the other functions use.
init() {
  NAME=$1
  . "$SERVICES/$NAME/vars"
  RUN="$RUN_ROOT/$NAME-$PORT"
  PIDFILE="$RUN/pid" ENVFILE="$RUN/env" LOG="$RUN/log"
}

# begin: the start of every `up`. If the service is running, it prints the variables and exits.
begin() {
  [ -d "/proc/$$" ] && command -v setsid >/dev/null || die "$NAME can be started on Linux only; set $ADDRESS to your own server"
  if running && [ -s "$ENVFILE" ]; then
    log "$NAME is already running on $HOST:$PORT"
    cat "$ENVFILE"
    exit 0
  fi
  ! port_open || die "$NAME: port $PORT is in use by another program; stop it, or choose another port, see $SERVICES/$NAME/vars"
  mkdir -p "$CACHE_DIR" "$RUN_ROOT"
  [ -O "$RUN_ROOT" ] || die "$RUN_ROOT belongs to another user; set RUN_ROOT to your own folder"
  rm -rf "$RUN"
  mkdir -p "$RUN"
  chmod 755 "$RUN_ROOT" "$RUN"
}

# need COMMAND PACKAGE: install the Debian package when the command is absent.
need() { command -v "$1" >/dev/null || apt_need "$2"; }

# apt_need PACKAGE...: install what is missing. Debian keeps only the newest build of a package in
# its archive, so no version is pinned. A policy-rc.d, for as long as it takes, keeps the packages
# from starting servers of their own. A lock serializes scripts that run concurrently.
apt_need() {
  command -v apt-get >/dev/null || die "$NAME needs: $*; only Debian's packages can be installed from here"
  [ "$(id -u)" = 0 ] || die "$NAME needs: $*; install them, or run as root"
  log "$NAME: installing $*"
  ( flock 9 && apt_install "$@" ) 9>"$CACHE_DIR/apt.lock" || die "$NAME: apt-get could not install $*"
}

apt_install() {
  local policy=/usr/sbin/policy-rc.d made='' rc=0
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    made=1
  fi
  apt_get install "$@" || { apt_get update && apt_get install "$@"; } || rc=$?
  [ -z "$made" ] || rm -f "$policy"
  return $rc
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300 --no-install-recommends "$@" </dev/null >&2
}

# once NAME COMMAND...: run the command under a lock, so that two scripts do not create the same file concurrently.
once() {
  local name=$1
  shift
  ( flock 9 && "$@" ) 9>"$CACHE_DIR/$name.lock"
}

# go_program NAME MODULE VERSION PACKAGE: build a program of a Go module, once, and print its path. The
# module it is built in is its own, because go install refuses modules with replace lines.
go_program() {
  local program=$CACHE_DIR/bin/$1-$3
  once "$1" go_build "$program" "$@" >"$RUN/build.log" 2>&1 || {
    tail -n 20 "$RUN/build.log" >&2
    die "$NAME: $4 could not be built"
  }
  printf '%s\n' "$program"
}

go_build() {
  local program=$1 name=$2 module=$3 version=$4 package=$5 folder
  [ ! -x "$program" ] || return 0
  folder=$CACHE_DIR/build/$name-$version
  rm -rf "$folder"
  mkdir -p "$folder" "$CACHE_DIR/bin"
  cd "$folder" || return
  export GOWORK=off GOFLAGS=-mod=mod CGO_ENABLED=0
  go mod init "build.invalid/$name" && go get "$module@$version" || return
  printf '//go:build tools\n\npackage tools\n\nimport _ "%s"\n' "$package" >tools.go
  go build -buildvcs=false -trimpath -o "$program.new" "$package" && mv "$program.new" "$program"
}

started_at() { sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# start COMMAND...: run it in its own session. Its start time is kept beside its process id, so
# that a later process with the same id is never mistaken for it.
start() {
  setsid "$@" >>"$LOG" 2>&1 </dev/null &
  printf '%s\n' $! >"$PIDFILE"
  started_at $! >"$PIDFILE.start"
}

# running: is the process of `start` alive?
running() {
  [ -s "$PIDFILE" ] && [ -s "$PIDFILE.start" ] || return 1
  local pid
  pid=$(cat "$PIDFILE")
  [ -d "/proc/$pid" ] && [ "$(started_at "$pid")" = "$(cat "$PIDFILE.start")" ]
}

port_open() { (exec 3<>"/dev/tcp/$HOST/$PORT") 2>/dev/null; }

# await SECONDS COMMAND...: until the command succeeds.
await() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    running || { tail -n 30 "$LOG" >&2; die "$NAME ended before it was ready"; }
    [ $SECONDS -lt $end ] || { tail -n 30 "$LOG" >&2; stop TERM; die "$NAME was not ready in time"; }
    sleep 0.1
  done
}

# emit NAME=VALUE...: print the variables, and keep them for the next `up`.
emit() {
  local pair
  for pair in "$@"; do printf "export %s='%s'\n" "${pair%%=*}" "${pair#*=}"; done >"$ENVFILE"
  cat "$ENVFILE"
}

# stop SIGNAL: end the process of `start`, and wait until it has exited.
stop() {
  local pid i
  running || return 0
  pid=$(cat "$PIDFILE")
  kill "-$1" "$pid" 2>/dev/null || true
  for i in $(seq 1200); do running || return 0; sleep 0.1; done
  log "$NAME did not end by itself within 2 minutes"
  kill -KILL "$pid" 2>/dev/null || true
  for i in $(seq 20); do running || return 0; sleep 0.1; done
}

# finish SIGNAL: everything that a `down` does.
finish() {
  if running; then stop "$1"; log "$NAME on port $PORT stopped"; else log "$NAME on port $PORT is not running"; fi
  rm -rf "$RUN"
}

# certificate FOLDER: an authority and a server's certificate for localhost and 127.0.0.1.
certificate() {
  need openssl openssl
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/CN=elastic-ingest test authority' \
    -keyout "$1/ca.key" -out "$1/ca.pem" 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -subj '/CN=localhost' -keyout "$1/server.key" -out "$1/server.csr" 2>/dev/null
  openssl x509 -req -in "$1/server.csr" -CA "$1/ca.pem" -CAkey "$1/ca.key" -CAcreateserial -days 3650 \
    -extfile <(printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n') -out "$1/server.pem" 2>/dev/null
  rm -f "$1/server.csr"
}
