"""The rules of the provider form, which browser, API and registry files share."""

import pytest
from django.http import QueryDict

from providers.forms.provider import EditConflict, ProviderForm
from providers.models import ModelProvider, OAuthToken, Secret

pytestmark = pytest.mark.django_db

KEY = "sk-entered-0123456789abcdef"
FLAGS = [
    "strict_params",
    "include_usage",
    "auto_cache",
    "server_web_search",
    "request_metadata",
    "structured_output",
    "fetch_images",
    "stream_tools",
    "vision",
    "audio",
    "reasoning_alias",
    "send_reasoning_content",
]


def browser(**fields):
    """What a browser posts for a new OpenAI provider, changed by `fields`."""
    posted = QueryDict(mutable=True)
    posted.update(
        {
            "name": "openai",
            "provider_type": "openai",
            "endpoint": "https://api.openai.com",
            "auth_type": "api_key",
            "header_name": "Authorization",
            "value_prefix": "Bearer ",
            "api_key": KEY,
            "models": "gpt-4o\ngpt-4o-mini",
            **fields,
        }
    )
    return posted


def saved(form):
    assert form.is_valid(), form.errors.as_json()
    return form.save()


def model_ids(provider):
    return [row.model_id for row in provider.provider_models.all()]


# --- a new provider ---


def test_a_saved_provider_is_pending_with_models_and_secret():
    provider = saved(ProviderForm(browser()))
    assert provider.status == ModelProvider.Status.PENDING
    assert model_ids(provider) == ["gpt-4o", "gpt-4o-mini"]
    assert provider.credentials() == {"api_key": KEY}


def test_the_value_prefix_keeps_its_trailing_space():
    assert saved(ProviderForm(browser())).value_prefix == "Bearer "


def test_a_pasted_operation_path_and_slashes_are_forgiven():
    form = ProviderForm(browser(endpoint="https://api.openai.com/v1/chat/completions/"))
    assert saved(form).endpoint == "https://api.openai.com"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "Enter a name"),
        ("name", "Open AI", "lower-case letters"),
        ("endpoint", "", "Enter the provider"),
        ("endpoint", "api.openai.com", "needs a scheme"),
        ("endpoint", "https://user:pw@api.openai.com", "user name or password"),
        ("endpoint", "http://api.openai.com", "Use https"),
        ("header_name", "", "Enter the header"),
        ("header_name", "Host", "cannot be set"),
        ("header_name", "bad header", "not a header name"),
        ("value_prefix", "Bärer ", "printable ASCII"),
        ("api_key", "", "Enter the API key"),
        ("api_key", "sk-a b", "holds a space"),
        ("models", "", "Enter at least one model id."),
        ("provider_type", "mistral", "not a provider type"),
        ("auth_type", "basic", "not an authentication type"),
        ("requests_per_minute", "0", "Less than 1 would refuse every call"),
        ("timeout_connect", "-1", "greater than or equal to"),
        ("option_extra_headers", "no colon", "is not of the form"),
        ("option_extra_headers", "Authorization: x", "use the secret"),
        ("option_extra_headers", "Host: x", "cannot be set"),
        ("secret", "missing", "no secret named `missing`"),
    ],
)
def test_a_mistake_is_named_at_its_field(field, value, sentence):
    form = ProviderForm(browser(**{field: value}))
    assert not form.is_valid()
    assert sentence in str(form.errors[field])


def test_a_taken_name_is_refused(provider):
    provider("openai")
    form = ProviderForm(browser())
    assert "A model provider with this name exists." in str(form.errors["name"])


def test_a_key_pasted_with_its_prefix_is_forgiven():
    provider = saved(ProviderForm(browser(api_key=f"Bearer {KEY}")))
    assert provider.credentials() == {"api_key": KEY}


def test_fields_of_other_authentications_are_ignored():
    form = ProviderForm(browser(region="nonsense", token_url="nonsense"))
    provider = saved(form)
    assert (provider.region, provider.token_url) == ("", "")


def test_a_provider_without_authentication_stores_no_secret():
    provider = saved(ProviderForm(browser(auth_type="none", header_name="")))
    assert provider.secret is None
    assert not Secret.objects.exists()


