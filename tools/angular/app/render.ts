import { mergeApplicationConfig } from '@angular/core'
import { bootstrapApplication } from '@angular/platform-browser'
import { provideServerRendering, renderApplication } from '@angular/platform-server'
import { App } from './app.js'
import { config } from './config.js'

const serverConfig = mergeApplicationConfig(config, { providers: [provideServerRendering()] })

/** The page as a server sends it. */
export const render = (document: string, url: string): Promise<string> =>
  renderApplication((context) => bootstrapApplication(App, serverConfig, context), {
    document,
    url,
    allowedHosts: ['127.0.0.1'],
  })
