/**
 * A part with a life. `start` resolves when it serves; `stop` resolves when nothing of it is left running.
 * `stop` is safe without `start` and safe twice; after `stop` no work begins.
 */
export interface Component {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the components in order. When one fails, stops those already started, last first, and rethrows. */
export async function startAll(components: readonly Component[]): Promise<void> {
  const started: Component[] = [];
  for (const component of components) {
    try {
      await component.start();
      started.push(component);
    } catch (error) {
      await stopAll([...started, component]);
      throw error;
    }
  }
}

/** Stops the components, last first; a failing stop does not keep the others from stopping. Throws what failed. */
export async function stopAll(components: readonly Component[]): Promise<void> {
  const errors: unknown[] = [];
  for (const component of components.toReversed()) {
    await component.stop().catch((error: unknown) => errors.push(error));
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, "several components failed to stop");
}