def test_the_authentication_defaults_to_that_of_the_type():
    data = browser(provider_type="ollama", endpoint="http://localhost:11434")
    del data["auth_type"]
    assert saved(ProviderForm(data)).auth_type == "none"


# --- models ---


@pytest.mark.parametrize(
    "models",
    ["a,b", "a, b\n", "a\r\nb", '["a", "b"]', ["a", "b"], [{"id": "a"}, "b"]],
)
def test_models_are_taken_as_text_or_list(models):
    form = ProviderForm.for_values({**browser().dict(), "models": models})
    assert model_ids(saved(form)) == ["a", "b"]


def test_equal_duplicates_are_merged():
    assert model_ids(saved(ProviderForm(browser(models="a,b,a")))) == ["a", "b"]


@pytest.mark.parametrize(
    ("models", "sentence"),
    [
        (["a", {"id": "a", "upstream_id": "b"}], "`a` is listed twice"),
        ([{"upstream_id": "b"}], "models[0].id must be a model id"),
        ([{"id": "a", "price": 1}], "models[0] has the unknown field `price`"),
        ([{"id": "a", "prices": {"input": -1}}], "The input price of `a`"),
        ([{"id": "a", "prices": {"input": "NaN"}}], "The input price of `a`"),
        ([{"id": "a", "prices": {"input": True}}], "The input price of `a`"),
        ([{"id": "a", "prices": {"total": 1}}], "`prices` of `a` may hold"),
        ([{"id": "a", "capabilities": {"Vision": True}}], "not a lower-case word"),
        ([{"id": "a", "capabilities": {"vision": {}}}], "The capability `vision`"),
        (["a\tb"], "`a\tb` holds a comma or control"),
        ([7], "models[0] must be a model id or an object"),
        ({"a": 1}, "Models must be a list"),
        (["x" * 513], "longer than 512"),
    ],
)
def test_a_wrong_model_is_named(models, sentence):
    form = ProviderForm.for_values({**browser().dict(), "models": models})
    assert sentence in " ".join(form.errors["models"])


@pytest.mark.parametrize(
    "pasted", ["Bearer sk-abc", "bearer  sk-abc", "Authorization: Bearer sk-abc"]
)
@pytest.mark.parametrize("prefix", ["Bearer ", ""])
def test_a_key_pasted_with_its_header_is_the_key(pasted, prefix):
    form = ProviderForm(browser(api_key=pasted, value_prefix=prefix))
    assert saved(form).credentials()["api_key"] == "sk-abc"


@pytest.mark.parametrize("models", ["My Model Q4, b", "My Model Q4\nb"])
def test_the_id_of_a_model_may_hold_a_space(models):
    form = ProviderForm(browser(models=models))
    assert model_ids(saved(form)) == ["My Model Q4", "b"]


def test_overrides_are_stored_and_kept_when_only_ids_come_back():
    override = {
        "id": "a",
        "upstream_id": "upstream-a",
        "prices": {"input": 0.15, "output": "0.6"},
        "capabilities": {"vision": True},
    }
    form = ProviderForm.for_values({**browser().dict(), "models": [override, "b"]})
    provider = saved(form)
    saved(ProviderForm(browser(models="b,a", api_key=""), instance=provider))
    row = provider.provider_models.get(model_id="a")
    assert (row.upstream_id, row.position) == ("upstream-a", 1)
    assert (str(row.input_price), str(row.output_price)) == ("0.150000", "0.600000")
    assert row.capabilities == {"vision": True}


def test_an_object_without_overrides_clears_them():
    base = browser().dict()
    provider = saved(
        ProviderForm.for_values({**base, "models": [{"id": "a", "upstream_id": "b"}]})
    )
    saved(ProviderForm.for_values({"models": [{"id": "a"}]}, provider))
    assert provider.provider_models.get().upstream_id == ""


def test_a_removed_model_is_deleted():
    provider = saved(ProviderForm(browser()))
    saved(ProviderForm(browser(models="gpt-4o", api_key=""), instance=provider))
    assert model_ids(provider) == ["gpt-4o"]


