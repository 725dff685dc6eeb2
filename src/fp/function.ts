// `#fp/function` for bundlers without the `module` condition: Metro can't resolve an `imports` entry to another package.
export * from 'fp-ts/es6/function.js'
