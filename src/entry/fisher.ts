/**
 * @file `natgrad/fisher`: Fisher approximations, as a list too, and what one of one's own has.
 */
export * from "../fisher/index.ts";
