/** Placeholder for an encrypted value when a stack file is read without Pulumi, so it cannot be decrypted. */
export const encryptedPlaceholder = "encrypted";
