/**
 * For `skipIf`: whether tests cannot run here, of which one line then tells.
 * @param what and why, in one line
 */
export function cannotRun(isPossible: boolean, what: string): boolean {
  if (!isPossible) process.stdout.write(`skipped: ${what}\n`);
  return !isPossible;
}
