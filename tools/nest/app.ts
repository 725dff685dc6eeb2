// A server as a user of Nest builds one, with the controller of the README: test.mjs compiles it in both module formats.

import 'reflect-metadata'
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type ArgumentsHost,
  BadRequestException,
  Body,
  Catch,
  Controller,
  Get,
  HttpException,
  Inject,
  Module,
  type NestApplicationOptions,
  Param,
  type PipeTransform,
  Post,
  UseFilters,
} from '@nestjs/common'
import { BaseExceptionFilter, NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import * as t from 'io-ts'
import {
  bufferedSink,
  component,
  decode,
  type Gateway,
  isRespanError,
  type Reply,
  respanGateway,
  respanGenerate,
  respanTrace,
  respanTransport,
  type Sink,
  traceEach,
} from 'respan-rx'
import { flushOnSignals } from 'respan-rx/node'
import { type Observable, of, Subject } from 'rxjs'
import { AnswerController } from './answer.controller.js'
import { GATEWAY, SINK } from './tokens.js'

const request = new AsyncLocalStorage<string>()

@Catch()
class TagFilter extends BaseExceptionFilter {
  override catch(error: unknown, host: ArgumentsHost): void {
    super.catch(isRespanError(error) ? new HttpException(error._tag, 502) : error, host)
  }
}

const Job = t.type({ id: t.string })
type Job = t.TypeOf<typeof Job>

const decoded = <A>(codec: t.Decoder<unknown, A>): PipeTransform<unknown, A> => ({
  transform: (value) => {
    const either = decode(codec)(value)
    if (either._tag === 'Right') return either.right
    throw new BadRequestException(`${either.left.path}: expected ${either.left.expected}`)
  },
})

@Controller()
class WholeController {
  // Where something ran for one request in the context of another, or of none.
  private readonly strangers: Array<string> = []
  private readonly jobs = new Subject<string>()
  private readonly ask

  constructor(
    @Inject(GATEWAY) gateway: Gateway,
    @Inject(SINK) private readonly sink: Sink,
  ) {
    const ask = respanGenerate({ model: 'gpt-4o-mini', gateway })
    this.ask = ask
    this.jobs.pipe(traceEach('job', { sink }, this.own('work'), ask)).subscribe()
  }

  @Get('whole/:id')
  whole(@Param('id') id: string): Observable<Reply> {
    return of(id).pipe(this.own('before'), this.ask, respanTrace('whole', { sink: this.sink }))
  }

  @Get('filtered')
  @UseFilters(TagFilter)
  filtered(): Observable<Reply> {
    return this.whole('filtered')
  }

  @Post('jobs')
  job(@Body(decoded(Job)) { id }: Job): void {
    this.jobs.next(id)
  }

  @Get('strangers')
  all(): ReadonlyArray<string> {
    return this.strangers
  }

  @Post('flush')
  async flush(): Promise<string> {
    return (await this.sink.flush())._tag
  }

  private own(where: string) {
    return component(where, async (id: string) => {
      this.check(where, id)
      await new Promise(setImmediate)
      this.check(`${where}, after an await`, id)
      return id
    })
  }

  private check(where: string, id: string): void {
    const found = request.getStore()
    if (found !== id) this.strangers.push(`${where}: ${id} found ${found}`)
  }
}

@Module({
  controllers: [AnswerController, WholeController],
  providers: [
    { provide: GATEWAY, useFactory: (): Gateway => respanGateway({ retry: { count: 0 } }) },
    { provide: SINK, useFactory: (): Sink => bufferedSink(respanTransport(), { maxDelay: 600_000 }) },
  ],
})
class AppModule {}

const main = async (): Promise<void> => {
  const options: NestApplicationOptions = { logger: ['error'], forceCloseConnections: true }
  const app =
    process.argv[2] === 'fastify'
      ? await NestFactory.create(AppModule, new FastifyAdapter({ forceCloseConnections: true }), options)
      : await NestFactory.create(AppModule, options)
  app.use((incoming: { headers: Record<string, string> }, _: unknown, next: () => void) =>
    request.run(incoming.headers['x-id'] ?? 'nobody', next),
  )
  app.enableShutdownHooks()
  flushOnSignals(app.get<Sink>(SINK))
  await app.listen(0, '127.0.0.1')
  console.log(await app.getUrl())
}
void main()
