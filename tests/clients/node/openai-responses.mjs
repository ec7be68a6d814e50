// OpenAI's SDK at the Responses API.
import OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import {
  all, key, question, structuredQuestion, tell, url, weatherFunction, weatherOf,
} from './telling.mjs';

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
const offered = [{ type: 'function', ...weatherFunction, strict: true }];
const forecast = z.object({ city: z.string(), degrees: z.number() });

async function converse(ask) {
  const asked = [{ role: 'user', content: question }];
  const { output } = await ask(asked);
  const calls = output.filter((item) => item.type === 'function_call');
  const found = calls.map((call) => ({
    type: 'function_call_output',
    call_id: call.call_id,
    output: weatherOf(JSON.parse(call.arguments)),
  }));
  const items = output.map(({ parsed_arguments, ...item }) => item);
  return (await ask([...asked, ...items, ...found])).output_text;
}

await tell({
  async plain(model) {
    return (await client.responses.create({ model, input: question })).output_text;
  },
  async streamed(model) {
    const events = await all(await client.responses.create({ model, input: question, stream: true }));
    return events.filter((event) => event.type === 'response.output_text.delta')
      .map((event) => event.delta);
  },
  tools: (model) => converse((input) => client.responses.create({ model, input, tools: offered })),
  streamed_tools: (model) => converse((input) => client.responses
    .stream({ model, input, tools: offered }).finalResponse()),
  async structured(model) {
    const answer = await client.responses.parse({
      model, input: structuredQuestion, text: { format: zodTextFormat(forecast, 'forecast') },
    });
    return answer.output_parsed;
  },
});
