"""The handlers, as Lambda calls them: parse, call, return; and nothing happens at import."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from tests.unit.samples import CHANGES, Workshop, contract, ledger_table
from tidegate import wiring
from tidegate.batch.plan import BatchFolder, Outcome
from tidegate.contract import Contract, write_contracts
from tidegate.contract.lines import read_yaml
from tidegate.errors import ContractError, ServiceBusyError
from tidegate.ledger import FileLedger, StateLedger

ROOT = Path(__file__).parents[2]
FUNCTIONS = sorted(path.parent.name for path in ROOT.glob("functions/*/app.py"))
TABLE = "sales.orders"
CONTRACT = """\
table: sales.orders
source: {prefix: dms/sales/orders/, format: dms_csv}
key: [id]
columns:
  - {name: id, type: integer}
  - {name: name, type: varchar(20)}
"""
PARTS = [wiring.client, *(getattr(wiring, name) for name in FUNCTIONS)]


@dataclass
class Context:
    """What Lambda tells a handler of its call."""

    function_name: str = "f"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:f"
    aws_request_id: str = "1"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


class Deployed:
    """The resources that the functions work on."""

    def __init__(self, tables: Path) -> None:
        self.shop, self.ledger = Workshop(), ledger_table()
        self.files, self.states = FileLedger(self.ledger), StateLedger(self.ledger)
        self.contracts = tables / "compiled"
        self.deploy(CONTRACT)
        machine = boto3.client("stepfunctions").create_state_machine(
            name=f"load-{self.ledger.name}",
            definition='{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
            roleArn="arn:aws:iam::123456789012:role/x",
        )
        self.machine = machine["stateMachineArn"]
        self.topic = boto3.client("sns").create_topic(Name="alerts")["TopicArn"]
        self.environment = {
            "TIDEGATE_LEDGER_TABLE": self.ledger.name,
            "TIDEGATE_LANDING_BUCKET": self.shop.landing,
            "TIDEGATE_WORK_BUCKET": self.shop.work.name,
            "TIDEGATE_CONTRACTS": str(self.contracts),
            "TIDEGATE_STATE_MACHINE_ARN": self.machine,
            "TIDEGATE_COPY_ROLE": "default",
            "TIDEGATE_LEASE_SECONDS": "7200",
            "TIDEGATE_ALERTS_TOPIC_ARN": self.topic,
            "TIDEGATE_MAX_ATTEMPTS": "5",
            "TIDEGATE_RETRY_SECONDS": "30",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "POWERTOOLS_SERVICE_NAME": "tidegate",
            "POWERTOOLS_METRICS_NAMESPACE": "Tidegate",
        }

    def deploy(self, *contracts: str) -> None:
        read = [Contract.model_validate(read_yaml(text).data) for text in contracts]
        write_contracts(read, self.contracts)

    def call(self, name: str, event: dict) -> dict:
        app = __import__(f"functions.{name}.app", fromlist=["handler"])
        answer = app.handler(event, Context())
        return json.loads(json.dumps(answer))

    def land(self, content: bytes) -> dict:
        file = self.shop.land(CHANGES, content, contract())
        event = {
            "time": "2024-08-09T19:27:17Z",
            "detail": {"object": {"key": CHANGES, "size": file.size, "etag": file.etag}},
        }
        return {"messageId": "good", "body": json.dumps(event)}

    def started(self) -> list[str]:
        client = boto3.client("stepfunctions")
        found = client.list_executions(stateMachineArn=self.machine)["executions"]
        return [
            client.describe_execution(executionArn=one["executionArn"])["input"] for one in found
        ]


@pytest.fixture
def deployed(aws, tmp_path, monkeypatch) -> Deployed:
    found = Deployed(tmp_path)
    for name, value in found.environment.items():
        monkeypatch.setenv(name, value)
    for part in PARTS:
        part.cache_clear()
    yield found
    for part in PARTS:
        part.cache_clear()


def test_way_of_a_change_through_the_handlers(deployed, capsys):
    message = deployed.land(b"I,1,secret name\nU,x,secret name\n")
    bad = {"messageId": "bad", "body": "no secret event"}
    answer = deployed.call("register_files", {"Records": [message, bad]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert deployed.started() == ['{"table": "sales.orders"}']

    request = {"request": {"table": TABLE}, "execution": "arn:run", "rounds": 0}
    planned = deployed.call("plan_batch", request)
    assert (planned["action"], planned["rounds"], planned["chunks"]) == ("load", 1, [0])

    prepared = deployed.call("prepare_chunk", {"plan": planned["plan"], "chunk": 0})
    assert prepared == {"files": 1, "rows": 1}

    state = deployed.states.read(TABLE)
    outcome = BatchFolder(TABLE, state.open_batch, state.fence).outcome
    deployed.shop.work.write(outcome, Outcome(last_position="p", rows_staged=1, rows_inserted=1))
    assert deployed.call("commit_batch", {"plan": planned["plan"]}) == {
        "applied_files": 1,
        "quarantined_files": 0,
        "quarantined_rows": 1,
        "rows_staged": 1,
        "rows_inserted": 1,
        "rows_updated": 0,
        "rows_deleted": 0,
        "rows_stale": 0,
    }
    assert deployed.call("plan_batch", request | {"rounds": 1})["action"] == "done"
    assert deployed.call("sweep_tables", {"look_for": "due"}) == {"started": []}
    assert deployed.call("sweep_tables", {"look_for": "missed"}) == {"looked_at": 1}
    logged = capsys.readouterr().out
    assert "Tidegate" in logged
    assert "secret" not in logged


def test_columns_that_the_contract_does_not_name_are_told_in_the_log(deployed, caplog):
    evolving = CONTRACT.replace("dms_csv}", "dms_csv, options: {header: true}}")
    deployed.deploy(evolving + "evolve: add\n")
    message = deployed.land(b"Op,id,name,remark,ctid\nI,1,secret,secret,secret\n")
    deployed.call("register_files", {"Records": [message]})
    request = {"request": {"table": TABLE}, "execution": "arn:run", "rounds": 0}
    planned = deployed.call("plan_batch", request)
    deployed.call("prepare_chunk", {"plan": planned["plan"], "chunk": 0})
    told = {record.message: vars(record) for record in caplog.records}
    assert told["columns added"]["columns"] == ["remark"]
    assert told["column left unread"]["column"] == "ctid"
    assert told["columns left unread"]["columns"] == ["ctid"]
    assert "secret" not in str(told)


def test_messages_of_a_table_that_fails_go_back_to_the_queue_and_no_others(deployed, monkeypatch):
    items = CONTRACT.replace("sales.orders", "sales.items").replace("/orders/", "/items/")
    deployed.deploy(CONTRACT, items)

    def refuse_orders(client, machine, table):
        if table == TABLE:
            raise ServiceBusyError("Step Functions throttled")

    monkeypatch.setattr(wiring, "start_run", refuse_orders)
    failing = deployed.land(b"I,1,Ann\n")
    other = failing | {"messageId": "other", "body": failing["body"].replace("orders", "items")}
    answer = deployed.call("register_files", {"Records": [failing, other]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": failing["messageId"]}]}


def test_contract_that_no_function_can_read_stops_its_own_table_only(deployed):
    items = CONTRACT.replace("sales.orders", "sales.items").replace("/orders/", "/items/")
    deployed.deploy(CONTRACT, items)
    compiled = deployed.contracts / "contracts.jsonl"
    compiled.write_text(compiled.read_text().replace("integer", "integre", 1))
    message = deployed.land(b"I,1,Ann\n")
    other = message | {"messageId": "other", "body": message["body"].replace("orders", "items")}
    answer = deployed.call("register_files", {"Records": [message, other]})
    assert answer == {"batchItemFailures": []}
    request = {"execution": "arn:run", "rounds": 0}
    with pytest.raises(ContractError, match=r"no contract of sales\.orders"):
        deployed.call("plan_batch", request | {"request": {"table": TABLE}})
    planned = deployed.call("plan_batch", request | {"request": {"table": "sales.items"}})
    assert planned["action"] == "load"


def test_functions_without_compiled_contracts_say_so(deployed):
    (deployed.contracts / "routes.json").unlink()
    with pytest.raises(ContractError, match=r"there is no .*routes\.json; build and deploy again"):
        deployed.call("sweep_tables", {"look_for": "due"})


def test_failure_is_told_to_the_topic(deployed):
    queue = boto3.client("sqs").create_queue(QueueName="letters")["QueueUrl"]
    boto3.client("sns").subscribe(
        TopicArn=deployed.topic,
        Protocol="sqs",
        Endpoint="arn:aws:sqs:us-east-1:123456789012:letters",
    )
    event = {
        "request": {"table": TABLE},
        "execution": "arn:run",
        "planned": {"rounds": 0, "plan": ""},
        "failure": {"Error": "ContractError", "Cause": '{"errorMessage": "column is wrong"}'},
    }
    assert deployed.call("fail_batch", event) == {
        "verdict": "give_up",
        "wait_seconds": 0,
        "error": "ContractError",
        "message": "column is wrong",
    }
    [letter] = boto3.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert "sales.orders is blocked" in json.loads(letter["Body"])["Subject"]


def test_subject_of_a_letter_is_what_sns_takes():
    subject = wiring._subject("Tidegate: schéma." + "t" * 127 + " is blocked")
    assert (len(subject), subject.isascii()) == (99, True)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_importing_a_function_reads_no_environment_and_makes_no_client(name):
    watch = (
        "import boto3, os\n"
        "boto3.client = boto3.resource = lambda *a, **k: 1 / 0\n"
        f"import functions.{name}.app\n"
    )
    subprocess.run(
        [sys.executable, "-c", watch], cwd=ROOT, check=True, env={"PYTHONPATH": "src:."}, timeout=60
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_importing_a_function_needs_no_duckdb(name):
    code = f"import sys; sys.modules['duckdb'] = None; import functions.{name}.app"
    subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, env={"PYTHONPATH": "src:."}, timeout=60
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_handlers_are_short(name):
    assert len((ROOT / "functions" / name / "app.py").read_text().splitlines()) <= 40
