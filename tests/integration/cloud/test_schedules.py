"""Schedules: what AWS's expressions mean."""

from datetime import UTC, datetime, timedelta

import pytest

from tidegate.errors import LocalStackError
from tidegate.local.cloud.cron import Cron
from tidegate.local.cloud.schedules import read_expression

MONDAY = datetime(2026, 11, 23, 10, 15, 30, tzinfo=UTC)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("* * * * ? *", "2026-11-23 10:16"),
        ("0 2 * * ? *", "2026-11-24 02:00"),
        ("15 10 * * ? *", "2026-11-24 10:15"),
        ("0/20 * * * ? *", "2026-11-23 10:20"),
        ("30 8-18/2 * * ? *", "2026-11-23 10:30"),
        ("0 0 1 * ? *", "2026-12-01 00:00"),
        ("0 9 ? * MON-FRI *", "2026-11-24 09:00"),
        ("0 9 ? * 2 *", "2026-11-30 09:00"),
        ("0 9 ? * SUN,SAT *", "2026-11-28 09:00"),
        ("0 0 29 FEB ? *", "2028-02-29 00:00"),
        ("5 4 3 2 ? 2030", "2030-02-03 04:05"),
    ],
)
def test_a_cron_expression_fires_when_aws_says(fields, expected):
    assert Cron(fields).after(MONDAY) == at(expected)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("0 2 * * ?", "cron(0 2 * * ?) has 5 fields instead of 6"),
        ("0 2 L * ? *", "the local stack does not know 'L' in cron(0 2 L * ? *)"),
    ],
)
def test_a_cron_expression_that_cannot_be_read_is_refused(fields, message):
    with pytest.raises(LocalStackError) as caught:
        Cron(fields)
    assert str(caught.value) == message


def test_a_cron_expression_of_the_past_never_fires():
    with pytest.raises(LocalStackError, match="never fires after 2026-11-23"):
        Cron("0 0 1 1 ? 2020").after(MONDAY)


@pytest.mark.parametrize(
    ("expression", "period"),
    [
        ("rate(1 minute)", timedelta(minutes=1)),
        ("rate(12 hours)", timedelta(hours=12)),
        ("rate(2 days)", timedelta(days=2)),
        ("cron(0 11 * * ? *)", timedelta(minutes=44, seconds=30)),
    ],
)
def test_an_expression_says_how_long_to_wait(expression, period):
    assert read_expression(expression)(MONDAY) == period


def test_an_expression_of_another_kind_is_refused():
    with pytest.raises(LocalStackError, match="neither rate"):
        read_expression("at(2026-11-23T00:00:00)")
