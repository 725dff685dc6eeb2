import { isPlatformBrowser } from '@angular/common'
import {
  type ApplicationConfig,
  DestroyRef,
  inject,
  PLATFORM_ID,
  provideZoneChangeDetection,
} from '@angular/core'
import { provideClientHydration } from '@angular/platform-browser'
import { bufferedSink, respanTransport, type Sink } from 'respan-rx'
import { indexedDbSpool } from 'respan-rx/browser'
import { baseUrl, SINK } from './readme.js'

declare const ZONE: boolean

/** One that nobody can wait for, and that writes each span down. */
const patientSink = (): Sink => {
  const isPage = isPlatformBrowser(inject(PLATFORM_ID))
  const sink = bufferedSink(respanTransport({ baseUrl: baseUrl() }), {
    maxDelay: 600_000,
    maxBatchSize: 1_000,
    ...(isPage ? { spool: indexedDbSpool({ strength: 'always' }) } : {}),
  })
  inject(DestroyRef).onDestroy(() => sink.close())
  return sink
}

/** With zone.js, or with the README's own sink and without it. */
export const config: ApplicationConfig = {
  providers: [
    provideClientHydration(),
    ...(ZONE ? [provideZoneChangeDetection(), { provide: SINK, useFactory: patientSink }] : []),
  ],
}
