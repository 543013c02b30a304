// Runs the programs of a tree as their images would.
import { execFile } from 'node:child_process';
import { join } from 'node:path';

const TIME_LIMIT_MS = 60_000;
/** How Node says that a file or a package is not there. */
const MISSING =
  /ERR_MODULE_NOT_FOUND|MODULE_NOT_FOUND|ERR_PACKAGE_PATH_NOT_EXPORTED|Cannot find (?:module|package)|ENOENT.*\/app\//;

/** A process ended otherwise than it should. */
export class Failed extends Error {}

/** Runs Node with nothing of our environment. */
export class Runner {
  #node;
  #trees;
  #home;

  /**
   * @param {string} node its executable
   * @param {Record<string, string>} trees directory of each program's tree
   * @param {string} home an empty directory, where processes work
   */
  constructor(node, trees, home) {
    this.#node = node;
    this.#trees = trees;
    this.#home = home;
  }

  /** Its arguments are those that a container has. */
  program(program, args, expected) {
    const main = join(this.#trees[program], 'app/dist', program, 'main.js');
    return this.#run(`${program} ${args.slice(0, 2).join(' ')}`, [main, ...args], this.#home, expected);
  }

  /** Runs a module's text as if it stood beside the program's package.json. */
  text(program, name, text, expected) {
    const app = join(this.#trees[program], 'app');
    return this.#run(`${program}: ${name}`, ['--input-type=module', '--eval', text], app, expected);
  }

  /** @returns {Promise<string>} what it printed to standard output */
  #run(title, args, cwd, { env = {}, status = 0, says } = {}) {
    const options = { cwd, env: { HOME: this.#home, ...env }, timeout: TIME_LIMIT_MS, maxBuffer: 16 * 1024 * 1024 };
    return new Promise((resolve, reject) => {
      execFile(this.#node, args, options, (error, stdout, stderr) => {
        const ended = error ? (error.code ?? error.signal) : 0;
        const fault = MISSING.exec(stderr)?.[0] ?? (ended === status ? undefined : `status ${ended}, not ${status}`);
        if (fault) reject(new Failed(`${title}: ${fault}\n${stderr}${stdout}`));
        else if (says && !says.test(stderr)) reject(new Failed(`${title} does not say ${says}:\n${stderr}`));
        else resolve(stdout);
      });
    });
  }
}
