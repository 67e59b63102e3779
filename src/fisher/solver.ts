/** @file How a method solves with the NTK of the network, where it has a choice. */

/**
 * How a system with the NTK of a network is solved. "gram": by a Cholesky factor of Theta, N^2 C^2 numbers. "cg": by conjugate
 * gradients on products with Theta.
 */
export const SOLVERS = ["gram", "cg"] as const;

/** How a system with the NTK of a network is solved. */
export type Solver = (typeof SOLVERS)[number];
