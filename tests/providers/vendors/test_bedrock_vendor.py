"""Amazon Bedrock: its regions, and where its models are listed."""

import pytest

from providers.vendors import bedrock


@pytest.mark.parametrize(
    ("endpoint", "plane"),
    [
        (
            "https://bedrock-runtime.us-east-1.amazonaws.com",
            "https://bedrock.us-east-1.amazonaws.com:443",
        ),
        (
            "https://bedrock-runtime-fips.us-east-1.amazonaws.com",
            "https://bedrock-fips.us-east-1.amazonaws.com:443",
        ),
        (
            "https://bedrock-runtime.cn-north-1.amazonaws.com.cn",
            "https://bedrock.cn-north-1.amazonaws.com.cn:443",
        ),
        (
            "https://vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com",
            "https://vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com",
        ),
        ("http://127.0.0.1:4566", "http://127.0.0.1:4566"),
    ],
)
def test_bedrocks_models_are_listed_by_another_host(endpoint, plane):
    assert bedrock.control_plane(endpoint) == plane


@pytest.mark.parametrize(
    ("endpoint", "region"),
    [
        ("https://bedrock-runtime.eu-west-1.amazonaws.com", "eu-west-1"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        (
            "https://vpce-1-x.bedrock-runtime.us-east-1.vpce.amazonaws.com",
            "us-east-1",
        ),
        ("https://bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("https://api.openai.com", ""),
        ("https://[::1", ""),
    ],
)
def test_the_region_is_read_from_an_aws_address(endpoint, region):
    assert bedrock.region_of(endpoint) == region
