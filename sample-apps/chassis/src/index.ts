export { type FaultDefinition, FaultPanel, httpFaults } from "./faults.ts";
export { createService, type ServiceOptions } from "./service.ts";
export { listen, type ListenOptions, untilToldToStop } from "./process.ts";
