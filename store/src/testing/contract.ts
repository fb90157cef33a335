/** One thing a store has to do; `run` gets an empty store and throws when it does not. */
export interface ContractCase<S> {
  claim: string;
  run(store: S): Promise<void>;
}
