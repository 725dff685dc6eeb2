// What a bundler without the condition `module` takes for `#fp/Either`: Metro finds no other package behind such a name.
export * from 'fp-ts/es6/Either.js'
