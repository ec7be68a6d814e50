// What an agent does with Vercel's AI SDK, once per model; prints what it got as JSON.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, Output, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

const { BASE_URL: baseURL, API_KEY: apiKey, MODELS: models } = process.env;
const gateway = createOpenAICompatible({ name: 'gateway', baseURL, apiKey });
const degrees = { Paris: '18 degrees', Rome: '24 degrees' };
const tools = {
  get_weather: tool({
    description: 'Tell the weather of a city',
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => degrees[city],
  }),
};
const prompt = 'What is the weather?';
const forecast = z.object({ city: z.string(), degrees: z.number() });

async function conversation(model) {
  const { text, steps, finishReason, totalUsage } = await generateText({
    model, tools, prompt, stopWhen: stepCountIs(5),
  });
  const calls = steps[0].toolCalls.map((call) => call.input);
  return { text, calls, finishReason, tokens: totalUsage.totalTokens };
}

async function streamedConversation(model) {
  const result = streamText({ model, tools, prompt, stopWhen: stepCountIs(5) });
  const pieces = [];
  for await (const piece of result.textStream) pieces.push(piece);
  return { pieces, finishReason: await result.finishReason };
}

async function stream(model) {
  const result = streamText({ model, prompt });
  const pieces = [];
  for await (const piece of result.textStream) pieces.push(piece);
  return { pieces, finishReason: await result.finishReason };
}

async function structured(model) {
  const { output } = await generateText({
    model, prompt: 'structured, please', output: Output.object({ schema: forecast }),
  });
  return output;
}

const told = {};
for (const id of models.split(' ')) {
  const model = gateway(id);
  told[id] = {
    conversation: await conversation(model),
    streamedConversation: await streamedConversation(model),
    stream: await stream(model),
    structured: await structured(model),
  };
}
console.log(JSON.stringify(told));
