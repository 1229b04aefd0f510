"""Chooses the Python for Glue jobs: 3.9, as on Glue, if the machine has one."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# `make setup` creates it if the machine has Python 3.9.
GLUE_PYTHON = Path(".venv-glue/bin/python")
PROBE = """
import platform
from importlib.util import find_spec
assert find_spec("redshift_connector") and find_spec("boto3")
print(platform.python_version())
"""


@dataclass(frozen=True)
class JobPython:
    """A Python interpreter and its description for the user."""

    path: Path
    description: str


def find_job_python(checkout: Path) -> JobPython:
    """Return the checkout's Python for Glue jobs, or else the Python that runs this process."""
    path = checkout / GLUE_PYTHON
    version = _probe(path)
    if version is not None:
        return JobPython(path, f"Python {version}, as on AWS ({path})")
    running = ".".join(map(str, sys.version_info[:3]))
    return JobPython(
        Path(sys.executable),
        f"Python {running}; Glue has 3.9: install Python 3.9 and run `make setup` to use it",
    )


def _probe(path: Path) -> str | None:
    try:
        probed = subprocess.run(
            [path, "-c", PROBE], capture_output=True, text=True, check=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return probed.stdout.strip()
