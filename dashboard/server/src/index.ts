export { dashboardServer, type DashboardServerOptions } from "./dashboard-server.ts";
