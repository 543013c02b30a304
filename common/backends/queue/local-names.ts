/** A message, as the name of its file tells: `NAME~DELIVERIES`. */
export interface Message {
  /** Stays the same for ever. Names sort by publication. */
  readonly name: string;
  /** How often it was delivered so far. */
  readonly deliveries: number;
}

/** A message that somebody holds: `NAME~DELIVERIES~EXPIRY`. */
export interface Lease extends Message {
  /** Milliseconds since 1970, by the clocks of those who share the queue. */
  readonly expiresAtMs: number;
}

/** The largest time that a `Date` has takes 16 digits. */
const TIME_DIGITS = 16;
const SERIAL_DIGITS = 8;

const NAME = String.raw`\d{${TIME_DIGITS}}-\d{${SERIAL_DIGITS},}-[A-Za-z0-9]+`;
const COUNT = String.raw`\d{1,9}`;
const MESSAGE_FILE = new RegExp(`^(${NAME})~(${COUNT})$`);
const LEASE_FILE = new RegExp(String.raw`^(${NAME})~(${COUNT})~(\d{1,${TIME_DIGITS}})$`);

/**
 * The name of a message: sorts by time, then by the publisher's own count.
 * @param writer letters and digits that no other publisher has at the time
 */
export function messageName(publishedAtMs: number, serial: number, writer: string): string {
  const time = String(wholeMs(publishedAtMs)).padStart(TIME_DIGITS, '0');
  return `${time}-${String(serial).padStart(SERIAL_DIGITS, '0')}-${writer}`;
}

/** @returns `undefined` for a time that no `Date` has */
export function publishedAtOf({ name }: Message): Date | undefined {
  const time = new Date(Number(name.slice(0, TIME_DIGITS)));
  return Number.isNaN(time.getTime()) ? undefined : time;
}

export function messageFile({ name, deliveries }: Message): string {
  return `${name}~${deliveries}`;
}

export function leaseFile(lease: Lease): string {
  return `${messageFile(lease)}~${wholeMs(lease.expiresAtMs)}`;
}

/** @returns `undefined` for the name of another program's file */
export function parseMessageFile(file: string): Message | undefined {
  const match = MESSAGE_FILE.exec(file);
  // Both groups take part in every match, here and below.
  return match ? { name: match[1]!, deliveries: Number(match[2]) } : undefined;
}

/** As `parseMessageFile`. */
export function parseLeaseFile(file: string): Lease | undefined {
  const match = LEASE_FILE.exec(file);
  return match ? { name: match[1]!, deliveries: Number(match[2]), expiresAtMs: Number(match[3]) } : undefined;
}

/** Oldest first. */
export function byName(a: Message, b: Message): number {
  return a.name < b.name ? -1 : Number(a.name > b.name);
}

/** A clock far from the truth must not break the form of names. */
function wholeMs(ms: number): number {
  return Math.max(0, Math.trunc(ms));
}
