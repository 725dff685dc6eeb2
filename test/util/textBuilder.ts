import { fc, testProp } from '@fast-check/ava'
import { appendText, builtText, emptyText, replaceText, textLength } from '../../dist/util/textBuilder.js'

const piece = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom('', '日本', '\ud83d', '\ude00'),
  fc.nat({ max: 1_200 }).map((length) => 'x'.repeat(length)),
)

testProp(
  'law: a text is its pieces one after the other, and as long, whenever it is read',
  [fc.array(piece, { maxLength: 300 })],
  (t, pieces) => {
    const builder = emptyText()
    let text = ''
    t.is(builtText(builder), text)
    for (const one of pieces) {
      appendText(builder, one)
      text += one
      t.is(builtText(builder), text)
      t.is(textLength(builder), text.length)
    }
    replaceText(builder, 'whole')
    appendText(builder, '.')
    t.is(builtText(builder), 'whole.')
    t.is(textLength(builder), 6)
  },
)
