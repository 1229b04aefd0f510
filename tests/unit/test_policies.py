"""What the statements of a role allow, decided as IAM decides."""

import pytest

from tidegate.errors import LocalStackError
from tidegate.local.cloud.identity import ACCOUNT
from tidegate.local.cloud.permissions.policies import Permission, Role, read_statements

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/ledger"
BATCHES = "arn:aws:s3:::work/batches"


def role(*statements: dict[str, object]) -> Role:
    whole = [{"Effect": "Allow", **one} for one in statements]
    return Role("ReaderRole", "reader", tuple(read_statements("reads", {"Statement": whole})))


def granted_by(held: Role, action: str, resource: str) -> str | None:
    statement = held.grant(Permission(action, resource))
    return statement.name if statement else None


def test_an_action_is_allowed_on_the_resource_of_its_statement_and_on_no_other():
    reader = role({"Sid": "Ledger", "Action": "dynamodb:GetItem", "Resource": TABLE})
    assert granted_by(reader, "dynamodb:GetItem", TABLE) == "Ledger"
    assert granted_by(reader, "dynamodb:PutItem", TABLE) is None
    assert granted_by(reader, "dynamodb:GetItem", TABLE + "2") is None
    assert granted_by(reader, "dynamodb:GetItem", TABLE + "/index/by_time") is None


def test_actions_and_resources_may_be_lists_and_the_first_statement_that_fits_is_named():
    reader = role(
        {"Sid": "Read", "Action": ["s3:GetObject"], "Resource": [TABLE, f"{BATCHES}/*"]},
        {"Sid": "Twice", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"{BATCHES}/*"},
    )
    assert granted_by(reader, "s3:GetObject", f"{BATCHES}/1/plan.json") == "Read"
    assert granted_by(reader, "s3:PutObject", f"{BATCHES}/1/plan.json") == "Twice"


def test_a_statement_without_a_sid_goes_by_the_name_of_its_policy():
    assert granted_by(role({"Action": "sns:Publish", "Resource": "*"}), "sns:Publish", "a") == (
        "reads"
    )


@pytest.mark.parametrize(
    ("pattern", "resource", "fits"),
    [
        ("*", "anything:at/all", True),
        (f"{BATCHES}/*", f"{BATCHES}/a:b/c", True),
        (f"{BATCHES}/*", BATCHES, False),
        (f"{BATCHES}/?.json", f"{BATCHES}/1.json", True),
        (f"{BATCHES}/?.json", f"{BATCHES}/12.json", False),
        ("arn:aws:states:r:1:execution:load*:x", "arn:aws:states:r:1:execution:load-table:x", True),
        ("arn:aws:states:*:execution:load:x", "arn:aws:states:r:1:execution:load:x", True),
        ("arn:aws:s*s:r:1", "arn:aws:s:r:s:r:1", False),
        ("arn:aws:s3:::work/+.json", "arn:aws:s3:::work/+.json", True),
        ("arn:aws:s3:::work/+.json", "arn:aws:s3:::work//+json", False),
    ],
)
def test_a_wildcard_stays_in_its_part_of_the_arn_unless_it_ends_it(pattern, resource, fits):
    reader = role({"Sid": "Any", "Action": "s3:GetObject", "Resource": pattern})
    assert granted_by(reader, "s3:GetObject", resource) == ("Any" if fits else None)


def test_actions_have_wildcards_and_no_case_and_resources_have_case():
    reader = role({"Sid": "Read", "Action": "S3:get*", "Resource": f"{BATCHES}/*"})
    assert granted_by(reader, "s3:GetObjectVersion", f"{BATCHES}/1") == "Read"
    assert granted_by(reader, "s3:PutObject", f"{BATCHES}/1") is None
    assert granted_by(reader, "s3:GetObject", f"{BATCHES.upper()}/1") is None


def test_not_action_allows_all_but_what_it_names():
    reader = role({"Sid": "Most", "NotAction": ["iam:*", "s3:Delete*"], "Resource": "*"})
    assert granted_by(reader, "s3:GetObject", BATCHES) == "Most"
    assert granted_by(reader, "s3:DeleteObject", BATCHES) is None
    assert granted_by(reader, "iam:PassRole", BATCHES) is None


def test_a_deny_wins_wherever_it_stands():
    reader = role(
        {"Sid": "All", "Action": "s3:*", "Resource": "*"},
        {"Sid": "Keep", "Effect": "Deny", "Action": "s3:DeleteObject", "Resource": f"{BATCHES}/*"},
    )
    assert granted_by(reader, "s3:DeleteObject", "arn:aws:s3:::work/other") == "All"
    assert granted_by(reader, "s3:DeleteObject", f"{BATCHES}/1") is None


@pytest.mark.parametrize(
    ("account", "allowed"), [(ACCOUNT, True), (["1", ACCOUNT], True), ("1", False)]
)
def test_a_condition_on_the_account_of_the_resource_is_looked_at(account, allowed):
    own = {"StringEquals": {"aws:ResourceAccount": account}}
    reader = role({"Sid": "Own", "Action": "s3:GetObject", "Resource": "*", "Condition": own})
    assert granted_by(reader, "s3:GetObject", BATCHES) == ("Own" if allowed else None)


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        ({"Condition": {"StringLike": {"aws:ResourceAccount": "1"}}}, "StringLike aws:ResourceA"),
        ({"Condition": {"StringEquals": {"s3:prefix": "a"}}}, "StringEquals s3:prefix"),
        ({"Resource": "arn:aws:s3:::home/${aws:username}"}, "${aws:username}"),
        ({"NotResource": "*"}, "NotResource"),
        ({"NotAction": "s3:*"}, "one Action"),
    ],
)
def test_a_statement_that_is_not_understood_is_refused_by_name(odd, told):
    with pytest.raises(LocalStackError) as refused:
        role({"Sid": "Odd", "Action": "s3:GetObject", "Resource": "*", **odd})
    assert "'Odd' of the policy reads" in str(refused.value)
    assert told in str(refused.value)
