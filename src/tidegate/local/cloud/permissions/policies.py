"""Decides as IAM does whether the statements of a role allow one call.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.errors import LocalStackError
from tidegate.local.cloud.identity import ACCOUNT

# The condition context of every call: all resources of the local cloud are in one account.
CONTEXT = {"aws:resourceaccount": ACCOUNT}
_KNOWN = {"Sid", "Effect", "Action", "NotAction", "Resource", "Condition"}
_WILDCARD = re.compile(r"[*?]")


@dataclass(frozen=True)
class Permission:
    """A permission that a call needs: an IAM action on the resource with an ARN."""

    action: str
    resource: str


@dataclass(frozen=True)
class Statement:
    """One statement of a policy; `name` is its Sid, or the policy's name if it has none."""

    name: str
    allows: bool
    actions: re.Pattern[str]
    excepts: bool
    resources: re.Pattern[str]

    def covers(self, permission: Permission) -> bool:
        """Return whether the statement applies to this permission."""
        named = self.actions.fullmatch(permission.action) is not None
        return named != self.excepts and self.covers_resource(permission.resource)

    def covers_resource(self, resource: str) -> bool:
        """Return whether the statement applies to this resource."""
        return self.resources.fullmatch(resource) is not None


@dataclass(frozen=True)
class Role:
    """A role of the template, with the statements of all its policies."""

    logical_id: str
    name: str
    statements: tuple[Statement, ...]

    def grant(self, permission: Permission) -> Statement | None:
        """Return the statement that allows a call; None if the call is refused."""
        covering = [one for one in self.statements if one.covers(permission)]
        if not all(one.allows for one in covering):
            return None
        return covering[0] if covering else None


def read_statements(policy: str, document: Mapping[str, Any]) -> list[Statement]:
    """Return the statements of a policy whose intrinsics are resolved.

    Statements whose condition is not met are left out.

    Raises:
        LocalStackError: the local stack does not understand a statement.
    """
    given = _as_list(document["Statement"])
    return [_read(policy, one) for one in given if _is_met(policy, one)]


def _read(policy: str, given: Mapping[str, Any]) -> Statement:
    if unknown := sorted(set(given) - _KNOWN):
        raise _not_understood(policy, given, ", ".join(unknown))
    if "Resource" not in given or ("Action" in given) == ("NotAction" in given):
        raise _not_understood(policy, given, "it needs one Action, or NotAction, and one Resource")
    actions = _as_list(given.get("Action", given.get("NotAction")))
    resources = _as_list(given["Resource"])
    if variables := [one for one in resources if "${" in one]:
        raise _not_understood(policy, given, f"the variable in {variables[0]}")
    return Statement(
        name=given.get("Sid", policy),
        allows=given["Effect"] == "Allow",
        actions=_any_of(map(_action_pattern, actions)),
        excepts="NotAction" in given,
        resources=_any_of(map(_resource_pattern, resources)),
    )


def _is_met(policy: str, given: Mapping[str, Any]) -> bool:
    met = True
    for operator, wanted in given.get("Condition", {}).items():
        for key, values in wanted.items():
            if operator != "StringEquals" or key.lower() not in CONTEXT:
                raise _not_understood(policy, given, f"the condition {operator} {key}")
            met = met and CONTEXT[key.lower()] in _as_list(values)
    return met


def _not_understood(policy: str, given: Mapping[str, Any], what: str) -> LocalStackError:
    return LocalStackError(
        f"the local stack does not understand the statement {given.get('Sid', '')!r} of the policy "
        f"{policy}: {what}. Write it with Effect, Action, Resource and StringEquals on "
        "aws:ResourceAccount, or extend tidegate/local/cloud/permissions/policies.py"
    )


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in patterns), re.DOTALL)


def _action_pattern(action: str) -> str:
    # Actions ignore case; ARNs do not.
    return f"(?i:{_fill(action, '.*', '.')})"


def _resource_pattern(resource: str) -> str:
    # A wildcard matches within one part of the ARN, unless it ends that part.
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    parts = resource.split(":")
    return ":".join(_part_pattern(part) for part in parts)


def _part_pattern(part: str) -> str:
    inner = _fill(part.removesuffix("*"), "[^:]*", "[^:]")
    return f"{inner}.*" if part.endswith("*") else inner


def _fill(text: str, many: str, one: str) -> str:
    literals = [re.escape(literal) for literal in _WILDCARD.split(text)]
    wildcards = [many if found == "*" else one for found in _WILDCARD.findall(text)]
    return literals[0] + "".join(map("".join, zip(wildcards, literals[1:], strict=True)))


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401  (one or many, as JSON has it)
    return value if isinstance(value, list) else [value]
