// chats.mjs BASE_URL MODEL WHAT: drives the Node SDK and prints what it saw as one JSON object. WHAT is one of the functions
// below; test_sdks.py compares. Retries are off: what weir answers is what is looked at.
import OpenAI from 'openai';

const [baseURL, model, what] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'a-key-of-the-client', maxRetries: 0, timeout: 60_000 });
const request = (prompt, tokens) => ({ model, max_tokens: tokens, messages: [{ role: 'user', content: prompt }] });

async function read(stream) {
  let text = '', chunks = 0, finish = null, usage = null;
  for await (const chunk of stream) {
    chunks += 1;
    text += chunk.choices[0]?.delta?.content ?? '';
    finish = chunk.choices[0]?.finish_reason ?? finish;
    usage = chunk.usage ?? usage;
  }
  return { text, chunks, finish, usage };
}

const wishes = {
  async plain() {
    const answer = await client.chat.completions.create(request('plain', 12));
    return { text: answer.choices[0].message.content, usage: answer.usage };
  },
  async streamed() {
    const stream = await client.chat.completions.create(
      { ...request('streamed', 12), stream: true, stream_options: { include_usage: true } });
    return read(stream);
  },
  async many() {
    const one = async (i) => (await read(await client.chat.completions.create({ ...request(`many ${i}`, 8), stream: true }))).finish;
    return { finishes: await Promise.all(Array.from({ length: 32 }, (_, i) => one(i))) };
  },
  async models() {
    return { ids: (await client.models.list()).data.map((m) => m.id) };
  },
  async left() {
    const stream = await client.chat.completions.create({ ...request('left', 4000), stream: true });
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta?.content) break;  // leaving the loop aborts the request
    }
    return { left: true };
  },
  // The pretend server resets the connection after five tokens.
  async cut() {
    return read(await client.chat.completions.create(
      { ...request('cut', 50), stream: true }, { headers: { 'x-mock-fault': 'reset_mid_stream:5' } }));
  },
  async unknown_path() {
    return client.post('/no/such/path', { body: {} });
  },
};

let seen;
try {
  seen = await wishes[what]();
} catch (error) {
  seen = { error: error.constructor.name, status: error.status ?? null, code: error.code ?? null, type: error.type ?? null,
    message: error.message, request_id: error.request_id ?? error.requestID ?? null };
}
console.log(JSON.stringify(seen));
