/**
 * @file What the help of the command line says of an option.
 */

/** Headings of the options, in the order of the help. */
export type Group = "Data" | "Network" | "Training" | "Prediction" | "Engine" | "Files";

/** The heading of an option, what stands for its value, and what it does. */
export type About = { readonly group: Group; readonly placeholder: string; readonly description: string };

/** Makes what is said of the options of one group. */
export const aboutIn =
  (group: Group) =>
  (placeholder: string, description: string): About => ({ group, placeholder, description });
