import { expect, test } from 'vitest'
import { encryptPush } from '../../../src/services/deliveries/push-encryption.ts'

test('a push is encrypted like the example of RFC 8291', async () => {
  const bytes = (text: string) => Uint8Array.fromBase64(text, { alphabet: 'base64url' })
  const point = bytes('BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8')
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) =>
    part.toBase64({ alphabet: 'base64url', omitPadding: true }),
  )
  const jwk = { kty: 'EC', crv: 'P-256', x, y }
  const curve = { name: 'ECDH', namedCurve: 'P-256' }
  const d = 'yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw'
  const keys = {
    publicKey: await crypto.subtle.importKey('jwk', jwk, curve, true, []),
    privateKey: await crypto.subtle.importKey('jwk', { ...jwk, d }, curve, true, ['deriveBits']),
  }
  const to = {
    p256dh: bytes('BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4'),
    auth: bytes('BTBZMqHH6r4Tts7J_aSIgg'),
  }
  const body = await encryptPush('When I grow up, I want to be a watermelon', to, {
    salt: bytes('DGv6ra1nlYgDCS1FRnbzlw'),
    keys,
  })
  expect(body.toBase64({ alphabet: 'base64url', omitPadding: true })).toBe(
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
  )
  await expect(encryptPush('x'.repeat(4_000), to)).rejects.toThrow('too long')
})
