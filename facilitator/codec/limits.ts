/** What a block may inflate to. docs/protocol.md, "Limits". */
export const MAX_INFLATED_BYTES = 64 * 1024 * 1024;

/**
 * What a block, or the header, of a file may take that is read as it arrives: such a block is held whole, whatever its
 * codec, so that the memory for a file is bounded whoever wrote it. Honest ones are of some 16 kB.
 */
export const MAX_STREAMED_BYTES = 64 * 1024 * 1024;

/** The longest Avro `bytes` or `string`, the reference's limit. docs/protocol.md, "Container files". */
export const MAX_VALUE_BYTES = 512 * 1024 * 1024;

/** The longest text that becomes a string in memory. Names and identifiers are some hundred bytes. */
export const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/** The longest array that becomes one in memory. The longest honest one is a sum, with at most 524287 elements. */
export const MAX_LIST_ITEMS = 1024 * 1024;

export const MAX_SCHEMA_BYTES = 1024 * 1024;

/** Entries of a file's metadata; an entry costs many times its bytes in memory. */
export const MAX_METADATA_ENTRIES = 1024;

/** How deep types and values may be nested. */
export const MAX_DEPTH = 64;

/**
 * Byte values from here on are views of what they were read from, shorter ones are copies that do not keep it in
 * memory.
 */
export const MIN_VIEW_BYTES = 64 * 1024;
