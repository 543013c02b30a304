/** The first line of an option whose name did not fit its column: the name's begin, and the description's. */
const BROKEN = /^( +(?:-\w, )?)(--[a-z0-9-]+)( {2,})(\S.*)$/;
/** The rest of the name, and the next line of the description. */
const REST = /^ +([a-z0-9-]+) {2,}(\S.*)$/;

/**
 * Help in which the names of options are whole. yargs gives names half of the line and breaks those that are longer,
 * anywhere, so that nobody finds them; they get a line of their own instead.
 * @param names of all options, without dashes
 */
export function withWholeNames(help: string, names: ReadonlySet<string>): string {
  const lines = help.split('\n');
  const shown: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const [line = '', next = ''] = [lines[i], lines[i + 1]];
    const [, indent = '', begin = '', gap = '', first = ''] = BROKEN.exec(line) ?? [];
    const [, end = '', second = ''] = REST.exec(next) ?? [];
    if (begin !== '' && end !== '' && !names.has(begin.slice(2)) && names.has(`${begin}${end}`.slice(2))) {
      const margin = ' '.repeat(indent.length + begin.length + gap.length);
      shown.push(`${indent}${begin}${end}`, `${margin}${first}`, `${margin}${second}`);
      i++;
    } else {
      shown.push(line);
    }
  }
  return shown.join('\n');
}
