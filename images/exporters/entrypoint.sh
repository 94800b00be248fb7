#!/bin/sh
# Becomes the exporter that the first argument names: pgbouncer, postgresql or redis; further arguments are its own.
# PgBouncer and PostgreSQL let it in by their sockets, as the account that it runs as: no password is on a command line.
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

kind=${1:-}
[ $# -eq 0 ] || shift
case $kind in
    pgbouncer)
        exec prometheus-pgbouncer-exporter --web.listen-address=:9127 --pgBouncer.pid-file= \
            --pgBouncer.connectionString="postgres:///pgbouncer?host=/run/pgbouncer&port=6432&user=pgbouncer&sslmode=disable" "$@"
        ;;
    postgresql)
        export DATA_SOURCE_NAME="host=/run/postgresql user=etebar_monitor dbname=walletdb sslmode=disable"
        exec prometheus-postgres-exporter --web.listen-address=:9187 --config.file=/dev/null \
            --collector.stat_checkpointer --collector.long_running_transactions "$@"
        ;;
    redis)
        write_redis_passwords
        exec prometheus-redis-exporter -web.listen-address=:9121 -redis.addr=redis://127.0.0.1:6379 \
            -redis.password-file="$run/passwords.json" "$@"
        ;;
    *)
        fail "there is none for '$kind'; pgbouncer, postgresql or redis is expected"
        ;;
esac
