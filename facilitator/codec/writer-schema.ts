import { isUtf8 } from 'node:buffer';
import { AvroLimitExceeded, AvroMalformed, AvroSchemaUnsuitable } from '../errors.ts';
import { MAX_DEPTH, MAX_SCHEMA_BYTES } from './limits.ts';

const PRIMITIVE_SIZES = {
  null: 0,
  boolean: 1,
  int: undefined,
  long: undefined,
  float: 4,
  double: 8,
  bytes: undefined,
  string: undefined,
} as const;

const isPrimitive = (name: string): name is keyof typeof PRIMITIVE_SIZES => Object.hasOwn(PRIMITIVE_SIZES, name);

interface Sized {
  /** How many bytes a value takes, if every value takes the same; that of an unfinished record is not known. */
  readonly size: number | undefined;
}
export interface PrimitiveNode extends Sized {
  readonly kind: keyof typeof PRIMITIVE_SIZES;
  readonly logicalType: string | undefined;
}
export interface FixedNode extends Sized {
  readonly kind: 'fixed';
}
export interface EnumNode extends Sized {
  readonly kind: 'enum';
  readonly symbolCount: number;
}
export interface ArrayNode extends Sized {
  readonly kind: 'array';
  readonly items: SchemaNode;
}
export interface MapNode extends Sized {
  readonly kind: 'map';
  readonly values: SchemaNode;
}
export interface UnionNode extends Sized {
  readonly kind: 'union';
  readonly branches: readonly SchemaNode[];
}
export interface RecordNode extends Sized {
  readonly kind: 'record';
  /** Without namespace. */
  readonly name: string;
  readonly fields: readonly FieldNode[];
}
export interface FieldNode {
  readonly name: string;
  readonly type: SchemaNode;
}

/** A type of the schema that came with the file. References are resolved, so records may contain themselves. */
export type SchemaNode = PrimitiveNode | FixedNode | EnumNode | ArrayNode | MapNode | UnionNode | RecordNode;

/**
 * Reads the schema of a file, which is as untrusted as the rest of it. Only what bears on reading counts: attributes
 * such as `doc`, `aliases` or `avro.java.string` are ignored. Avro specification, "Schema Declaration".
 * @throws AvroMalformed if it is not UTF-8, AvroLimitExceeded above 1 MiB, AvroSchemaUnsuitable if it is no schema
 *   of a record, or has an array of items that take no bytes
 */
export function parseWriterSchema(text: Buffer): RecordNode {
  if (text.length > MAX_SCHEMA_BYTES) {
    throw new AvroLimitExceeded(`the schema of the file has ${text.length} bytes (at most ${MAX_SCHEMA_BYTES})`);
  }
  if (!isUtf8(text)) throw new AvroMalformed('the schema of the file is not UTF-8');
  let json: unknown;
  try {
    json = JSON.parse(text.toString('utf8'));
  } catch (cause) {
    throw new AvroSchemaUnsuitable('the schema of the file is no JSON', { cause });
  }
  const root = new Parser().type(json, '', 0);
  if (root.kind !== 'record') throw unsuitable(`is of type ${root.kind}, not of a record`);
  return root;
}

const unsuitable = (what: string): AvroSchemaUnsuitable => new AvroSchemaUnsuitable(`the schema of the file ${what}`);

/** The schema's own words in a message: quoted, and not at any length. */
const quote = (text: string): string => JSON.stringify(text.slice(0, 60));

/** An attribute as it stands in the text, never one that an object inherits. */
const attribute = (object: object, name: string): unknown =>
  Object.hasOwn(object, name) ? (object as Record<string, unknown>)[name] : undefined; // an own property, by hasOwn

class Parser {
  readonly #named = new Map<string, SchemaNode>();

