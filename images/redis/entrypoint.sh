#!/bin/sh
# Becomes Redis, with the password from the file REDIS_PASSWORD_FILE: on a command line everybody could see it.
# Further arguments are redis-server's, such as --appendonly yes.
set -eu
config=/run/redis/redis.conf

fail() {
    echo "redis does not start: $1" >&2
    exit 1
}

file=${REDIS_PASSWORD_FILE:-}
[ -n "$file" ] || fail "REDIS_PASSWORD_FILE is not set; the path of a file with the password is expected"
[ -f "$file" ] && [ -r "$file" ] || fail "the file $file (REDIS_PASSWORD_FILE) is not there or cannot be read"
password=$(cat "$file")
[ -n "$password" ] || fail "the password in $file is empty"
[ "$(printf '%s\n' "$password" | wc -l)" -eq 1 ] || fail "the password in $file has several lines; one is expected"
[ -w "${config%/*}" ] || fail "${config%/*} cannot be written to; an emptyDir is expected there"
[ -w /data ] || fail "/data cannot be written to; a volume is expected there"
umask 077
printf 'dir /data\nrequirepass "%s"\n' "$(printf %s "$password" | sed 's/[\\"]/\\&/g')" > "$config"
exec redis-server "$config" "$@"
