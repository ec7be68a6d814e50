"""OpenAI's SDK at embeddings, which asks for base64 by default."""

import openai
import telling

client = openai.OpenAI(base_url=f"{telling.URL}/v1", api_key=telling.KEY, max_retries=0)


def embeddings(model: str) -> list[list[float]]:
    answer = client.embeddings.create(model=model, input=telling.TEXTS)
    return [each.embedding for each in answer.data]


telling.tell(embeddings=embeddings)
