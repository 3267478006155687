"""What the connected cluster's autoscaler says: Ray's second version of it, which KubeRay and `ray up` start."""

from collections import Counter


def has_autoscaler() -> bool:
    """Whether nodes are started where trials wait for them."""
    from ray.autoscaler.v2.utils import is_autoscaler_v2

    return bool(is_autoscaler_v2(fetch_from_server=True))


def nodes_on_their_way() -> Counter[str]:
    """How many nodes of which type it is starting."""
    import ray
    from ray.autoscaler.v2.sdk import get_cluster_status

    status = get_cluster_status(ray.get_runtime_context().gcs_address)
    coming = Counter(node.ray_node_type_name for node in status.pending_nodes)
    for launch in status.pending_launches:
        coming[launch.ray_node_type_name] += launch.count
    return coming


def says_impossible(bundle: dict[str, float]) -> bool:
    """Whether it has no type of node that could hold a bundle which waits right now."""
    from ray.core.generated.autoscaler_pb2 import GetClusterStatusReply
    from ray.experimental.internal_kv import internal_kv_get_gcs_client

    # Ray's own view of the status leaves out what is impossible.
    reply = GetClusterStatusReply()
    reply.ParseFromString(internal_kv_get_gcs_client().get_cluster_status())
    return any(
        dict(request.resources_bundle) == bundle
        for gang in reply.autoscaling_state.infeasible_gang_resource_requests
        for request in gang.requests
    )