# --- secrets ---


def test_a_blank_secret_keeps_the_stored_one():
    provider = saved(ProviderForm(browser()))
    saved(ProviderForm(browser(api_key="", models="other"), instance=provider))
    assert ModelProvider.objects.get().credentials() == {"api_key": KEY}


@pytest.mark.parametrize(
    "endpoint",
    ["https://evil.example", "https://api.openai.com:8443", "http://localhost:9"],
)
def test_another_origin_asks_for_the_secret_again(endpoint):
    provider = saved(ProviderForm(browser()))
    form = ProviderForm(browser(api_key="", endpoint=endpoint), instance=provider)
    assert "Enter the API key again" in str(form.errors["api_key"])


def test_another_path_of_the_same_origin_keeps_the_secret():
    provider = saved(ProviderForm(browser()))
    data = browser(api_key="", endpoint="https://api.openai.com/other")
    assert saved(ProviderForm(data, instance=provider)).credentials()


def test_choosing_a_stored_secret_for_another_origin_is_refused():
    saved(ProviderForm(browser()))
    data = browser(
        name="other", api_key="", secret="openai-key", endpoint="https://evil.example"
    )
    form = ProviderForm(data)
    (told,) = form.errors["api_key"]
    assert "entered for https://api.openai.com and" in told
    assert "Missing is https://evil.example." in told
    assert (
        '{"origins": ["https://api.openai.com:443", "https://evil.example:443"]}'
        in told
    )


def test_a_stored_secret_is_shared_within_its_origins():
    saved(ProviderForm(browser()))
    data = browser(name="second", api_key="", secret="openai-key")
    assert saved(ProviderForm(data)).credentials() == {"api_key": KEY}
    assert Secret.objects.count() == 1


def test_entering_a_key_again_replaces_the_provider_s_own():
    provider = saved(ProviderForm(browser()))
    data = browser(api_key="sk-new", endpoint="https://new.example")
    provider = saved(ProviderForm(data, instance=provider))
    assert provider.credentials() == {"api_key": "sk-new"}
    assert Secret.objects.get().origins == ["https://new.example:443"]


def test_a_new_key_leaves_a_secret_that_others_use_alone():
    first = saved(ProviderForm(browser()))
    data = browser(name="second", api_key="", secret="openai-key")
    second = saved(ProviderForm(data))
    data = browser(name="second", api_key="sk-own")
    second = saved(ProviderForm(data, instance=second))
    assert second.credentials() == {"api_key": "sk-own"}
    assert ModelProvider.objects.get(pk=first.pk).credentials() == {"api_key": KEY}


def test_a_key_entered_for_a_chosen_shared_secret_holds_for_all_its_users():
    first = saved(ProviderForm(browser()))
    data = browser(
        name="second",
        secret="openai-key",
        api_key="sk-rotated",
        endpoint="https://b.example",
    )
    second = saved(ProviderForm(data))
    assert second.credentials() == {"api_key": "sk-rotated"}
    first = ModelProvider.objects.get(pk=first.pk)
    assert first.credentials() == {"api_key": "sk-rotated"}


def test_a_secret_without_origins_is_adopted_by_its_first_provider():
    secret = Secret(name="loose")
    secret.store({"api_key": KEY}, [])
    secret.save()
    saved(ProviderForm(browser(api_key="", secret="loose")))
    secret.refresh_from_db()
    assert secret.origins == ["https://api.openai.com:443"]


def test_a_secret_of_another_kind_is_refused():
    secret = Secret(name="oauth")
    secret.store({"client_id": "a", "client_secret": "b"}, [])
    secret.save()
    form = ProviderForm(browser(api_key="", secret="oauth"))
    assert "holds client_id, client_secret" in str(form.errors["secret"])


def test_an_undecryptable_secret_opens_and_saves(settings):
    provider = saved(ProviderForm(browser()))
    Secret.objects.update(sealed="v1:00000000:AAAA")
    provider = ModelProvider.objects.get()
    saved(ProviderForm(browser(api_key="", models="m"), instance=provider))


