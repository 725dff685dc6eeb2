// What bundlers take for `#fp/function`, as package.json says: Metro finds no other package behind such a name.
export * from 'fp-ts/es6/function.js'
