// Preloaded into a process (node --import): sends it SIGNAL at the SIGNAL_AT-th packet that it decrypts, from 1. Both may
// be lists: `SIGTERM,SIGINT` at `10,20`. A thread goes on when the main thread has had the signal: the kernel makes one of
// two equal signals that are pending, and may turn the order of others round.
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';

const HAD = 'signals that the main thread has had';
const signals = process.env.SIGNAL.split(',');
const at = new Map(process.env.SIGNAL_AT.split(',').map((nth, i) => [Number(nth), i]));

if (isMainThread) countSignals();
const had = getEnvironmentData(HAD);

const { createDecipheriv } = crypto;
let decrypted = 0;
crypto.createDecipheriv = (...args) => {
  const index = at.get(++decrypted);
  if (index !== undefined) {
    process.kill(process.pid, signals[index]);
    if (!isMainThread) awaitSignals(index + 1);
  }
  return createDecipheriv(...args);
};
syncBuiltinESMExports();

/** Listening to them would change what they do. */
function countSignals() {
  const count = new Int32Array(new SharedArrayBuffer(4));
  setEnvironmentData(HAD, count);
  const { emit } = process;
  process.emit = function (event, ...args) {
    const isHeard = emit.call(this, event, ...args);
    if (signals.includes(event)) {
      Atomics.add(count, 0, 1);
      Atomics.notify(count, 0);
    }
    return isHeard;
  };
}

function awaitSignals(count) {
  for (let before; (before = Atomics.load(had, 0)) < count;) Atomics.wait(had, 0, before);
}
