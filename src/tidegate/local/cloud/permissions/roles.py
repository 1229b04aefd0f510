"""The roles of a deployment: checks each of their calls against their policies and records it."""

import json
import threading
from collections.abc import Iterable
from pathlib import Path

from tidegate.local.cloud.journal import Journal
from tidegate.local.cloud.permissions.policies import Permission, Role, Statement
from tidegate.local.cloud.permissions.refusals import describe


class Roles:
    """Decides whether roles may make their calls, and records the decisions as JSON lines.

    A line has the role, the action, the statement that allowed it and the first resource it was
    used on. The line of a refused call has no statement. Each combination of role, action and
    statement is recorded once, so the file stays as small as the template.
    """

    def __init__(self, record: Path, journal: Journal) -> None:
        self.record = record
        self._journal = journal
        self._by_name: dict[str, Role] = {}
        self._written: set[tuple[str, str, str | None]] = set()
        self._lock = threading.Lock()

    def deploy(self, roles: Iterable[Role]) -> None:
        """Check the calls of `roles` from now on."""
        self._by_name = {role.name: role for role in roles}
        self.record.touch()

    def find(self, name: str) -> Role | None:
        """Return the role with that name or ARN; None if unknown: then every call is allowed."""
        return self._by_name.get(name.rpartition("/")[2])

    def refuse(self, name: str, needs: Iterable[Permission]) -> str | None:
        """Return why the role may not do all of `needs`, None if it may; `name` may be an ARN."""
        role = self.find(name)
        if role is None:
            return None
        for permission in needs:
            statement = role.grant(permission)
            self._write_once(role, permission, statement)
            if statement is None:
                return describe(role, permission)
        return None

    def _write_once(self, role: Role, used: Permission, statement: Statement | None) -> None:
        by = statement.name if statement else None
        seen = (role.logical_id, used.action, by)
        if seen in self._written:
            return
        with self._lock:
            if seen in self._written:
                return
            self._written.add(seen)
            line = {
                "role": role.logical_id,
                "action": used.action,
                "resource": used.resource,
                "statement": by,
            }
            if by is None:
                line["remedy"] = advise(role, used)
                self._journal.say(
                    role.logical_id, f"{used.action} is refused; {line['remedy']}", failed=True
                )
            with self.record.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


def advise(role: Role, refused: Permission) -> str:
    """Say where in the template to allow the refused action."""
    near = [one for one in role.statements if one.allows and one.covers_resource(refused.resource)]
    narrow = [one.name for one in near if not one.covers_resource("")]  # leaves out Resource: "*"
    if narrow:
        return f"add {refused.action} to the statement {narrow[0]} of {role.logical_id}"
    return f"give {role.logical_id} a statement with {refused.action} on {refused.resource}"
