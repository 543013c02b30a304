// Preloaded into a process (node --import): sends it SIGNAL at the SIGNAL_AT-th packet that it decrypts, from 1. Both may
// be lists: `SIGTERM,SIGINT` at `10,20`.
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

const signals = process.env.SIGNAL.split(',');
const at = new Map(process.env.SIGNAL_AT.split(',').map((nth, i) => [Number(nth), signals[i]]));
const { createDecipheriv } = crypto;
let decrypted = 0;
crypto.createDecipheriv = (...args) => {
  const signal = at.get(++decrypted);
  if (signal) process.kill(process.pid, signal);
  return createDecipheriv(...args);
};
syncBuiltinESMExports();
