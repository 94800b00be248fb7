#!/bin/sh
# Makes the data directory if there is none, then the roles and databases with the mounted passwords (a file per role,
# named like it), and becomes PostgreSQL. Arguments are the server's, such as -c max_connections=200.
set -eu
passwords=${PASSWORDS_DIR:-/run/secrets/passwords}
export OWNERS_MAY="${OWNERS_MAY:-NOCREATEDB}" APP_STATEMENT_TIMEOUT="${APP_STATEMENT_TIMEOUT:-30s}"
volume=${PGDATA%/*}
config=/etc/etebar

fail() {
    echo "postgresql does not start: $1" >&2
    exit 1
}

password_of() {
    [ -f "$passwords/$1" ] && [ -r "$passwords/$1" ] ||
        fail "the password of $1 is missing: the file $passwords/$1 is not there or cannot be read"
    password=$(cat "$passwords/$1")
    [ -n "$password" ] || fail "the password in $passwords/$1 is empty"
}

read_passwords() {
    password_of wallet && export WALLET_PASSWORD="$password"
    password_of wallet_app && export WALLET_APP_PASSWORD="$password"
    password_of settlement && export SETTLEMENT_PASSWORD="$password"
    password_of settlement_app && export SETTLEMENT_APP_PASSWORD="$password"
    password_of etebar_audit && export ETEBAR_AUDIT_PASSWORD="$password"
    password=
}

# an initdb that is interrupted leaves a directory that nobody takes for a database
make_data_directory() {
    echo "making a database in $PGDATA"
    rm -rf "$PGDATA.new"
    initdb --pgdata="$PGDATA.new" --username=postgres --auth-local=peer --auth-host=scram-sha-256 --encoding=UTF8 \
        --locale-provider=builtin --locale=C.UTF-8 --data-checksums --set=timezone=UTC --set=log_timezone=UTC >/dev/null
    mv "$PGDATA.new" "$PGDATA"
    sync "$volume"
}

# A server that only its socket reaches; clients do not find it before the roles are right. No statement with a
# password gets into its log.
start_unreachable() {
    serve "$@" -c listen_addresses= -c log_statement=none -c log_min_duration_statement=-1 \
        -c log_min_error_statement=panic -c max_wal_senders=0 &
    server=$!
    trap 'kill -INT "$server"; wait "$server" || true; exit 130' INT TERM
    until pg_isready --quiet; do
        kill -0 "$server" 2>/dev/null || fail "the server ended while it started; its own lines above say why"
        sleep 0.2
    done
}

# JIT: its compiler is not in this image
serve() {
    exec postgres -c listen_addresses='*' -c "hba_file=$config/pg_hba.conf" -c "ident_file=$config/pg_ident.conf" \
        -c jit=off "$@"
}

[ "$OWNERS_MAY" = CREATEDB ] || [ "$OWNERS_MAY" = NOCREATEDB ] ||
    fail "OWNERS_MAY is $OWNERS_MAY; CREATEDB or NOCREATEDB is expected"
[ -w "$volume" ] || fail "$volume cannot be written to by $(id -u); a volume of its own is expected there"
[ -w /run/postgresql ] || fail "/run/postgresql cannot be written to; an emptyDir is expected there"
read_passwords
# Two servers on one volume would destroy it: process ids, which PostgreSQL looks at, mean nothing between containers.
exec 9> "$volume/lock"
flock --wait 30 9 || fail "another server works on $volume"
rm -f "$PGDATA/postmaster.pid"
[ -s "$PGDATA/PG_VERSION" ] || make_data_directory
# a volume's group permissions are set anew at each mount where fsGroup is in use
chmod 700 "$PGDATA"

start_unreachable "$@"
psql --no-psqlrc --quiet --dbname=postgres --set=VERBOSITY=terse --file="$config/roles.sql" \
    --file="$config/monitor.sql" >/dev/null ||
    fail "the roles could not be made"
kill -INT "$server"
wait "$server" || true
trap - INT TERM
unset WALLET_PASSWORD WALLET_APP_PASSWORD SETTLEMENT_PASSWORD SETTLEMENT_APP_PASSWORD ETEBAR_AUDIT_PASSWORD
serve "$@"
