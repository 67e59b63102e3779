/**
 * @file The only door to ONNX Runtime. `#ort` is a package import (see package.json): `onnxruntime-node` in Node,
 * `onnxruntime-web` elsewhere. It is loaded on first use and never statically, because a static import of the
 * threaded web build hangs bundles for production.
 */
import type * as Ort from "onnxruntime-common";

export type OrtTensor = Ort.Tensor;
export type OrtSession = Ort.InferenceSession;
export type OrtSessionOptions = Ort.InferenceSession.SessionOptions;
export type OrtModule = Pick<typeof Ort, "InferenceSession" | "Tensor" | "env">;

/** True in Node, where `#ort` is the native build. */
export const isNative = globalThis.process?.versions?.node !== undefined;

let loading: Promise<OrtModule> | undefined;

/** ONNX Runtime for this platform. */
export const loadOrt = (): Promise<OrtModule> => (loading ??= import("#ort"));
