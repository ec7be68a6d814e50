"""LangChain's embeddings, told to send texts and not token ids."""

import telling
from langchain_openai import OpenAIEmbeddings


def embeddings(model: str) -> list[list[float]]:
    made = OpenAIEmbeddings(
        model=model,
        base_url=f"{telling.URL}/v1",
        api_key=telling.KEY,
        max_retries=0,
        check_embedding_ctx_length=False,
    )
    return made.embed_documents(telling.TEXTS)


telling.tell(embeddings=embeddings)
