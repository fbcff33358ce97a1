/** The chat page. */
export {};
