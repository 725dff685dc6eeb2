// What bundlers take for `#fp/Either`, as package.json says: Metro finds no other package behind such a name.
export * from 'fp-ts/es6/Either.js'