def test_another_authentication_does_not_inherit_the_secret():
    provider = saved(ProviderForm(browser()))
    data = browser(
        auth_type="oauth2", token_url="https://login.example/token", api_key=""
    )
    form = ProviderForm(data, instance=provider)
    assert "Enter the Client ID" in str(form.errors["client_id"])


# --- AWS ---


def bedrock(**fields):
    base = {
        "name": "bedrock",
        "provider_type": "bedrock",
        "endpoint": "https://bedrock-runtime.{region}.amazonaws.com",
        "auth_type": "aws_sigv4",
        "region": "eu-west-1",
        "api_key": "",
        "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    }
    return browser(**{**base, **fields})


def test_the_bedrock_endpoint_takes_the_region():
    provider = saved(ProviderForm(bedrock()))
    assert provider.endpoint == "https://bedrock-runtime.eu-west-1.amazonaws.com"


def test_the_default_endpoint_follows_a_changed_region():
    provider = saved(ProviderForm(bedrock()))
    data = bedrock(endpoint=provider.endpoint, region="us-west-2")
    provider = saved(ProviderForm(data, instance=provider))
    assert provider.endpoint == "https://bedrock-runtime.us-west-2.amazonaws.com"


def test_another_region_asks_for_the_keys_again():
    provider = saved(ProviderForm(bedrock()))
    data = bedrock(region="us-west-2", aws_access_key_id="", aws_secret_access_key="")
    form = ProviderForm(data, instance=provider)
    assert "again" in str(form.errors["aws_access_key_id"])


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"region": "mars"}, "region", "looks like us-east-1"),
        ({"region": ""}, "region", "Enter the AWS region."),
        ({"aws_secret_access_key": ""}, "aws_secret_access_key", "too"),
        ({"aws_access_key_id": "ASIAIOSFODNN7EXAMPLE"}, "aws_session_token", "ASIA"),
        ({"bedrock_api_key": "abc"}, "bedrock_api_key", "not both"),
        (
            {"endpoint": "https://bedrock-runtime.us-east-1.amazonaws.com"},
            "region",
            "The endpoint is in us-east-1",
        ),
    ],
)
def test_incomplete_aws_settings_are_named(fields, field, sentence):
    form = ProviderForm(bedrock(**fields))
    assert sentence in str(form.errors[field])


def test_an_address_that_cannot_be_read_is_a_mistake_to_correct():
    form = ProviderForm(bedrock(endpoint="https://[::1"))
    assert "malformed host or port" in str(form.errors["endpoint"])


# --- OAuth2 ---


def oauth2(**fields):
    base = {
        "name": "custom",
        "auth_type": "oauth2",
        "api_key": "",
        "endpoint": "https://llm.example",
        "token_url": "https://login.example/token",
        "scopes": "llm.read",
        "client_auth": "client_secret_post",
        "client_id": "console",
        "client_secret": "a-client-secret",
        "token_params": "audience=https://llm.example",
    }
    return browser(**{**base, **fields})


def test_an_oauth2_provider_is_stored_with_its_parameters():
    provider = saved(ProviderForm(oauth2()))
    assert provider.token_params == {"audience": "https://llm.example"}
    assert provider.client_auth == "client_secret_post"
    assert provider.credentials()["client_secret"] == "a-client-secret"


def test_a_changed_token_url_asks_for_the_client_secret_again():
    provider = saved(ProviderForm(oauth2()))
    data = oauth2(token_url="https://evil.example/t", client_id="", client_secret="")
    form = ProviderForm(data, instance=provider)
    assert "again" in str(form.errors["client_id"])


def test_new_client_credentials_forget_the_token():
    provider = saved(ProviderForm(oauth2()))
    token = OAuthToken(provider=provider)
    token.store({"access_token": "x"})
    token.save()
    saved(ProviderForm(oauth2(client_secret="another"), instance=provider))
    assert not OAuthToken.objects.exists()


def test_a_public_client_needs_no_secret_for_the_code_grant():
    data = oauth2(authorization_url="https://login.example/auth", client_secret="")
    assert saved(ProviderForm(data)).credentials() == {"client_id": "console"}


# --- private networks ---


