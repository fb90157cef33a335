export { type FaultDefinition, FaultPanel, httpFaults } from "./faults.ts";
export { createService, type ServiceOptions } from "./service.ts";
export { listen, type ListenOptions, registryEnv, untilToldToStop } from "./process.ts";
export { type Endpoints, RegistryEndpoints, staticEndpoints } from "./registry/endpoints.ts";
export { openRegistry, type Registry } from "./registry/registry.ts";
