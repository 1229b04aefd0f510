"""A Glue job that does what its arguments say."""

import os
import subprocess
import sys
import time


def main():
    arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
    print("python", ".".join(map(str, sys.version_info[:2])), flush=True)
    print("arguments", sorted(arguments.items()), flush=True)
    action = arguments["--do"]
    if action == "fail":
        raise ValueError("the job was told to fail")
    if action == "sleep":
        print("child", subprocess.Popen(["sleep", "600"]).pid, flush=True)
        time.sleep(600)
    print("endpoint", os.environ["AWS_ENDPOINT_URL"], flush=True)


if __name__ == "__main__":
    main()