  /** @param namespace of the enclosing type, `''` if none */
  type(json: unknown, namespace: string, depth: number): SchemaNode {
    if (depth > MAX_DEPTH) throw unsuitable(`is nested more than ${MAX_DEPTH} deep`);
    if (typeof json === 'string') return this.#reference(json, namespace);
    if (Array.isArray(json)) return this.#union(json, namespace, depth);
    if (typeof json !== 'object' || json === null)
      throw unsuitable('has a type that is neither text, array nor object');
    const type = attribute(json, 'type');
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(json, namespace, depth);
      case 'enum':
        return this.#enum(json, namespace);
      case 'fixed':
        return this.#fixed(json, namespace);
      case 'array':
        return this.#array(json, namespace, depth);
      case 'map':
        return { kind: 'map', size: undefined, values: this.type(attribute(json, 'values'), namespace, depth + 1) };
      default:
        return withLogicalType(this.type(type, namespace, depth + 1), json);
    }
  }

  #reference(name: string, namespace: string): SchemaNode {
    if (isPrimitive(name)) return { kind: name, size: PRIMITIVE_SIZES[name], logicalType: undefined };
    const named = (namespace && this.#named.get(`${namespace}.${name}`)) || this.#named.get(name);
    if (!named) throw unsuitable(`names an unknown type ${quote(name)}`);
    return named;
  }

  #array(json: object, namespace: string, depth: number): ArrayNode {
    const items = this.type(attribute(json, 'items'), namespace, depth + 1);
    // Any number of them would fit into no bytes at all.
    if (items.size === 0) throw unsuitable('has an array of items that take no bytes');
    return { kind: 'array', size: undefined, items };
  }

  #union(json: readonly unknown[], namespace: string, depth: number): UnionNode {
    const branches = json.map((branch) => this.type(branch, namespace, depth + 1));
    if (branches.some(({ kind }) => kind === 'union')) throw unsuitable('has a union directly within a union');
    return { kind: 'union', size: undefined, branches };
  }

  #record(json: object, namespace: string, depth: number): RecordNode {
    const { name, fullName, namespace: own } = nameOf(json, namespace);
    const fields: FieldNode[] = [];
    const record: RecordNode & { size: number | undefined } = { kind: 'record', size: undefined, name, fields };
    // Known before its fields are, which may refer to it.
    this.#named.set(fullName, record);
    const list = attribute(json, 'fields');
    if (!Array.isArray(list)) throw unsuitable(`has a record ${quote(name)} without a list of fields`);
    const seen = new Set<string>();
    for (const field of list as unknown[]) {
      const fieldName = typeof field === 'object' && field !== null ? attribute(field, 'name') : undefined;
      if (typeof field !== 'object' || field === null || typeof fieldName !== 'string') {
        throw unsuitable(`has a record ${quote(name)} with a field without name`);
      }
      if (seen.has(fieldName)) throw unsuitable(`has a record ${quote(name)} with two fields ${quote(fieldName)}`);
      seen.add(fieldName);
      const type = this.type(attribute(field, 'type'), own, depth + 1);
      fields.push({ name: fieldName, type: withLogicalType(type, field) });
    }
    // A record that must contain itself has found its own size unknown here, and so has none.
    record.size = fields.reduce<number | undefined>(
      (sum, { type: { size } }) => (sum === undefined || size === undefined ? undefined : sum + size),
      0,
    );
    return record;
  }

  #enum(json: object, namespace: string): EnumNode {
    const { name, fullName } = nameOf(json, namespace);
    const symbols = attribute(json, 'symbols');
    if (!Array.isArray(symbols)) throw unsuitable(`has an enum ${quote(name)} without a list of symbols`);
    const node: EnumNode = { kind: 'enum', size: undefined, symbolCount: symbols.length };
    this.#named.set(fullName, node);
    return node;
  }

  #fixed(json: object, namespace: string): FixedNode {
    const { name, fullName } = nameOf(json, namespace);
    const size = attribute(json, 'size');
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
      throw unsuitable(`has a fixed ${quote(name)} without a size`);
    }
    const node: FixedNode = { kind: 'fixed', size };
    this.#named.set(fullName, node);
    return node;
  }
}

/** A logical type stands within the type, or, with some writers, beside it on the field. */
function withLogicalType(node: SchemaNode, json: object): SchemaNode {
  const logicalType = attribute(json, 'logicalType');
  return 'logicalType' in node && typeof logicalType === 'string' && node.logicalType === undefined
    ? { ...node, logicalType }
    : node;
}

interface Name {
  readonly name: string;
  readonly fullName: string;
  /** In which names within the type are looked up. */
  readonly namespace: string;
}

/** Avro specification, "Names": a name with dots is full already, otherwise the namespace goes before it. */
function nameOf(json: object, enclosing: string): Name {
  const text = attribute(json, 'name');
  if (typeof text !== 'string') throw unsuitable('has a named type without a name');
  const dot = text.lastIndexOf('.');
  const given = attribute(json, 'namespace');
  const outer = typeof given === 'string' ? given : enclosing;
  const namespace = dot < 0 ? outer : text.slice(0, dot);
  const name = text.slice(dot + 1);
  return { name, namespace, fullName: namespace ? `${namespace}.${name}` : name };
}
