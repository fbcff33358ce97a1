/** The way out of a terminal through a proxy: Node's own `fetch` does not look at the variables that name one. */
import { errors } from '../errors.ts';
import { messageOf } from '../models/modelFolder.ts';

const variables = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'];

/**
 * From then on, `fetch` of this process goes through the proxy of HTTP_PROXY and HTTPS_PROXY, but for what NO_PROXY
 * names. Nothing is loaded where no variable is set. Throws errors.badArgument.
 */
export async function useProxyOfEnvironment(env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const named = variables.find((name) => (env[name] ?? '') !== '');
  if (named === undefined) return;
  const { EnvHttpProxyAgent, setGlobalDispatcher } = await import('undici');
  try {
    setGlobalDispatcher(new EnvHttpProxyAgent());
  } catch (error) {
    throw errors.badArgument(named, `names no proxy: ${messageOf(error)}`);
  }
}
