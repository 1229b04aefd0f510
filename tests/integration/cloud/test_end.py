"""How the cloud ends: nothing is left, even if it is killed."""

import os
import shutil
import signal

import pytest

from tests.integration.cloud.harness import is_alive, start_app, stop_app, wait_for


@pytest.fixture
def short_lived():
    app = start_app()
    yield app
    if app.process.stdin and not app.process.stdin.closed:
        stop_app(app)
    shutil.rmtree(app.folder, ignore_errors=True)


def processes_of(app):
    app.client("glue").start_job_run(JobName=app.ids["Job"], Arguments={"--do": "sleep"})
    child = wait_for(lambda: [text for text in app.said("Job") if text.startswith("child ")])
    pids = [one["pid"] for one in app.control.describe()["processes"]]
    assert len(pids) >= len(("Probe", "Single", "Collect", "Job"))
    return [*pids, int(child[0].split()[1])]


def test_a_cloud_that_is_stopped_leaves_nothing(short_lived):
    pids = processes_of(short_lived)
    stop_app(short_lived)
    assert [pid for pid in pids if is_alive(pid)] == []
    assert not short_lived.folder.exists()


def test_a_cloud_that_is_killed_leaves_no_process(short_lived):
    pids = processes_of(short_lived)
    os.kill(short_lived.process.pid, signal.SIGKILL)
    short_lived.process.wait()
    wait_for(lambda: not any(is_alive(pid) for pid in pids))
