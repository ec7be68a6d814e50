"""Clients that ask for embeddings."""

from django.utils.translation import gettext_lazy as _

from providers.models.kinds import EMBEDDING
from runagents.connect.recipes.recipe import VECTORS, Recipe

RECIPES: dict[str, Recipe] = {
    "embeddings-openai": Recipe(
        "OpenAI SDK, Python",
        VECTORS,
        door="embeddings",
        kind=EMBEDDING,
        template="""\
from openai import OpenAI

client = OpenAI(base_url="$base/v1", api_key="$key")
answer = client.embeddings.create(model=$model, input=["Hello"])
print(len(answer.data[0].embedding))
""",
        link="https://github.com/openai/openai-python",
    ),
    "embeddings-langchain": Recipe(
        "LangChain",
        VECTORS,
        door="embeddings",
        kind=EMBEDDING,
        note=_(
            "Without the last argument it sends numbers of OpenAI's tokens in place of "
            "texts, which other models cannot read."
        ),
        template="""\
from langchain_openai import OpenAIEmbeddings

embeddings = OpenAIEmbeddings(
    base_url="$base/v1",
    api_key="$key",
    model=$model,
    check_embedding_ctx_length=False,
)
print(len(embeddings.embed_query("Hello")))
""",
        link="https://docs.langchain.com/oss/python/integrations/embeddings/openai",
    ),
}
