/** Shell scripts are imported as text (esbuild's loader, vitest.config.mts). */
declare module "*.sh" {
  const text: string;
  export default text;
}
