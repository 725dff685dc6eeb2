import { fc, testProp } from '@fast-check/ava'
import { appendText, builtText, type TextBuilder } from '../../dist/codecs/textBuilder.js'

const piece = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom('', '日本', '\ud83d', '\ude00'),
  fc.nat({ max: 1_200 }).map((length) => 'x'.repeat(length)),
)

testProp(
  'law: a text is its pieces one after the other, whenever it is read',
  [fc.array(piece, { maxLength: 300 })],
  (t, pieces) => {
    let builder: TextBuilder | undefined
    let text = ''
    t.is(builtText(builder), text)
    for (const one of pieces) {
      builder = appendText(builder, one)
      text += one
      t.is(builtText(builder), text)
    }
  },
)
