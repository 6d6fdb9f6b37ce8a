/** What a process of `npm run services` holds, as it stands in its file. */
export interface Running {
  readonly pid: number;
  /** Not all of them answer yet. */
  readonly starting?: boolean;
  /** By the variable of the environment that names it. */
  readonly servers: Readonly<Record<string, string>>;
  /** By name, why it could not be had. */
  readonly missing: Readonly<Record<string, string>>;
  /** Why the start failed, though everything was there. */
  readonly failed?: string;
}

export function exportLines({ servers }: Running): string {
  return Object.entries(servers)
    .map(([name, value]) => `export ${name}='${value}'\n`)
    .join('');
}
