/** `disburse-loan` as the class that Nest knows it by: `DisburseLoan`. */
export function classNameOf(name: string): string {
  return name.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** `disburse-loan` as the method that answers its route: `disburseLoan`. */
export function methodNameOf(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Gives a class the name under which logs, traces and OpenAPI show it. */
export function named<T extends abstract new (...args: never[]) => unknown>(name: string, made: T): T {
  Object.defineProperty(made, 'name', { value: name });
  return made;
}
