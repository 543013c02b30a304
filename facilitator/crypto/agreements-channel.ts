import { channel } from 'node:diagnostics_channel';

/**
 * Where the key agreements of `PacketDecryptor.decryptAll` can be timed: `begin` before those of one call, `end` after
 * them, in the thread that makes them. The messages say nothing, as whoever listens must not learn what was agreed on;
 * for that reason it is no tracing channel, which would hand it over.
 */
export const agreementsChannel = {
  begin: channel('facilitator.agreements.begin'),
  end: channel('facilitator.agreements.end'),
};

/** The only message. */
export const NOTHING = Object.freeze({});
