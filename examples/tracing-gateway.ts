import { buildPrompt, respanGenerate, respanTrace, tokens } from 'respan-rx'
import { of } from 'rxjs'

// Tracing and gateway together, with the tokens as they arrive.

of({ topic: 'reactive programming' })
  .pipe(
    buildPrompt('Tell me about {{ topic }}.'),
    respanGenerate({ model: 'gpt-4o-mini', stream: true }),
    tokens(),
    respanTrace('My Workflow', { onStart: ({ traceUrl }) => console.log(`Trace URL: ${traceUrl}\n`) }),
  )
  .subscribe({
    next: (token) => process.stdout.write(token),
    complete: () => console.log(),
  })
