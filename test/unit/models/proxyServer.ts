/** A proxy on this machine that takes every host for one server. */
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';

export interface Proxy {
  readonly url: string;
  /** "host:port" of each connection and each request that was asked for. */
  readonly targets: readonly string[];
  close(): Promise<void>;
}

/** Whatever is asked for, the server at this address gets it. */
export async function startProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const targets: string[] = [];
  const server = createServer((asked, answer) => {
    const { host, pathname, search } = new URL(asked.url ?? '', 'http://none.invalid');
    targets.push(host.includes(':') ? host : `${host}:80`);
    const { method, headers } = asked;
    const onward = request({ hostname, port, path: `${pathname}${search}`, method, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    asked.pipe(onward);
  });
  server.on('connect', (asked, socket) => {
    targets.push(asked.url ?? '');
    const onward = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [socket, onward]) end.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    targets,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
