"""Makes distributed Maps fail as on AWS; moto ignores failed child executions."""

from moto.stepfunctions.parser.api import HistoryEventType, MapRunFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
    StatesErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor import (
    distributed_item_processor_worker as distributed,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.job import Job
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from tidegate.local.cloud.permissions.policies import Permission
from tidegate.local.cloud.permissions.roles import Roles

_eval_job = distributed.DistributedItemProcessorWorker._eval_job
_TOO_MANY = StatesErrorName(StatesErrorNameType.StatesExceedToleratedFailureThreshold)
_REFUSED = StatesErrorName(StatesErrorNameType.StatesPermissions)


def patch_distributed_maps(roles: Roles) -> None:
    """Make a Map fail when more child executions fail than it tolerates, by default none.

    It also fails when its role may not start executions of its state machine:
    https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    """

    def eval_one(
        worker: distributed.DistributedItemProcessorWorker, env: Environment, job: Job
    ) -> None:
        eval_job(roles, worker, env, job)

    distributed.DistributedItemProcessorWorker._eval_job = eval_one  # type: ignore[assignment, method-assign]


def eval_job(
    roles: Roles, worker: distributed.DistributedItemProcessorWorker, env: Environment, job: Job
) -> None:
    """Run one child execution; bound to `roles`, replaces moto's method with these arguments."""
    machine = env.states.context_object.context_object_data["StateMachine"]["Id"]
    starts = [Permission("states:StartExecution", machine)]
    if refused := roles.refuse(env.aws_execution_details.role_arn, starts):
        job.job_output = _fail(env, _REFUSED, refused)
        return
    _eval_job(worker, env, job)
    run = worker._map_run_record
    failed = run.item_counter.failed.get() + run.item_counter.timed_out.get()
    if failed > run.tolerated_failure_count:
        # https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
        why = "The specified tolerated failure threshold was exceeded"
        job.job_output = _fail(env, _TOO_MANY, why)


def _fail(env: Environment, error: StatesErrorName, cause: str) -> FailureEventException:
    told = MapRunFailedEventDetails(error=error.error_name, cause=cause)
    details = EventDetails(mapRunFailedEventDetails=told)  # type: ignore[typeddict-item]
    return FailureEventException(FailureEvent(env, error, HistoryEventType.MapRunFailed, details))
