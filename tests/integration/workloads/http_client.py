"""Fetches a page in the ways that Python programs do.

    http_client.py URL UDP_HOST:PORT
"""

import asyncio
import socket
import subprocess
import sys
import threading
import urllib.request
from urllib.parse import urlsplit

url = sys.argv[1]
udp_host, udp_port = sys.argv[2].rsplit(":", 1)


def fetch():
    with urllib.request.urlopen(url) as answer:
        assert answer.status == 200
        answer.read()


async def fetch_async():
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    assert (await reader.readline()).split()[1] == b"200"
    await reader.read()
    writer.close()
    await writer.wait_closed()


async def fetch_all():
    await asyncio.gather(*(fetch_async() for _ in range(5)))


fetch()
threads = [threading.Thread(target=fetch) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
asyncio.run(fetch_all())
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.sendto(b"from python", (udp_host, int(udp_port)))
    assert udp.recv(100) == b"from python"
if len(sys.argv) == 3:
    subprocess.run([sys.executable, *sys.argv, "child"], check=True)
