#!/usr/bin/env python3
"""page_test.py BUILD PAGE.md...: does what a page of the documentation says, as its reader would, and compares.

Every ```console block is run: lines that begin with "$ " are commands, those that begin with "> " go on with one, all
others are what it prints: each of them must come, in this order; what comes between them may be left out. A line may have
"…" where the text differs from run to run. The comment <!-- serve --> before a block starts its one command in the
background and waits until a host answers; <!-- stop --> ends that. <!-- as COMMAND --> before a block runs COMMAND first:
what its reader does with an editor. --show prints what came instead.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

LIMIT_S = 120


def steps(page):
    """What the page wants done: (line, kind, command, expected lines)."""
    directive, found, block = None, [], None
    for number, line in enumerate(open(page, encoding="utf-8").read().split("\n"), 1):
        if block is not None:
            if line == "```":
                block = None
            elif line.startswith("$ "):
                found.append([number, "serve" if block == "serve" else "run", line[2:], []])
            elif line.startswith("> "):
                found[-1][2] += "\n" + line[2:]
            else:
                found[-1][3].append(line)
            continue
        comment = re.fullmatch(r"<!-- (serve|stop|as (.*)) -->", line)
        if comment and comment.group(2):
            found.append([number, "run", comment.group(2), []])
        elif comment and comment.group(1) == "stop":
            found.append([number, "stop", "", []])
        elif comment:
            directive = "serve"
        elif line == "```console":
            block, directive = directive or "run", None
    return found


def fits(expected, line):
    pattern = ".*".join(re.escape(part) for part in expected.rstrip().split("…"))
    return re.fullmatch(pattern, line.rstrip()) is not None


class Reader:
    """One shell, as the reader's: what one command changes, the next one finds."""

    def __init__(self, work, environment):
        self.environment = environment
        self.state = os.path.join(work, "state")
        self.log = os.path.join(work, "server.log")
        self.home = os.path.join(work, "home")
        os.mkdir(self.home)
        self.server = None
        open(self.state, "w").close()
        with open(self.state, "w") as state:
            state.write("cd '%s'\n" % self.home)

    def run(self, command):
        script = ". '%s'\n%s\nstatus=$?\n{ echo \"cd '$PWD'\"; export -p; } >'%s'\nexit $status\n" % (
            self.state, command, self.state)
        done = subprocess.run(["sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_S,
                              env=self.environment, stdin=subprocess.DEVNULL)
        return done.stdout.decode("utf-8", "replace").split("\n")

    def serve(self, command):
        with open(self.log, "a") as log:
            self.server = subprocess.Popen(["sh", "-c", ". '%s'\nexec %s" % (self.state, command)], stdout=log,
                                           stderr=log, stdin=subprocess.DEVNULL, env=self.environment)
        for _ in range(600):
            if subprocess.run(["sh", "-c", ". '%s'\npawl host >/dev/null 2>&1" % self.state],
                              env=self.environment).returncode == 0:
                return open(self.log).read().split("\n")
            if self.server.poll() is not None:
                break
            try:
                self.server.wait(0.1)
            except subprocess.TimeoutExpired:
                pass
        return ["the server did not become ready:"] + open(self.log).read().split("\n")

    def stop(self):
        if self.server is None or self.server.poll() is not None:
            return
        self.server.send_signal(signal.SIGTERM)
        try:
            self.server.wait(60)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()


def follow(page, reader, show):
    wrong = 0
    for number, kind, command, expected in steps(page):
        if kind == "stop":
            reader.stop()
            continue
        output = reader.serve(command) if kind == "serve" else reader.run(command)
        if show:
            print("%d: $ %s\n%s" % (number, command, "\n".join(output)))
        at = 0
        for line in expected:
            if line.strip() in ("", "..."):
                continue
            while at < len(output) and not fits(line, output[at]):
                at += 1
            if at == len(output):
                print("%s:%d: $ %s\n  does not print: %s\n  but:\n    %s" % (
                    page, number, command, line, "\n    ".join(output)))
                wrong += 1
                break
            at += 1
    return wrong


def main():
    show = "--show" in sys.argv
    build, *pages = [word for word in sys.argv[1:] if word != "--show"]
    os.umask(0o022)
    work = tempfile.mkdtemp(prefix="pawl-page-")
    wrong = 0
    try:
        prefix = os.path.join(work, "prefix")
        subprocess.run(["cmake", "--install", build, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
        for number, page in enumerate(pages):
            room = os.path.join(work, str(number))
            os.mkdir(room)
            environment = {key: value for key, value in os.environ.items() if not key.startswith("PAWL_")}
            environment.update(PATH=os.path.join(prefix, "bin") + ":" + os.environ["PATH"], PAWL=prefix, LC_ALL="C.UTF-8",
                               NO_COLOR="1")
            reader = Reader(room, environment)
            try:
                count = len(steps(page))
                if count < 3:
                    print("%s: only %d commands" % (page, count))
                    wrong += 1
                wrong += follow(page, reader, show)
            finally:
                reader.stop()
            print("%s: %d commands, %d of them do something else" % (page, count, wrong))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(1 if wrong else 0)


main()
