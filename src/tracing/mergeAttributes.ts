interface WithMetadata {
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
}

/** Lays one set of attributes over another: `metadata` merges by key, everything else is replaced. Neither is changed. */
export const mergeAttributes = <A extends WithMetadata>(
  under: A | undefined,
  over: A | undefined,
): A | undefined => {
  if (over === undefined) return under
  const metadata = { ...under?.metadata, ...over.metadata }
  return {
    ...under,
    ...over,
    ...(under?.metadata === undefined && over.metadata === undefined ? {} : { metadata }),
  }
}
