/**
 * Compiles names with `*` into one test. A pattern without a slash is a file name; "folder/name" also asks for the
 * folder right above. Letters match in either case.
 *
 * The test takes a path with forward slashes.
 */
export function namePatterns(patterns: readonly string[]): (path: string) => boolean {
  const alternatives = patterns.map((pattern) => pattern.split('*').map(escapeRegExp).join('[^/]*'));
  const expression = new RegExp(`(?:^|/)(?:${alternatives.join('|')})$`, 'i');
  return (path) => expression.test(path);
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
