// OpenAI's SDK at chat completions.
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import {
  all, key, question, structuredQuestion, tell, url, weatherFunction, weatherOf,
} from './telling.mjs';

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
const offered = [{ type: 'function', function: weatherFunction }];
const forecast = z.object({ city: z.string(), degrees: z.number() });
const asked = [{ role: 'user', content: question }];

async function converse(ask) {
  const first = await ask(asked);
  const found = first.tool_calls.map((call) => ({
    role: 'tool',
    tool_call_id: call.id,
    content: weatherOf(JSON.parse(call.function.arguments)),
  }));
  return (await ask([...asked, first, ...found])).content;
}

await tell({
  async plain(model) {
    const answer = await client.chat.completions.create({ model, messages: asked });
    return answer.choices[0].message.content;
  },
  async streamed(model) {
    const stream = await client.chat.completions.create({ model, messages: asked, stream: true });
    const chunks = await all(stream);
    return chunks.map((chunk) => chunk.choices[0]?.delta.content).filter(Boolean);
  },
  tools: (model) => converse(async (messages) => {
    const answer = await client.chat.completions.create({ model, messages, tools: offered });
    return answer.choices[0].message;
  }),
  streamed_tools: (model) => converse((messages) => client.chat.completions
    .stream({ model, messages, tools: offered }).finalMessage()),
  async structured(model) {
    const answer = await client.chat.completions.parse({
      model,
      messages: [{ role: 'user', content: structuredQuestion }],
      response_format: zodResponseFormat(forecast, 'forecast'),
    });
    return answer.choices[0].message.parsed;
  },
});
