"""Which Python runs Glue jobs here: 3.9, as Glue does, where the machine has one."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# What `make setup` makes where it finds a Python 3.9.
GLUE_PYTHON = Path(".venv-glue/bin/python")
PROBE = """
import platform
from importlib.util import find_spec
assert find_spec("redshift_connector") and find_spec("boto3")
print(platform.python_version())
"""


@dataclass(frozen=True)
class JobPython:
    """An interpreter, and what to tell of it."""

    path: Path
    description: str


def find_job_python(checkout: Path) -> JobPython:
    """The Python of the checkout for Glue jobs, else the one that runs this."""
    path = checkout / GLUE_PYTHON
    version = _probe(path)
    if version is not None:
        return JobPython(path, f"Python {version}, as on AWS ({path})")
    running = ".".join(map(str, sys.version_info[:3]))
    return JobPython(
        Path(sys.executable),
        f"Python {running}, not Glue's 3.9, which `make setup` prepares if the machine has it",
    )


def _probe(path: Path) -> str | None:
    try:
        probed = subprocess.run(
            [path, "-c", PROBE], capture_output=True, text=True, check=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return probed.stdout.strip()
