import { type BackendName, type BackendObstacles, backendNames } from './backends.js';
import { element } from './element.js';

/**
 * Radio buttons for the backends, in a fieldset; those that the browser lacks are disabled and say why.
 *
 * @param fieldset - with its legend; the buttons are added.
 * @param choose - is told of a choice. The buttons are disabled until it is done.
 */
export function backendChoice(
  fieldset: HTMLFieldSetElement,
  obstacles: BackendObstacles,
  chosen: BackendName,
  choose: (backend: BackendName) => Promise<void>,
): void {
  for (const name of backendNames) {
    const obstacle = obstacles[name];
    const input = element('input', { type: 'radio', name: 'backend', value: name, checked: name === chosen });
    input.disabled = obstacle !== null;
    input.addEventListener('change', async () => {
      fieldset.disabled = true;
      try {
        await choose(name);
      } finally {
        fieldset.disabled = false;
        input.focus();
      }
    });
    const label = element('label', { className: 'choice' }, input, ` ${name}`);
    if (obstacle !== null) label.append(element('span', { className: 'reason' }, ` (${obstacle})`));
    fieldset.append(label);
  }
}

/** The first backend that works here. */
export function firstBackend(obstacles: BackendObstacles): BackendName {
  const name = backendNames.find((backend) => obstacles[backend] === null);
  if (!name) throw new Error(`No backend of TensorFlow.js works here: ${Object.values(obstacles).join('; ')}.`);
  return name;
}
