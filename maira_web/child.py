"""`python -m maira_web.child PROGRAM ARGUMENT...`: become that program, which ends when its starter ends."""

import os
import signal
import sys

from maira_web import process

if __name__ == "__main__":
    process.die_with_parent(signal.SIGTERM)
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the starter's own words
