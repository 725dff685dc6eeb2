export { active as default } from './openTelemetry.js'
