/**
 * @file The package import `#ort-wasm`, which has no types of its own.
 */
declare module "#ort-wasm" {
  export { env, InferenceSession, Tensor } from "onnxruntime-web";
}
