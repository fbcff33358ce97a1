/** What VS Code loads: builds the parts and registers them, nothing else. */
import type { ExtensionContext } from 'vscode';

export function activate(_context: ExtensionContext): void {}
