/**
 * @file Types of wasm-runtime.js.
 */
export function wasmRuntime(folder: string): Promise<void>;
