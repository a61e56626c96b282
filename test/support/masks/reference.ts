import { createHash, createHmac } from "node:crypto";
import { decimalBlock, integerBlocks, permute, roundInput } from "../../../model/masks/permutation";

/** Masked values as they should be, computed without PostgreSQL. */
export class Reference {
  readonly #key: Buffer;

  constructor(key: string) {
    this.#key = createHmac("sha256", "stagecraft masks").update(key).digest();
  }

  hash(value: string, length = 32): string {
    return this.#hex("hash", value).slice(0, length);
  }

  email(value: string, domain = "example.invalid"): string {
    return `u${this.#hex("email", value).slice(0, 24)}@${domain}`;
  }

  phone(value: string): string {
    const number = BigInt(`0x${this.#hex("phone", value).slice(0, 12)}`) % 10n ** 12n;
    return `+999${String(number).padStart(12, "0")}`;
  }

  uuid(value: string): string {
    const hex = this.#hex("hash", value);
    const digits = `${hex.slice(0, 12)}8${hex.slice(13, 16)}a${hex.slice(17, 32)}`;
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  /** @param bits of the type, without the sign */
  integer(value: bigint, bits: number): bigint {
    const exchanged = permute(value < 0n ? -1n - value : value, integerBlocks([bits]), this.#round);
    return value < 0n ? -1n - exchanged : exchanged;
  }

  decimal(value: bigint, digits: number): bigint {
    return permute(value, [decimalBlock(digits)], this.#round);
  }

  /** Days that dates are shifted by. */
  shift(days: number, by = ""): number {
    const number = Number(BigInt(`0x${this.#hex("shift", by).slice(0, 12)}`) % BigInt(2 * days));
    return number >= days ? number - days + 1 : number - days;
  }

  #hex(purpose: string, value: string): string {
    return createHmac("sha256", this.#key).update(`${purpose}\0${value}`).digest("hex");
  }

  readonly #round = (round: number, half: bigint): bigint => {
    const block = Buffer.alloc(64);
    this.#key.copy(block);
    const input = Buffer.alloc(8);
    input.writeBigInt64BE(roundInput(round, half));
    const hash = createHash("sha256").update(block.map((byte) => byte ^ 0x36));
    const hex = hash.update("number\0").update(input).digest("hex");
    return BigInt(`0x${hex.slice(0, 12)}`);
  };
}
