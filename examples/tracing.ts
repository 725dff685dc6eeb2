import { buildPrompt, openaiGenerate, respanTrace } from 'respan-rx'
import { of } from 'rxjs'

// Tracing without the gateway: the call goes to OpenAI, or to any server that speaks its chat completions
// (OPENAI_BASE_URL); the trace goes to Respan.

of({ topic: 'artificial intelligence' })
  .pipe(
    buildPrompt('Tell me about {{ topic }}.'),
    openaiGenerate({ model: 'gpt-4o-mini' }),
    respanTrace('My Workflow', { onStart: ({ traceUrl }) => console.log(`Trace URL: ${traceUrl}\n`) }),
  )
  .subscribe(({ replies }) => console.log(replies[0]))
