/**
 * @file The layers of a network's own kernel beside those of the analytic one, in a diagnosis.
 */
import { breathe, type Stoppable } from "../breathe.ts";
import { blockNtk } from "../kernel/block.ts";
import { blocksOf, type Kernel } from "../kernel/kernel.ts";
import { expandOutputs } from "../kernel/parts.ts";
import { norm, subtract, trace, type Matrix } from "../linalg/matrix.ts";
import type { LayerEvent } from "./diagnosis.ts";

/** Every layer of the empirical kernel beside the analytic one, where there is one, and their sum. */
export async function* layerEvents(
  analytic: Kernel | undefined,
  empirical: Kernel,
  { signal }: Stoppable,
): AsyncGenerator<LayerEvent> {
  const distance = async (a: Matrix, b: Matrix): Promise<number> => {
    await breathe(signal);
    return distanceBetween(a, b);
  };
  const expanded = analytic && expandOutputs(analytic);
  const limits = expanded && blocksOf(expanded);
  const wholes = { analytic: await expanded?.matrix(), empirical: await empirical.matrix() };
  for (const [l, layer] of blocksOf(empirical).entries()) {
    await breathe(signal);
    const limit = await limits?.[l]!.factors();
    const own = await layer.factors();
    const thetas = { analytic: limit && blockNtk(limit), empirical: blockNtk(own) };
    yield {
      event: "layer",
      layer: l + 1,
      fan_in: layer.fanIn,
      fan_out: layer.fanOut,
      trace_share: {
        analytic: thetas.analytic ? share(trace(thetas.analytic), trace(wholes.analytic!)) : null,
        empirical: share(trace(thetas.empirical), trace(wholes.empirical)),
      },
      distance:
        limit && thetas.analytic
          ? {
              ntk: await distance(thetas.empirical, thetas.analytic),
              inputs: await distance(own.A, limit.A),
              signals: await distance(own.B, limit.B),
            }
          : NO_DISTANCE,
    };
  }
  yield {
    event: "layer",
    layer: "all",
    fan_in: null,
    fan_out: null,
    trace_share: { analytic: wholes.analytic ? 1 : null, empirical: 1 },
    distance: {
      ...NO_DISTANCE,
      ntk: wholes.analytic ? await distance(wholes.empirical, wholes.analytic) : null,
    },
  };
}

const NO_DISTANCE = { ntk: null, inputs: null, signals: null } as const;

const distanceBetween = (a: Matrix, b: Matrix): number => share(norm(subtract(a, b)), norm(b));

/** a / b, and 0 where a is 0: in a network whose units are all inactive, b is 0 as well. */
const share = (a: number, b: number): number => (a === 0 ? 0 : a / b);
