"""The local cloud: moto with a front that runs the deployed functions, jobs, queues, schedules."""

from tidegate.local.cloud.cloud import Cloud
from tidegate.local.cloud.journal import Entry, Journal

__all__ = ["Cloud", "Entry", "Journal"]
