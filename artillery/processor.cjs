// What the scenarios have in common: how long they ask, and what they count. Each virtual user asks one question at a time
// until the steady phase ends. What is asked and answered in that phase is counted: `asked.answers`, `asked.errors.CAUSE`, and
// the histogram `asked.latency_us`. Of itself Artillery reports no latency of WebSocket messages, takes those of HTTP from a
// clock of whole milliseconds, and counts the warm-up. In µs, since it rounds to a tenth.
'use strict';

const fs = require('node:fs');
const { performance } = require('node:perf_hooks');

const TIMEOUT_MS = 10_000;
const LEAD_MS = (Number(process.env.RAMP_S) + Number(process.env.WARM_UP_S)) * 1000;
const STEADY_MS = Number(process.env.STEADY_S) * 1000;
const PAYLOAD_BYTES = Number(process.env.PAYLOAD_BYTES);
const COUNTDOWN_FROM = Number(process.env.COUNTDOWN_FROM);
const XHR_COUNT = 1000;

/** The steady phase, in ms of this thread's clock: set by the first user, since the phases begin with it. */
let begin;
let end;

function beginPhases() {
  if (begin !== undefined) return;
  begin = performance.now() + LEAD_MS;
  end = begin + STEADY_MS;
  // The harness reads at these lines what the processes have used. At once, whatever this thread has to do.
  const say = (phase) => fs.writeSync(1, `{"phase":"${phase}"}\n`);
  setTimeout(say, LEAD_MS, 'measure');
  setTimeout(say, LEAD_MS + STEADY_MS, 'drain');
}

/** What is due by the clock (`isPaced`) counts however late its answer comes: those that are latest say most. */
function count(events, sent, wrong, isPaced = false) {
  const answered = performance.now();
  if (sent < begin || (isPaced ? sent >= end : answered > end)) return;
  if (wrong) {
    events.emit('counter', `asked.errors.${wrong}`, 1);
  } else {
    events.emit('counter', 'asked.answers', 1);
    events.emit('histogram', 'asked.latency_us', (answered - sent) * 1000);
  }
}

/** The next message of a WebSocket. */
function message(socket) {
  return new Promise((resolve, reject) => {
    const settle = (how, value) => {
      clearTimeout(timer);
      socket.onmessage = socket.onclose = null;
      how(value);
    };
    const timer = setTimeout(() => settle(reject, new Error('no reply in time')), TIMEOUT_MS);
    socket.onmessage = ({ data }) => settle(resolve, data);
    socket.onclose = () => settle(reject, new Error('the connection was closed'));
  });
}

/** A virtual user that sends a message by WebSocket, waits for its reply, which has to be the right one, and sends the next. */
async function inTurn({ ws }, events, exchange) {
  beginPhases();
  for (let number = 0, sent = performance.now(); sent < end; number += 1, sent = performance.now()) {
    const [text, expected] = exchange(number);
    const reply = message(ws);
    ws.send(text);
    let wrong;
    try {
      if ((await reply) !== expected) wrong = 'another reply than the right one';
    } catch (error) {
      wrong = error.message;
    }
    count(events, sent, wrong);
    if (wrong) return;
  }
}

/** Each message is another, and each has to come back. */
async function echo(context, events) {
  return inTurn(context, events, (number) => {
    const text = `${context._uid} ${number} `.padEnd(PAYLOAD_BYTES, 'x').slice(0, PAYLOAD_BYTES);
    return [text, text];
  });
}

/** What a user's question of this number counts: down to 1 and then from the begin, or where there is none, always one and the same. */
function countOf(number) {
  return COUNTDOWN_FROM ? COUNTDOWN_FROM - (number % COUNTDOWN_FROM) : XHR_COUNT;
}

async function countdown(context, events) {
  return inTurn(context, events, (number) => {
    const counted = countOf(number);
    return [`{"count":${counted}}`, `{"count":${counted - 1}}`];
  });
}

/** Whether the loop of the xhr scenario goes on. */
function isNotOver(context, next) {
  beginPhases();
  next(performance.now() < end);
}

function beforeXhr(request, context, events, next) {
  const { vars } = context;
  vars.asked = (vars.asked ?? -1) + 1;
  vars.count = countOf(vars.asked);
  vars.sent = performance.now();
  next();
}

function afterXhr(request, response, context, events, next) {
  const { statusCode, body } = response;
  const { sent, count: counted } = context.vars;
  const wrong = statusCode === 200 ? 'another answer than the right one' : `HTTP status ${statusCode}`;
  count(events, sent, statusCode === 200 && body === `{"count":${counted - 1}}` ? undefined : wrong);
  next();
}

module.exports = { afterXhr, beforeXhr, beginPhases, count, countdown, echo, isNotOver, phases: () => ({ begin, end }) };
