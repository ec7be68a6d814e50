"""The Playground LLM is made once, moves with the settings and respects edits."""

import pytest

from providers import starter
from providers.models import ModelProvider, RegistryVersion, Secret

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_platform_key(settings):
    settings.PLAYGROUND_LLM_API_KEY = ""
    settings.LISTEN_HOST = "127.0.0.1"
    settings.LISTEN_PORT = 8000


def test_without_a_platform_key_it_is_the_sandbox():
    provider = starter.add_playground_llm()
    assert provider.name == "playground-llm"
    assert provider.provider_type == "openai"
    assert provider.endpoint == "http://127.0.0.1:8000/sandbox"
    assert provider.private_network
    assert [m.model_id for m in provider.provider_models.all()] == ["gpt-4o-mini"]
    assert provider.credentials()["api_key"] == starter.sandbox_key()
    assert starter.is_sandbox(provider)


def test_with_a_platform_key_it_is_openai(settings):
    settings.PLAYGROUND_LLM_API_KEY = "sk-platform-0123456789"
    provider = starter.add_playground_llm()
    assert provider.endpoint == "https://api.openai.com"
    assert not provider.private_network
    assert provider.credentials()["api_key"] == "sk-platform-0123456789"
    assert not starter.is_sandbox(provider)


def test_pressing_twice_changes_nothing():
    starter.add_playground_llm()
    before = RegistryVersion.current()
    starter.add_playground_llm()
    assert RegistryVersion.current() == before
    assert ModelProvider.objects.count() == Secret.objects.count() == 1


def test_pressing_again_moves_it_to_openai_and_back(settings):
    starter.add_playground_llm().set_status("available", "ok")
    settings.PLAYGROUND_LLM_API_KEY = "sk-platform-0123456789"
    moved = starter.add_playground_llm()
    assert (moved.endpoint, moved.status) == ("https://api.openai.com", "pending")
    settings.PLAYGROUND_LLM_API_KEY = ""
    starter.add_playground_llm()
    back = ModelProvider.objects.get()
    assert back.endpoint == "http://127.0.0.1:8000/sandbox"
    assert back.credentials()["api_key"] == starter.sandbox_key()


def test_pressing_again_takes_over_a_new_platform_key(settings):
    settings.PLAYGROUND_LLM_API_KEY = "sk-platform-one-0123456789"
    starter.add_playground_llm()
    settings.PLAYGROUND_LLM_API_KEY = "sk-platform-two-0123456789"
    starter.add_playground_llm()
    stored = ModelProvider.objects.get().credentials()["api_key"]
    assert stored == "sk-platform-two-0123456789"


def test_a_key_entered_by_an_administrator_stays(settings):
    provider = starter.add_playground_llm()
    provider.endpoint = "https://api.openai.com"
    provider.secret.store({"api_key": "sk-own-key"}, provider.required_origins())
    provider.secret.save()
    provider.save()
    settings.PLAYGROUND_LLM_API_KEY = "sk-platform-0123456789"
    assert starter.add_playground_llm().credentials()["api_key"] == "sk-own-key"


def test_an_endpoint_edited_by_an_administrator_stays(settings):
    provider = starter.add_playground_llm()
    provider.endpoint = "https://llm.example.com"
    provider.save()
    settings.PLAYGROUND_LLM_API_KEY = "sk-platform-0123456789"
    assert starter.add_playground_llm().endpoint == "https://llm.example.com"


def test_models_and_limits_survive_a_move(settings):
    provider = starter.add_playground_llm()
    provider.requests_per_minute = 7
    provider.save()
    provider.provider_models.create(model_id="gpt-4o")
    settings.PLAYGROUND_LLM_API_KEY = "sk-platform-0123456789"
    moved = starter.add_playground_llm()
    assert moved.requests_per_minute == 7
    assert moved.provider_models.count() == 2


def test_a_foreign_secret_of_the_same_name_is_not_overwritten():
    other = Secret(name=starter.SECRET_NAME)
    other.store({"api_key": "sk-other"}, ["https://api.example.com:443"])
    other.save()
    assert starter.add_playground_llm().secret.name == "playground-llm-key-2"
    other.refresh_from_db()
    assert other.reveal(["https://api.example.com:443"]) == {"api_key": "sk-other"}


def test_after_deleting_the_provider_it_comes_back_with_its_secret():
    starter.add_playground_llm().delete()
    starter.add_playground_llm()
    assert Secret.objects.count() == 1


def test_the_address_follows_the_port(settings):
    starter.add_playground_llm()
    settings.LISTEN_PORT = 9100
    assert starter.refresh_sandbox_address()
    provider = ModelProvider.objects.get()
    assert provider.endpoint == "http://127.0.0.1:9100/sandbox"
    assert provider.credentials()["api_key"] == starter.sandbox_key()
    assert not starter.refresh_sandbox_address()


def test_the_key_follows_the_secret_key(settings):
    starter.add_playground_llm()
    settings.SECRET_KEY = "another-secret-key-for-this-test"
    assert starter.refresh_sandbox_address()
    stored = ModelProvider.objects.get().credentials()["api_key"]
    assert stored == starter.sandbox_key()


def test_refreshing_never_moves_it_to_openai(settings):
    starter.add_playground_llm()
    settings.PLAYGROUND_LLM_API_KEY = "sk-platform-0123456789"
    settings.LISTEN_PORT = 9100
    starter.refresh_sandbox_address()
    assert ModelProvider.objects.get().endpoint == "http://127.0.0.1:9100/sandbox"


@pytest.mark.parametrize(
    ("host", "endpoint"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000/sandbox"),
        ("::", "http://127.0.0.1:8000/sandbox"),
        ("::1", "http://[::1]:8000/sandbox"),
        ("192.168.1.20", "http://192.168.1.20:8000/sandbox"),
    ],
)
def test_the_sandbox_is_where_the_server_listens(settings, host, endpoint):
    settings.LISTEN_HOST = host
    assert starter.add_playground_llm().endpoint == endpoint
    assert starter.is_sandbox(ModelProvider.objects.get())


def test_the_sandbox_costs_nothing_and_openai_its_list_price(settings):
    model = starter.add_playground_llm().provider_models.get()
    assert (model.input_price, model.output_price) == (0, 0)
    settings.PLAYGROUND_LLM_API_KEY = "sk-platform-0123456789"
    model = starter.add_playground_llm().provider_models.get()
    assert (model.input_price, model.output_price) == (None, None)


def test_a_price_entered_by_an_administrator_stays(settings):
    starter.add_playground_llm().provider_models.update(input_price=3)
    settings.PLAYGROUND_LLM_API_KEY = "sk-platform-0123456789"
    assert starter.add_playground_llm().provider_models.get().input_price == 3
