"""Fetches pages from four threads until it is told to stop.

    client.py URL COUNT    (a count of 0: no other limit)
"""

import http.client
import sys
import threading
from urllib.parse import urlsplit

where = urlsplit(sys.argv[1]).netloc
count = int(sys.argv[2])
errors = 0


def fetch(path):
    connection = http.client.HTTPConnection(where)
    connection.request("GET", path)
    text = connection.getresponse().read()
    connection.close()
    return text


def work():
    global errors
    rounds = 0
    while (count == 0 or rounds < count) and fetch("/next") != b"stop":
        rounds += 1
        try:
            if fetch("/index.html") != b"x" * 3000:
                errors += 1
        except OSError as error:
            print(error)
            errors += 1


threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("errors:", errors)
