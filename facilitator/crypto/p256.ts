/** DER of the SubjectPublicKeyInfo of an uncompressed point of P-256 (RFC 5480 §2), up to the point's first byte. */
export const P256_SPKI_PREFIX = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');
