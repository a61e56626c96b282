import * as pulumi from "@pulumi/pulumi";
import { inspect } from "node:util";

/** An error that is told as it is, without a stack trace. */
export class UserError extends pulumi.RunError {
  /** For Pulumi, which inspects an error before it ends: without this it walks through the whole program for half a minute. */
  [inspect.custom](): string {
    return this.message;
  }
}
