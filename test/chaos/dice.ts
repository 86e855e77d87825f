import { seeded } from '../../bench/seeded.ts';

/**
 * Random numbers that one seed fixes. Whoever draws takes a fork of its own by name, so that one more draw
 * in one place changes nothing in another, and a kept seed stays what it was.
 */
export class Dice {
  readonly #seed: number;
  /** At least 0, below 1. */
  readonly next: () => number;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
    this.next = seeded(this.#seed);
  }

  fork(name: string): Dice {
    let hash = this.#seed ^ 0x811c9dc5;
    for (const character of name) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
    return new Dice(hash);
  }

  /** From `low` to `high`, both among them. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.int(0, items.length - 1)] ?? items[0];
  }

  /** Some of these, each at most once, in their order. */
  some<Item>(items: readonly Item[], probability: number): Item[] {
    return items.filter(() => this.chance(probability));
  }

  /** One of the names, each as likely as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries(weights) as [Name, number][];
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    throw new Error('there is nothing to choose from');
  }
}
