// Loaded before Artillery, in its worker threads too. Whatever its telemetry's variable says, it would look up the host that it
// reports to, and wait for that: ten seconds and more without a network. It goes on without the client, so it gets none.
'use strict';

const Module = require('node:module');

const load = Module._load;
Module._load = function (request, ...rest) {
  if (request === 'posthog-node') {
    throw new Error('no telemetry here');
  }
  return load.call(this, request, ...rest);
};
