"""Ollama's own client, for embeddings."""

import ollama
import telling

client = ollama.Client(
    host=telling.URL, headers={"authorization": f"Bearer {telling.KEY}"}
)


def embeddings(model: str) -> list[list[float]]:
    answer = client.embed(model=model, input=telling.TEXTS)
    return [list(each) for each in answer.embeddings]


telling.tell(embeddings=embeddings)
