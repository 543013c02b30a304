import { readFile } from 'node:fs/promises';
import { errorFields, namedFailure } from '../../common/errors.ts';
import { command } from '../../common/runtime/command.ts';
import { InspectionFailed } from '../errors.ts';

/** `facilitator inspect FILE…`: prints headers, packets, signatures, sum parts and lists of invalid packets. */
export const inspectCommand = command({
  name: 'inspect',
  describe: 'print Avro objects as JSON, one a file',
  options: {},
  words: { name: 'file', describe: 'a header, packet, signature, sum part or invalid-UUID file' },
  run: async ({ file: names }, { stdout, log, signal }) => {
    const { inspectFile } = await import('../inspect.ts');
    let failures = 0;
    for (const name of names) {
      signal.throwIfAborted();
      try {
        const bytes = await readFile(name);
        for (const chunk of inspectFile(name, bytes)) if (!(await stdout.write(chunk))) return;
      } catch (err) {
        failures++;
        const failure = namedFailure(err) ?? new InspectionFailed(`cannot read ${name}`, { cause: err });
        log.error({ file: name, ...errorFields(failure) }, 'file cannot be inspected');
      }
    }
    if (failures > 0) throw new InspectionFailed(`${failures} of ${names.length} files cannot be inspected`);
  },
});
