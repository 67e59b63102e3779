/**
 * @file `natgrad/fisher`: Fisher approximations, as a list too, and the types of your own.
 */
export * from "../fisher/index.ts";
