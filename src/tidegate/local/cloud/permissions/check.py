"""Stands before the services of the cloud and refuses what a role may not do, as AWS does."""

import re

from werkzeug.wrappers import Request, Response

from tidegate.local.cloud.permissions.needs import read_needs
from tidegate.local.cloud.permissions.refusals import refuse
from tidegate.local.cloud.permissions.roles import Roles

# https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/]+)/\d+/[^/]+/(?P<service>[^/]+)/aws4_request")


class PermissionCheck:
    """Answers the requests of roles that are refused; leaves everything else to the next.

    The access key of a role is its name. Whoever comes with another key may do everything.
    """

    def __init__(self, roles: Roles) -> None:
        self._roles = roles

    def answer(self, request: Request) -> Response | None:
        """The refusal of a request, None to one that is allowed."""
        key, service = read_signature(request)
        if self._roles.find(key) is None:
            return None
        message = self._roles.refuse(key, read_needs(service, request))
        if message is None:
            return None
        request.get_data(cache=False)  # who is refused has sent it all the same
        return refuse(service, request, message)


def read_signature(request: Request) -> tuple[str, str]:
    """The access key that signs a request, and the service it is for; both empty if none does."""
    signed = _CREDENTIAL.search(request.headers.get("Authorization", ""))
    return (signed["key"], signed["service"]) if signed else ("", "")
