import * as t from 'io-ts'
import { respanGenerate } from 'respan-rx'
import { of } from 'rxjs'

// Gateway, with a prompt that is stored on the platform. The codec makes its variables the operator's input:
// checked when this compiles, and again when it runs, before any request.

of({ user_input: 'Why does streaming matter?' })
  .pipe(
    respanGenerate({
      promptId: 'your-prompt-id',
      variables: t.type({ user_input: t.string }),
    }),
  )
  .subscribe(({ replies }) => console.log(replies[0]))
