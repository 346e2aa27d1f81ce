"""A Ray cluster of several nodes on this machine, with a token of its own."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec

import pytest

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")
# One token for a process: Ray reads it once.
TOKEN = secrets.token_hex(32)
SETTINGS = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN, "RAY_USAGE_STATS_ENABLED": "0"}


class LocalCluster:
    """A head, with CPUs or none, and nodes of one CPU each, which can be killed."""

    def __init__(self, nodes: int, head_cpus: int) -> None:
        from ray.cluster_utils import Cluster

        head = {"num_cpus": head_cpus, "include_dashboard": False}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.nodes = [self.cluster.add_node(num_cpus=1) for _ in range(nodes)]

    @property
    def address(self) -> str:
        """HOST:PORT of the head."""
        return self.cluster.address

    def kill(self, identity: str) -> None:
        """Kill all processes of a node at once, and begin another in its place."""
        (node,) = (each for each in self.nodes if each.node_id == identity)
        self.nodes.remove(node)
        self.cluster.remove_node(node, allow_graceful=False)
        self.nodes.append(self.cluster.add_node(num_cpus=1))

    def close(self) -> None:
        """End all nodes."""
        with suppress(Exception):
            self.cluster.shutdown()


@contextmanager
def local_cluster(nodes: int = 2, head_cpus: int = 0) -> Iterator[LocalCluster]:
    """A cluster in which this process and those that it starts are let in."""
    before = dict(os.environ)
    os.environ.update(SETTINGS)
    made = LocalCluster(nodes, head_cpus)
    try:
        yield made
    finally:
        made.close()
        os.environ.clear()
        os.environ.update(before)
