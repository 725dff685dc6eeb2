import { refuse } from '../codecs/refuse.js'
import { hasMethods } from '../util/hasMethods.js'

/** Refuses anything but a gateway. @throws InvalidInput */
export const checkGateway = (subject: string, gateway: unknown): void => {
  if (!hasMethods(gateway, 'chat')) refuse(subject, 'gateway', 'a gateway, such as respanGateway()', gateway)
}
