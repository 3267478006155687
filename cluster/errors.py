"""What can be wrong with where a sweep runs.

ClusterError
└── PreflightError   the sweep asks for something that this machine or cluster does not have
"""


class ClusterError(RuntimeError):
    """Ray cannot be reached or used as asked."""


class PreflightError(ClusterError):
    """Found before the first trial: this sweep cannot run here."""
