"""A warm request asks the database nothing."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gateway.worker.registry import Registry, registry
from providers.models import WorkspaceKey


class _Unavailable:
    """Stands in for the database's driver; any use of it is a failure."""

    def __call__(self, *args: object, **kwargs: object) -> None:
        raise AssertionError("a warm request used the database")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_warm_request_makes_no_query(
    provider, upstream, gateway, chat, completion, ledger, stream
):
    provider(requests_per_minute=100)
    client = gateway(
        headers={"authorization": f"Bearer {WorkspaceKey.issue('ci').plaintext}"}
    )
    registry.load()
    if stream:
        said = b'{"choices":[{"index":0,"delta":{"content":"hi"}}]}'
        upstream(stream=[b"data: " + said + b"\n\n", b"data: [DONE]\n\n"])
    else:
        upstream(json=completion)
    with (
        CaptureQueriesContext(connection) as queries,
        connection.execute_wrapper(_Unavailable()),
    ):
        answers = [
            client.post("/v1/chat/completions", json={**chat, "stream": stream}),
            client.get("/v1/models"),
            client.post("/v1/chat/completions", json={**chat, "model": "unknown"}),
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 404]
    assert len(queries) == 0
    assert len(ledger()) == 1


def test_a_known_version_costs_one_query(provider, django_assert_num_queries):
    provider()
    own = Registry()
    own.load()
    with django_assert_num_queries(1):
        own.load()


def test_a_reload_takes_the_same_few_queries_however_many_rows(
    provider, django_assert_num_queries
):
    for number in range(5):
        provider(f"p{number}", models=tuple(f"m{number}-{i}" for i in range(5)))
        WorkspaceKey.issue(f"k{number}")
    with django_assert_num_queries(7):
        Registry().load()
