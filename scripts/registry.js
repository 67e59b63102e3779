/**
 * @file Whether npm failed because its registry did not answer, in which case a check that needs one is skipped, and says so.
 */

const UNREACHABLE =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|E40[135]|E5\d\d)\b|audit endpoint returned an error|40[1345] [A-Z]|50\d [A-Z]/;

/** The line of npm's output that shows it; undefined where npm failed for another reason. */
export const unanswered = (output) =>
  output.split("\n").find((line) => UNREACHABLE.test(line) && /npm (warn|error)/.test(line));
