import { readFileSync } from 'node:fs'
import ts from 'typescript'

/** The README's code for tokens as the body of a response, as a module that exports `toBody`. */
export const toBody = () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const [, block] = /```ts\n([^`]*const toBody =[^`]*)```/.exec(readme)
  return ts.transpileModule(`${block}\nexport { toBody }`, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  }).outputText
}
