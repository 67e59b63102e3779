/**
 * @file Methods, losses and activations of the user's own in place of names: options take the objects, a configuration has their names and
 * keeps the objects beside them. No list of natgrad's own is changed.
 */
import { FISHERS, fisherNamed, PLAIN, type Fisher } from "../fisher/index.ts";
import { FISHER_FIELDS } from "../fisher/fields.ts";
import { guarded } from "../fisher/guard.ts";
import { demandFields, type Field } from "../fields.ts";
import { LOSS_FIELDS } from "../loss/fields.ts";
import { LOSSES, lossNamed, type Loss } from "../loss/index.ts";
import { ACTIVATION_FIELDS } from "../ops/activation-fields.ts";
import type { Activation } from "../ops/activation.ts";
import { activationNamed, ACTIVATIONS } from "../ops/activations/index.ts";
import { adopted } from "./adopt.ts";

/** What may be the user's own, by the option that takes it. */
type Parts = {
  readonly natural_gradient_type: Fisher;
  readonly loss_type: Loss;
  readonly activation: Activation;
};

/** An option that takes an object of the user's own. */
export type OwnOption = keyof Parts;

/** An object of the user's own; from a module with the file and the digest of its content. */
export type Own<T> = { readonly value: T; readonly file?: string; readonly sha256?: string };

/** The objects of a configuration that are the user's own. */
export type OwnParts = { readonly [Option in OwnOption]?: Own<Parts[Option]> };

/** What is known of an option that takes objects: the name of a module's export, natgrad's own objects, their fields. */
type Kind<T> = {
  readonly exported: string;
  readonly known: readonly T[];
  readonly fields: Readonly<Record<keyof T & string, Field>>;
  /** The name of one of natgrad's own as options have it. */
  nameOf(known: T): string;
  /** An object of the user's own as an experiment uses it. */
  use(value: T): T;
};

const kind = <T extends { readonly name: string }>(
  about: Pick<Kind<T>, "exported" | "known" | "fields"> & Partial<Kind<T>>,
): Kind<T> => ({ nameOf: ({ name }) => name, use: (value) => value, ...about });

/** By option. */
export const KINDS: { readonly [Option in OwnOption]: Kind<Parts[Option]> } = {
  natural_gradient_type: kind<Fisher>({
    exported: "fisher",
    known: FISHERS,
    fields: FISHER_FIELDS,
    nameOf: (fisher) => (fisher === PLAIN ? "none" : fisher.name),
    use: guarded,
  }),
  loss_type: kind<Loss>({ exported: "loss", known: LOSSES, fields: LOSS_FIELDS }),
  activation: kind<Activation>({ exported: "activation", known: ACTIVATIONS, fields: ACTIVATION_FIELDS }),
};

/** The options that take objects. */
export const OWN_OPTIONS = Object.keys(KINDS) as OwnOption[];

/** What tells the export of a module from an object. */
const MODULE = Symbol("module");

/** What a module exports, before it is checked, with the file and the digest of its content. */
export type Exported = {
  readonly [MODULE]: true;
  readonly value: unknown;
  readonly file: string;
  readonly sha256: string;
};

export const exportedFrom = (value: unknown, file: string, sha256: string): Exported => ({
  [MODULE]: true,
  value,
  file,
  sha256,
});

const isExported = (given: object): given is Exported => MODULE in given;

/**
 * Parts options into those that have names and the objects of the user's own.
 * @throws InputError for an object that lacks a field, or has one of another type.
 */
export function takeOwn(options: Readonly<Record<string, unknown>>): {
  named: Record<string, unknown>;
  own: OwnParts;
} {
  const named = { ...options };
  const own: Partial<Record<OwnOption, Own<unknown>>> = {};
  for (const option of OWN_OPTIONS) {
    const given = options[option];
    if (typeof given !== "object" || given === null) continue;
    const found = ownOf(option, KINDS[option] as unknown as Kind<{ name: string }>, given);
    if (typeof found === "string") named[option] = found;
    else {
      delete named[option];
      own[option] = found;
    }
  }
  return { named, own: own as OwnParts };
}

/** An object as an experiment uses it, or the name of one of natgrad's. */
function ownOf<T extends { readonly name: string }>(
  option: OwnOption,
  { exported, known, fields, nameOf, use }: Kind<T>,
  given: object,
): Own<T> | string {
  const { value, ...from } = isExported(given)
    ? { value: given.value as T, file: given.file, sha256: given.sha256 }
    : { value: given as T };
  if (known.includes(value)) return nameOf(value);
  const place = "file" in from ? ` of ${exported} in ${from.file}` : "";
  demandFields(option, value, fields, place);
  const names = Object.keys(fields) as (keyof T & string)[];
  return { value: use(adopted(`${option} ${value.name}`, value, names)), ...from };
}

/** A part of a configuration: an object of the user's own, or the one that is named. */
type Chosen<Option extends OwnOption> = {
  readonly [Name in Option]?: string | undefined;
} & { readonly own?: OwnParts };

/** The method of a configuration. */
export const fisherOf = ({ natural_gradient_type: name, own }: Chosen<"natural_gradient_type">): Fisher =>
  own?.natural_gradient_type?.value ?? fisherNamed(name);

/** Its loss. */
export const lossOf = ({ loss_type: name, own }: Chosen<"loss_type">): Loss =>
  own?.loss_type?.value ?? lossNamed(name ?? LOSSES[0]!.name);

/** Its activation. */
export const activationOf = ({ activation: name, own }: Chosen<"activation">): Activation =>
  own?.activation?.value ?? activationNamed(name ?? ACTIVATIONS[0]!.name);

/** The files that objects came from, by option; undefined where there is none. */
export function modulesOf({
  own = {},
}: {
  readonly own?: OwnParts;
}): Partial<Record<OwnOption, { file: string; sha256: string }>> | undefined {
  const found = OWN_OPTIONS.flatMap((option) => {
    const { file, sha256 } = own[option] ?? {};
    return file === undefined || sha256 === undefined ? [] : [[option, { file, sha256 }] as const];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}
