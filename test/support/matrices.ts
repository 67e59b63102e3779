/** @file Matrices that tests of linear algebra draw. */
import { matrix, type Matrix } from "../../src/linalg/matrix.ts";
import { randomState } from "../../src/random/random-state.ts";

/** Standard normals [rows, cols]. */
export const random = (rows: number, cols: number, seed = 1): Matrix =>
  matrix(rows, cols, randomState(seed).normalsInto(new Float64Array(rows * cols)));
