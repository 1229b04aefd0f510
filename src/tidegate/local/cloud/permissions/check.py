"""Refuses calls that a role may not make, as AWS does, before the cloud's services see them."""

import re

from werkzeug.wrappers import Request, Response

from tidegate.local.cloud.permissions.needs import read_needs
from tidegate.local.cloud.permissions.refusals import refuse
from tidegate.local.cloud.permissions.roles import Roles

# https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/]+)/\d+/[^/]+/(?P<service>[^/]+)/aws4_request")


class PermissionCheck:
    """Refuses requests that a role may not make; leaves all others to the next service.

    A role's access key is its name. A caller with any other access key may do everything.
    """

    def __init__(self, roles: Roles) -> None:
        self._roles = roles

    def answer(self, request: Request) -> Response | None:
        """Return the refusal of a request, or None if the request is allowed."""
        key, service = read_signature(request)
        if self._roles.find(key) is None:
            return None
        message = self._roles.refuse(key, read_needs(service, request))
        if message is None:
            return None
        request.get_data(cache=False)  # the client sends the body even if it is refused
        return refuse(service, request, message)


def read_signature(request: Request) -> tuple[str, str]:
    """Return a request's access key and service; both are empty if the request is not signed."""
    signed = _CREDENTIAL.search(request.headers.get("Authorization", ""))
    return (signed["key"], signed["service"]) if signed else ("", "")
