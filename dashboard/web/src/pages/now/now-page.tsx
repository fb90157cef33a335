import classes from "./now-page.module.css";
import { BreakPanel } from "./break-panel.tsx";
import { FiringPanel } from "./firing-panel.tsx";
import { LastDecisions } from "./last-decisions.tsx";
import { ServicesPanel } from "./services-panel.tsx";

/** What is wrong right now, who was told, and a button to make something go wrong. */
export function Component() {
  return (
    <div className={classes["grid"]}>
      <div className={classes["column"]}>
        <FiringPanel />
        <BreakPanel />
      </div>
      <div className={classes["column"]}>
        <ServicesPanel />
        <LastDecisions />
      </div>
    </div>
  );
}
