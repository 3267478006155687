"""Whether it is safe to talk to a cluster's job server, and with which token: whoever reaches it can run code there."""

import http.client
import ipaddress
import socket
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from cluster.environment import ray_token
from cluster.errors import ClusterError

HOW_TO_GUARD = (
    "start every node with RAY_AUTH_MODE=token and one token, or let the dashboard listen on localhost only and reach "
    "it through `ssh -L 8265:localhost:8265 HEAD`"
)
_TIMEOUT_S = 5


def request_headers(address: str) -> dict[str, str]:
    """What each request to the job server at http://HOST:PORT carries: the token, where it wants one.

    Raises ClusterError if nothing answers, the server is open to a network without a token, or the token is missing
    or not its own. The message never holds the token.
    """
    pieces = urlsplit(address)
    if pieces.scheme not in ("http", "https") or not pieces.hostname:
        raise ClusterError(f"--address {address}: allowed: the address of a cluster's dashboard, http://HOST:8265")
    refuse_exposed(address)
    status = _status(address, {})
    if status == 200:
        return {}
    if status not in (401, 403):
        raise ClusterError(f"--address {address}: answers with HTTP status {status}; is it a Ray dashboard?")
    found = ray_token()
    if found is None:
        raise ClusterError(
            f"--address {address}: wants a token, and there is none here; put the cluster's into ~/.ray/auth_token, or "
            "its file's path into RAY_AUTH_TOKEN_PATH"
        )
    token, place = found
    headers = {"Authorization": f"Bearer {token}"}
    if _status(address, headers) != 200:
        raise ClusterError(f"--address {address}: refuses the token of {place}; it is not this cluster's")
    return headers


def refuse_exposed(address: str) -> None:
    """Raise ClusterError if a dashboard, and so its job server, answers other machines without a token."""
    host = urlsplit(address).hostname
    try:
        open_to_all = host is not None and not _is_loopback(host) and _status(address, {}) == 200
    except ClusterError:
        return  # not even from here
    if open_to_all:
        raise ClusterError(
            f"{address}: answers without a token, so that everyone who reaches it can run code on the cluster; "
            f"{HOW_TO_GUARD}"
        )


def _status(address: str, headers: dict[str, str]) -> int:
    request = urllib.request.Request(f"{address.rstrip('/')}/api/version", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise ClusterError(
            f"--address {address}: nothing answers there ({reason}); is the head node up, and its dashboard's port "
            "reachable from here?"
        ) from None


def _is_loopback(host: str) -> bool:
    try:
        addresses = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return all(ipaddress.ip_address(address).is_loopback for address in addresses)
