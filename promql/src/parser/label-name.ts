const LEGACY = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Whether a label name can be written without quotes. */
export const isValidLabelName = (name: string): boolean => LEGACY.test(name);

/** Whether it can be a label's name at all: any text in valid UTF-8. */
export const isUtf8LabelName = (name: string): boolean => name !== "" && name.isWellFormed();
