import type { OrtRuntime } from '@mhe/onnx';
import type { TransformersLibrary } from './library.js';
import { withLocalFolder } from './local-folder.js';
import type { NodeModules } from './node-modules.js';
import { runtimeOf } from './runtime.js';

/** An ONNX model of one Identity node, x to y. */
const SMALLEST_MODEL = 'CAg6NwoQCgF4EgF5IghJZGVudGl0eRIBZ1oPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAFCBAoAEA0=';

/** The ONNX Runtime of a library that has loaded nothing yet: it is given the smallest model there is to load. */
export async function folderRuntime(node: NodeModules, library: TransformersLibrary): Promise<OrtRuntime> {
  const { mkdtemp, mkdir, rm, writeFile } = node.fs.promises;
  const folder = await mkdtemp(node.path.join(node.os.tmpdir(), 'mhe-'));
  try {
    await mkdir(node.path.join(folder, 'onnx'));
    await writeFile(node.path.join(folder, 'config.json'), '{"model_type":"bert"}');
    await writeFile(node.path.join(folder, 'onnx', 'model.onnx'), SMALLEST_MODEL, 'base64');
    const model = await withLocalFolder(node, library, folder, (id, options) =>
      library.AutoModel.from_pretrained(id, options),
    );
    const runtime = runtimeOf(library, model);
    await (model as { dispose(): Promise<unknown> }).dispose();
    return runtime;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
