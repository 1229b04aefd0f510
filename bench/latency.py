"""Measures how long a small file takes on an idle stack, from landing to visible rows."""

import os
import time

import boto3
import redshift_connector

from bench.pipeline import read_secret
from glue_jobs import load_batch

_PREFIX = "bench/latency/"
_LOOK_EVERY = 0.02  # seconds


def measure_latencies(runs: int) -> list[float]:
    """Land `runs` files one after the other; return the seconds of each.

    One more file before them warms caches and does not count.
    """
    connection = load_batch.connect(read_secret(), "bench")
    connection.autocommit = True
    try:
        return [_land_and_wait(connection, number) for number in range(runs + 1)][1:]
    finally:
        connection.close()


def _land_and_wait(connection: redshift_connector.Connection, number: int) -> float:
    key = f"{_PREFIX}20260101-{number:09d}.csv"
    bucket = os.environ["TIDEGATE_LANDING_BUCKET"]
    body = f"I,{number},name {number}\n".encode()
    started = time.perf_counter()
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    while not _is_there(connection, number):
        time.sleep(_LOOK_EVERY)
    seconds = time.perf_counter() - started
    _wait_until_idle()
    return seconds


def _is_there(connection: redshift_connector.Connection, number: int) -> bool:
    cursor = connection.cursor()
    try:
        cursor.execute(f"select 1 from bench.latency where id = {number}")
    except redshift_connector.ProgrammingError:
        return False  # the first batch creates the table
    return bool(cursor.fetchall())


def _wait_until_idle() -> None:
    runs = boto3.client("stepfunctions")
    machine = os.environ["TIDEGATE_STATE_MACHINE_ARN"]
    while runs.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]:
        time.sleep(_LOOK_EVERY)
