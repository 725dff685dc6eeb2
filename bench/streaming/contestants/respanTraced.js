export { traced as default } from './respan.js'
