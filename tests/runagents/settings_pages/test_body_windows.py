"""Prompts and answers are kept for a time, switched in the console."""

from datetime import timedelta

import pytest
from django.utils import timezone

from providers.models import BodyWindow, RegistryVersion

URL = "/settings/gateway/bodies/"
PAGE = "/settings/gateway/"


def test_a_time_is_begun_and_ended(logged_in_client, provider):
    provider("openai")
    before = RegistryVersion.current()
    answer = logged_in_client.post(
        URL, {"minutes": "60", "caller": "clerk", "provider": "openai"}
    )
    assert answer.status_code == 302
    window = BodyWindow.objects.get()
    assert timedelta(minutes=59) < window.ends_at - timezone.now() <= timedelta(hours=1)
    assert RegistryVersion.current() > before
    page = logged_in_client.get(PAGE).content.decode()
    assert "clerk to openai" in page
    logged_in_client.post(f"{URL}{window.pk}/end/")
    assert "Nothing is kept that way" in logged_in_client.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("field", "value"), [("minutes", "100000"), ("minutes", ""), ("provider", "nope")]
)
def test_a_mistake_is_told_at_its_field(logged_in_client, db, field, value):
    answer = logged_in_client.post(URL, {"minutes": "15", field: value})
    assert answer.status_code == 422
    assert field in answer.context["body_form"].errors
    assert not BodyWindow.objects.exists()
