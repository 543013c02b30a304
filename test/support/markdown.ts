const FENCED = /^(```|~~~)[^\n]*\n[\s\S]*?^\1/gm;
const HEADING = /^#{1,6} +(.+?) *#*$/gm;
const LINK = /(?<!!)\[[^\]]*\]\(<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]: +(\S+)/gm;

/** Titles of the headings, in order. */
export function headingsOf(markdown: string): string[] {
  // The group is not optional.
  return [...withoutFences(markdown).matchAll(HEADING)].map((match) => match[1]!);
}

/** What links and link definitions point to. */
export function linksOf(markdown: string): string[] {
  const links = withoutFences(markdown).replace(/`[^`\n]*`/g, '');
  return [...links.matchAll(LINK)].map((match) => match[1] ?? match[2] ?? '');
}

/** The fragments by which GitHub knows the headings: lower-case, hyphens for spaces, `-1` for the second of a name. */
export function anchorsOf(markdown: string): string[] {
  const seen = new Map<string, number>();
  return headingsOf(markdown).map((title) => {
    const slug = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  });
}

/** The cells of all rows of the table under the heading, without the two lines at its top. */
export function tableUnder(markdown: string, title: string): string[][] {
  const lines = markdown.split('\n');
  const start = lines.findIndex((line) => /^#{1,6} /.test(line) && line.replace(/^#+ +/, '').trim() === title);
  const rest = start < 0 ? [] : lines.slice(start + 1);
  const next = rest.findIndex((line) => /^#{1,6} /.test(line));
  return rest
    .slice(0, next < 0 ? rest.length : next)
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

function withoutFences(markdown: string): string {
  return markdown.replace(FENCED, '');
}
