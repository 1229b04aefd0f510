"""`python -m bench.contracts`: CPU time of commands and of cold starts, by number of tables."""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
TIDEGATE = Path(sys.executable).with_name("tidegate")
COUNTS = (1, 10_000)
COLUMNS = 21  # about as many as real tables have
TYPES = ("varchar(256)", "decimal(12,2)", "timestamp", "bigint", "date")
# The code that each function runs before it looks at its event, or to load its event's tables.
STARTS = {
    "register_files": "register_files().router.route_of('dms/s/t0/1.csv').table",
    "plan_batch": "plan_batch().contracts['s.t0'].table",
    "prepare_chunk": "prepare_chunk()",
    "commit_batch": "commit_batch()",
    "fail_batch": "fail_batch()",
    "sweep_tables": "sweep_tables(), wiring.find_missed(lambda: True)",
}
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "POWERTOOLS_SERVICE_NAME": "tidegate",
    "POWERTOOLS_METRICS_NAMESPACE": "Tidegate",
    "TIDEGATE_ALERTS_TOPIC_ARN": "none",
    "TIDEGATE_COPY_ROLE": "default",
    "TIDEGATE_LANDING_BUCKET": "none",
    "TIDEGATE_LEASE_SECONDS": "7200",
    "TIDEGATE_LEDGER_TABLE": "none",
    "TIDEGATE_MAX_ATTEMPTS": "5",
    "TIDEGATE_RETRY_SECONDS": "30",
    "TIDEGATE_STATE_MACHINE_ARN": "none",
    "TIDEGATE_WORK_BUCKET": "none",
}


def main() -> None:
    """Measure, and print one table."""
    measured = {count: _measure(count) for count in COUNTS}
    shown = Table(title="CPU seconds, by the number of tables", title_justify="left")
    shown.add_column("")
    for count in COUNTS:
        shown.add_column(f"{count:,}", justify="right")
    for name in measured[COUNTS[0]]:
        shown.add_row(name, *(f"{measured[count][name]:.2f}" for count in COUNTS))
    Console(highlight=False).print(shown)


def _measure(count: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as folder:
        tables, compiled = Path(folder, "tables"), Path(folder, "compiled")
        _write_contracts(tables, count)
        seconds = {
            "tidegate --help": _run([TIDEGATE, "--help"]),
            "tidegate check": _run([TIDEGATE, "check", tables]),
            "tidegate compile": _run([TIDEGATE, "compile", tables, "--into", compiled]),
        }
        for name, start in STARTS.items():
            script = f"import app; from tidegate import wiring; wiring.{start}"
            seconds[f"cold start of {name}"] = _run(
                [sys.executable, "-c", script],
                cwd=ROOT / "functions" / name,
                env=os.environ | ENVIRONMENT | {"TIDEGATE_CONTRACTS": str(compiled)},
            )
    return seconds


def _write_contracts(folder: Path, count: int) -> None:
    folder.mkdir()
    columns = "".join(
        f'  - {{name: column_{number}, type: "{TYPES[number % len(TYPES)]}"}}\n'
        for number in range(1, COLUMNS)
    )
    for number in range(count):
        (folder / f"t{number}.yaml").write_text(
            f"table: s.t{number}\n"
            f"source: {{prefix: dms/s/t{number}/, format: dms_csv}}\n"
            "key: [id]\n"
            "columns:\n"
            f"  - {{name: id, type: bigint}}\n{columns}"
        )


def _run(command: list[Path | str], **more: object) -> float:
    """The CPU seconds that `command` takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **more)  # type: ignore[call-overload]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
