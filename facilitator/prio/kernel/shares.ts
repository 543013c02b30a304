import { P } from './field.ts';
import { bins, chosen, shares, stride, sum, totals } from './memory.ts';

/** Whether the first `count` words of share `index` are below p. */
export function areElements(index: u32, count: u32): bool {
  const share = shares + stride * usize(index);
  let greatest: u32 = 0;
  for (let at: usize = 0; at < 4 * usize(count); at += 4) greatest = max(greatest, load<u32>(share + at));
  return greatest < P;
}

/** Moves together those of the first `count` words of share `index` that are below p. @returns how many they are */
export function keepElements(index: u32, count: u32): u32 {
  const share = shares + stride * usize(index);
  let to = share;
  for (let at: usize = 0; at < 4 * usize(count); at += 4) {
    const word = load<u32>(share + at);
    store<u32>(to, word);
    to += word < P ? 4 : 0;
  }
  return u32((to - share) / 4);
}

/** Adds the data of those of the first `count` shares that `chosen` marks to `sum`. */
export function accumulate(count: u32): void {
  for (let k: u32 = 0; k < bins; k++) store<u64>(totals + 8 * usize(k), load<u32>(sum + 4 * usize(k)));
  for (let i: u32 = 0; i < count; i++) {
    if (load<u8>(chosen + i) == 1) addToTotals(shares + stride * usize(i));
  }
  for (let k: u32 = 0; k < bins; k++) {
    store<u32>(sum + 4 * usize(k), u32(load<u64>(totals + 8 * usize(k)) % u64(P)));
  }
}

/** No total overflows: a block has far fewer than 2^32 shares. */
function addToTotals(share: usize): void {
  for (let k: u32 = 0; k < bins; k++) {
    const total = totals + 8 * usize(k);
    store<u64>(total, load<u64>(total) + u64(load<u32>(share + 4 * usize(k))));
  }
}
