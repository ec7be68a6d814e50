// What an agent does with Vercel's AI SDK, once per model and once per recorded
// conversation, which standard input brings; prints what it got as JSON.
import { isDeepStrictEqual } from 'node:util';
import { readFileSync } from 'node:fs';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, jsonSchema, Output, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

const { BASE_URL: baseURL, API_KEY: apiKey } = process.env;
const { scripted, recorded } = JSON.parse(readFileSync(0, 'utf8'));
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

async function streamedConversation(model) {
  const result = streamText({ model, tools, prompt, stopWhen: stepCountIs(5) });
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

// The results of a recording, each given once to the call that it answered.
function recordedTools({ tools: kept, results }) {
  const left = [...results];
  const execute = (name) => async (input) => {
    const at = left.findIndex((each) => isDeepStrictEqual(each.call, [name, input]));
    return left.splice(at, 1)[0].result;
  };
  return Object.fromEntries(kept.map(({ function: { name, description, parameters } }) => [
    name, tool({ description, inputSchema: jsonSchema(parameters), execute: execute(name) }),
  ]));
}

async function again(kept) {
  const asked = { model: gateway(kept.model), prompt: kept.question };
  if (kept.tools.length) {
    Object.assign(asked, { tools: recordedTools(kept), stopWhen: stepCountIs(5) });
  }
  if (kept.structured) {
    asked.output = kept.schema
      ? Output.object({ schema: jsonSchema(kept.schema) }) : Output.json();
  }
  const pieces = [];
  const result = kept.streams ? streamText(asked) : await generateText(asked);
  if (kept.streams) for await (const piece of result.textStream) pieces.push(piece);
  const steps = await result.steps;
  return {
    pieces,
    texts: steps.map((step) => step.text),
    calls: steps[0].toolCalls.map((call) => [call.toolName, call.input]),
    finishReason: await result.finishReason,
    usage: steps.map(({ usage }) => [usage.inputTokens, usage.outputTokens]),
    output: kept.structured ? await result.output : null,
  };
}

const told = {};
for (const id of scripted.streamedTools) {
  told[id] = { ...told[id], streamedConversation: await streamedConversation(gateway(id)) };
}
for (const id of scripted.structured) {
  told[id] = { ...told[id], structured: await structured(gateway(id)) };
}
for (const kept of recorded) told[kept.model] = await again(kept);
console.log(JSON.stringify(told));
