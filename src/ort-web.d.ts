/**
 * @file The package imports `#ort-wasm` and `#ort-web`, which have no types of their own.
 */
declare module "#ort-wasm" {
  export { env, InferenceSession, Tensor } from "onnxruntime-web";
}
declare module "#ort-web" {
  export { env, InferenceSession, Tensor } from "onnxruntime-web";
}
