"""An unrelated client of a web server: logs its sockets and fetches a page
again and again, half of the time over one kept connection, until standard
input ends. Its ports lie below the ephemeral range: another client may get the
port of a connection that the server closed first.

    http_neighbor.py HOST PORT
"""

import http.client
import itertools
import json
import os
import select
import sys


ports = itertools.count(20000)


def connect():
    connection = http.client.HTTPConnection(
        sys.argv[1], int(sys.argv[2]), source_address=("", next(ports))
    )
    connection.connect()
    local = "%s:%d" % connection.sock.getsockname()
    remote = "%s:%d" % connection.sock.getpeername()
    line = {"pid": os.getpid(), "proto": "tcp", "local": local, "remote": remote}
    with open(os.environ["WORKLOAD_LOG"], "a") as log:
        log.write(json.dumps(line) + "\n")
    return connection


def fetch(connection):
    connection.request("GET", "/")
    connection.getresponse().read()


kept = connect()
fetch(kept)
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0.005)[0]:
    fetch(kept)
    fresh = connect()
    fetch(fresh)
    fresh.close()
