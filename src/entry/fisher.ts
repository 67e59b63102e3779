/**
 * @file `natgrad/fisher`: Fisher approximations, as a list too, and the types of your own.
 */
export { invert, type Inverted } from "../fisher/invert.ts";
export * from "../fisher/index.ts";
