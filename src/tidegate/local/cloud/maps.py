"""Distributed Maps, made to fail: moto lets any number of their executions fail unseen."""

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

_eval_job = distributed.DistributedItemProcessorWorker._eval_job
_ERROR = StatesErrorName(StatesErrorNameType.StatesExceedToleratedFailureThreshold)


def mend_distributed_maps() -> None:
    """Let a Map fail when more of its executions failed than it tolerates, by default none."""
    distributed.DistributedItemProcessorWorker._eval_job = eval_job  # type: ignore[assignment, method-assign]


def eval_job(
    worker: distributed.DistributedItemProcessorWorker, env: Environment, job: Job
) -> None:
    """Run one execution of a Map; stands in for moto's method of the same arguments."""
    _eval_job(worker, env, job)
    run = worker._map_run_record
    failed = run.item_counter.failed.get() + run.item_counter.timed_out.get()
    if failed > run.tolerated_failure_count:
        job.job_output = _too_many(env)


def _too_many(env: Environment) -> FailureEventException:
    # https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
    told = MapRunFailedEventDetails(
        error=_ERROR.error_name,
        cause="The specified tolerated failure threshold was exceeded",
    )
    details = EventDetails(mapRunFailedEventDetails=told)  # type: ignore[typeddict-item]
    return FailureEventException(FailureEvent(env, _ERROR, HistoryEventType.MapRunFailed, details))
