/** What a server says to a client that has told who it is. */
export type Answer =
  /** Nothing is asked: `trust`, `peer`, `cert`. `then` is why the session still did not begin, e.g. for a missing database. */
  | { readonly kind: "let in"; readonly then?: ServerError }
  | { readonly kind: "asked"; readonly question: AuthRequest }
  | { readonly kind: "refused"; readonly refusal: ServerError }
  /** TLS was wanted, and the server has none. */
  | { readonly kind: "no TLS" };

/** What a server can want to see before it lets a client in. */
export type AuthRequest = "password" | "md5" | "gss" | "sspi" | "scram-sha-256" | "oauth";

/** PostgreSQL's own words. */
export interface ServerError {
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
}

/** Authentication requests by their number. PostgreSQL manual, 54.7. */
const authRequests: Readonly<Record<number, AuthRequest>> = {
  3: "password",
  5: "md5",
  7: "gss",
  9: "sspi",
};
const authenticationOk = 0;
const authenticationSasl = 10;

/** SSLRequest. PostgreSQL manual, 54.7. */
export const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/** Terminate. PostgreSQL manual, 54.7. */
export const terminateMessage = Buffer.from([0x58, 0, 0, 0, 4]);

/** StartupMessage of protocol 3.0. PostgreSQL manual, 54.7. */
export function startupMessage(parameters: Readonly<Record<string, string>>): Buffer {
  const words = Object.entries(parameters).flat();
  const body = Buffer.from(`${words.map((word) => `${word}\0`).join("")}\0`);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(head.length + body.length, 0);
  head.writeUInt32BE(3 << 16, 4);
  return Buffer.concat([head, body]);
}

/** What the bytes received so far say; `undefined` while that is open. */
export function readAnswer(received: Buffer): Answer | undefined {
  let letIn = false;
  for (const { type, body } of messages(received)) {
    if (type === "E") {
      const refusal = readErrorResponse(body);
      return letIn ? { kind: "let in", then: refusal } : { kind: "refused", refusal };
    }
    if (type === "Z") return { kind: "let in" };
    if (type !== "R") continue;
    const number = body.readUInt32BE(0);
    if (number !== authenticationOk)
      return { kind: "asked", question: authRequestOf(number, body) };
    letIn = true;
  }
  return undefined;
}

function authRequestOf(number: number, body: Buffer): AuthRequest {
  if (number === authenticationSasl)
    return body.toString("latin1", 4).startsWith("SCRAM-SHA-256") ? "scram-sha-256" : "oauth";
  const question = authRequests[number];
  if (question === undefined)
    throw new Error(`PostgreSQL sent authentication request ${number}, which is not known here`);
  return question;
}

function* messages(received: Buffer): Generator<{ readonly type: string; readonly body: Buffer }> {
  for (let at = 0; at + 5 <= received.length;) {
    const end = at + 1 + received.readUInt32BE(at + 1);
    if (end > received.length) return;
    yield { type: received.toString("latin1", at, at + 1), body: received.subarray(at + 5, end) };
    at = end;
  }
}

/** ErrorResponse: fields of a letter and a text each. PostgreSQL manual, 54.8. */
function readErrorResponse(body: Buffer): ServerError {
  const fields = new Map(
    body
      .toString("utf8")
      .split("\0")
      .map((field) => [field.slice(0, 1), field.slice(1)]),
  );
  return { code: fields.get("C") ?? "", message: fields.get("M") ?? "" };
}
