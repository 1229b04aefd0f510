"""Glue's job runs over HTTP, in front of the jobs.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-runs.html
"""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from werkzeug.wrappers import Request, Response

from tidegate.local.cloud.jobs import Job, JobRun, TooManyRunsError

Body = dict[str, Any]


class GlueError(Exception):
    """An error response of Glue."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class GlueApi:
    """Answers requests about job runs and leaves all others to the next service."""

    def __init__(self, jobs: Mapping[str, Job]) -> None:
        self._jobs = jobs
        self._actions: dict[str, Callable[[Body], Body]] = {
            "AWSGlue.StartJobRun": self._start_job_run,
            "AWSGlue.GetJobRun": self._get_job_run,
            "AWSGlue.GetJobRuns": self._get_job_runs,
            "AWSGlue.BatchStopJobRun": self._batch_stop_job_run,
        }

    def answer(self, request: Request) -> Response | None:
        """Return the response to a job-run action, None for any other request."""
        action = self._actions.get(request.headers.get("X-Amz-Target", ""))
        if action is None:
            return None
        try:
            return _response(HTTPStatus.OK, action(json.loads(request.get_data())))
        except GlueError as error:
            body = {"__type": error.kind, "Message": str(error)}
            return _response(HTTPStatus.BAD_REQUEST, body)

    def _start_job_run(self, body: Body) -> Body:
        job = self._job(body)
        try:
            run = job.start(body.get("Arguments", {}), body.get("Timeout"))
        except TooManyRunsError:
            message = f"Concurrent runs exceeded for {job.settings.name}"
            raise GlueError("ConcurrentRunsExceededException", message) from None
        return {"JobRunId": run.id}

    def _get_job_run(self, body: Body) -> Body:
        return {"JobRun": _find(self._job(body), body["RunId"]).describe()}

    def _get_job_runs(self, body: Body) -> Body:
        newest_first = reversed(list(self._job(body).runs.values()))
        return {"JobRuns": [run.describe() for run in newest_first][: body.get("MaxResults", 200)]}

    def _batch_stop_job_run(self, body: Body) -> Body:
        job = self._job(body)
        runs = [_find(job, run_id) for run_id in body["JobRunIds"]]
        for run in runs:
            run.stop()
        stopped = [{"JobName": job.settings.name, "JobRunId": run.id} for run in runs]
        return {"SuccessfulSubmissions": stopped, "Errors": []}

    def _job(self, body: Body) -> Job:
        name = body["JobName"]
        if name not in self._jobs:
            message = f"Failed to start job run due to missing metadata: no job {name}"
            raise GlueError("EntityNotFoundException", message)
        return self._jobs[name]


def _find(job: Job, run_id: str) -> JobRun:
    if run_id not in job.runs:
        message = f"JobRun not found: {job.settings.name} has no run {run_id}"
        raise GlueError("EntityNotFoundException", message)
    return job.runs[run_id]


def _response(status: HTTPStatus, body: Body) -> Response:
    return Response(json.dumps(body), status, content_type="application/x-amz-json-1.1")
