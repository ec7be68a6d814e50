// Vercel's AI SDK at the Responses API in two turns of one conversation, the first with
// a tool. As it does by default, it counts on what was said being kept, and names it.
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import { key, question, tell, url, weatherOf } from './telling.mjs';

globalThis.AI_SDK_LOG_WARNINGS = false;
const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey: key });
const tools = {
  get_weather: tool({
    description: 'Tell the weather of a city',
    inputSchema: z.object({ city: z.string() }),
    execute: async (input) => weatherOf(input),
  }),
};

async function converse(model, ask) {
  const messages = [{ role: 'user', content: question }];
  const said = [];
  for (const next of ['Thanks.', null]) {
    const asked = { model: openai(model), messages, tools, stopWhen: stepCountIs(3), maxRetries: 0 };
    const { text, response } = await ask(asked);
    said.push(text);
    messages.push(...response.messages, { role: 'user', content: next });
  }
  return said;
}

await tell({
  whole: (model) => converse(model, generateText),
  streamed: (model) => converse(model, async (asked) => {
    let failed;
    const result = streamText({ ...asked, onError: ({ error }) => { failed = error; } });
    await result.consumeStream();
    if (failed) throw failed;
    return { text: await result.text, response: await result.response };
  }),
});
