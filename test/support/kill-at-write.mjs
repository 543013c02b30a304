// Preloaded into a process (node --import): kills it with SIGKILL just before or after the n-th time that a file gets
// its final name, by renaming or as a link. KILL_AT is the number, from 1; KILL_WHEN is `before` or `after`.
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const at = Number(process.env.KILL_AT);
const when = process.env.KILL_WHEN;
const { rename, link } = fs;
let written = 0;
const kill = async () => {
  process.kill(process.pid, 'SIGKILL');
  // The signal comes at once, but not before this returns.
  await new Promise(() => {});
};

const killing = (name) => async (from, to) => {
  const isTheOne = written === at - 1;
  if (isTheOne && when === 'before') await kill();
  // Fails where the directory is yet to be made; it is tried again then.
  await name(from, to);
  written++;
  if (isTheOne) await kill();
};
fs.rename = killing(rename);
fs.link = killing(link);
syncBuiltinESMExports();
