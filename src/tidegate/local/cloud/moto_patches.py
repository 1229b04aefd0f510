"""Patches moto 5.2 where Tidegate needs AWS's behaviour; applied once per process.

Each comment says what moto does wrong; tests/integration/cloud/ proves each patch.
"""

import sys
import threading
import uuid
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from moto import backends
from moto.core.config import default_user_config
from moto.moto_api._internal.models import moto_api_backend
from moto.s3 import notifications
from moto.s3.models import FakeKey, S3Backend
from moto.sqs import models as queue_models
from moto.stepfunctions.parser.asl.component.common.error_name import custom_error_name
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_glue,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import (
    ResourceCondition,
)
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.backend import execution
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from tidegate.local.cloud.identity import ACCESS_KEY, SECRET_KEY
from tidegate.local.cloud.journal import Journal
from tidegate.local.cloud.landing import ObjectEvents
from tidegate.local.cloud.maps import patch_distributed_maps
from tidegate.local.cloud.permissions.roles import Roles
from tidegate.local.cloud.queues import SharedQueue
from tidegate.local.cloud.runs import RunReport
from tidegate.local.cloud.tables import patch_transactions

WAITS_FOR_TASK = 24 * 3600
MAX_TASKS = 256  # tasks that may call one service at a time


def apply(endpoint: str, journal: Journal, roles: Roles) -> None:
    """Patch moto for the local cloud at `endpoint`."""
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    default_user_config["lambda"] = {"use_docker": False}
    _patch_step_functions(endpoint, journal, roles)
    # moto's S3 events lack or misname fields, and moto hides failures to deliver them.
    notifications._send_event_bridge_message = ObjectEvents(journal).send
    # moto sends two events for a multipart upload, one of them a put event. When two versions of
    # an object are put at the same moment, moto keeps only one.
    S3Backend.put_object = _put_object  # type: ignore[assignment]
    # moto lists its own modules on disk at each request.
    modules = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules
    # moto's transactions slow down as a table grows: with 1,000 items each takes seconds.
    patch_transactions()
    # moto's queues lose messages when several threads use them.
    queue_models.Queue = SharedQueue  # type: ignore[misc]


def reset() -> None:
    """Delete all of moto's state."""
    moto_api_backend.reset()


def _patch_step_functions(endpoint: str, journal: Journal, roles: Roles) -> None:
    # Without it each glue:startJobRun.sync fails: "'NoneType' … 'interrupt_all'".
    patterns = state_task_service_glue._SUPPORTED_INTEGRATION_PATTERNS
    patterns.add(ResourceCondition.WaitForTaskToken)  # type: ignore[arg-type]
    # moto's tasks make a client for each call in many threads at once, which boto3 forbids. They
    # read the port from the process environment, and do not call with their role.
    _replace_everywhere("boto_client_for", boto_client.boto_client_for, Clients(endpoint).find)
    # moto refuses a Fail state that passes on Step Functions' own errors, such as States.Timeout.
    custom_error_name.ILLEGAL_CUSTOM_ERROR_PREFIX = "\0"  # type: ignore[misc]
    # moto's distributed Maps succeed even if every child fails, and need no permission.
    patch_distributed_maps(roles)
    # moto calls every execution without a name "None", so there can be only one.
    StepFunctionsParserBackend.start_execution = _start_execution  # type: ignore[method-assign]
    # moto does not report that an execution started or ended.
    execution.Execution._get_start_execution_worker_comm = (  # type: ignore[method-assign]
        lambda self: RunReport(self, journal)
    )


def _replace_everywhere(name: str, original: object, stand_in: object) -> None:
    for module in [one for title, one in sys.modules.items() if title.startswith("moto.")]:
        if vars(module).get(name) is original:
            setattr(module, name, stand_in)


_put_and_tell = S3Backend.put_object
_putting = threading.Lock()


def _put_object(backend: S3Backend, *given: Any, **named: Any) -> FakeKey:  # noqa: ANN401
    if named.get("multipart") is not None:
        named["disable_notification"] = True
    with _putting:
        return _put_and_tell(backend, *given, **named)


_start_named_execution = StepFunctionsParserBackend.start_execution


def _start_execution(
    self: StepFunctionsParserBackend,
    state_machine_arn: str,
    name: str | None = None,
    execution_input: str | None = None,
    trace_header: str | None = None,
) -> execution.Execution:
    name = name or str(uuid.uuid4())
    return _start_named_execution(
        self,
        state_machine_arn,
        name,
        execution_input,  # type: ignore[arg-type]  # moto means that None is allowed
        trace_header,  # type: ignore[arg-type]
    )


class Clients:
    """One client for each service and role, shared by the tasks of all executions."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str], BaseClient] = {}
        self._config = Config(
            parameter_validation=False,
            retries={"total_max_attempts": 1},
            read_timeout=WAITS_FOR_TASK,
            max_pool_connections=MAX_TASKS,
        )

    def find(
        self,
        region: str,
        service: str,
        state_credentials: Any = None,  # noqa: ANN401  (moto's)
    ) -> BaseClient:
        """Return the client of a service; replaces moto's function with the same arguments."""
        role = state_credentials.role_arn.rpartition("/")[2] if state_credentials else ACCESS_KEY
        with self._lock:
            if (service, role) not in self._made:
                self._made[service, role] = self._make(region, service, role)
            return self._made[service, role]

    def _make(self, region: str, service: str, role: str) -> BaseClient:
        session: Any = boto3.Session(role, SECRET_KEY, region_name=region)
        client: BaseClient = session.client(
            service, endpoint_url=self._endpoint, config=self._config
        )
        return client
