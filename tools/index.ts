export { baseImage, baseImageNamed } from "./base-image";
export { dockerEngine } from "./docker-engine";
export { nodeFolder, nodeRuntime } from "./node-runtime";
export { pulumiEnvironment } from "./pulumi-environment";
export { pulumiToolchain } from "./pulumi-toolchain";
export { type Requirement, RequirementError } from "./requirement";
