/** @file The plain twin of random-state: MT19937 and the polar method one word and one attempt at a time. */

/** A function that draws the next normal of `np.random.seed(seed)`. */
export function plainRandomState(seed: number): () => number {
  const state = new Uint32Array(624);
  let word = seed;
  for (let i = 0; i < 624; i++) {
    state[i] = word;
    word = (Math.imul(1812433253, word ^ (word >>> 30)) + i + 1) >>> 0;
  }
  let at = 624;

  const twist = () => {
    for (let i = 0; i < 624; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % 624]! & 0x7fffffff);
      state[i] = state[(i + 397) % 624]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    at = 0;
  };

  const nextWord = (): number => {
    if (at === 624) twist();
    let y = state[at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };

  const uniform = (): number => {
    const a = nextWord() >>> 5;
    const b = nextWord() >>> 6;
    return (a * 67108864 + b) / 9007199254740992;
  };

  let waiting: number | undefined;
  return () => {
    if (waiting !== undefined) {
      const normal = waiting;
      waiting = undefined;
      return normal;
    }
    let x1: number;
    let x2: number;
    let r2: number;
    do {
      x1 = 2 * uniform() - 1;
      x2 = 2 * uniform() - 1;
      r2 = x1 * x1 + x2 * x2;
    } while (r2 >= 1 || r2 === 0);
    const f = Math.sqrt((-2 * Math.log(r2)) / r2);
    waiting = f * x1;
    return f * x2;
  };
}
