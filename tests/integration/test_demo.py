"""What a new user sees first."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHOWN = [
    "batch      9 inserted, 0 updated, 0 deleted",
    "497       Ravatka     Mitesh           02110     85100.00",
    "batch      1 inserted, 1 updated, 1 deleted",
    "~  112       Jean → Jeanne  King             83030     71800.00 → 99000.00",
    "-  186       Matti          Karttunen        21240     96500.00",
    "+  502       Åse            Ødegaard         0155      12000.50",
    "tidegate local up --detach",
]


def test_the_demo_shows_the_rows_before_and_after_and_what_to_type_next():
    command = [sys.executable, "-m", "demo.run"]
    ran = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    found = [ran.stdout.find(line) for line in SHOWN]
    assert -1 not in found
    assert found == sorted(found)
