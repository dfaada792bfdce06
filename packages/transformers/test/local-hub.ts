import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TransformersLibrary } from '@mhe/transformers';
import { FIXTURES } from './library-under-test.js';

/** A hub on this machine: `OWNER/NAME` has the files of the fixture NAME, in every revision that is asked for. */
export interface LocalHub {
  /** Paths that it was asked for. */
  readonly asked: string[];
}

/** What a hub does otherwise than to give the files of its fixtures, by path; `null` for that. */
export type Answer = (path: string) => { readonly status: number; readonly body?: string } | 'stall' | null;

/** Serves the fixtures as a hub does while `run` runs, and has the library load from there alone. */
export async function withHub<T>(
  library: TransformersLibrary,
  run: (hub: LocalHub) => Promise<T>,
  answer: Answer = () => null,
): Promise<T> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const other = answer(path);
    const file = join(FIXTURES, path.replace(/^\/[^/]+\/([^/]+)\/resolve\/[^/]+\//, '$1/'));
    if (other === 'stall') response.writeHead(200, { 'content-length': statSync(file).size }).write('the first part');
    else if (other !== null) response.writeHead(other.status).end(other.body ?? '');
    else if (existsSync(file)) createReadStream(file).pipe(response.setHeader('content-length', statSync(file).size));
    else response.writeHead(404).end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { allowLocalModels, allowRemoteModels, remoteHost } = library.env as typeof library.env & {
    allowRemoteModels: boolean;
  };
  const { port } = server.address() as AddressInfo;
  Object.assign(library.env, {
    allowLocalModels: false,
    allowRemoteModels: true,
    remoteHost: `http://127.0.0.1:${port}/`,
  });
  try {
    return await run({ asked });
  } finally {
    Object.assign(library.env, { allowLocalModels, allowRemoteModels, remoteHost });
    server.closeAllConnections();
    server.close();
  }
}
