/** What the system says of a failed call, without the path: "EACCES: permission denied". */
export function systemMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split(',', 1)[0]!;
}
