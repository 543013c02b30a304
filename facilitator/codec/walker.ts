import type { Cursor } from './cursor.ts';
import type { ArrayNode, MapNode, RecordNode, SchemaNode, UnionNode } from './writer-schema.ts';

/** Moves the cursor past one value, having checked every length and count in it. */
export type Walk = (cursor: Cursor) => void;

/**
 * Makes walkers for the types of one schema. What a walk costs is bounded by the bytes that it passes: values that
 * take no bytes are not visited at all, and arrays of them do not exist (`parseWriterSchema`).
 */
export class WalkerCompiler {
  readonly #walks = new Map<SchemaNode, Walk>();

  walkOf(node: SchemaNode): Walk {
    if (node.size !== undefined) return skipping(node.size);
    const known = this.#walks.get(node);
    if (known) return known;
    // A record may contain itself: until its walker is made, whoever refers to it looks it up when it is needed.
    this.#walks.set(node, (cursor) => this.walkOf(node)(cursor));
    const walk = this.#compile(node);
    this.#walks.set(node, walk);
    return walk;
  }

  #compile(node: SchemaNode): Walk {
    switch (node.kind) {
      case 'int':
        return (cursor) => cursor.skipInt();
      case 'long':
        return (cursor) => cursor.skipLong();
      case 'bytes':
      case 'string':
        return (cursor) => cursor.skipValue();
      case 'enum':
        return (cursor) => void cursor.index(node.symbolCount, 'symbol');
      case 'array':
        return this.#array(node);
      case 'map':
        return this.#map(node);
      case 'union':
        return this.#union(node);
      case 'record':
        return this.#record(node);
      default:
        throw new TypeError(`every ${node.kind} has a size`);
    }
  }

  #array({ items }: ArrayNode): Walk {
    const { size } = items;
    const walk = this.walkOf(items);
    return (cursor) => {
      cursor.enter();
      for (let count = cursor.items(); count > 0; count = cursor.items()) {
        if (size === undefined) for (let i = 0; i < count; i++) walk(cursor);
        else cursor.skip(count * size);
      }
      cursor.leave();
    };
  }

  #map({ values }: MapNode): Walk {
    const walk = this.walkOf(values);
    return (cursor) => {
      cursor.enter();
      for (let count = cursor.items(); count > 0; count = cursor.items()) {
        for (let i = 0; i < count; i++) {
          cursor.skipValue(); // the key, at least a byte, so that values may take none
          walk(cursor);
        }
      }
      cursor.leave();
    };
  }

  #union({ branches }: UnionNode): Walk {
    const walks = branches.map((branch) => this.walkOf(branch));
    return (cursor) => {
      cursor.enter();
      // The index is below the number of branches.
      walks[cursor.index(walks.length, 'union branch')]!(cursor);
      cursor.leave();
    };
  }

  #record({ fields }: RecordNode): Walk {
    const walk = inSequence(fields.map(({ type }) => ({ size: type.size, walk: this.walkOf(type) })));
    return (cursor) => {
      cursor.enter();
      walk(cursor);
      cursor.leave();
    };
  }
}

const skipping =
  (size: number): Walk =>
  (cursor) =>
    cursor.skip(size);

/** One of several values in a row. */
interface Step {
  readonly size: number | undefined;
  readonly walk: Walk;
}

/** One walk over all; neighbours of known size are skipped at once, those of no size not even that. */
export function inSequence(steps: readonly Step[]): Walk {
  const walks: Walk[] = [];
  let pending = 0;
  const flush = (): void => {
    if (pending > 0) walks.push(skipping(pending));
    pending = 0;
  };
  for (const { size, walk } of steps) {
    if (size !== undefined) {
      pending += size;
      continue;
    }
    flush();
    walks.push(walk);
  }
  flush();
  return (cursor) => {
    for (const walk of walks) walk(cursor);
  };
}
