"""`python -m demo.landing FILE …`: lands files of customers in a stack, and shows the table."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import boto3
from redshift_connector import ProgrammingError
from rich.console import Console

from demo.display import show_rows, show_watermark
from demo.following import follow_runs
from demo.stack import TIDEGATE
from demo.warehouse import Rows, read_last_batch, read_rows, read_watermark
from tidegate.errors import TidegateError

PREFIX = "dms/classicmodels/customers/"


class DemoError(TidegateError):
    """A run of the demo failed."""


def land(
    console: Console, files: Sequence[Path], before: Rows, watermark: str | None
) -> tuple[Rows, str | None]:
    """Land `files` and print what happens; return the rows and the watermark afterwards.

    Raises:
        DemoError: the files were not loaded.
    """
    bucket = os.environ["TIDEGATE_LANDING_BUCKET"]
    for file in files:
        boto3.client("s3").upload_file(str(file), bucket, PREFIX + file.name)
        console.print(f"  {file}")
    console.print(f"  → s3://{bucket}/{PREFIX}\n", soft_wrap=True)
    with follow_runs(console):
        waited = subprocess.run(
            [TIDEGATE, "wait", "--timeout=60"], capture_output=True, text=True, check=False
        )
    if waited.returncode:
        raise DemoError(f"the files were not loaded: {waited.stderr.strip()}")
    try:
        rows, counts, position = read_rows(), read_last_batch(), read_watermark()
    except ProgrammingError as error:
        raise DemoError(
            "nothing was loaded into sales.customers; start the stack with a folder of contracts "
            "that has tables/customers.yaml"
        ) from error
    show_watermark(console, counts, watermark, position)
    console.print()
    show_rows(console, before, rows)
    return rows, position


def main(arguments: Sequence[str]) -> int:
    """Land the files in the arguments in the stack of the environment."""
    console = Console(highlight=False)
    try:
        before, watermark = read_rows(), read_watermark()
    except ProgrammingError:
        before, watermark = {}, None  # the first batch creates the table
    try:
        land(console, [Path(one) for one in arguments], before, watermark)
    except (DemoError, OSError) as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 2 or "TIDEGATE_LANDING_BUCKET" not in os.environ:
        sys.exit('run eval "$(tidegate local env)" first, and name the files to land')
    sys.exit(main(sys.argv[1:]))
