"""Glue: runs of the deployed script as processes, with Glue's states and errors."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.integration.cloud.harness import is_alive
from tidegate.local.cloud.jobs import Job, JobSettings
from tidegate.local.cloud.journal import Journal

ENDED = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT"}


@pytest.fixture
def start(app, glue, eventually):
    started = []

    def run(**arguments):
        given = {f"--{name}": value for name, value in arguments.items()}
        run_id = glue.start_job_run(JobName=app.ids["Job"], Arguments=given)["JobRunId"]
        started.append(run_id)
        return run_id

    yield run
    glue.batch_stop_job_run(JobName=app.ids["Job"], JobRunIds=started)
    for run_id in started:
        eventually(lambda run_id=run_id: state_of(glue, app, run_id) in ENDED)


def describe(glue, app, run_id):
    return glue.get_job_run(JobName=app.ids["Job"], RunId=run_id)["JobRun"]


def state_of(glue, app, run_id):
    return describe(glue, app, run_id)["JobRunState"]


@pytest.fixture
def ended(app, glue, eventually):
    def wait(run_id):
        eventually(lambda: state_of(glue, app, run_id) in ENDED)
        return describe(glue, app, run_id)

    return wait


def test_a_run_that_ends_well_succeeded(start, ended, app):
    run = ended(start(note="a b"))
    assert run["JobRunState"] == "SUCCEEDED"
    assert run["Arguments"] == {"--note": "a b"}
    assert run["CompletedOn"] >= run["StartedOn"]
    assert "ErrorMessage" not in run


def test_a_run_gets_the_jobs_arguments_and_its_own(start, ended, app):
    ended(start(note="merged"))
    expected = [("--do", "succeed"), ("--note", "merged"), ("--table", "small-seen")]
    assert f"arguments {expected}" in app.said("Job")


def test_a_run_reaches_the_local_cloud(start, ended, app):
    ended(start())
    assert f"endpoint {app.endpoint}" in app.said("Job")


def test_a_run_that_raises_failed_with_the_last_line_of_its_trace(start, ended):
    run = ended(start(do="fail"))
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"] == "ValueError: the job was told to fail"


def test_no_more_runs_than_the_job_allows(start, glue):
    start(do="sleep")
    start(do="sleep")
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException):
        start(do="sleep")


def test_a_run_that_is_stopped_takes_what_it_started_with_it(start, glue, app, ended, eventually):
    before = len(children(app))
    run_id = start(do="sleep")
    eventually(lambda: len(children(app)) > before)
    glue.batch_stop_job_run(JobName=app.ids["Job"], JobRunIds=[run_id])
    assert ended(run_id)["JobRunState"] == "STOPPED"
    eventually(lambda: not is_alive(children(app)[-1]))


def test_a_run_that_is_killed_failed(start, app, ended, eventually):
    run_id = start(do="sleep")
    process = eventually(lambda: app.processes("Job"))[0]
    os.killpg(process["pid"], signal.SIGKILL)
    run = ended(run_id)
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"] == "Command failed with exit code -9 (killed)"


def test_the_newest_run_is_listed_first(start, ended, glue, app):
    first, second = start(), start()
    ended(first)
    ended(second)
    listed = [run["Id"] for run in glue.get_job_runs(JobName=app.ids["Job"])["JobRuns"]]
    assert listed[:2] == [second, first]


def test_an_unknown_job_or_run_is_not_found(glue, app):
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.start_job_run(JobName="absent")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_job_run(JobName=app.ids["Job"], RunId="jr_absent")


def children(app):
    return [int(line.split()[1]) for line in app.said("Job") if line.startswith("child ")]


def test_a_run_has_the_environment_that_its_job_is_given(tmp_path, eventually):
    script = tmp_path / "tell.py"
    script.write_text("import os; raise SystemExit(os.environ['SSL_CERT_FILE'])\n")
    settings = JobSettings("Job", "job", script, timeout=1, most_runs=1)
    given = {"SSL_CERT_FILE": "/an/authority.pem"}
    job = Job(settings, Path(sys.executable), "http://127.0.0.1:1", Journal(), given)
    run = job.start({})
    ended = eventually(lambda: run.describe() if not run.is_under_way else None)
    assert ended["ErrorMessage"] == "/an/authority.pem"


def test_a_run_that_takes_too_long_ends_as_a_timeout(tmp_path, eventually):
    script = tmp_path / "sleep.py"
    script.write_text("import time; time.sleep(600)\n")
    settings = JobSettings("Job", "job", script, timeout=0.01, most_runs=1)
    run = Job(settings, Path(sys.executable), "http://127.0.0.1:1", Journal()).start({})
    ended = eventually(lambda: run.describe() if not run.is_under_way else None)
    assert ended["JobRunState"] == "TIMEOUT"
    assert ended["ErrorMessage"] == "Job run timed out after 0.01 minutes"
    assert not is_alive(run.pid)
