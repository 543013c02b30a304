/** A code block of a document that says which file it is, or changes. */
export interface DocumentFile {
  /** From the root of the repository. */
  readonly path: string;
  /** `ts` for a whole file, `diff` for a change of one. */
  readonly language: string;
  readonly content: string;
}

const BLOCK = /^```(ts|diff) (\S+)\n([\s\S]*?\n)```$/gm;

/** The blocks whose first line is a language and a path. */
export function filesOf(markdown: string): DocumentFile[] {
  // No group is optional.
  return [...markdown.matchAll(BLOCK)].map(([, language, path, content]) => ({
    language: language!,
    path: path!,
    content: content!,
  }));
}

/**
 * Changes a text as a diff without line numbers says: the lines with ` ` and `-` of a part, which ends at `@@`, occur
 * once, and become those with ` ` and `+`.
 */
export function applyDiff(source: string, diff: string): string {
  return diff.split(/^@@.*\n/m).reduce((text, part) => {
    const lines = part.split('\n').slice(0, -1);
    const having = (marks: string): string =>
      lines
        .filter((line) => marks.includes(line.charAt(0)))
        .map((line) => `${line.slice(1)}\n`)
        .join('');
    const [before = '', after, ...more] = text.split(having(' -'));
    if (after === undefined || more.length > 0) throw new Error(`the text does not have once: ${having(' -')}`);
    return before + having(' +') + after;
  }, source);
}