def test_a_loopback_endpoint_is_marked_and_says_why():
    form = ProviderForm(browser(endpoint="http://localhost:8000"))
    assert saved(form).private_network
    assert "private network" in form.private_network_note


def test_a_public_endpoint_is_not_marked():
    form = ProviderForm(browser())
    assert not saved(form).private_network
    assert form.private_network_note == ""


def test_a_mark_set_off_explicitly_stays_off():
    values = {**browser().dict(), "endpoint": "http://localhost:8000"}
    form = ProviderForm.for_values({**values, "private_network": False})
    provider = saved(form)
    assert not provider.private_network
    saved(ProviderForm.for_values({"models": ["b"]}, provider))
    assert not provider.private_network


# --- options ---


def test_options_come_as_a_mapping_or_as_fields():
    values = {
        **browser().dict(),
        "options": {"strict_params": True, "organization": "org-1"},
        "option_strict_params": "off",
        "timeout_connect": "2.5",
        "option_extra_headers": "X-Team: red\nX-Env: test",
    }
    assert saved(ProviderForm.for_values(values)).options == {
        "strict_params": False,
        "organization": "org-1",
        "timeouts": {"connect": 2.5},
        "extra_headers": {"X-Team": "red", "X-Env": "test"},
    }


@pytest.mark.parametrize("name", FLAGS)
def test_every_flag_is_set_as_a_field_and_as_an_option(name):
    as_field = saved(ProviderForm(browser(**{f"option_{name}": "off"})))
    assert as_field.options == {name: False}
    values = {**browser(name="second").dict(), "options": {name: True}}
    assert saved(ProviderForm.for_values(values)).options == {name: True}


def test_an_emptied_field_removes_the_option_and_leaves_others():
    values = {**browser().dict(), "options": {"organization": "o", "project": "p"}}
    provider = saved(ProviderForm.for_values(values))
    data = browser(option_project="", api_key="")
    assert saved(ProviderForm(data, instance=provider)).options == {"organization": "o"}


def test_an_unknown_option_is_named():
    values = {**browser().dict(), "options": {"turbo": True}}
    form = ProviderForm.for_values(values)
    assert "Unknown option `turbo`." in str(form.errors["options"])


# --- values from the API ---


def test_presets_fill_what_the_api_leaves_out():
    form = ProviderForm.for_values(
        {
            "name": "claude",
            "provider_type": "anthropic",
            "models": ["claude-sonnet-4-20250514"],
            "api_key": KEY,
        }
    )
    provider = saved(form)
    assert provider.endpoint == "https://api.anthropic.com"
    assert (provider.header_name, provider.value_prefix) == ("x-api-key", "")


def test_a_partial_update_keeps_the_rest():
    provider = saved(ProviderForm(browser(requests_per_minute="60")))
    provider = saved(ProviderForm.for_values({"models": ["m"]}, provider))
    assert provider.requests_per_minute == 60
    assert provider.value_prefix == "Bearer "
    assert provider.credentials() == {"api_key": KEY}


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", {"a": 1}, "Must be text."),
        ("value_prefix", ["Bearer "], "Must be text."),
        ("enabled", "perhaps", "Must be true or false."),
        ("private_network", 1, "Must be true or false."),
        ("requests_per_minute", "many", "whole number"),
        ("token_params", 5, "Must map names"),
    ],
)
def test_values_of_a_wrong_type_are_refused(field, value, sentence):
    values = oauth2().dict() if field == "token_params" else browser().dict()
    form = ProviderForm.for_values({**values, field: value})
    assert sentence in str(form.errors[field])


# --- two people at once ---


def test_a_save_counts_the_version_up():
    provider = saved(ProviderForm(browser()))
    provider = saved(ProviderForm(browser(api_key=""), instance=provider))
    assert ModelProvider.objects.get().version == provider.version == 2


def test_an_edit_of_an_old_version_is_a_conflict():
    provider = saved(ProviderForm(browser()))
    saved(ProviderForm(browser(api_key=""), instance=provider))
    form = ProviderForm(
        browser(version="1", api_key=""), instance=ModelProvider.objects.get()
    )
    assert not form.is_valid()
    assert form.is_conflict


