"""What moto 5.2 does otherwise than AWS and Tidegate needs as AWS does it; once per process.

Each patch says what is wrong; tests/integration/cloud/ shows that it is cured.
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
MOST_TASKS = 256  # that may talk to one service at a time


def apply(endpoint: str, journal: Journal, roles: Roles) -> None:
    """Make moto behave, for the local cloud at `endpoint`."""
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    default_user_config["lambda"] = {"use_docker": False}
    _patch_step_functions(endpoint, journal, roles)
    # moto's S3 events lack or misname fields, and it hides what fails in delivering them.
    notifications._send_event_bridge_message = ObjectEvents(journal).send
    # moto tells of a multipart upload twice, once as of a put, and of two versions of an object
    # that are put at the same moment it keeps one.
    S3Backend.put_object = _put_object  # type: ignore[assignment]
    # moto looks for its own modules on disk at each request.
    modules = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules
    # moto's transactions take longer the more there is in a table: seconds each with a thousand.
    patch_transactions()
    # moto's queues lose messages when several threads use them.
    queue_models.Queue = SharedQueue  # type: ignore[misc]


def reset() -> None:
    """Forget everything that moto holds."""
    moto_api_backend.reset()


def _patch_step_functions(endpoint: str, journal: Journal, roles: Roles) -> None:
    # Without it each glue:startJobRun.sync fails: "'NoneType' … 'interrupt_all'".
    patterns = state_task_service_glue._SUPPORTED_INTEGRATION_PATTERNS
    patterns.add(ResourceCondition.WaitForTaskToken)  # type: ignore[arg-type]
    # moto's tasks make a client for each call, in many threads at once, which boto3 does not
    # allow, look for the port in the environment of the process, and forget whose role they have.
    _replace_everywhere("boto_client_for", boto_client.boto_client_for, Clients(endpoint).find)
    # moto refuses a Fail state that passes on an error of Step Functions' own, States.Timeout say.
    custom_error_name.ILLEGAL_CUSTOM_ERROR_PREFIX = "\0"  # type: ignore[misc]
    # moto's distributed Maps succeed even if all that they run fails, and need no permission.
    patch_distributed_maps(roles)
    # moto's executions without a name are all called None, so that there can be only one.
    StepFunctionsParserBackend.start_execution = _start_execution  # type: ignore[method-assign]
    # moto tells nobody that an execution started or ended.
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
    """One client a service and role, for the tasks of all executions."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str], BaseClient] = {}
        self._config = Config(
            parameter_validation=False,
            retries={"total_max_attempts": 1},
            read_timeout=WAITS_FOR_TASK,
            max_pool_connections=MOST_TASKS,
        )

    def find(
        self,
        region: str,
        service: str,
        state_credentials: Any = None,  # noqa: ANN401  (moto's)
    ) -> BaseClient:
        """The client of a service; stands in for moto's function of the same arguments."""
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
