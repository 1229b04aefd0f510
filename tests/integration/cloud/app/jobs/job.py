"""A Glue job that does what its arguments say."""

import os
import subprocess
import sys
import time


def main():
    arguments = {sys.argv[n]: sys.argv[n + 1] for n in range(1, len(sys.argv), 2)}
    say("arguments", sorted(arguments.items()))
    action = arguments["--do"]
    if action == "fail":
        raise ValueError("the job was told to fail")
    if action == "sleep":
        say("child", subprocess.Popen(["sleep", "600"]).pid)
        time.sleep(600)
    say("endpoint", os.environ["AWS_ENDPOINT_URL"])


def say(what, value):
    sys.stdout.write(f"{what} {value}\n")


if __name__ == "__main__":
    main()
