"""The local cloud: deploys a template and runs its functions, jobs, queues and schedules."""

import logging
import shutil
import socket
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tidegate.errors import LocalStackError
from tidegate.local.cloud import moto_patches
from tidegate.local.cloud.deployment import Deployment, deploy
from tidegate.local.cloud.front import Front, Service
from tidegate.local.cloud.functions import Function, Functions, Process
from tidegate.local.cloud.glue_api import GlueApi
from tidegate.local.cloud.identity import HOST
from tidegate.local.cloud.jobs import Job
from tidegate.local.cloud.journal import Journal, JournalHandler
from tidegate.local.cloud.lambda_api import LambdaApi
from tidegate.local.cloud.permissions.check import PermissionCheck
from tidegate.local.cloud.permissions.policies import Permission
from tidegate.local.cloud.permissions.roles import Roles
from tidegate.local.cloud.queues import MappingSettings, QueueFeed
from tidegate.local.cloud.schedules import Schedule, ScheduleSettings
from tidegate.local.cloud.server import Server
from tidegate.local.cloud.template import Template

# Lambda polls a queue with the function's role.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
POLL_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
# Each request has its own thread. With Python's default switch interval of 5 ms it would wait that
# long whenever another thread computes.
SWITCH_SECONDS = 0.0005


class Stoppable(Protocol):
    """A part of the cloud that runs until it is stopped."""

    def stop(self) -> None:
        """Stop."""


class Cloud:
    """A deployed template on one port. A process can hold only one: moto's state is global.

    With `via`, functions and jobs call that address, where a proxy passes calls on to the cloud.
    """

    def __init__(
        self, port: socket.socket, job_python: Path, journal: Journal, via: str | None = None
    ) -> None:
        self.endpoint = f"http://{HOST}:{port.getsockname()[1]}"
        self._via = via or self.endpoint
        self.folder = Path(tempfile.mkdtemp(prefix="tidegate-"))
        self.roles = Roles(self.folder / "calls.jsonl", journal)
        self.functions = Functions([])
        self.jobs: dict[str, Job] = {}
        self._port = port
        self._job_python = job_python
        self._journal = journal
        self._feeds: list[QueueFeed] = []
        self._schedules: list[Schedule] = []
        self._server: Server | None = None

    def start(
        self,
        template: Template,
        parameters: Mapping[str, str],
        name: str = "tidegate",
        services: Sequence[Service] = (),
        job_environment: Mapping[str, str] | None = None,
    ) -> Deployment:
        """Deploy `template` and answer requests; `services` see each request first."""
        logging.getLogger().addHandler(JournalHandler(self._journal))
        sys.setswitchinterval(SWITCH_SECONDS)
        moto_patches.apply(self.endpoint, self._journal, self.roles)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # moto warns about each unknown resource type
            deployment = deploy(template, name, parameters)
        self.roles.deploy(deployment.roles())
        self.functions = Functions(
            [
                Function(one, self._via, self.folder / one.logical_id, self._journal)
                for one in deployment.functions()
            ]
        )
        self.jobs = {
            one.name: Job(one, self._job_python, self._via, self._journal, job_environment)
            for one in deployment.jobs()
        }
        check = PermissionCheck(self.roles)
        front = Front([*services, check, LambdaApi(self.functions), GlueApi(self.jobs)])
        self._server = Server(self._port, front, self._journal)
        self._server.start()
        self.functions.warm()
        self._feeds = [self._feed(one) for one in deployment.mappings()]
        self._schedules = [self._schedule(one) for one in deployment.schedules()]
        return deployment

    def begin(self) -> None:
        """Start to deliver queue messages to functions and to fire the schedules."""
        for feed in self._feeds:
            feed.start()
        for schedule in self._schedules:
            schedule.start()

    def stop(self) -> None:
        """End all processes and threads, and delete all stored data."""
        parts: tuple[Stoppable, ...] = (*self._schedules, *self._feeds, *self.jobs.values())
        for part in (*parts, self.functions):
            part.stop()
        moto_patches.reset()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._server is None:
            self._port.close()
        else:
            self._server.stop()

    def processes(self) -> list[Process]:
        """The processes that run functions and jobs now."""
        runs = [
            Process(job.settings.logical_id, run.pid, True)
            for job in self.jobs.values()
            for run in list(job.runs.values())
            if run.is_under_way
        ]
        return runs + [one for function in self.functions.all for one in function.processes()]

    def _function(self, name: str) -> Function:
        function = self.functions.find(name)
        if function is None:
            raise LocalStackError(f"the template has no function {name}")
        return function

    def _feed(self, settings: MappingSettings) -> QueueFeed:
        function = self._function(settings.function)
        needs = [Permission(f"sqs:{action}", settings.queue) for action in POLL_ACTIONS]
        if refused := self.roles.refuse(function.settings.role, needs):
            raise LocalStackError(f"Lambda may not read the queue {settings.queue}: {refused}")
        return QueueFeed(settings, function, self._journal)

    def _schedule(self, settings: ScheduleSettings) -> Schedule:
        function = self._function(settings.function)
        needs = [Permission("lambda:InvokeFunction", function.settings.arn)]

        def fire() -> None:
            if refused := self.roles.refuse(settings.role, needs):
                self._journal.say(settings.logical_id, refused, failed=True)
                return
            self._journal.say(settings.logical_id, f"fires {settings.payload}")
            self.functions.invoke_later(function, settings.payload.encode())

        return Schedule(settings, fire)