def test_overwriting_an_old_version_is_possible():
    provider = saved(ProviderForm(browser()))
    saved(ProviderForm(browser(api_key=""), instance=provider))
    data = browser(version="1", overwrite="on", api_key="", models="mine")
    provider = saved(ProviderForm(data, instance=ModelProvider.objects.get()))
    assert model_ids(provider) == ["mine"]


def test_a_save_that_lost_the_race_changes_nothing():
    provider = saved(ProviderForm(browser()))
    form = ProviderForm(browser(models="late", api_key=""), instance=provider)
    assert form.is_valid()
    ModelProvider.objects.update(version=5)
    with pytest.raises(EditConflict):
        form.save()
    assert model_ids(provider) == ["gpt-4o", "gpt-4o-mini"]


# --- drafts and pages ---


def test_a_draft_carries_typed_values_and_stores_nothing():
    form = ProviderForm(browser(name="", models=""))
    assert not form.is_valid()
    assert form.draft().credentials() == {"api_key": KEY}
    assert not Secret.objects.exists()


def test_a_draft_of_a_changed_connection_is_not_the_stored_row():
    provider = saved(ProviderForm(browser()))
    form = ProviderForm(browser(api_key="sk-other"), instance=provider)
    assert form.is_valid()
    assert form.draft().pk is None


def test_an_unchanged_draft_uses_the_stored_secret():
    provider = saved(ProviderForm(browser()))
    form = ProviderForm(browser(api_key=""), instance=provider)
    assert form.is_valid()
    assert form.draft().pk == provider.pk
    assert form.draft().credentials() == {"api_key": KEY}


def test_a_draft_never_takes_a_stored_secret_elsewhere():
    provider = saved(ProviderForm(browser()))
    data = browser(api_key="", endpoint="https://evil.example")
    assert ProviderForm(data, instance=provider).draft() is None


def test_no_stored_secret_is_rendered():
    provider = saved(ProviderForm(browser()))
    html = ProviderForm(instance=provider).as_p()
    assert KEY not in html
    assert KEY not in ProviderForm(browser(), instance=provider).as_p()


def test_models_that_another_provider_serves_are_told(provider):
    provider("first", models=("gpt-4o",))
    form = ProviderForm(browser())
    assert form.is_valid()
    told = form.shares()["gpt-4o"]
    assert (told.label, told.is_asked) == ("shared → first", True)


def test_how_calls_will_be_shared_is_told(provider):
    provider("first", models=("gpt-4o",), options={"weight": 3})
    form = ProviderForm(browser(option_weight="1"))
    assert form.is_valid()
    told = form.shares()["gpt-4o"]
    assert told.label == "shared, 1 of 4"
    assert told.meaning == "Calls are shared by weight: first 3, openai 1."


@pytest.mark.parametrize("others", [(), ("first",)])
def test_a_model_that_nobody_would_be_asked_for_is_told(provider, others):
    for name in others:
        provider(name, models=("gpt-4o",), options={"weight": 0})
    form = ProviderForm(browser(option_weight="0"))
    assert form.is_valid()
    told = form.shares()["gpt-4o"]
    assert not told.is_asked
    assert "Nobody is asked for it" in told.meaning


def test_a_changed_authentication_never_overwrites_the_shared_secret():
    first = saved(ProviderForm(browser()))
    second = saved(
        ProviderForm(browser(name="second", api_key="", secret="openai-key"))
    )
    data = oauth2(name="second", secret="openai-key")
    saved(ProviderForm(data, instance=second))
    assert ModelProvider.objects.get(pk=first.pk).credentials() == {"api_key": KEY}


def test_typed_values_are_not_put_into_a_secret_of_another_kind():
    saved(ProviderForm(browser()))
    form = ProviderForm(oauth2(secret="openai-key"))
    assert "holds api_key" in str(form.errors["secret"])


@pytest.mark.parametrize("name", ["new", "starter"])
def test_names_that_addresses_use_are_refused(name):
    assert "addresses" in str(ProviderForm(browser(name=name)).errors["name"])
