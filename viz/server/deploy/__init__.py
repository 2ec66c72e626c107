"""Several replicas of the lab behind HAProxy: on this machine, with containers, and on Kubernetes.

haproxy.cfg      the proxy; the same file for all three
proxy.py         fills in the replicas of this machine, and starts the proxy
replicas.py      `attention-lab serve --replicas N`: starts replicas and the proxy, and keeps them running
Containerfile    an image of one replica
compose.yaml     replicas, the proxy and Redis, for `podman compose` or `docker compose`
kubernetes.yaml  the same as manifests
"""
