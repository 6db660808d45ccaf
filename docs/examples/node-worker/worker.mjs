// Check the web addresses that tasks name, several at a time, until Ctrl-C or SIGTERM.
//
//   node worker.mjs [SLOTS]

import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const server = process.env.ROWLOCK_URL || 'http://127.0.0.1:8000';
const headers = { 'Content-Type': 'application/json' };
if (process.env.ROWLOCK_TOKEN) headers.Authorization = `Bearer ${process.env.ROWLOCK_TOKEN}`;

const slots = Number(process.argv[2] ?? 4);
const beatSeconds = 2;
const leaseSeconds = 3 * beatSeconds;
const claim = {
  worker: `${hostname()}-${process.pid}`,
  queues: ['links'],
  wait_seconds: 5,
  lease_seconds: leaseSeconds,
};

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  // Only once: a second signal ends the process as usual.
  process.once(signal, () => { stopping = true; });
}

class Permanent extends Error {}

async function check(payload, signal) {
  if (!URL.canParse(payload?.url)) throw new Permanent('the payload has no url to check');
  const began = Date.now();
  const page = await fetch(payload.url, { signal });
  const bytes = (await page.arrayBuffer()).byteLength;
  return { status: page.status, bytes, milliseconds: Date.now() - began };
}

async function post(path, body, timeoutSeconds) {
  const answer = await fetch(server + path, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutSeconds * 1000),
  });
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text);
  throw Object.assign(new Error(`${answer.status} ${text}`), { status: answer.status });
}

// What fetch throws names the reason in its cause.
const reason = (error) => error.cause?.message || error.cause?.code || error.message;

// Do the work of one lease; how it ended.
async function run({ lease_id, task }) {
  const taken = new AbortController();
  const began = Date.now();
  const beating = setInterval(async () => {
    const progress = { seconds: Math.round((Date.now() - began) / 1000) };
    try {
      await post(`/leases/${lease_id}/heartbeat`, { progress }, beatSeconds);
    } catch (error) {
      console.error(`heartbeat: ${reason(error)}`);
      // Cancelled, deleted or timed out. After any other error the next one may get through.
      if ([404, 409].includes(error.status)) taken.abort(error);
    }
  }, beatSeconds * 1000);
  try {
    return { lease_id, outcome: 'complete', result: await check(task.payload, taken.signal) };
  } catch (error) {
    return {
      lease_id,
      outcome: 'fail',
      error: reason(error).slice(0, 1000),
      retryable: !(error instanceof Permanent),
    };
  } finally {
    clearInterval(beating);
  }
}

async function slot() {
  let items = [];
  while (items.length > 0 || !stopping) {
    let answer;
    try {
      // Ends the task that was worked on and takes the next one, in one call.
      answer = await post('/leases/finish', { items, claim: stopping ? null : claim }, 20);
    } catch (error) {
      if (error.status < 500 && ![408, 429].includes(error.status)) throw error;
      console.error(`trying again: ${reason(error)}`);
      await sleep(2000);
      continue; // with the same items: what has arrived is answered the same again
    }
    for (const { status, detail } of answer.items) {
      if (status !== 200) console.error(detail);
    }
    items = await Promise.all(answer.leases.map(run));
  }
}

await Promise.all(Array.from({ length: slots }, slot));
