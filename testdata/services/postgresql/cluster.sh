# What the services that run PostgreSQL share. Source it after lib.sh.

password=ingest-secret

# find_postgres: bin is the folder of the newest server, which is installed when there is none; user
# runs it, which may not be root, and as is what makes a command run as that user.
find_postgres() {
  newest() { find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1; }
  # A package that another script is just installing is there before its user is.
  [ -n "$(newest)" ] && { [ "$(id -u)" != 0 ] || id postgres >/dev/null 2>&1; } || apt_need postgresql
  bin=$(dirname "$(newest)")
  user=$(id -un) as=()
  if [ "$(id -u)" = 0 ]; then
    user=postgres
    as=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --init-groups --)
  fi
}

# make_cluster FOLDER: an empty cluster, without its settings; the superuser is postgres.
make_cluster() {
  printf '%s\n' "$password" >"$RUN/password"
  chmod 600 "$RUN/password"
  [ "$(id -u)" != 0 ] || chown -R "$user" "$RUN"
  "${as[@]}" "$bin/initdb" -D "$1" -U postgres -E UTF8 --locale=C.UTF-8 \
    --auth-local=trust --auth-host=scram-sha-256 --pwfile="$RUN/password" >"$LOG" 2>&1 || { cat "$LOG" >&2; die "initdb"; }
  # fsync is off: speed before safety, so nothing about crashes of the server can be tested here.
  cat >>"$1/postgresql.conf" <<CONF
listen_addresses = '$HOST'
unix_socket_directories = '$RUN'
fsync = off
synchronous_commit = off
full_page_writes = off
CONF
}

# make_role PORT: the user of the tests owns its database and may make others; it is no superuser.
make_role() {
  "$bin/psql" -q -v ON_ERROR_STOP=1 -h "$RUN" -p "$1" -U postgres -d postgres >&2 <<SQL
CREATE ROLE ingest LOGIN CREATEDB PASSWORD '$password';
CREATE DATABASE ingest OWNER ingest;
SQL
}
