/** `items`, the first of which is asked for at once instead of when the consumer comes. */
export function begun<T>(items: AsyncGenerator<T>): AsyncGenerator<T> {
  const first = items.next();
  // The consumer hears of it, if there ever is one.
  first.catch(() => {});
  return continued(first, items);
}

async function* continued<T>(first: Promise<IteratorResult<T>>, items: AsyncGenerator<T>): AsyncGenerator<T> {
  const { done, value } = await first;
  if (done) return;
  yield value;
  yield* items;
}
