// ava asks for coverage when it ends, which no other runtime than Node has.
import v8 from 'node:v8'

v8.takeCoverage = () => undefined
