import { element } from './element.js';

/** Why each backend cannot be used here; `null` for one that can. */
export type Obstacles<Backend extends string> = Readonly<Record<Backend, string | null>>;

/**
 * Radio buttons for the backends, in a fieldset; those that the browser lacks are disabled and say why.
 *
 * @param fieldset - with its legend; the buttons are added.
 * @param choose - is told of a choice. The buttons are disabled until it is done.
 */
export function backendChoice<Backend extends string>(
  fieldset: HTMLFieldSetElement,
  obstacles: Obstacles<Backend>,
  chosen: Backend,
  choose: (backend: Backend) => Promise<void>,
): void {
  for (const name of Object.keys(obstacles) as Backend[]) {
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
export function firstBackend<Backend extends string>(obstacles: Obstacles<Backend>): Backend {
  const name = (Object.keys(obstacles) as Backend[]).find((backend) => obstacles[backend] === null);
  if (!name) throw new Error(`No backend works here: ${Object.values(obstacles).join('; ')}.`);
  return name;
}
