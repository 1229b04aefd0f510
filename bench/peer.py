"""Runs a peer in its own environment, and sends it calls as JSON lines."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import duckdb

from bench.job import Row

_ROOT = Path(__file__).resolve().parent.parent
# By default dlt sends telemetry and writes into the home folder:
# https://dlthub.com/docs/reference/telemetry
_QUIET = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}


class Dlt:
    """dlt at the same job; it keeps its files in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self._process = subprocess.Popen(
            [_ROOT / ".venv-dlt/bin/python", "-m", "bench.dlt_pipeline", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
            env={
                **os.environ,
                **_QUIET,
                "DLT_DATA_DIR": str(folder),
                "DLT_PROJECT_DIR": str(folder),
            },
        )

    def call(self, method: str, *arguments: object) -> Any:  # noqa: ANN401  (what the method gives)
        """Call a method of the pipeline in the other process; `rows` returns all rows by key."""
        if method == "rows":
            return self._rows()
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([method, arguments], default=str) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"failure": "it has ended"}')
        if "failure" in answer:
            raise RuntimeError(f"dlt: {answer['failure']}")
        return answer["given"]

    def end(self) -> int:
        """End the process; return its peak memory in bytes."""
        assert self._process.stdin
        self._process.stdin.close()
        _, _, used = os.wait4(self._process.pid, 0)
        return int(used.ru_maxrss) << 10

    def _rows(self) -> list[Row]:
        path = self._folder / "rows.parquet"
        self.call("write_rows", path)
        return duckdb.read_parquet(str(path)).fetchall()
