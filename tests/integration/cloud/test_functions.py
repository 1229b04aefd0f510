"""Lambda: deployed handlers, each in a process of its own, with what the template gives it."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp

import pytest
from botocore.exceptions import ClientError

from tests.integration.cloud.harness import wait_for
from tidegate.local.cloud.functions import Function
from tidegate.local.cloud.journal import Journal
from tidegate.local.cloud.sandbox import FunctionSettings

HERE = Path(__file__).parent


def test_a_function_gets_its_event_and_gives_its_result(invoke):
    assert invoke(do="echo", text="Grüße", n=1) == ({"do": "echo", "text": "Grüße", "n": 1}, None)


def test_the_environment_is_the_templates_with_intrinsics_resolved(invoke, app):
    environment = invoke(do="describe")[0]["environment"]
    own = {name: environment[name] for name in ("GREETING", "FLAG", "TABLE")}
    assert own == {"GREETING": "hello, us-east-1", "FLAG": "7", "TABLE": "small-seen"}


def test_the_environment_holds_what_lambda_sets_and_nothing_of_this_machines_own(invoke, app):
    environment = invoke(do="describe")[0]["environment"]
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == app.ids["Probe"]
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "us-east-1"
    assert environment["AWS_ENDPOINT_URL"] == app.endpoint
    assert environment["LAMBDA_TASK_ROOT"] == str(HERE / "app/functions/probe")
    assert environment["TMPDIR"].startswith(str(app.folder))
    assert "HOME" not in environment
    assert "PYTEST_CURRENT_TEST" not in environment


def test_the_context_tells_of_the_invocation(invoke, app):
    told = invoke(do="describe")[0]
    assert told["name"] == app.ids["Probe"]
    assert told["memory"] == "128"
    assert told["arn"] == f"arn:aws:lambda:us-east-1:123456789012:function:{app.ids['Probe']}"
    assert 1000 < told["left"] <= 2000
    assert len(told["request"]) == 36


def test_opt_is_what_the_functions_layers_hold(invoke):
    told = invoke(do="describe")[0]
    assert told["files"] == ["note.txt"]
    assert told["note"] == "a note of the layer\n"


def test_a_process_starts_with_nothing_of_the_stack_in_it(invoke):
    modules = invoke(do="describe")[0]["modules"]
    assert not {"moto", "boto3", "tidegate", "pydantic", "duckdb"} & set(modules)


def test_a_process_is_kept_warm(invoke):
    assert invoke(do="sleep", seconds=0) == invoke(do="sleep", seconds=0)


def test_invocations_that_overlap_have_a_process_each(invoke):
    with ThreadPoolExecutor(3) as pool:
        pids = list(pool.map(lambda _: invoke(do="sleep", seconds=0.5)[0], range(3)))
    assert len(set(pids)) == 3


def test_a_function_with_reserved_concurrency_is_throttled_beyond_it(invoke, functions, app):
    with ThreadPoolExecutor(1) as pool:
        invoke("Single", do="echo")
        first = pool.submit(invoke, "Single", do="sleep", seconds=1)
        while not any(one["busy"] for one in app.processes("Single")):
            pass
        with pytest.raises(ClientError) as caught:
            invoke("Single", do="echo")
        assert caught.value.response["Error"]["Code"] == "TooManyRequestsException"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
        assert first.result()[1] is None


def test_what_a_handler_raises_is_told_as_lambda_tells_it(invoke):
    error, kind = invoke(do="fail", message="no such thing")
    assert kind == "Unhandled"
    assert error["errorType"] == "ProbeError"
    assert error["errorMessage"] == "no such thing"
    assert 'app.py", line' in error["stackTrace"][0]


def test_an_invocation_that_takes_too_long_is_ended(invoke):
    error, kind = invoke(do="sleep", seconds=60)
    assert kind == "Unhandled"
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].endswith("Error: Task timed out after 2.00 seconds")
    assert invoke(do="echo") == ({"do": "echo"}, None)


def test_a_process_that_takes_too_much_memory_is_killed(invoke):
    error, _ = invoke(do="allocate")
    assert error["errorType"] == "Runtime.OutOfMemory"
    assert error["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    assert invoke(do="echo") == ({"do": "echo"}, None)


@pytest.mark.parametrize(("do", "reason"), [("kill", "signal: killed"), ("exit", "exit status 3")])
def test_a_process_that_ends_fails_its_invocation(invoke, do, reason):
    error, kind = invoke(do=do)
    assert kind == "Unhandled"
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith(f"Error: Runtime exited with error: {reason}")


def test_an_idle_process_that_was_killed_is_replaced_unnoticed(invoke, app):
    pid = invoke(do="sleep", seconds=0)[0]
    for process in app.processes("Probe"):
        os.kill(process["pid"], signal.SIGKILL)
    assert invoke(do="sleep", seconds=0)[0] != pid


def test_a_module_that_cannot_be_imported_is_told_of(invoke):
    error, _ = invoke("Broken", do="echo")
    assert error["errorType"] == "Runtime.ImportModuleError"
    assert error["errorMessage"] == "Unable to import module 'absent': No module named 'absent'"


def test_a_result_that_is_no_json_is_an_error(invoke):
    assert invoke(do="unreadable")[0]["errorType"] == "Runtime.MarshalError"


def test_a_request_beyond_six_megabytes_is_refused(invoke):
    with pytest.raises(ClientError) as caught:
        invoke(do="echo", text="x" * (6 << 20))
    assert caught.value.response["Error"]["Code"] == "RequestTooLargeException"


def test_a_response_beyond_six_megabytes_is_an_error(invoke):
    assert len(invoke(do="enlarge", bytes=6_000_000)[0]) == 6_000_000
    error, _ = invoke(do="enlarge", bytes=6_300_000)
    assert error["errorType"] == "Function.ResponseSizeTooLarge"


def errors_when_stopped(code):
    """What three invocations of `slow.handler` end with when their function is stopped."""
    settings = FunctionSettings("Slow", "slow", "arn", "slow.handler", code, 512, 600.0)
    function = Function(settings, "http://127.0.0.1:1", Path(mkdtemp(dir=code)), Journal())
    with ThreadPoolExecutor() as pool:
        answers = [pool.submit(function.invoke, b"{}") for _ in range(3)]
        wait_for(lambda: len(function.processes()) == len(answers))
        function.stop()
        return [json.loads(answer.result(60).payload)["errorType"] for answer in answers]


def test_invocations_under_way_fail_when_their_function_is_stopped(tmp_path):
    (tmp_path / "slow.py").write_text("import time\nhandler = lambda *_: time.sleep(600)\n")
    for _ in range(20):
        assert errors_when_stopped(tmp_path) == ["Runtime.ExitError"] * 3


def test_an_unknown_function_is_not_found(functions):
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.invoke(FunctionName="absent", Payload="{}")


@pytest.mark.parametrize("name", ["{arn}", "{arn}:$LATEST", "123456789012:function:{name}"])
def test_a_function_is_found_by_name_and_by_arn(functions, app, name):
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{app.ids['Probe']}"
    answer = functions.invoke(
        FunctionName=name.format(arn=arn, name=app.ids["Probe"]), Payload='{"do": "echo"}'
    )
    assert json.load(answer["Payload"]) == {"do": "echo"}


def test_an_event_is_accepted_at_once_and_handled_later(functions, app, eventually):
    answer = functions.invoke(
        FunctionName=app.ids["Probe"],
        InvocationType="Event",
        Payload='{"do": "sleep", "seconds": 0.123}',
    )
    assert answer["StatusCode"] == 202
    eventually(lambda: "sleeping 0.123" in app.said("Probe"))


def test_a_rate_fires_at_once_with_its_input(app, eventually):
    eventually(lambda: 'fires {"do": "echo", "tick": true}' in app.said("ProbeTick"))
