/** A path below another one; either may be empty. */
export const joinPaths = (above: string, path: string): string =>
  above === '' || path === '' || path.startsWith('[') ? `${above}${path}` : `${above}.${path}`
