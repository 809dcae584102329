"""Opens connections of every kind, tells about each, and waits for a line.

Each line of output is one attempt or one end of a session, as JSON.
"""

import json
import os
import resource
import socket
import struct
import sys
import threading
import time

LOCAL = "127.0.0.1"


def tell(**facts):
    print(json.dumps(facts), flush=True)


def listen(family=socket.AF_INET, address=LOCAL, backlog=16):
    server = socket.socket(family, socket.SOCK_STREAM)
    server.bind((address, 0))
    server.listen(backlog)
    return server


def ends(one):
    return {"local": one.getsockname()[1], "remote": one.getpeername()[1]}


def receive(one, amount):
    while amount > 0:
        amount -= len(one.recv(min(amount, 1 << 16)))


def attempt(family, address, port, **options):
    """Returns the socket and the name of the error."""
    one = socket.socket(family, socket.SOCK_STREAM)
    for level, option, value in options.get("set", ()):
        one.setsockopt(level, option, value)
    one.setblocking(options.get("blocking", True))
    try:
        one.connect((address, port))
        return one, "ok"
    except OSError as error:
        import errno

        return one, errno.errorcode[error.errno]


def full_listener():
    """A listener that drops every SYN: its queue is full."""
    server = listen(backlog=0)
    port = server.getsockname()[1]
    waiting = attempt(socket.AF_INET, LOCAL, port)[0]
    tell(result="ok", port=port)
    return server, port, waiting


def attempts():
    """23 attempts to connect; the last one stays without an outcome."""
    server = listen()
    port = server.getsockname()[1]
    kept = []
    for _ in range(9):
        one, result = attempt(socket.AF_INET, LOCAL, port)
        tell(result=result, port=port)
        kept.append(one)
    for _ in range(5):
        _, result = attempt(socket.AF_INET, LOCAL, 1)
        tell(result=result, port=1)
    for _ in range(3):
        # No route leads to a multicast address by way of TCP.
        _, result = attempt(socket.AF_INET, "255.255.255.255", 9)
        tell(result=result, port=9)
    server6 = listen(socket.AF_INET6, "::1")
    port6 = server6.getsockname()[1]
    one, result = attempt(socket.AF_INET6, "::1", port6)
    tell(result=result, port=port6)
    mapped, result = attempt(socket.AF_INET6, "::ffff:127.0.0.1", port)
    tell(result=result, port=port)
    full, port, waiting = full_listener()
    user_timeout = (socket.IPPROTO_TCP, 18, 100)
    _, result = attempt(socket.AF_INET, LOCAL, port, set=[user_timeout])
    tell(result=result, port=port)
    tired, _ = attempt(socket.AF_INET, LOCAL, port, blocking=False)
    tired.close()
    tell(result="closed", port=port)
    pending, _ = attempt(socket.AF_INET, LOCAL, port, blocking=False)
    tell(result="pending", port=port)
    return kept, server, server6, one, mapped, full, waiting, pending


def session(family=socket.AF_INET, address=LOCAL, sent=0, received=0,
            first="client", target=None):
    """Both ends of one session; the client sends first."""
    server = listen(family, address)
    client, _ = attempt(
        socket.AF_INET6 if target else family,
        target or address,
        server.getsockname()[1],
    )
    peer, _ = server.accept()
    client.sendall(b"c" * sent)
    receive(peer, sent)
    peer.sendall(b"s" * received)
    receive(client, received)
    client_ends, server_ends = ends(client), ends(peer)
    closed = {"client": ("local", "remote"), "server": ("remote", "local"),
              "reset": ("local-reset", "remote-reset")}[first]
    if first == "server":
        peer.close()
        client.recv(1)
        client.close()
    else:
        if first == "reset":
            linger = struct.pack("ii", 1, 0)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        client.close()
        if first == "client":
            peer.recv(1)
        peer.close()
    server.close()
    tell(**client_ends, sent=sent, received=received, closed=closed[0])
    tell(**server_ends, sent=received, received=sent, closed=closed[1])


def sessions():
    """29 ends of sessions, with every way to end them."""
    for size in (0, 1, 1000, 100_000):
        session(sent=size, received=size * 3)
        session(sent=size, received=size * 3, first="server")
    session(sent=10, received=20, first="reset")
    session(socket.AF_INET6, "::1", sent=5, received=6)
    session(sent=7, received=8, target="::ffff:127.0.0.1")
    session(sent=1023, received=1024)
    for _ in range(5):
        one, _ = attempt(socket.AF_INET, LOCAL, 1)
        tell(local=0, remote=1, sent=0, received=0, closed="remote-reset")


