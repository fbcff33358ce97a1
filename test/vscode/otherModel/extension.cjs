/**
 * An extension with a language model that says nothing. VS Code's chat calls no participant as long as it has no model
 * to choose, also one that needs none of it.
 */
const vscode = require('vscode');

exports.activate = (context) => {
  const model = {
    ...{ id: 'silent', name: 'Silent', family: 'silent', version: '1' },
    ...{ maxInputTokens: 1000, maxOutputTokens: 1000, capabilities: { toolCalling: true } },
  };
  context.subscriptions.push(
    vscode.lm.registerLanguageModelChatProvider('tests', {
      provideLanguageModelChatInformation: () => [model],
      provideLanguageModelChatResponse: () => Promise.reject(new Error('This model answers nothing.')),
      provideTokenCount: () => Promise.resolve(1),
    }),
  );
  // VS Code asks for the models of an extension when somebody wants one; then its chat has them to choose, too.
  void vscode.lm.selectChatModels({ vendor: 'tests' });
};
