"""Images named by URL, for upstreams that take bytes only."""

import asyncio
import base64
import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls import images
from gateway.errors import GatewayError
from gateway.worker.capacity import Held, capacity
from providers import transport
from providers.transport.guard import Rules

URL = "/v1/chat/completions"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
OLLAMA = {"message": {"role": "assistant", "content": "A cat."}, "done": True}


def asking(url: str) -> dict:
    """Return a request with an image by URL."""
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    messages = [{"role": "user", "content": content}]
    return {"model": "llava", "messages": messages}


@pytest.fixture
def ollama(provider):
    return provider("ollama", provider_type="ollama", models=("llava",))


def serving(pictures: dict[str, httpx.Response]):
    """An internet with these pictures, and Ollama."""

    def respond(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return pictures[str(request.url)]
        return httpx.Response(200, json=OLLAMA)

    return respond


def picture(data: bytes = PNG, **headers: str) -> httpx.Response:
    return httpx.Response(200, content=data, headers=headers)


def test_an_image_is_fetched_and_sent_as_bytes(ollama, upstream, gateway):
    url = "https://example.com/cat.png"
    seen = upstream(serving({url: picture()}))
    answer = gateway().post(URL, json=asking(url))
    assert answer.json()["choices"][0]["message"]["content"] == "A cat."
    (message,) = json.loads(seen[-1].content)["messages"]
    assert message["images"] == [base64.b64encode(PNG).decode()]


def test_an_image_that_moved_is_followed(ollama, upstream, gateway):
    moved = httpx.Response(302, headers={"location": "/there.png"})
    pictures = {
        "https://example.com/here.png": moved,
        "https://example.com/there.png": picture(),
    }
    upstream(serving(pictures))
    answer = gateway().post(URL, json=asking("https://example.com/here.png"))
    assert answer.status_code == 200


def test_the_one_who_serves_an_image_learns_nothing(provider, upstream, gateway):
    provider("ollama", provider_type="ollama", models=("llava",), key="sk-of-ollama-01")
    url = "https://example.com/cat.png"
    seen = upstream(serving({url: picture()}))
    gateway().post(URL, json=asking(url))
    assert not {"authorization", "x-api-key", "via"} & seen[0].headers.keys()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(404), "its server answered 404"),
        (picture(b"x" * (5 * 1024 * 1024 + 1)), "larger than"),
        (httpx.Response(302, headers={"location": "file:///etc/passwd"}), "only http"),
        (
            httpx.Response(302, headers={"location": "https://example.com/cat.png"}),
            "more than 3 redirects",
        ),
    ],
)
def test_what_is_no_image_is_a_400_and_nothing_is_sent(
    ollama, upstream, gateway, answer, said
):
    url = "https://example.com/cat.png"
    seen = upstream(serving({url: answer}))
    response = gateway().post(URL, json=asking(url))
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "invalid_image_url")
    assert said in error["message"]
    assert all(request.method == "GET" for request in seen)


def test_what_is_no_image_is_told_in_the_words_of_its_door(ollama, upstream, gateway):
    url = "https://example.com/cat.png"
    upstream(serving({url: httpx.Response(404)}))
    part = {"type": "input_image", "image_url": url}
    asked = {"model": "llava", "input": [{"role": "user", "content": [part]}]}
    error = gateway().post("/v1/responses", json=asked).json()["error"]
    assert (error["code"], error["param"]) == ("invalid_image_url", "input")


NO_ADDRESSES = [
    "http://[::1",
    "http://127.0.0.1:99999/",
    "http://xn--/",
    "http://a..b/",
    "http://" + "a" * 70 + ".example/",
    "http://127.0.0.1:1\\@example.com/",
    "http://example.com\\.evil.example/",
    "http://",
    "http:///a.png",
    "http://\u2024/",
    "https://example.com:x/",
]


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_what_is_no_address_is_refused_in_words(ollama, gateway, url):
    response = gateway().post(URL, json=asking(url))
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid_image_url"


