// The broadcast: each virtual user is a subscriber by WebSocket, and the first of them publishes by `POST /publish` on a
// connection of its own. Each publication carries its number and when it was due, on this process's clock; a delivery's latency
// counts from then. With PUBLICATIONS_PER_S they are due at constant intervals, without it each when the one before has
// reached everybody.
'use strict';

const http = require('node:http');
const { performance } = require('node:perf_hooks');
const { setTimeout: sleep } = require('node:timers/promises');

const { beginPhases, count, phases } = require('./processor.cjs');

const PAYLOAD_BYTES = Number(process.env.PAYLOAD_BYTES);
const PER_S = Number(process.env.PUBLICATIONS_PER_S);
const WARM_UP_MS = Number(process.env.WARM_UP_S) * 1000;
/** How long deliveries are waited for: those under way at the end, and in closed loop each. */
const PATIENCE_MS = 2000;

let subscribers = 0;
let published = 0;
/** Deliveries of the latest publication that are yet to come, and who waits for them. */
let missing = 0;
let reached = () => {};

const textOf = (number, dueUs) => `${number} ${dueUs} `.padEnd(PAYLOAD_BYTES, 'x');

/** A subscriber. */
async function broadcast(context, events) {
  beginPhases();
  const { ws } = context;
  let next;
  ws.onmessage = ({ data }) => {
    const { number, due, wrong } = heard(data, next);
    count(events, due, wrong, PER_S > 0);
    next = number + 1;
    missing -= number === published - 1;
    if (missing === 0) reached();
  };
  subscribers += 1;
  if (subscribers === 1) await publish(events, context.vars.target);
  else await sleep(phases().end - performance.now());
  const deadline = performance.now() + PATIENCE_MS;
  while (next !== published && performance.now() < deadline) await sleep(10);
  if (next !== published) events.emit('counter', 'asked.errors.publications that did not come', published - (next ?? 0));
}

/** What a delivery says, and what is wrong with it: it has to be the next one, as it was published. */
function heard(data, next) {
  let text;
  try {
    text = String(JSON.parse(data).data);
  } catch {
    text = '';
  }
  const [number, dueUs] = text.split(' ').map(Number);
  const due = dueUs / 1000;
  if (text !== textOf(number, dueUs)) return { number, due: performance.now(), wrong: 'another publication than what was published' };
  const inOrder = next === undefined || number === next;
  return { number, due, wrong: inOrder ? undefined : 'a publication out of order' };
}

/** Publishes from when all subscribers have come until the end. */
async function publish(events, target) {
  const { begin, end } = phases();
  const url = new URL('/publish', target.replace(/^ws/, 'http'));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const first = begin - WARM_UP_MS;
  for (let due = first; due < end; due = PER_S ? first + (published * 1000) / PER_S : performance.now()) {
    // A timer may fire up to a millisecond early.
    for (let early = due - performance.now(); early > 0; early = due - performance.now()) await sleep(early);
    missing = subscribers;
    const all = new Promise((resolve) => { reached = resolve; });
    published += 1;
    const wrong = await post(url, agent, textOf(published - 1, Math.round(due * 1000)));
    if (wrong) {
      events.emit('counter', `asked.errors.${wrong}`, 1);
      break;
    }
    if (!PER_S) await Promise.race([all, sleep(PATIENCE_MS, undefined, { ref: false })]);
  }
  agent.destroy();
}

/** What went wrong, if anything did. */
function post(url, agent, text) {
  return new Promise((resolve) => {
    const request = http.request(url, { method: 'POST', agent }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 202 ? undefined : `HTTP status ${response.statusCode}`));
    });
    request.on('error', ({ code }) => resolve(`publishing: ${code}`));
    request.end(text);
  });
}

module.exports = { broadcast };
