/** A proxy on 127.0.0.1 before a queue's service. */
export interface AckProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
}

/** What became of one message on its way between a queue and the workers. */
interface Journey {
  deliveries: number;
  /** Deliveries after the first acknowledgement was lost. */
  deliveriesAfterLoss: number;
  lost: number;
  acknowledged: number;
}

/**
 * Loses the first acknowledgement of every message of a service, of which the service does not hear though it answers
 * that all is well; so the worker takes the task for done, and the message comes again.
 */
export class AckLoss {
  readonly #journeys = new Map<string, Journey>();
  /** By the handle of their last delivery. */
  readonly #messages = new Map<string, string>();
  /** Whose acknowledgement was lost: a repetition of it is lost too. */
  readonly #lostHandles = new Set<string>();

  /** @param handle by which the message is acknowledged after this delivery */
  delivered(messageId: string, handle: string): void {
    const journey = this.#journeys.get(messageId) ?? {
      deliveries: 0,
      deliveriesAfterLoss: 0,
      lost: 0,
      acknowledged: 0,
    };
    journey.deliveries++;
    if (journey.lost > 0) journey.deliveriesAfterLoss++;
    this.#journeys.set(messageId, journey);
    this.#messages.set(handle, messageId);
    this.#lostHandles.delete(handle);
  }

  /** Whether to lose the acknowledgement that comes now. @throws Error for a message that was never delivered */
  isLost(handle: string): boolean {
    const journey = this.#journeys.get(this.#messages.get(handle) ?? '');
    if (!journey) throw new Error(`an acknowledgement of what was never delivered: ${handle}`);
    if (journey.lost === 0 || this.#lostHandles.has(handle)) {
      journey.lost++;
      this.#lostHandles.add(handle);
      return true;
    }
    journey.acknowledged++;
    return false;
  }

  /** Messages that were delivered. */
  get messages(): number {
    return this.#journeys.size;
  }

  /** Of these, how many came again after an acknowledgement was lost, and were acknowledged then. */
  get cameAgain(): number {
    const journeys = [...this.#journeys.values()];
    return journeys.filter((one) => one.lost > 0 && one.deliveriesAfterLoss > 0 && one.acknowledged > 0).length;
  }

  get lost(): number {
    return [...this.#journeys.values()].reduce((sum, { lost }) => sum + lost, 0);
  }
}
