import * as pulumi from "@pulumi/pulumi";
import { inspect } from "node:util";

/** An error that Pulumi shows as it is, without a stack trace. */
export class UserError extends pulumi.RunError {
  /** Pulumi inspects an error before it exits; without this it would walk through the whole program for half a minute. */
  [inspect.custom](): string {
    return this.message;
  }
}
