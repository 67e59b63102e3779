/**
 * @file All numbers of a sample on one axis, channels fastest.
 */
import { only, sizeOf, type Op } from "./op.ts";
import { reshaping } from "./reshape.ts";

/**
 * The op that puts all numbers of a sample on one axis.
 * @example
 * import { flatten } from "natgrad/network";
 *
 * console.log(flatten().shape([[4, 4, 3]])); // [ 48 ]
 */
export const flatten = (): Op => reshaping("flatten", (inputs) => [sizeOf(only("flatten", inputs))]);
