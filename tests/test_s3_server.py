"""The store that tests use behaves as S3 does where copydesk relies on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.s3_server import Store, serving


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """A server of its own."""
    with serving() as running:
        yield running


def test_what_is_put_is_read_by_url(store: Store) -> None:
    """The server is found by the environment, lists and gives back what it holds; each write has an ETag of its own."""
    import fsspec

    store.put("shelf", {"a/one.txt": b"one", "a/two.txt": b"two"})
    files, _ = fsspec.url_to_fs("s3://shelf/a")
    found = files.find("shelf/a", detail=True)
    assert {name: facts["size"] for name, facts in found.items()} == {"shelf/a/one.txt": 3, "shelf/a/two.txt": 3}
    assert files.cat_file("shelf/a/two.txt") == b"two"
    assert len({facts["ETag"] for facts in found.values()}) == 2


def test_a_condition_that_does_not_hold_refuses_the_write(store: Store) -> None:
    """If-None-Match and If-Match answer 412, and what was there stays."""
    from botocore.exceptions import ClientError

    store.put("conditions", {"key": b"first"})
    client = store.client()
    for condition in ({"IfNoneMatch": "*"}, {"IfMatch": '"0123"'}):
        with pytest.raises(ClientError) as refused:
            client.put_object(Bucket="conditions", Key="key", Body=b"second", **condition)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert client.get_object(Bucket="conditions", Key="key")["Body"].read() == b"first"
    tag = client.head_object(Bucket="conditions", Key="key")["ETag"]
    client.put_object(Bucket="conditions", Key="key", Body=b"second", IfMatch=tag)
    assert client.get_object(Bucket="conditions", Key="key")["Body"].read() == b"second"
