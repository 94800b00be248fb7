#!/bin/sh
# For probes: code 0 when the Redis of this container answers, and has read its data.
set -eu
REDISCLI_AUTH=$(cat "$REDIS_PASSWORD_FILE")
export REDISCLI_AUTH
answer=$(redis-cli -h 127.0.0.1 -p "${REDIS_PORT:-6379}" ping 2>&1)
[ "$answer" = PONG ] || {
    echo "redis answers: $answer" >&2
    exit 1
}
