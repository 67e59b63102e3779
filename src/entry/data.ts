/**
 * @file `natgrad/data`: datasets without files, and what is done to inputs. Datasets on disk are in `natgrad/node`.
 */
export type { ClassGroup } from "../data/classes.ts";
export type { Dataset, SampleShape, Selection } from "../data/dataset.ts";
export {
  applyForster,
  fitForster,
  forsterTransform,
  type ForsterMap,
  type ForsterOptions,
} from "../data/forster.ts";
export { imageDataset, type ImageCollection } from "../data/images.ts";
export { decodeDataset, encodeDataset, type NpzOptions } from "../data/npz-dataset.ts";
export { synthetic, type Normals, type SyntheticKind, type SyntheticOptions } from "../data/synthetic.ts";
export { randomState, type RandomState } from "../random/random-state.ts";
