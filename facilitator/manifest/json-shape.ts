import { ManifestInvalid } from '../errors.ts';

/** A value of a manifest, and where it is: `https://…/global-manifest.json: server-identity.aws-account-id`. */
export interface Place {
  readonly value: unknown;
  readonly path: string;
}

/** @throws ManifestInvalid, of which `why` never repeats the value: the file may be anything */
export function refuse({ path }: Place, why: string): never {
  throw new ManifestInvalid(`${path} ${why}`);
}

/**
 * The fields of an object by name, absent ones too (`value: undefined`).
 * @param names all that there may be
 * @throws ManifestInvalid for any other field, or if it is no object
 */
export function fields<const N extends string>(place: Place, names: readonly N[]): Readonly<Record<N, Place>> {
  const object = objectOf(place);
  const unknown = Object.keys(object).find((name) => !names.some((known) => known === name));
  if (unknown !== undefined) refuse(at(place, unknown, undefined), `is unknown; known are ${names.join(', ')}`);
  // One entry for each name.
  return Object.fromEntries(names.map((name) => [name, at(place, name, object[name])])) as Record<N, Place>;
}

/** The values of an object whose keys are names, in the order of the file. @throws ManifestInvalid */
export function named<V>(place: Place, read: (entry: Place) => V): ReadonlyMap<string, V> {
  return new Map(Object.entries(objectOf(place)).map(([name, value]) => [name, read(at(place, name, value))]));
}

/** @throws ManifestInvalid also for an absent field */
export function textOf(place: Place): string {
  if (typeof place.value === 'string') return place.value;
  return refuse(place, place.value === undefined ? 'is missing' : 'is no string');
}

/** @param orNull whether JSON's `null` may stand for absence @throws ManifestInvalid */
export function optionalTextOf(place: Place, { orNull }: { readonly orNull: boolean }): string | undefined {
  if (place.value === undefined || (orNull && place.value === null)) return undefined;
  if (place.value === null) refuse(place, 'is null; leave it out instead');
  return textOf(place);
}

/** @throws ManifestInvalid unless it is one of `known` */
export function formatOf(place: Place, known: readonly number[]): number {
  if (place.value === undefined) refuse(place, 'is missing');
  const format = known.find((one) => one === place.value);
  return format ?? refuse(place, `is none that we know: ${known.join(' or ')}`);
}

function objectOf(place: Place): Readonly<Record<string, unknown>> {
  const { value } = place;
  if (value === undefined) refuse(place, 'is missing');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(place, 'is no object');
  // No null and no array: JSON has no other objects.
  return value as Readonly<Record<string, unknown>>;
}

function at(parent: Place, name: string, value: unknown): Place {
  const step = /^[\w-]+$/.test(name) ? name : JSON.stringify(name);
  return { value, path: parent.path.endsWith(':') ? `${parent.path} ${step}` : `${parent.path}.${step}` };
}
