"""A whole stack, as the command line starts, asks and stops it."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.cloud.harness import is_alive, wait_for

TIDEGATE = [str(Path(sys.executable).with_name("tidegate"))]
CHECKOUT = Path(__file__).parents[3]
VARIABLES = [
    "AWS_ENDPOINT_URL",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_DEFAULT_REGION",
    "TIDEGATE_LANDING_BUCKET",
    "TIDEGATE_WORK_BUCKET",
    "TIDEGATE_LANDING_QUEUE_URL",
    "TIDEGATE_LEDGER_TABLE",
    "TIDEGATE_STATE_MACHINE_ARN",
    "PGHOST",
    "PGPORT",
    "PGUSER",
    "PGPASSWORD",
    "PGDATABASE",
    "PGSSLMODE",
    "PGSSLROOTCERT",
    "SSL_CERT_DIR",
]
CONNECT = """
import os, redshift_connector
session = redshift_connector.connect(
    host=os.environ["PGHOST"],
    port=int(os.environ["PGPORT"]),
    database=os.environ["PGDATABASE"],
    user=os.environ["PGUSER"],
    password=os.environ["PGPASSWORD"],
)
print(session._usock.version())
"""


def tidegate(*arguments, check=True):
    return subprocess.run(
        [*TIDEGATE, *arguments],
        cwd=CHECKOUT,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=check,
        timeout=90,
    )


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def read_environment(port):
    lines = tidegate("local", "env", f"--port={port}").stdout.splitlines()
    return dict(shlex.split(line.removeprefix("export "))[0].split("=", 1) for line in lines)


@pytest.fixture(scope="module")
def ports():
    return free_port(), free_port()


@pytest.fixture(scope="module")
def up(ports):
    port, warehouse_port = ports
    options = [f"--port={port}", f"--warehouse-port={warehouse_port}"]
    yield tidegate("local", "up", "--detach", *options).stdout
    tidegate("local", "down", f"--port={port}", check=False)


def test_a_detached_stack_says_where_it_is_and_what_to_type_next(up, ports):
    assert f"http://127.0.0.1:{ports[0]}" in up
    assert f"postgresql://tidegate@127.0.0.1:{ports[1]}/dev" in up
    eval_, _, status, down = re.search(r"next:\n((?:  .*\n){4})", up)[1].splitlines()
    assert (status.split()[1:], down.split()[1:]) == (
        ["status"],
        ["local", "down", "--port", str(ports[0])],
    )
    typed = subprocess.run(
        ["sh", "-c", f"{eval_}; {status}"], cwd=CHECKOUT, capture_output=True, text=True
    )
    assert "sales.customers" in typed.stdout
    assert re.search(r"Glue job +Python 3\.\d+", up)
    log = re.search(r"log +(\S+)", up)[1]
    assert "SweepTables" in wait_for(lambda: Path(log).read_text())


def test_the_environment_is_lines_that_a_shell_reads(up, ports):
    environment = read_environment(ports[0])
    assert list(environment) == VARIABLES
    assert environment["AWS_ENDPOINT_URL"] == f"http://127.0.0.1:{ports[0]}"
    assert environment["PGPORT"] == str(ports[1])


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_in_that_environment_the_driver_trusts_the_warehouse_by_itself(up, ports, name):
    environment = os.environ | read_environment(ports[0]) | {"PGHOST": name}
    environment.pop("SSL_CERT_FILE", None)
    told = subprocess.run(
        [sys.executable, "-c", CONNECT], env=environment, capture_output=True, text=True
    )
    assert (told.stdout, told.stderr) == ("TLSv1.3\n", "")


def test_a_port_that_is_taken_is_named_with_its_use_and_its_option(up, ports):
    port, warehouse_port = ports
    same_port = [f"--port={port}", f"--warehouse-port={free_port()}"]
    same_warehouse = [f"--port={free_port()}", f"--warehouse-port={warehouse_port}"]
    for mode in ([], ["--detach"]):
        refused = tidegate("local", "up", *mode, *same_port, check=False)
        assert refused.returncode == 1
        assert refused.stderr == (
            f"port {port}, for the cloud, is taken; choose another one with --port\n"
        )
        refused = tidegate("local", "up", *mode, *same_warehouse, check=False)
        assert refused.returncode == 1
        assert refused.stderr == (
            f"port {warehouse_port}, for the warehouse, is taken; choose another one with "
            "--warehouse-port\n"
        )


def test_stacks_stand_side_by_side_and_one_goes_without_the_other(up, ports):
    port = free_port()
    options = [f"--port={port}", f"--warehouse-port={free_port()}"]
    tidegate("local", "up", "--detach", *options)
    second = read_environment(port)
    tidegate("local", "down", f"--port={port}")
    first = read_environment(ports[0])
    assert first["TIDEGATE_LANDING_BUCKET"] != second["TIDEGATE_LANDING_BUCKET"]
    assert first["PGPASSWORD"] != second["PGPASSWORD"]


def test_where_no_stack_is_the_commands_say_so():
    port = free_port()
    for command in ("env", "down"):
        refused = tidegate("local", command, f"--port={port}", check=False)
        assert refused.returncode == 1
        assert refused.stderr.startswith(f"no local stack answers on port {port}; start one with")


def test_a_folder_without_a_template_is_told_what_to_do():
    refused = tidegate("local", "up", "--template=absent.yaml", check=False)
    assert refused.returncode == 1
    assert refused.stderr == (
        f"there is no {CHECKOUT / 'absent.yaml'}; run this in a checkout of Tidegate, or name the "
        "template with --template\n"
    )


def test_a_queue_that_the_role_of_its_function_may_not_read_is_refused_as_on_aws(tmp_path):
    for file in CHECKOUT.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "template.yaml").unlink()
    text = (CHECKOUT / "template.yaml").read_text()
    changed = text.replace("sqs:DeleteMessage, ", "")
    assert changed != text
    (tmp_path / "template.yaml").write_text(changed)
    ports = [f"--port={free_port()}", f"--warehouse-port={free_port()}"]
    up = ["local", "up", "--detach", f"--template={tmp_path}/template.yaml"]
    refused = tidegate(*up, *ports, check=False)
    assert refused.returncode == 1
    assert "Lambda may not read the queue " in refused.stderr
    assert "tidegate-landing: " in refused.stderr
    assert "is not authorized to perform: sqs:DeleteMessage on resource: " in refused.stderr


def test_contracts_that_are_no_folder_are_refused():
    refused = tidegate("local", "up", "--tables=absent", check=False)
    assert refused.returncode == 1
    assert refused.stderr == "--tables absent is not a folder of contracts\n"


@pytest.mark.parametrize("detach", [(), ("--detach",)])
def test_wrong_contracts_are_refused_in_the_words_of_check_before_a_port_is_looked_at(
    tmp_path, detach
):
    (tmp_path / "orders.yaml").write_text("table: Sales.orders\nkee: [id]\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = ("local", "up", *detach, f"--tables={tmp_path}", f"--port={port}")
        refused = tidegate(*up, check=False)
    told = tidegate("check", str(tmp_path), check=False).stdout
    assert "orders.yaml:2: kee: unknown key" in told
    assert (refused.returncode, refused.stderr) == (1, told)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stack_in_the_foreground_shows_what_happens_and_ends_on_a_signal(number):
    port = free_port()
    command = [*TIDEGATE, "local", "up", f"--port={port}", f"--warehouse-port={free_port()}"]
    with subprocess.Popen(
        command,
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        seen = []
        for line in process.stdout:
            seen.append(line)
            if "swept" in line:
                break
        process.send_signal(number)
        rest = process.stdout.read()
    assert process.returncode == 0
    assert rest.endswith("stopped\n")
    assert not is_alive(process.pid)
    log = Path(re.search(r"log +(\S+)", "".join(seen))[1])
    assert not log.parent.exists()
