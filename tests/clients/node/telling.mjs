// What the scripts beside this one share: the weather, and how they tell.
// As JSON on standard input they are given a model's name by provider. They do each of
// their tasks with each model and print a line of JSON: what they got, or what was thrown.
import { readFileSync } from 'node:fs';

export const { GATEWAY_URL: url, GATEWAY_KEY: key } = process.env;
export const question = 'What is the weather?';
export const structuredQuestion = 'structured, please';
export const texts = ['1', '2'];
export const parameters = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
export const weatherFunction = {
  name: 'get_weather', description: 'Tell the weather of a city', parameters,
};
const degrees = { Paris: '18 degrees', Rome: '24 degrees' };
export const weatherOf = ({ city }) => degrees[city];

export async function tell(tasks) {
  const models = JSON.parse(readFileSync(0, 'utf8'));
  for (const [provider, model] of Object.entries(models)) {
    for (const [task, work] of Object.entries(tasks)) {
      const told = { provider, task };
      try {
        told.got = await work(model);
      } catch (error) {
        told.error = String(error?.stack ?? error).split('\n').slice(0, 3).join(' ');
      }
      console.log(JSON.stringify(told));
    }
  }
}

export async function all(pieces) {
  const found = [];
  for await (const piece of pieces) found.push(piece);
  return found;
}
