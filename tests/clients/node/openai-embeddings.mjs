// OpenAI's SDK at embeddings, which asks for base64 by default.
import OpenAI from 'openai';
import { key, tell, texts, url } from './telling.mjs';

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });

await tell({
  async embeddings(model) {
    const answer = await client.embeddings.create({ model, input: texts });
    return answer.data.map((each) => each.embedding);
  },
});
