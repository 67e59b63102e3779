/**
 * @file What a diagnosis decides before it computes anything: its data, its network and its plan.
 */
import type { Dataset } from "../data/dataset.ts";
import type { Fisher } from "../fisher/index.ts";
import type { Network } from "../network/network.ts";
import { describeNetwork } from "./architecture/describe.ts";
import type { Config } from "./config.ts";
import { loadData, settle } from "./dataset.ts";
import type { Diagnosis, DiagnosisConfigEvent, DiagnosisListeners } from "./diagnosis.ts";
import { planDiagnosis, type DiagnosisPlan } from "./diagnosis-plan.ts";
import { kernelFor } from "./kernel-choice.ts";
import { memoryLimit } from "./memory.ts";
import { expectedSizes, networkOf } from "./setup.ts";

/** What was decided from the options and the data, before anything is computed. */
export type Setting = {
  readonly config: Config;
  readonly dataset: Dataset;
  readonly network: Network;
  readonly methods: readonly Fisher[];
  readonly plan: DiagnosisPlan;
  /** Why there is no analytic kernel, where there is none. */
  readonly kernelReason?: string;
};

/** What cannot fit is refused before anything is fetched, where its sizes are known. */
export function refuseTooLarge({ config, methods }: Diagnosis): void {
  const expected = expectedSizes(config);
  if (expected) planDiagnosis({ ...expected, methods }, config, memoryLimit(config));
}

export async function settingOf(
  { config: asked, methods }: Diagnosis,
  { progress = () => {}, notice = () => {}, signal }: DiagnosisListeners,
): Promise<Setting> {
  const dataset = await loadData(asked, {
    signal,
    notice,
    progress: (received, total) => progress(`fetching ${asked.dataset}`, received, total),
  });
  const config = settle(asked, dataset);
  const network = networkOf(config, dataset);
  const samples = { train: dataset.xTrain.rows, test: dataset.xTest.rows };
  const plan = planDiagnosis({ samples, network, methods }, config, memoryLimit(config));
  const { reason } = kernelFor({ kernel: "auto", kernel_path: undefined }, network);
  const kernelReason = reason === undefined ? {} : { kernelReason: reason };
  return { config, dataset, network, methods, plan, ...kernelReason };
}

export const configEvent = ({
  config,
  dataset,
  network,
  methods,
  plan,
  kernelReason,
}: Setting): DiagnosisConfigEvent => ({
  event: "config",
  config,
  methods: methods.map(({ name }) => name),
  ...describeNetwork(config, network),
  n_classes: dataset.targetClasses.length,
  target_classes: dataset.targetClasses,
  ...(kernelReason === undefined ? {} : { kernel_reason: kernelReason }),
  plan: { bytes: plan.bytes },
});
