#!/bin/sh
# Runs the exporter that the first argument names: pgbouncer, postgresql or redis; further arguments are its own. PgBouncer
# and PostgreSQL let it in by their sockets, as the account that it runs as: no password is on a command line.
#
# An exporter ends when what it tells of is away at its start. It is started again here, and not by ending the container:
# a pod with a container that is down is no longer ready, and nobody is to lose a server for lack of its metrics.
set -eu
run=/run/exporter

fail() {
    echo "the exporter does not start: $1" >&2
    exit 1
}

# redis-exporter reads passwords from a JSON object by address
write_redis_passwords() {
    file=${REDIS_PASSWORD_FILE:-}
    [ -n "$file" ] || fail "REDIS_PASSWORD_FILE is not set; the path of a file with the password is expected"
    [ -f "$file" ] && [ -r "$file" ] || fail "the file $file (REDIS_PASSWORD_FILE) is not there or cannot be read"
    [ -w "$run" ] || fail "$run cannot be written to; an emptyDir is expected there"
    umask 077
    printf '{"redis://127.0.0.1:6379": "%s"}\n' "$(sed 's/[\\"]/\\&/g' "$file")" > "$run/passwords.json"
}

keep_running() {
    exporter=
    trap '[ -z "$exporter" ] || kill "$exporter" 2>/dev/null; exit 0' INT TERM
    while :; do
        "$@" &
        exporter=$!
        wait "$exporter" || echo "the exporter ended with code $?; it is started again" >&2
        exporter=
        sleep 3
    done
}

kind=${1:-}
[ $# -eq 0 ] || shift
case $kind in
    pgbouncer)
        keep_running prometheus-pgbouncer-exporter --web.listen-address=:9127 --pgBouncer.pid-file= \
            --pgBouncer.connectionString="postgres:///pgbouncer?host=/run/pgbouncer-socket&port=6432&user=pgbouncer&sslmode=disable" "$@"
        ;;
    postgresql)
        export DATA_SOURCE_NAME="host=/run/postgresql user=etebar_monitor dbname=walletdb sslmode=disable"
        keep_running prometheus-postgres-exporter --web.listen-address=:9187 --config.file=/dev/null \
            --collector.stat_checkpointer --collector.long_running_transactions "$@"
        ;;
    redis)
        write_redis_passwords
        keep_running prometheus-redis-exporter -web.listen-address=:9121 -redis.addr=redis://127.0.0.1:6379 \
            -redis.password-file="$run/passwords.json" "$@"
        ;;
    *)
        fail "there is none for '$kind'; pgbouncer, postgresql or redis is expected"
        ;;
esac
