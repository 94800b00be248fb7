#!/bin/sh
# Makes PgBouncer's list of users from mounted secrets, and becomes PgBouncer. A file's name is a user, its content the
# password, in one line. Further arguments are PgBouncer's.
set -eu
directory=${PASSWORDS_DIR:-/run/secrets/passwords}
config=/etc/pgbouncer/pgbouncer.ini
list=/run/pgbouncer/userlist.txt

fail() {
    echo "pgbouncer does not start: $1" >&2
    exit 1
}

# a word of the list: in quotes, with those inside it doubled
quoted() {
    printf '"%s"' "$(printf %s "$1" | sed 's/"/""/g')"
}

print_user() {
    file=$1
    [ -r "$file" ] || fail "$file cannot be read"
    password=$(cat "$file")
    [ -n "$password" ] || fail "the password in $file is empty"
    [ "$(printf '%s\n' "$password" | wc -l)" -eq 1 ] || fail "the password in $file has several lines; one is expected"
    printf '%s %s\n' "$(quoted "${file##*/}")" "$(quoted "$password")"
}

[ -r "$config" ] || fail "$config is not there or cannot be read; it is to be mounted"
[ -d "$directory" ] || fail "the directory $directory (PASSWORDS_DIR) is not there; a file per user is expected in it"
[ -w "${list%/*}" ] || fail "${list%/*} cannot be written to; an emptyDir is expected there"
# written beside it and renamed: a reload never finds half a list
umask 077
: > "$list.new"
for file in "$directory"/*; do
    # a pattern that matches nothing stays as it is
    [ -e "$file" ] || fail "the directory $directory (PASSWORDS_DIR) is empty; a file per user is expected in it"
    [ -f "$file" ] || fail "$file is no file; only a file per user is expected in $directory"
    print_user "$file" >> "$list.new"
done
mv "$list.new" "$list"
exec pgbouncer "$config" "$@"
