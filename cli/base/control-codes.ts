/** Whether a stream is a terminal that understands control codes: `TERM=dumb` does not. */
export function hasControlCodes(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && process.env["TERM"] !== "dumb";
}
