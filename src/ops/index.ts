/**
 * @file The table of ops. A new one is a file beside this and a line here.
 */
import { activation } from "./activation.ts";
import { dense } from "./dense.ts";
import { relu } from "./relu.ts";
import { reshape } from "./reshape.ts";
import { sum } from "./sum.ts";

/** Every op by name, as a function of its attributes. */
export const OPS = { activation, dense, relu, reshape, sum } as const;
