"""Runs the small application of app/ until this process's standard input closes."""

import json
import os
import sys
import threading
from pathlib import Path

from tidegate.local.cloud.cloud import Cloud
from tidegate.local.cloud.journal import Journal
from tidegate.local.cloud.template import Template
from tidegate.local.control import Control
from tidegate.local.job_python import find_job_python
from tidegate.local.ports import take_port

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[2]
RESOURCES = ("Bucket", "Archive", "Queue", "DeadLetters", "Table", "Secret", "Machine", "Job")
FUNCTIONS = ("Probe", "Single", "Broken", "Collect", "Steps")
ROLES = ("ProbeRole", "CollectRole", "MachineRole", "LoadTableRole", "OneStepRole")


class App:
    """The running application, as the control service describes it."""

    def __init__(self, parameters: dict[str, str]) -> None:
        self.journal = Journal()
        self.stop_requested = threading.Event()
        port = take_port(0, "the cloud", "--port")
        self.port = port.getsockname()[1]
        self.cloud = Cloud(port, find_job_python(CHECKOUT).path, self.journal)
        template = Template(HERE / "app/template.yaml")
        deployment = self.cloud.start(template, parameters, "small", [Control(self)])
        self.ids = {name: deployment.physical_id(name) for name in RESOURCES + FUNCTIONS + ROLES}
        self.cloud.begin()

    def describe(self):
        return {
            "pid": os.getpid(),
            "endpoint": self.cloud.endpoint,
            "folder": str(self.cloud.folder),
            "port": self.port,
            "ids": self.ids,
            "processes": [vars(process) for process in self.cloud.processes()],
        }


def main() -> None:
    app = App({"Greeting": "hello"})
    sys.stdout.write(json.dumps(app.describe()) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    app.cloud.stop()


if __name__ == "__main__":
    main()