def forked():
    """The parent accepts, children talk; then children accept themselves."""
    server = listen()
    port = server.getsockname()[1]
    client, _ = attempt(socket.AF_INET, LOCAL, port)
    peer, _ = server.accept()
    server_ends = ends(peer)
    tell(**server_ends, owner=os.getpid(), kind="call")
    child = os.fork()
    if child == 0:
        peer.sendall(b"x")
        os._exit(0)
    os.waitpid(child, 0)
    client.close()
    peer.close()
    client, _ = attempt(socket.AF_INET, LOCAL, port)
    child = os.fork()
    if child == 0:
        client.close()
        peer, _ = server.accept()
        tell(**ends(peer), owner=os.getpid(), kind="call")
        peer.close()
        os._exit(0)
    os.waitpid(child, 0)
    client.close()
    # Nobody accepts this one.
    client, _ = attempt(socket.AF_INET, LOCAL, port)
    tell(local=port, remote=client.getsockname()[1], owner=os.getpid(),
         kind="listener")
    client.close()
    server.close()


def held():
    """One session that is open already, and stays so."""
    server = listen()
    client, _ = attempt(socket.AF_INET, LOCAL, server.getsockname()[1])
    peer, _ = server.accept()
    client.sendall(b"1234567")
    receive(peer, 7)
    tell(**ends(client), sent=7, received=0)
    tell(**ends(peer), sent=0, received=7)
    sys.stdin.readline()
    peer.sendall(b"abc")
    receive(client, 3)
    tell(done=True)
    sys.stdin.readline()
    client.close()
    peer.recv(1)
    peer.close()
    return server


def datagrams():
    """UDP: two destinations of one socket, and a connected socket."""
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for port in (40001, 40002, 40001):
        one.sendto(b"x", (LOCAL, port))
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.connect((LOCAL, 40003))
    tell(local=one.getsockname()[1], remote=40001)
    tell(local=one.getsockname()[1], remote=40002)
    tell(local=other.getsockname()[1], remote=40003)
    return one, other


def retransmitted():
    """A SYN that nobody answers, sent again once; then the program gives up."""
    full, port, waiting = full_listener()
    _, result = attempt(socket.AF_INET, LOCAL, port,
                        set=[(socket.IPPROTO_TCP, 18, 100)])
    tell(port=port, result=result)
    return full, waiting


def named():
    """Asks a DNS server, whose port is 53, then connects where it says."""
    address = "127.0.0.53"
    name = b"\x03www\x07example\x03org\x00"
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((LOCAL, 53))
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    question = name + struct.pack(">HH", 1, 1)
    header = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0)
    client.sendto(header + question, (LOCAL, 53))
    _, asker = server.recvfrom(512)
    header = struct.pack(">HHHHHH", 7, 0x8180, 1, 1, 0, 0)
    answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4)
    answer += socket.inet_aton(address)
    server.sendto(header + question + answer, asker)
    client.recv(512)
    for target in (address, "127.0.0.54"):
        _, result = attempt(socket.AF_INET, target, 1)
        tell(result=result, port=1)


def many(count):
    """Sessions that are open at the same time."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    server = listen()
    kept = [server]
    for _ in range(count):
        client, _ = attempt(socket.AF_INET, LOCAL, server.getsockname()[1])
        kept += [client, server.accept()[0]]
    return kept


def colliding(slots):
    """A thread waits; another one, whose id is as much more, gives up."""
    full, port, waiting = full_listener()
    patient = threading.Thread(
        target=attempt, args=(socket.AF_INET, LOCAL, port),
        kwargs={"set": [(socket.IPPROTO_TCP, 18, 1000)]})
    patient.start()
    sent = f":{port:04X} 02 "
    while sent not in open("/proc/net/tcp").read():
        time.sleep(0.01)

    def give_up():
        if (threading.get_native_id() - patient.native_id) % slots == 0:
            attempt(socket.AF_INET, LOCAL, port, blocking=False)[0].close()
            given_up.append(True)

    given_up = []
    while not given_up:
        other = threading.Thread(target=give_up)
        other.start()
        other.join()
    tell(result="closed", port=port)
    patient.join()
    tell(result="ETIMEDOUT", port=port)
    return full, waiting


if __name__ == "__main__":
    kept = globals()[sys.argv[1]](*map(int, sys.argv[2:]))
    tell(done=True)
    sys.stdin.readline()
