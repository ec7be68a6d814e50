// Vercel's AI SDK; the first argument says with which provider of its own.
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { embedMany, generateText, Output, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import {
  all, key, question, structuredQuestion, tell, texts, url, weatherOf,
} from './telling.mjs';

globalThis.AI_SDK_LOG_WARNINGS = false;
const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey: key });
const anthropic = createAnthropic({ baseURL: `${url}/v1`, apiKey: key });
const through = process.argv[2];
const make = { responses: openai, chat: openai.chat, messages: anthropic }[through];
const tools = {
  get_weather: tool({
    description: 'Tell the weather of a city',
    inputSchema: z.object({ city: z.string() }),
    execute: async (input) => weatherOf(input),
  }),
};
const forecast = z.object({ city: z.string(), degrees: z.number() });
const converse = { tools, prompt: question, stopWhen: stepCountIs(3) };
const asking = (model, more) => ({ model: make(model), maxRetries: 0, ...more });

// What a stream throws is only told here.
async function streaming(model, more) {
  let failed;
  const result = streamText(asking(model, {
    ...more, onError: ({ error }) => { failed = error; },
  }));
  const pieces = await all(result.textStream);
  if (failed) throw failed;
  return pieces;
}

await tell(through === 'embeddings' ? {
  async embeddings(model) {
    return (await embedMany({
      model: openai.embeddingModel(model), values: texts, maxRetries: 0,
    })).embeddings;
  },
} : {
  plain: async (model) => (await generateText(asking(model, { prompt: question }))).text,
  streamed: (model) => streaming(model, { prompt: question }),
  tools: async (model) => (await generateText(asking(model, converse))).text,
  streamed_tools: async (model) => (await streaming(model, converse)).join(''),
  structured: async (model) => (await generateText(asking(model, {
    prompt: structuredQuestion, output: Output.object({ schema: forecast }),
  }))).output,
});
