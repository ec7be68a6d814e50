"""What the form says before anything is saved, and what a price is by the list."""

import pytest
from django.urls import reverse

from providers.vendors import VENDORS

pytestmark = pytest.mark.django_db


def text_of(response):
    return response.content.decode()


def preview(client, **values):
    url = f"{reverse('provider-preview')}?part=endpoint"
    posted = {"provider_type": "bedrock", "endpoint": VENDORS["bedrock"].endpoint}
    return text_of(client.post(url, posted | values))


@pytest.mark.parametrize(
    ("region", "words"),
    [
        ("us-moon-1", "is not known to be in us-moon-1."),
        ("us-eats-1", "Did you mean us-east-1?"),
    ],
)
def test_a_region_that_nobody_knows_is_told_beside_the_address(
    logged_in_client, region, words
):
    assert words in preview(logged_in_client, region=region)


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", ""])
def test_a_known_region_is_nothing_to_speak_of(logged_in_client, region):
    assert "not known to be" not in preview(logged_in_client, region=region)


def test_types_without_regions_have_nothing_to_say_of_them(logged_in_client):
    page = preview(logged_in_client, provider_type="openai", region="us-moon-1")
    assert "not known to be" not in page


def test_no_requests_a_minute_are_explained(logged_in_client):
    url = f"{reverse('provider-field')}?field=requests_per_minute"
    page = text_of(logged_in_client.post(url, {"requests_per_minute": "0"}))
    assert "Less than 1 would refuse every call. Leave it empty for no limit" in page


@pytest.mark.parametrize("kind", VENDORS)
def test_each_type_says_what_its_endpoint_is(logged_in_client, kind):
    page = text_of(logged_in_client.get(f"{reverse('provider-create')}?type={kind}"))
    help_text = str(VENDORS[kind].endpoint_help)
    assert help_text
    assert help_text.replace("'", "&#x27;") in page


def test_an_empty_price_shows_the_list_price(logged_in_client, provider):
    row = provider(endpoint="https://api.openai.com", models=("gpt-4o-mini", "own"))
    page = text_of(logged_in_client.get(f"{row.get_absolute_url()}?tab=models"))
    assert 'placeholder="0.15"' in page
    assert 'placeholder="0.6"' in page
    assert 'placeholder="list"' in page
