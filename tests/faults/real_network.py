"""Two hosts on a cable, as network namespaces of this machine; the cable can be cut."""

import os
import subprocess

HOSTS = ("left", "right")


class RealNetwork:
    """Each host reaches the other at its address until `cut`, and again after `mend`."""

    def __init__(self) -> None:
        self._prefix = f"gs{os.getpid() % 10000}"
        self.addresses = {host: f"10.231.7.{number}" for number, host in enumerate(HOSTS, start=1)}
        for host in HOSTS:
            ip("netns", "add", self._space(host))
        left, right = map(self._link, HOSTS)
        ip("link", "add", left, "type", "veth", "peer", "name", right)
        for host in HOSTS:
            ip("link", "set", self._link(host), "netns", self._space(host))
            self._on(host, "addr", "add", f"{self.addresses[host]}/24", "dev", self._link(host))
            self._on(host, "link", "set", "lo", "up")
            self._on(host, "link", "set", self._link(host), "up")

    def enter(self, host: str) -> list[str]:
        """What a command begins with that is to run on that host."""
        return ["ip", "netns", "exec", self._space(host)]

    def cut(self) -> None:
        self._on("right", "link", "set", self._link("right"), "down")

    def mend(self) -> None:
        self._on("right", "link", "set", self._link("right"), "up")

    def remove(self) -> None:
        for host in HOSTS:
            ip("netns", "del", self._space(host))

    def _on(self, host: str, *arguments: str) -> None:
        ip("-n", self._space(host), *arguments)

    def _space(self, host: str) -> str:
        return f"{self._prefix}{host}"

    def _link(self, host: str) -> str:
        return f"{self._prefix}{host[0]}"


def ip(*arguments: str) -> None:
    """The command of that name; fails with what it says."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"