@pytest.mark.parametrize("location", NO_ADDRESSES)
def test_a_redirect_to_what_is_no_address_is_refused_in_words(
    ollama, upstream, gateway, location
):
    url = "https://example.com/here.png"
    moved = httpx.Response(302, headers={"location": location.encode()})
    upstream(serving({url: moved}))
    response = gateway().post(URL, json=asking(url))
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid_image_url"


@given(st.text(st.sampled_from("[]@:/\\.%-xn0a9\u00fc\u2024\0 #?") | st.characters()))
def test_no_url_is_more_than_refused(rest):
    async def unresolved(host, port):
        raise OSError("no network")

    way = transport.GuardedTransport(Rules(), unresolved)
    with transport.use(way), pytest.raises(GatewayError) as caught:
        asyncio.run(images._fetch("http://" + rest, images._Room(Held())))
    assert (caught.value.status, caught.value.code) == (400, "invalid_image_url")


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/iam",
        "http://127.0.0.1:9/a.png",
        "http://[::1]:9/a.png",
        "http://10.0.0.1/a.png",
        "http://[fd00:ec2::254]/a.png",
    ],
)
def test_addresses_within_are_never_asked(ollama, gateway, url):
    response = gateway().post(URL, json=asking(url))
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid_image_url"


def test_a_provider_may_be_set_not_to_fetch(provider, upstream, gateway):
    options = {"fetch_images": False}
    provider("ollama", provider_type="ollama", models=("llava",), options=options)
    seen = upstream(serving({}))
    response = gateway().post(URL, json=asking("https://example.com/cat.png"))
    assert response.status_code == 400
    assert seen == []


def many(count: int) -> dict:
    """Return a request with that many images by URL."""
    body = asking("https://example.com/0.png")
    (message,) = body["messages"]
    message["content"] += [
        {"type": "image_url", "image_url": {"url": f"https://example.com/{n}.png"}}
        for n in range(1, count)
    ]
    return body


def test_images_have_a_limit_together(ollama, upstream, gateway):
    large = bytes(5 * 1024 * 1024)
    urls = [f"https://example.com/{n}.png" for n in range(6)]
    upstream(serving({url: picture(large) for url in urls}))
    answer = gateway().post(URL, json=many(6))
    assert answer.status_code == 400
    assert "together" in answer.json()["error"]["message"]


def test_images_count_as_bytes_that_the_worker_holds(
    ollama, upstream, gateway, settings
):
    settings.BYTES_PER_WORKER = 10_000
    upstream(serving({"https://example.com/0.png": picture(bytes(10_000))}))
    answer = gateway().post(URL, json=many(1))
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


def test_images_that_come_together_are_stopped_together(ollama, upstream, gateway):
    part = bytes(64 * 1024)
    came = 0

    async def endless():
        nonlocal came
        for _ in range(images.MAX_BYTES // len(part)):
            came += len(part)
            yield part
            await asyncio.sleep(0)

    urls = [f"https://example.com/{n}.png" for n in range(images.MAX_IMAGES)]
    upstream(serving({url: httpx.Response(200, content=endless()) for url in urls}))
    answer = gateway().post(URL, json=many(images.MAX_IMAGES))
    assert answer.status_code == 400
    assert "together" in answer.json()["error"]["message"]
    assert came <= images.MAX_TOTAL_BYTES + len(urls) * len(part)


def test_what_images_take_is_given_back(ollama, upstream, gateway):
    upstream(serving({"https://example.com/0.png": picture(PNG + bytes(9_000))}))
    assert gateway().post(URL, json=many(1)).status_code == 200
    assert capacity.bytes_held == 0


def test_an_image_is_held_as_base64():
    held = Held()
    images._Room(held).take(9_000)
    try:
        assert held.bytes == 12_000
    finally:
        capacity.leave(held)
