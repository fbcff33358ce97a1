/**
 * An extension that measures the extension host, which all extensions share: its command collects garbage and shows
 * "heap NUMBER BYTES", of which the number counts the measurements, in the status bar.
 */
const v8 = require('node:v8');
const vm = require('node:vm');
const vscode = require('vscode');

exports.activate = (context) => {
  v8.setFlagsFromString('--expose-gc');
  // What V8 compiled of functions (4 MB with all that belongs to it) is otherwise dropped and made anew at times of its
  // own, so that it is in one measurement and not in another.
  v8.setFlagsFromString('--no-flush-bytecode');
  const collect = vm.runInNewContext('gc');
  const item = vscode.window.createStatusBarItem(vscode.StatusBarAlignment.Left);
  let measurements = 0;
  const measure = async () => {
    // What is finalised frees more, so that one collection is not enough.
    let lowest = Infinity;
    for (let round = 0; round < 10; round++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 100));
      const { heapUsed, external } = process.memoryUsage();
      lowest = Math.min(lowest, heapUsed + external);
    }
    item.text = `heap ${++measurements} ${lowest}`;
    item.show();
  };
  context.subscriptions.push(item, vscode.commands.registerCommand('heapMeter.measure', measure));
};
