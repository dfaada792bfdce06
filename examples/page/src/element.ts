/** Makes an element with properties and children; text is escaped by being text. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/**
 * The element of the page with this id.
 *
 * @throws Error where there is none of this kind.
 */
export function byId<Kind extends HTMLElement>(id: string, kind: abstract new (...args: never[]) => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} with the id ${id}.`);
  return found;
}

/** A row of a table: a heading, then cells. */
export function row(heading: string, ...cells: readonly (Node | string)[]): HTMLTableRowElement {
  const head = element('th', { scope: 'row' }, heading);
  return element('tr', {}, head, ...cells.map((cell) => element('td', {}, cell)));
}

/** Shows on the page what nobody caught, workers' errors too. */
export function showErrors(place: HTMLElement): void {
  const show = (error: unknown) => {
    place.textContent = error instanceof Error ? error.message : String(error);
    place.hidden = false;
  };
  addEventListener('unhandledrejection', ({ reason }) => show(reason));
  addEventListener('error', ({ error, message }) => show(error ?? message));
}

/** Does some work when a form is sent, in place of sending it. */
export function onSubmit(id: string, work: () => Promise<void>): void {
  byId(id, HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    work();
  });
}
