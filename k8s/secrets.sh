#!/bin/sh
# Prints the Secrets that the chart reads, with random content, where the chart cannot make them itself (GitOps,
# Tilt, CloudNativePG). All of them, or those named:
#     k8s/secrets.sh | kubectl --namespace etebar create --filename -
# `create` leaves alone what is there already: never `apply`, which would replace keys that data is signed with.
set -eu

ALL="etebar-core etebar-account-key etebar-fingerprint etebar-internal-token etebar-operator-token etebar-admin etebar-wallet-owner
etebar-wallet-application etebar-settlement-owner etebar-settlement-application etebar-audit etebar-pgbouncer etebar-redis"

# letters and digits, as many as asked for
random() {
    text=$(head -c 500 /dev/urandom | base64 | tr -d '+/=\n')
    printf '%.*s' "$1" "$text"
}

secret() {
    printf '%s\n' --- 'apiVersion: v1' 'kind: Secret' "metadata: {name: $1}" "type: $2" stringData:
}

opaque() {
    secret "$1" Opaque
}

# of a role of PostgreSQL, as CloudNativePG wants it, too
role() {
    secret "$1" kubernetes.io/basic-auth
    printf '  %s\n' "username: $2" "password: '$(random 32)'"
}

print_secret() {
    case $1 in
    etebar-core)
        opaque "$1"
        printf '  %s\n' "secret-key: '$(random 50)'" "jwt-signing-key: '$(random 50)'" 'jwt-signing-keys-previous: ""'
        ;;
    etebar-account-key)
        opaque "$1"
        printf '  %s\n' "account-encryption-key: '$(random 50)'" 'account-encryption-keys-previous: ""'
        ;;
    etebar-fingerprint)
        opaque "$1"
        printf '  %s\n' "account-fingerprint-key: '$(random 50)'"
        ;;
    etebar-internal-token)
        opaque "$1"
        printf '  %s\n' "token: '$(random 50)'" 'token-next: ""' "rotated-at: '$(date -u +%Y-%m-%dT%H:%M:%SZ)'"
        ;;
    etebar-operator-token)
        opaque "$1"
        printf '  %s\n' "token: '$(random 50)'" 'token-next: ""'
        ;;
    etebar-admin)
        opaque "$1"
        printf '  %s\n' 'username: admin' "password: '$(random 24)'"
        ;;
    etebar-pgbouncer | etebar-redis)
        opaque "$1"
        printf '  %s\n' "password: '$(random 32)'"
        ;;
    etebar-wallet-owner) role "$1" wallet ;;
    etebar-wallet-application) role "$1" wallet_app ;;
    etebar-settlement-owner) role "$1" settlement ;;
    etebar-settlement-application) role "$1" settlement_app ;;
    etebar-audit) role "$1" etebar_audit ;;
    *)
        echo "there is no Secret $1; there are:" $ALL >&2
        exit 1
        ;;
    esac
}

for name in ${*:-$ALL}; do
    print_secret "$name"
done
