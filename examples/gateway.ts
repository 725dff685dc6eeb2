import { buildPrompt, respanGenerate } from 'respan-rx'
import { of } from 'rxjs'

// Gateway: calls go through Respan, which logs them, balances load and falls back to other models. Attributes have the
// names that they have on the wire.

of({ topic: 'machine learning' })
  .pipe(
    buildPrompt('Tell me about {{ topic }}.'),
    respanGenerate({
      model: 'gpt-4o-mini',
      attributes: {
        customer_identifier: 'user_123',
        thread_identifier: 'conversation_456',
        metadata: { session_id: 'abc123' },
      },
    }),
  )
  .subscribe(({ replies, meta }) => {
    console.log(replies[0])
    console.log(`\n${meta[0]?.model}: ${meta[0]?.usage?.total_tokens} tokens`)
  })
