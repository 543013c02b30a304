// Preloaded into a process (node --import): takes a millisecond and a half more for each packet that it decrypts.
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

const EXTRA_MS = 1.5;
const { createDecipheriv } = crypto;
crypto.createDecipheriv = (...args) => {
  const untilMs = performance.now() + EXTRA_MS;
  while (performance.now() < untilMs);
  return createDecipheriv(...args);
};
syncBuiltinESMExports();
