# What the scripts under testdata/services share. Source it, do not run it.
#
# A service is a folder with three files:
#
#   vars   sets PORT, where it listens, and ADDRESS, the variable that tests read its address from
#   up     starts it and prints `export VAR='...'` lines on stdout, everything else on stderr
#   down   ends what `up` started, nothing else, and throws its data away
#
# CACHE_DIR holds downloads and compiled classes and is kept; RUN_ROOT holds data, logs and process
# ids of what runs. RUN_ROOT lies under the temporary folder because PostgreSQL refuses to run as
# root, and root's home is closed to the user it then runs as.

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

# init NAME: set the names that the rest uses.
init() {
  NAME=$1
  . "$SERVICES/$NAME/vars"
  RUN="$RUN_ROOT/$NAME-$PORT"
  PIDFILE="$RUN/pid" ENVFILE="$RUN/env" LOG="$RUN/log"
}

# begin: what every `up` starts with. It prints the variables and leaves when the service runs.
begin() {
  [ -d "/proc/$$" ] && command -v setsid >/dev/null || die "$NAME can be started on Linux only; set $ADDRESS to a server of your own"
  if running && [ -s "$ENVFILE" ]; then
    log "$NAME runs already on $HOST:$PORT"
    cat "$ENVFILE"
    exit 0
  fi
  ! port_open || die "$NAME: port $PORT is taken by another program; end it, or choose a port, see $SERVICES/$NAME/vars"
  mkdir -p "$CACHE_DIR" "$RUN_ROOT"
  [ -O "$RUN_ROOT" ] || die "$RUN_ROOT belongs to somebody else; set RUN_ROOT to a folder of yours"
  rm -rf "$RUN"
  mkdir -p "$RUN"
  chmod 755 "$RUN_ROOT" "$RUN"
}

# need COMMAND PACKAGE: install the Debian package when the command is absent.
need() { command -v "$1" >/dev/null || apt_need "$2"; }

# apt_need PACKAGE...: install what is missing. Debian keeps only the newest build of a package in
# its archive, so no version is pinned. A policy-rc.d, for as long as it takes, keeps the packages
# from starting servers of their own. A lock serialises the scripts that run side by side.
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

# once NAME COMMAND...: run the command under a lock, so that two scripts do not make the same file at once.
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

# start COMMAND...: run it in a session of its own. Its start time is kept beside its process id, so
# that a later process that happens to get the same id is never taken for it.
start() {
  setsid "$@" >>"$LOG" 2>&1 </dev/null &
  printf '%s\n' $! >"$PIDFILE"
  started_at $! >"$PIDFILE.start"
}

# running: is the process that `start` made alive?
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

# stop SIGNAL: end the process that `start` made, and wait for its end.
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

# finish SIGNAL: all that a `down` does.
finish() {
  if running; then stop "$1"; log "$NAME on port $PORT stopped"; else log "$NAME on port $PORT does not run"; fi
  rm -rf "$RUN"
}

# certificate FOLDER: an authority of its own and a server's certificate for localhost and 127.0.0.1.
certificate() {
  need openssl openssl
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/CN=elastic-ingest test authority' \
    -keyout "$1/ca.key" -out "$1/ca.pem" 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -subj '/CN=localhost' -keyout "$1/server.key" -out "$1/server.csr" 2>/dev/null
  openssl x509 -req -in "$1/server.csr" -CA "$1/ca.pem" -CAkey "$1/ca.key" -CAcreateserial -days 3650 \
    -extfile <(printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n') -out "$1/server.pem" 2>/dev/null
  rm -f "$1/server.csr"
}
