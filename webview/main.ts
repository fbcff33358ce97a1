/** The chat page. What the host has to put around it is described at the top of page.ts. */
import '@vscode/codicons/dist/codicon.css';
import * as l10n from '@vscode/l10n';
import './page.ts';
import { controlStyles } from './styles/controlStyles.ts';
import { pageStyles } from './styles/pageStyles.ts';
import { transcriptStyles } from './styles/transcriptStyles.ts';

const translations = document.getElementById('l10n')?.dataset['contents'];
if (translations !== undefined && translations !== '') l10n.config({ contents: translations });

for (const { styleSheet } of [controlStyles, pageStyles, transcriptStyles]) {
  if (styleSheet !== undefined) document.adoptedStyleSheets.push(styleSheet);
}
// Last, so that the first thing it shows is in the user's language and in its styles.
document.body.append(document.createElement('ask-page'));
