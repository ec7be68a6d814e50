// Anthropic's SDK at the Messages API.
import Anthropic from '@anthropic-ai/sdk';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { z } from 'zod';
import {
  all, key, parameters, question, structuredQuestion, tell, url, weatherOf,
} from './telling.mjs';

const client = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 });
const offered = [{
  name: 'get_weather', description: 'Tell the weather of a city', input_schema: parameters,
}];
const forecast = z.object({ city: z.string(), degrees: z.number() });
const asked = [{ role: 'user', content: question }];
const max_tokens = 1000;

const textOf = (message) => message.content.filter((block) => block.type === 'text')
  .map((block) => block.text).join('');

async function converse(ask) {
  const first = await ask(asked);
  const calls = first.content.filter((block) => block.type === 'tool_use');
  const found = calls.map((block) => ({
    type: 'tool_result', tool_use_id: block.id, content: weatherOf(block.input),
  }));
  return textOf(await ask([
    ...asked,
    { role: 'assistant', content: first.content },
    { role: 'user', content: found },
  ]));
}

await tell({
  async plain(model) {
    return textOf(await client.messages.create({ model, max_tokens, messages: asked }));
  },
  async streamed(model) {
    const events = await all(client.messages.stream({ model, max_tokens, messages: asked }));
    return events.filter((event) => event.delta?.type === 'text_delta')
      .map((event) => event.delta.text);
  },
  tools: (model) => converse((messages) => client.messages
    .create({ model, max_tokens, messages, tools: offered })),
  streamed_tools: (model) => converse((messages) => client.messages
    .stream({ model, max_tokens, messages, tools: offered }).finalMessage()),
  async structured(model) {
    const answer = await client.messages.parse({
      model,
      max_tokens,
      messages: [{ role: 'user', content: structuredQuestion }],
      output_config: { format: zodOutputFormat(forecast) },
    });
    return answer.parsed_output;
  },
});
