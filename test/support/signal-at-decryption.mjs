// Preloaded into a process (node --import): sends it SIGNAL at the SIGNAL_AT-th packet that it decrypts, from 1.
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

const at = Number(process.env.SIGNAL_AT);
const { createDecipheriv } = crypto;
let decrypted = 0;
crypto.createDecipheriv = (...args) => {
  if (++decrypted === at) process.kill(process.pid, process.env.SIGNAL);
  return createDecipheriv(...args);
};
syncBuiltinESMExports();
