const TEXT_PARTS: ReadonlySet<string> = new Set(['text', 'input_text'])

/** Whether a part of a message's content is a template: a text that no model wrote. */
export const isTemplatePart = <P extends { readonly type: string }>(
  part: P,
): part is P & { readonly text: string } =>
  TEXT_PARTS.has(part.type) && 'text' in part && typeof part.text === 'string'
