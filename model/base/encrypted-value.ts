/** What stands in the place of a value that only Pulumi can decrypt, where a stack file is read without it. */
export const unseen = "encrypted";
