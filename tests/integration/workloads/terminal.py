"""Drives an interactive bash in a terminal of its own, with the tool in it.

    terminal.py SCENARIO OUTPUT TOOL...

Each scenario types keys as a person would and expects what bash shows for a
command without the tool.
"""

import os
import pty
import re
import select
import shlex
import signal
import sys
import time

PATIENCE = 15
PROMPT = "ready> "


class Terminal:
    """A bash in a pseudo-terminal."""

    def __init__(self):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["PS1"] = PROMPT
            os.environ["TERM"] = "dumb"
            # A test that runs in the background begins with some ignored.
            for name in ("SIGINT", "SIGQUIT", "SIGTSTP", "SIGTTIN", "SIGTTOU"):
                signal.signal(getattr(signal, name), signal.SIG_DFL)
            os.execvp("bash", ["bash", "--norc", "--noprofile", "--noediting"])
        self.expect(re.escape(PROMPT))

    def expect(self, pattern):
        """Waits for output that matches and forgets all up to it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            match = re.search(pattern, self.text)
            if match:
                self.text = self.text[match.end():]
                return match
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise SystemExit(f"no {pattern!r} in {self.text!r}")
            try:
                self.text += os.read(self.fd, 65536).decode(errors="replace")
            except OSError:
                raise SystemExit(f"bash ended before {pattern!r}: {self.text!r}")

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def run(self, line):
        self.type(line + "\n")

    def suspend(self):
        """Types Ctrl-Z as a person would: again when nothing stops.

        bash shows the command that goes on before it hands the terminal over
        and sends SIGCONT, which cancels a stop that came too early.
        """
        deadline = time.monotonic() + PATIENCE
        while "Stopped" not in self.text:
            if time.monotonic() > deadline:
                raise SystemExit(f"no 'Stopped' in {self.text!r}")
            self.type("\x1a")
            again = time.monotonic() + 1
            while "Stopped" not in self.text and time.monotonic() < again:
                if select.select([self.fd], [], [], 0.2)[0]:
                    read = os.read(self.fd, 65536)
                    self.text += read.decode(errors="replace")
        self.expect(r"Stopped")

    def expect_status(self, status):
        """The next prompt comes, and $? is as given."""
        self.expect(re.escape(PROMPT))
        self.run("echo status=$?=")
        found = self.expect(r"status=(\d+)=\r").group(1)
        if found != str(status):
            raise SystemExit(f"status {found} instead of {status}")
        self.expect(re.escape(PROMPT))

    def close(self):
        self.run("exit")
        os.waitpid(self.pid, 0)


output = sys.argv[2]
tool = shlex.join(sys.argv[3:] + ["-o", output])


def launch(command):
    return f"{tool} -- {command}"


def interrupt(terminal):
    terminal.run(launch("sh -c 'echo up; exec sleep 60'"))
    terminal.expect(r"up\r")
    terminal.type("\x03")
    terminal.expect_status(130)


def quit_key(terminal):
    terminal.run("ulimit -c 0; " + launch("sh -c 'echo up; exec sleep 60'"))
    terminal.expect(r"up\r")
    terminal.type("\x1c")
    terminal.expect_status(131)


def own_handler(terminal):
    script = "trap \"echo caught; exit 5\" INT; echo up; while :; do sleep 0.01; done"
    terminal.run(launch(f"sh -c '{script}'"))
    terminal.expect(r"up\r")
    terminal.type("\x03")
    terminal.expect(r"caught\r")
    terminal.expect_status(5)


def suspend(terminal):
    terminal.run(launch("sh -c 'echo up; read line; echo got $line; exit 3'"))
    terminal.expect(r"up\r")
    for _ in range(2):
        terminal.suspend()
        terminal.expect(re.escape(PROMPT))
        terminal.run("fg")
        terminal.expect(r"sh -c")
    terminal.run("words")
    terminal.expect(r"got words\r")
    terminal.expect_status(3)


def background(terminal):
    terminal.run(launch("sh -c 'echo up; read line; echo got $line'") + " &")
    terminal.expect(r"up\r")
    deadline = time.monotonic() + PATIENCE
    while True:
        terminal.run("jobs")
        terminal.expect(r"jobs\r\n")
        if re.search("Stopped", terminal.expect(r"(?s).*?" + PROMPT).group(0)):
            break
        if time.monotonic() > deadline:
            raise SystemExit("a background job that reads was not stopped")
        time.sleep(0.05)
    terminal.run("fg")
    terminal.run("words")
    terminal.expect(r"got words\r")
    terminal.expect_status(0)


def pipe(terminal):
    terminal.run(launch("yes") + " | head -n 1; echo ${PIPESTATUS[*]} end")
    terminal.expect(r"y\r")
    terminal.expect(r"141 0 end\r")
    terminal.expect_status(0)


def attached_interrupt(terminal):
    terminal.run("sleep 60 & echo target=$!=")
    pid = int(terminal.expect(r"target=(\d+)=\r").group(1))
    terminal.run(f"{tool} {pid}")
    terminal.expect(r"capturing")
    terminal.type("\x03")
    terminal.expect_status(0)
    os.kill(pid, signal.SIGTERM)


terminal = Terminal()
{
    "interrupt": interrupt,
    "quit": quit_key,
    "own_handler": own_handler,
    "suspend": suspend,
    "background": background,
    "pipe": pipe,
    "attached_interrupt": attached_interrupt,
}[sys.argv[1]](terminal)
terminal.close()
