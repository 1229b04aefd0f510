"""A local stack with proxies before its cloud and its warehouse, and frequent sweeps."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.faults.aws_proxy import AwsProxy
from tests.e2e.faults.calls import Call
from tests.e2e.faults.changes import Landed
from tests.e2e.faults.warehouse_proxy import WarehouseProxy
from tests.e2e.faults.watch import Watch, kill
from tests.e2e.harness import ROOT, LocalStack, free_ports, tidegate
from tests.e2e.tls import Tls
from tidegate.ledger import FileLedger, LedgerTable, StateLedger, TableState
from tidegate.runs import start_run

SCHEDULES = 2  # sweeps for due tables, and for missed objects
SWEEPS_EVERY = 2.0  # seconds; the schedule's own rate is once a minute
# SQS delivers a killed function's message again after this time; as deployed, after six minutes.
VISIBILITY_SECONDS = "6"
Kinds = Mapping[str, type[Landed]]  # what lands for each, by name


class FaultedStack(LocalStack):
    """A stack whose steps tests can watch and kill; `tables` are its tables."""

    def __init__(self, port: int, watch: Watch, tables: Kinds) -> None:
        super().__init__(port)
        self.watch = watch
        self.tables = tables
        items = LedgerTable(self.client("dynamodb"), self.variables["TIDEGATE_LEDGER_TABLE"])
        self.items = items
        self.states = StateLedger(items)
        self.files = FileLedger(items)
        self.sweeping = threading.Lock()
        self._landing = threading.Lock()
        self._letters: dict[str, str] = {}
        self._inbox = self._subscribe()

    def state(self, table: str) -> TableState:
        return self.states.read(table)

    def start_run(self, table: str, **more: str | bool) -> None:
        """Start load_table as `tidegate` does, with a name that `has_runs` recognizes."""
        start_run(self.runs, self.variables["TIDEGATE_STATE_MACHINE_ARN"], table, **more)

    def has_runs(self, table: str) -> bool:
        """Return whether load_table is running for `table`."""
        running = self.runs.list_executions(
            stateMachineArn=self.variables["TIDEGATE_STATE_MACHINE_ARN"], statusFilter="RUNNING"
        )["executions"]
        return any(table.replace(".", "-") in run["name"] for run in running)

    def abort(self, call: Call) -> object:
        """Stop the run that holds the table's lease, and kill the calling process."""
        run = self.state(call.table).holder
        assert run
        self.runs.stop_execution(executionArn=run)
        return kill(call)

    def sweep_until(self, stop: threading.Event) -> None:
        """Sweep for due tables every SWEEPS_EVERY seconds."""
        while not stop.wait(SWEEPS_EVERY):
            with self.sweeping:
                self.sweep("due")

    def key(self, table: str, file: str) -> str:
        return prefix_of(table) + file

    def land_files(self, table: str, files: dict[str, bytes]) -> None:
        with self._landing:
            for name, body in files.items():
                self.land(self.key(table, name), body)

    def land_unheard(self, table: str, files: dict[str, bytes]) -> None:
        """Land files whose events are lost."""
        with self._landing, self.unheard():
            for name, body in files.items():
                self.land(self.key(table, name), body)

    def letters(self, subject: str) -> int:
        """Return how many messages with `subject` the topic Alerts has sent."""
        wanted, inbox = {"QueueUrl": self._inbox, "MaxNumberOfMessages": 10}, self.client("sqs")
        while received := inbox.receive_message(**wanted).get("Messages"):
            for message in received:
                self._letters[message["MessageId"]] = json.loads(message["Body"])["Subject"]
                inbox.delete_message(QueueUrl=self._inbox, ReceiptHandle=message["ReceiptHandle"])
        return list(self._letters.values()).count(subject)

    def _subscribe(self) -> str:
        inbox = self.client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
        wanted = {"QueueUrl": inbox, "AttributeNames": ["QueueArn"]}
        arn = self.client("sqs").get_queue_attributes(**wanted)["Attributes"]["QueueArn"]
        topic = self.physical_id("Alerts")
        self.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return inbox

    def redeliver_soon(self) -> None:
        self.client("sqs").set_queue_attributes(
            QueueUrl=self.variables["TIDEGATE_LANDING_QUEUE_URL"],
            Attributes={"VisibilityTimeout": VISIBILITY_SECONDS},
        )

    def move_warehouse(self, port: int) -> None:
        """Write another warehouse port into the secret that jobs read, as a DBA does."""
        secrets = self.client("secretsmanager")
        arn = self.physical_id("WarehouseSecret")
        secret = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
        moved = json.dumps({**secret, "port": port})
        secrets.put_secret_value(SecretId=arn, SecretString=moved)


@contextmanager
def faulted_stack(folder: Path, tables: Kinds) -> Iterator[FaultedStack]:
    """Run a stack with a contract for each of `tables`."""
    contracts = folder / "tables"
    contracts.mkdir()
    for table, kind in tables.items():
        text = kind.contract(table, prefix_of(table))
        (contracts / f"{table}.yaml").write_text(text, encoding="utf-8")
    port, warehouse_port = free_ports()
    watch = Watch()
    cloud = AwsProxy(port, watch, list(tables))
    warehouse = WarehouseProxy(warehouse_port, port, watch, list(tables))
    ports = (f"--port={port}", f"--warehouse-port={warehouse_port}", f"--via={cloud.url}")
    template = write_template(folder / "app")
    files = (f"--tables={contracts}", f"--template={template}")
    started = tidegate("local", "up", "--detach", *files, *ports, check=False)
    assert started.returncode == 0, started.stdout + started.stderr
    stop = threading.Event()
    try:
        stack = FaultedStack(port, watch, tables)
        stack.redeliver_soon()
        warehouse.serve_as(Tls.of(stack.variables))
        stack.move_warehouse(warehouse.port)
        stack.query("create schema e2e")
        sweeping = threading.Thread(target=stack.sweep_until, args=(stop,))
        sweeping.start()
        try:
            yield stack
        finally:
            stop.set()
            sweeping.join()
    finally:
        warehouse.close()
        cloud.close()
        tidegate("local", "down", f"--port={port}")


def write_template(folder: Path) -> Path:
    """Copy the application with its sweeps scheduled once a day, so that tests start them."""
    folder.mkdir()
    for file in ROOT.iterdir():
        (folder / file.name).symlink_to(file)
    template = folder / "template.yaml"
    template.unlink()
    text = (ROOT / template.name).read_text(encoding="utf-8")
    assert text.count("rate(1 ") == SCHEDULES
    template.write_text(re.sub(r"rate\(1 \w+\)", "rate(1 day)", text), encoding="utf-8")
    return template


def prefix_of(table: str) -> str:
    return f"dms/{table.replace('.', '/')}/"
