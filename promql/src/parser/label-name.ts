const LEGACY = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Whether a label name can be written without quotes. */
export const isValidLabelName = (name: string): boolean => LEGACY.test(name);
