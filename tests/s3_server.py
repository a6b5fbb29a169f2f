"""A store for tests: a server in this process that speaks S3 on loopback, and how to reach it.

`serving` starts moto's server on a free port, and gives its address; nothing leaves the machine. Buckets and keys
live in memory and are gone with the server. It knows conditional writes (`If-None-Match`, `If-Match`).
"""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

__all__ = ["Store", "serving"]

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "tests", "AWS_DEFAULT_REGION": "us-east-1"}


class Store:
    """A running server: its address, and the environment that programs need to use it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.environment = {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": address,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def client(self) -> Any:
        """A boto3 client of it."""
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.address,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
        )

    def put(self, bucket: str, files: Mapping[str, bytes]) -> None:
        """Make a bucket, unless it is there, and put files into it, by key."""
        client = self.client()
        client.create_bucket(Bucket=bucket)
        for key, data in files.items():
            client.put_object(Bucket=bucket, Key=key, Body=data)


@contextmanager
def serving() -> Iterator[Store]:
    """Run the server, with the environment set so that s3fs and boto3 find it; skips where moto is not installed."""
    for module in ("moto", "flask", "flask_cors", "s3fs"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed: the tests of stores need the extra `dev`")
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    store = Store(f"http://{host}:{port}")
    before = {name: os.environ.get(name) for name in store.environment}
    os.environ.update(store.environment)
    _forget_connections()
    try:
        yield store
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        _forget_connections()
        server.stop()


def _forget_connections() -> None:
    """Drop the file systems that fsspec keeps: they hold the address of another test's server."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
