"""Opens connections: `reach.py open|closed NAME=HOST:PORT ...`; exit code 0 if every one of them is what was said."""

import socket
import sys
from concurrent.futures import ThreadPoolExecutor

WAIT_SECONDS = 4.0


def is_open(address: str) -> bool:
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), WAIT_SECONDS).close()
    except OSError:
        return False
    return True


def main(wanted: str, *targets: str) -> None:
    named = [target.split("=", 1) for target in targets]
    # a pod's network may be ready a moment after the pod; and a stranger that reaches nobody proves nothing
    for _ in range(10):
        with ThreadPoolExecutor() as threads:
            found = list(threads.map(is_open, [address for _, address in named]))
        if all(each == (wanted == "open") for each in found):
            break
    for (name, address), each in zip(named, found, strict=True):
        print(f"{name} ({address}) is {'open' if each else 'closed'}")
    if not all(each == (wanted == "open") for each in found):
        raise SystemExit(f"FAILED: all of them should be {wanted}")


main(*sys.argv[1:])
